//! Files that rules name: folder, patterns, whether folders below count, and how many entries are looked at.

use super::request::FileRule;
use super::{Entry, entry, whole_seconds};
use muster_domain::Timestamp;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Files in all, as the service has it.
const MOST_FILES: usize = 500;

pub(super) fn all(rules: &[FileRule]) -> Vec<Entry> {
    let mut all = Vec::new();
    for rule in rules {
        let mut left = rule.dir_scan_limit;
        look(Path::new(&rule.path), rule, &mut left, &mut all, 0);
    }
    all.truncate(MOST_FILES);
    all
}

/// Folders inside folders at most.
const DEEPEST: u32 = 32;

/// Links are not followed: a folder may lead back to itself.
fn look(folder: &Path, rule: &FileRule, left: &mut usize, all: &mut Vec<Entry>, depth: u32) {
    let Ok(found) = std::fs::read_dir(folder) else {
        return;
    };
    for found in found.flatten() {
        if *left == 0 || all.len() >= MOST_FILES {
            return;
        }
        *left -= 1;
        let Ok(about) = found.metadata() else { continue };
        if about.is_dir() && rule.recursive && depth < DEEPEST {
            look(&found.path(), rule, left, all, depth + 1);
        } else if about.is_file() {
            let name = found.file_name().to_string_lossy().into_owned();
            if rule.pattern.is_empty() || rule.pattern.iter().any(|pattern| fits(pattern, &name)) {
                let time = |at: std::io::Result<SystemTime>| {
                    at.ok()
                        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
                        .and_then(|since| i64::try_from(since.as_millis()).ok())
                        .map(|ms| whole_seconds(Timestamp(ms)))
                        .unwrap_or_default()
                };
                all.push(entry(&[
                    ("Name", &name),
                    ("Size", &about.len().to_string()),
                    ("Description", ""),
                    ("FileVersion", ""),
                    ("InstalledDate", ""),
                    ("ModificationTime", &time(about.modified())),
                    ("LastAccessTime", &time(about.accessed())),
                    ("ProductName", ""),
                    ("InstalledDir", &folder.display().to_string()),
                    ("ProductLanguage", ""),
                    ("CompanyName", ""),
                    ("ProductVersion", ""),
                ]));
            }
        }
    }
}

/// `*` stands for any characters, `?` for one.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // Where the last star was, and how much of the name it took.
    let (mut p, mut n, mut star, mut taken) = (0, 0, None, 0);
    while let Some(c) = name.get(n) {
        match pattern.get(p) {
            Some('*') => {
                star = Some(p);
                taken = n;
                p += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == c => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some(at) => {
                    taken += 1;
                    (p, n) = (at + 1, taken);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_as_in_a_shell() {
        for (pattern, name, is) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("a?c", "abc", true),
            ("a*b*c", "axxbyyc", true),
            ("*", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, name), is, "{pattern} {name}");
        }
    }

    #[test]
    fn rules_bound_what_is_looked_at() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir(top.path().join("below")).unwrap();
        for name in ["a.conf", "b.txt", "below/c.conf"] {
            std::fs::write(top.path().join(name), "x").unwrap();
        }
        let mut rule = FileRule {
            path: top.path().display().to_string(),
            pattern: vec!["*.conf".into()],
            recursive: true,
            dir_scan_limit: 100,
        };
        assert_eq!(all(&[rule.clone()]).len(), 2);
        rule.recursive = false;
        assert_eq!(all(&[rule.clone()]).len(), 1);
        rule.dir_scan_limit = 0;
        assert!(all(&[rule]).is_empty());
    }
}
