//! Packages from npm: installed by lock file, again only when the lock file changed.

use crate::debian;
use crate::failure::{Doing, Failure, Outcome, read};
use crate::process::{program, run_quietly};
use crate::say;
use crate::workshop::Workshop;
use std::path::{Path, PathBuf};

/// What the build takes from npm.
pub(crate) fn frontend(workshop: &Workshop) -> Outcome<PathBuf> {
    install(
        workshop,
        &workshop.root.join("frontend"),
        "fonts, the terminal, style bundler and wasm optimiser",
    )
}

/// What the browser tests take from npm.
pub(crate) fn browser_tests(workshop: &Workshop) -> Outcome<PathBuf> {
    install(
        workshop,
        &workshop.root.join("tests/e2e"),
        "browser driver and accessibility checks",
    )
}

/// The client of sessions in JavaScript that the endpoint is tested with; gives its folder.
pub(crate) fn session_client(workshop: &Workshop) -> Outcome<PathBuf> {
    let folder = workshop.root.join("tests/ssm-session");
    install(workshop, &folder, "a client of sessions")?;
    Ok(folder)
}

fn install(workshop: &Workshop, folder: &Path, what: &str) -> Outcome<PathBuf> {
    debian::ensure(&[debian::NODE, debian::NPM])?;
    let lock = read(&folder.join("package-lock.json"))?;
    let modules = folder.join("node_modules");
    // A copy of the lock file as it was installed, written last: half an installation has none.
    let stamp = modules.join(".muster-lock.json");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(modules);
    }
    say::step(&format!(
        "Fetching {what} from npm into {} (seconds)",
        workshop.short(&modules)
    ));
    let command = format!("npm ci --prefix {}", workshop.short(folder));
    run_quietly(
        program("npm", ["ci", "--no-fund", "--no-audit", "--ignore-scripts"]).current_dir(folder),
        &command,
    )
    .map_err(|failure| match failure.exit_code() {
        130 => failure,
        _ => Failure::new(format!(
            "{failure}\n\nWith a network there, `{command}` must work first."
        )),
    })?;
    std::fs::write(&stamp, lock).doing(|| format!("write {}", stamp.display()))?;
    Ok(modules)
}
