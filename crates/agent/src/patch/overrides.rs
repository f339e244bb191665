//! What a command says instead of the node's baseline: a list of what is to be installed (`InstallOverrideList`), or other
//! baselines (`BaselineOverride`). Both lie at an address and are fetched before anything else happens.

use super::REQUEST_FILE;
use super::request::Request;
use crate::download;
use crate::error::AgentError;
use crate::files;
use muster_domain::time::Clock;
use muster_patching::{Baseline, Patch, is_like};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const INSTALL_FILE: &str = "install-override";
const BASELINE_FILE: &str = "baseline-override";
/// Of either.
const MOST_BYTES: usize = 4 << 20;

/// Fetches what the request in `directory` names.
pub(crate) async fn fetch(directory: &Path, clock: &dyn Clock) -> Result<(), AgentError> {
    let path = directory.join(REQUEST_FILE);
    let request: Option<Request> = files::read_json(&path).map_err(AgentError::file("reading", &path))?;
    let Some(request) = request else { return Ok(()) };
    for (url, name, file) in [
        (
            &request.install_override_list,
            "InstallOverrideList",
            INSTALL_FILE,
        ),
        (&request.baseline_override, "BaselineOverride", BASELINE_FILE),
    ] {
        // After a reboot it is there already: what is meant does not change halfway, nor has its address to hold so long.
        if url.is_empty() || directory.join(file).exists() {
            continue;
        }
        let text = download::text(url, MOST_BYTES, clock)
            .await
            .map_err(|error| AgentError::Worker(format!("{name} could not be had: {error}")))?;
        let target = directory.join(file);
        files::write(&target, text.as_bytes(), 0o600).map_err(AgentError::file("writing", &target))?;
    }
    Ok(())
}

/// One entry of a list of what is to be installed.
#[derive(Clone, Debug, Deserialize)]
struct Entry {
    /// A package: `kernel`, `kernel.x86_64`; `*` stands for anything.
    id: String,
    /// A version of it: `kernel.x86_64:5.14*`, or the version alone.
    title: Option<String>,
}

impl Entry {
    fn names(&self, patch: &Patch) -> bool {
        let Patch {
            name, version, arch, ..
        } = patch;
        let any = |pattern: &str, texts: &[&str]| texts.iter().any(|text| is_like(pattern, text));
        let key = format!("{name}.{arch}");
        // The guide's titles of RPM packages have an epoch always.
        let whole = if version.contains(':') {
            version.clone()
        } else {
            format!("0:{version}")
        };
        let titles = [format!("{key}:{version}"), format!("{key}:{whole}")];
        let version_fits = self
            .title
            .as_deref()
            .is_none_or(|pattern| any(pattern, &[version, &whole, &titles[0], &titles[1], &key, name]));
        any(&self.id, &[name, &key]) && version_fits
    }
}

/// What is to be installed, whatever the baseline says.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct InstallList {
    patches: Vec<Entry>,
}

impl InstallList {
    /// Reads the guide's form, in YAML.
    fn parse(text: &str) -> Result<Self, String> {
        let list: Self = serde_saphyr::from_str(text)
            .map_err(|error| format!("InstallOverrideList cannot be read: {error}"))?;
        if list.patches.is_empty() {
            return Err("InstallOverrideList names no patches".into());
        }
        Ok(list)
    }

    /// The entries that name nothing of these.
    pub(super) fn unmatched<'a>(&self, there: impl Iterator<Item = &'a Patch> + Clone) -> Vec<String> {
        self.patches
            .iter()
            .filter(|entry| !there.clone().any(|patch| entry.names(patch)))
            .map(|entry| entry.title.clone().unwrap_or_else(|| entry.id.clone()))
            .collect()
    }

    fn names(&self, patch: &Patch) -> bool {
        self.patches.iter().any(|entry| entry.names(patch))
    }

    /// The newest version of each package that the list names. Versions of a package come oldest first.
    pub(super) fn choose(&self, updates: &[Patch]) -> Vec<Patch> {
        let mut chosen = BTreeMap::new();
        for patch in updates.iter().filter(|patch| self.names(patch)) {
            chosen.insert((&patch.name, &patch.arch), patch);
        }
        chosen.into_values().cloned().collect()
    }
}

/// The list that was fetched into `directory`, where one was named.
pub(super) fn install_list(directory: &Path, request: &Request) -> Result<Option<InstallList>, String> {
    if request.install_override_list.is_empty() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(directory.join(INSTALL_FILE))
        .map_err(|error| format!("InstallOverrideList cannot be read: {error}"))?;
    InstallList::parse(&text).map(Some)
}

/// The baseline for this system out of those that were fetched, with its id where it has one.
fn for_system(text: &str, operating_system: &str) -> Result<(Baseline, String), String> {
    let all: Vec<Value> = serde_json::from_str(text)
        .map_err(|error| format!("BaselineOverride is no list of baselines: {error}"))?;
    let found = all
        .into_iter()
        .find(|one| one.get("OperatingSystem").and_then(Value::as_str) == Some(operating_system))
        .ok_or_else(|| format!("BaselineOverride has no baseline for {operating_system}"))?;
    let id = found
        .get("BaselineId")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let id = id.to_owned();
    let baseline = serde_json::from_value(found).map_err(|error| {
        format!("the baseline for {operating_system} of BaselineOverride cannot be read: {error}")
    })?;
    Ok((baseline, id))
}

/// Puts another baseline in the place of the node's, where one was named.
pub(super) fn put_baseline(directory: &Path, request: &mut Request) -> Result<(), String> {
    if request.baseline_override.is_empty() {
        return Ok(());
    }
    let text = std::fs::read_to_string(directory.join(BASELINE_FILE))
        .map_err(|error| format!("BaselineOverride cannot be read: {error}"))?;
    let (baseline, id) = for_system(&text, &request.baseline.operating_system)?;
    if !id.is_empty() {
        request.baseline_id = id;
    }
    request.baseline = baseline;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(name: &str, version: &str) -> Patch {
        Patch {
            name: name.into(),
            version: version.into(),
            arch: "x86_64".into(),
            ..Patch::default()
        }
    }

    #[test]
    fn a_list_names_packages_and_versions() {
        let list = InstallList::parse(
            "patches:\n    -\n        id: 'kernel.x86_64'\n        title: 'kernel.x86_64:4.4.104*'\n    - id: bash\n    \
             - id: 'python*'\n      title: '*'\n    - id: zlib\n      title: 'zlib.x86_64:0:1-*'\n    - id: none\n",
        )
        .unwrap();
        let updates = [
            patch("kernel", "4.4.104-39"),
            patch("kernel", "4.4.104-40"),
            patch("kernel", "5.0-1"),
            patch("bash", "5.1-1"),
            patch("bash", "5.2-1"),
            patch("python3", "3.9-1"),
            patch("zlib", "1-1"),
        ];
        let chosen: Vec<String> = list
            .choose(&updates)
            .iter()
            .map(|patch| format!("{}-{}", patch.name, patch.version))
            .collect();
        assert_eq!(
            chosen,
            ["bash-5.2-1", "kernel-4.4.104-40", "python3-3.9-1", "zlib-1-1"]
        );
        assert_eq!(list.unmatched(updates.iter()), ["none"]);
        for text in ["", "patches: []", "patches: [{title: x}]", "- a"] {
            assert!(InstallList::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_baseline_is_found_by_its_system() {
        let text = r#"[{"OperatingSystem": "DEBIAN", "Name": "d"},
            {"OperatingSystem": "ROCKY_LINUX", "Name": "r", "BaselineId": "pb-1", "ApprovedPatches": ["a"], "Other": 1}]"#;
        let (baseline, id) = for_system(text, "ROCKY_LINUX").unwrap();
        assert_eq!((baseline.name.as_str(), id.as_str()), ("r", "pb-1"));
        assert_eq!(baseline.approved_patches, ["a"]);
        assert!(for_system(text, "UBUNTU").unwrap_err().contains("UBUNTU"));
        assert!(for_system("{}", "DEBIAN").unwrap_err().contains("no list"));
        let odd = r#"[{"OperatingSystem": "DEBIAN", "ApprovedPatches": 3}]"#;
        assert!(for_system(odd, "DEBIAN").is_err());
    }
}
