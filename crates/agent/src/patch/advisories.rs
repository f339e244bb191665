//! What the advisories of a distribution say of versions of packages, as `dnf --verbose updateinfo --info` prints them. Pure.

use muster_patching::{Patch, rpm};
use std::collections::BTreeMap;

/// One advisory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Advisory {
    pub(super) id: String,
    /// `Security`, `Bugfix`, `Enhancement`, `Newpackage`: as baselines write it.
    pub(super) classification: String,
    /// With a capital letter; empty where nothing is said.
    pub(super) severity: String,
    /// Milliseconds since 1970.
    pub(super) updated_ms: Option<i64>,
    pub(super) cve_ids: Vec<String>,
    /// Packages without epoch: `bash-5.1.8-9.el9.x86_64`.
    pub(super) packages: Vec<String>,
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first
        .into_iter()
        .chain(letters.map(|letter| letter.to_ascii_lowercase()))
        .collect()
}

/// A moment as dnf prints it in UTC: `2026-01-06 00:00:00`, or without seconds.
pub(super) fn moment(text: &str) -> Option<i64> {
    let (day, time) = text.trim().split_once(' ')?;
    let seconds = if time.len() == 5 { ":00" } else { "" };
    muster_domain::Timestamp::parse(&format!("{day}T{time}{seconds}Z")).map(|at| at.0)
}

/// Reads what dnf prints; the labels stand at the right of their column, with values after a colon.
pub(super) fn read(text: &str) -> Vec<Advisory> {
    let mut all: Vec<Advisory> = Vec::new();
    let mut label = String::new();
    for line in text.lines() {
        // Longer descriptions hold anything, even lines like those of an advisory; labels end at the same column.
        let Some((name, value)) = line.get(..11).zip(line.get(11..)).and_then(|(name, rest)| {
            let value = rest.strip_prefix(": ").or_else(|| (rest == ":").then_some(""))?;
            Some((name.trim(), value.trim()))
        }) else {
            continue;
        };
        if !name.is_empty() {
            name.clone_into(&mut label);
        }
        if label == "Update ID" && !name.is_empty() {
            all.push(Advisory {
                id: value.to_owned(),
                ..Advisory::default()
            });
            continue;
        }
        let Some(advisory) = all.last_mut() else { continue };
        match label.as_str() {
            "Type" => advisory.classification = capital(value),
            "Severity" if value != "None" => advisory.severity = capital(value),
            "Updated" => advisory.updated_ms = moment(value),
            "CVEs" => advisory.cve_ids.push(value.to_owned()),
            // Some repositories tell them with their folder.
            "Files" => {
                let file = value
                    .rsplit('/')
                    .next()
                    .and_then(|file| file.strip_suffix(".rpm"));
                advisory.packages.extend(file.map(str::to_owned));
            }
            _ => {}
        }
    }
    all
}

/// The worse a severity, the higher.
fn weight(severity: &str) -> u8 {
    match severity {
        "Critical" => 4,
        "Important" | "High" => 3,
        "Moderate" | "Medium" => 2,
        "Low" => 1,
        _ => 0,
    }
}

/// Advisories by package and architecture, with the version that each brought.
pub(super) struct ByPackage(BTreeMap<(String, String), Vec<(String, Advisory)>>);

impl ByPackage {
    pub(super) fn new(all: Vec<Advisory>) -> Self {
        let mut found: BTreeMap<(String, String), Vec<(String, Advisory)>> = BTreeMap::new();
        for mut advisory in all {
            // What an advisory says is kept for each of its packages, which may be hundreds.
            for package in std::mem::take(&mut advisory.packages) {
                // name-version-release.arch
                let Some((rest, arch)) = package.rsplit_once('.') else {
                    continue;
                };
                let mut parts = rest.rsplitn(3, '-');
                let (Some(release), Some(version), Some(name)) = (parts.next(), parts.next(), parts.next())
                else {
                    continue;
                };
                found
                    .entry((name.to_owned(), arch.to_owned()))
                    .or_default()
                    .push((format!("{version}-{release}"), advisory.clone()));
            }
        }
        Self(found)
    }

    fn of(&self, patch: &Patch) -> impl Iterator<Item = &(String, Advisory)> {
        let key = (patch.name.clone(), patch.arch.clone());
        self.0.get(&key).into_iter().flatten()
    }

    /// Notes in a version that is there what the last advisory said that brought it, or an older one.
    pub(super) fn note_installed(&self, patch: &mut Patch) {
        let bare = without_epoch(&patch.version);
        let last = self
            .of(patch)
            .filter(|(version, _)| rpm::compare(version, bare).is_le())
            .max_by(|(left, _), (right, _)| rpm::compare(left, right));
        if let Some((_, advisory)) = last {
            note(patch, &[advisory]);
        }
    }

    /// Notes in an update what is said of it, and of what came between it and the version that is there.
    pub(super) fn note_update(&self, patch: &mut Patch, there: &str) {
        let (there, bare) = (
            without_epoch(there).to_owned(),
            without_epoch(&patch.version).to_owned(),
        );
        let between: Vec<&Advisory> = self
            .of(patch)
            .filter(|(version, _)| {
                rpm::compare(version, &there).is_gt() && rpm::compare(version, &bare).is_le()
            })
            .map(|(_, advisory)| advisory)
            .collect();
        let own = self
            .of(patch)
            .find(|(version, _)| *version == bare)
            .and_then(|(_, advisory)| advisory.updated_ms);
        note(patch, &between);
        patch.released_ms = own.or(patch.released_ms);
    }
}

/// Files' names carry no epoch.
fn without_epoch(version: &str) -> &str {
    version.split_once(':').map_or(version, |(_, bare)| bare)
}

fn note(patch: &mut Patch, advisories: &[&Advisory]) {
    let worst = advisories
        .iter()
        .max_by_key(|advisory| weight(&advisory.severity));
    patch.severity = worst
        .map(|advisory| advisory.severity.clone())
        .unwrap_or_default();
    let security = advisories
        .iter()
        .find(|advisory| advisory.classification == "Security");
    let main = security.or(advisories.last());
    patch.classification = main
        .map(|advisory| advisory.classification.clone())
        .unwrap_or_default();
    patch.is_security = security.is_some();
    for advisory in advisories {
        patch.cve_ids.extend(advisory.cve_ids.iter().cloned());
        patch.advisory_ids.push(advisory.id.clone());
    }
    for ids in [&mut patch.cve_ids, &mut patch.advisory_ids] {
        ids.sort();
        ids.dedup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "===============================================================================
  hello security update
===============================================================================
  Update ID: RHSA-2026:0001
       Type: security
    Updated: 2026-01-06 00:00:00
       Bugs: 7 - a bug
       CVEs: CVE-2026-0001
           : CVE-2026-0009
Description: d
           :  Update ID: not one
   Severity: Important
      Files: hello-1.1-1.noarch.rpm
           : hello-1.1-1.src.rpm
  Installed: false

===============================================================================
  hello bug fix
===============================================================================
  Update ID: RHBA-2026:0002
       Type: bugfix
    Updated: 2026-01-07 00:00:00
Description: d
   Severity: None
      Files: Packages/hello-1.2-1.noarch.rpm
";

    fn patch(version: &str) -> Patch {
        Patch {
            name: "hello".into(),
            version: version.into(),
            arch: "noarch".into(),
            released_ms: Some(5),
            ..Patch::default()
        }
    }

    #[test]
    fn advisories_are_read() {
        let all = read(TEXT);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].id, "RHSA-2026:0001");
        assert_eq!(all[0].cve_ids, ["CVE-2026-0001", "CVE-2026-0009"]);
        assert_eq!(all[0].packages, ["hello-1.1-1.noarch", "hello-1.1-1.src"]);
        assert_eq!(all[0].updated_ms, moment("2026-01-06 00:00:00"));
        assert_eq!(
            (all[1].severity.as_str(), all[1].classification.as_str()),
            ("", "Bugfix")
        );
        assert_eq!(moment("2026-01-06 00:00"), Some(1_767_657_600_000));
        assert!(read("").is_empty());
    }

    #[test]
    fn an_update_mends_what_those_before_it_mended() {
        let all = ByPackage::new(read(TEXT));
        let mut newest = patch("1:1.2-1");
        all.note_update(&mut newest, "1:1.0-1");
        assert!(newest.is_security);
        assert_eq!(
            (newest.severity.as_str(), newest.classification.as_str()),
            ("Important", "Security")
        );
        assert_eq!(newest.cve_ids.len(), 2);
        assert_eq!(newest.released_ms, moment("2026-01-07 00:00:00"));
        let mut after = patch("1.2-1");
        all.note_update(&mut after, "1.1-1");
        assert!(!after.is_security);
        assert_eq!(after.classification, "Bugfix");
        let mut unknown = patch("1.3-1");
        all.note_update(&mut unknown, "1.2-1");
        assert_eq!(
            (unknown.released_ms, unknown.classification.as_str()),
            (Some(5), "")
        );
    }

    #[test]
    fn what_is_there_is_told_by_the_last_advisory() {
        let all = ByPackage::new(read(TEXT));
        let mut there = patch("1.1-1");
        all.note_installed(&mut there);
        assert_eq!(there.advisory_ids, ["RHSA-2026:0001"]);
        let mut older = patch("1.0-1");
        all.note_installed(&mut older);
        assert!(older.advisory_ids.is_empty());
    }
}
