//! Which of several newer versions of a package is meant: an RPM repository keeps all it ever had, and a baseline may
//! approve an older one while it still waits for the newest.

use crate::baseline::Baseline;
use crate::rules::{Patch, Verdict, verdict};
use std::collections::BTreeMap;

/// One version of each package: the newest that is approved, else the newest that will be, else the newest. Versions of a
/// package have to come oldest first.
#[must_use]
pub fn choose<'a>(baseline: &Baseline, versions: &'a [Patch], now_ms: i64) -> Vec<&'a Patch> {
    let mut best: BTreeMap<(&str, &str), (u8, &Patch)> = BTreeMap::new();
    for patch in versions {
        let rank = match verdict(baseline, patch, now_ms) {
            Verdict::Approved { .. } => 2,
            Verdict::Pending { .. } => 1,
            Verdict::NotMeant | Verdict::Rejected => 0,
        };
        let entry = best.entry((&patch.name, &patch.arch)).or_insert((rank, patch));
        if rank >= entry.0 {
            *entry = (rank, patch);
        }
    }
    best.into_values().map(|(_, patch)| patch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::{Filter, FilterGroup, Rule, RuleGroup};

    const DAY: i64 = 86_400_000;

    fn patch(name: &str, version: &str, released_days: i64) -> Patch {
        Patch {
            name: name.into(),
            version: version.into(),
            arch: "x86_64".into(),
            is_security: true,
            released_ms: Some(released_days * DAY),
            ..Patch::default()
        }
    }

    #[test]
    fn the_newest_that_is_approved_goes_before_one_that_waits() {
        let baseline = Baseline {
            approval_rules: RuleGroup {
                patch_rules: vec![Rule {
                    patch_filter_group: FilterGroup {
                        patch_filters: vec![Filter {
                            key: "NAME".into(),
                            values: vec!["a".into(), "b".into()],
                        }],
                    },
                    approve_after_days: Some(7),
                    ..Rule::default()
                }],
            },
            rejected_patches: vec!["a-4".into()],
            ..Baseline::default()
        };
        let versions = [
            patch("a", "1", 0),
            patch("a", "2", 10),
            patch("a", "3", 29),
            patch("a", "4", 1),
            patch("b", "1", 28),
            patch("b", "2", 29),
            patch("c", "1", 0),
            patch("c", "2", 0),
        ];
        let chosen = choose(&baseline, &versions, 30 * DAY);
        let names: Vec<String> = chosen
            .iter()
            .map(|patch| format!("{}-{}", patch.name, patch.version))
            .collect();
        assert_eq!(names, ["a-2", "b-2", "c-2"]);
    }
}
