//! What package managers share: asking a program, the words of `os-release`, and the repositories of a baseline.

use muster_patching::Baseline;
use std::process::Command;

/// What a program prints; why, when it fails.
pub(super) fn output(mut command: Command, arguments: &[&str]) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let out = command
        .args(arguments)
        .output()
        .map_err(|error| format!("{program} could not be started: {error}"))?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&out.stderr);
    let last = text.lines().last().unwrap_or_default();
    Err(format!("{program} failed ({}): {last}", out.status))
}

/// What the service calls this system, `RockyLinux9.3`: by its id, where the service has another name for it.
pub(super) fn product(os_release: &str, names: &[(&str, &str)]) -> String {
    let value = |name: &str| {
        let line = os_release
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
    };
    let id = value("ID");
    let name = names.iter().find(|(known, _)| *known == id);
    format!(
        "{}{}",
        name.map_or(id.as_str(), |(_, name)| name),
        value("VERSION_ID")
    )
}

/// The repositories that a baseline has for this system.
pub(super) fn sources<'a>(baseline: &'a Baseline, product: &str) -> Vec<&'a str> {
    let is_meant = |products: &[String]| products.iter().any(|name| name == "*" || name == product);
    baseline
        .sources
        .iter()
        .filter(|source| is_meant(&source.products))
        .map(|source| source.configuration.as_str())
        .collect()
}
