//! What the changelog of a Debian package says of a version: its urgency and the vulnerabilities it mends. Pure, but for
//! the patience with which changelogs are fetched.

use std::time::{Duration, Instant};

/// Of one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// With a capital letter, as severities are written; empty where nothing is said.
    pub(super) urgency: String,
    pub(super) cve_ids: Vec<String>,
}

/// All changelogs together may take so long; what is not told by then stays unknown.
const FETCHED_WITHIN: Duration = Duration::from_secs(60);

/// How much longer changelogs are fetched.
pub(super) struct Patience {
    until: Instant,
    failures: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            until: Instant::now() + FETCHED_WITHIN,
            failures: 0,
        }
    }
}

impl Patience {
    /// Whether another one is worth it: where three in a row could not be had, there are none.
    pub(super) fn is_left(&self) -> bool {
        Instant::now() < self.until && self.failures < 3
    }

    /// How it went.
    pub(super) fn note(&mut self, worked: bool) {
        self.failures = if worked { 0 } else { self.failures + 1 };
    }
}

/// `CVE-2023-5678` and the like in a text, once each.
fn cve_ids(text: &str) -> Vec<String> {
    let mut found: Vec<String> = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| {
            let mut parts = word.split('-');
            let number = |part: Option<&str>, least: usize| {
                part.is_some_and(|text| text.len() >= least && text.bytes().all(|b| b.is_ascii_digit()))
            };
            parts.next() == Some("CVE")
                && number(parts.next(), 4)
                && number(parts.next(), 4)
                && parts.next().is_none()
        })
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// What is said of `version`, and of every version after `older` when that is given.
pub(super) fn read(text: &str, version: &str, older: Option<&str>) -> Option<Told> {
    // `openssl (3.0.15-1~deb12u1) bookworm-security; urgency=high`
    let header = |line: &str| -> Option<(String, String)> {
        if line.starts_with([' ', '\t']) || !line.contains(';') {
            return None;
        }
        let (_, rest) = line.split_once('(')?;
        let (version, rest) = rest.split_once(')')?;
        let urgency = rest
            .split_once("urgency=")
            .map(|(_, word)| word.split([',', ' ']).next().unwrap_or_default())
            .unwrap_or_default();
        Some((version.trim().to_owned(), urgency.to_owned()))
    };
    let mut told: Option<Told> = None;
    let mut body = String::new();
    for line in text.lines() {
        if let Some((of, urgency)) = header(line) {
            if older == Some(of.as_str()) || (told.is_some() && older.is_none()) {
                break;
            }
            if of == version {
                let mut letters = urgency.chars();
                let first = letters.next().map(|letter| letter.to_ascii_uppercase());
                let urgency = first.into_iter().chain(letters).collect();
                told = Some(Told {
                    urgency,
                    cve_ids: Vec::new(),
                });
            }
        } else if told.is_some() {
            body.push_str(line);
            body.push('\n');
        }
    }
    let mut told = told?;
    told.cve_ids = cve_ids(&body);
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "hello (1.2-1) bookworm-security; urgency=high

  * Fix CVE-2026-0002 and CVE-2026-0003 (see also CVE-2026-0002).

 -- A <a@b>  Mon, 01 Jan 2026 00:00:00 +0000

hello (1.1-1) bookworm; urgency=medium

  * CVE-2025-1111; CVE-12-1 is none.

hello (1.0-1) bookworm; urgency=low

  * CVE-2024-9999
";

    #[test]
    fn a_version_is_told_by_its_own_entry() {
        let told = read(TEXT, "1.2-1", None).unwrap();
        assert_eq!(told.urgency, "High");
        assert_eq!(told.cve_ids, ["CVE-2026-0002", "CVE-2026-0003"]);
        assert_eq!(read(TEXT, "1.1-1", None).unwrap().cve_ids, ["CVE-2025-1111"]);
        assert_eq!(read(TEXT, "9", None), None);
    }

    #[test]
    fn an_update_is_told_by_all_since_the_version_that_is_there() {
        let told = read(TEXT, "1.2-1", Some("1.0-1")).unwrap();
        assert_eq!(told.cve_ids, ["CVE-2025-1111", "CVE-2026-0002", "CVE-2026-0003"]);
    }
}
