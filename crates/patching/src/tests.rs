//! Rules and states: examples from the guide, and what holds for every baseline.

use super::*;
use crate::baseline::{Filter, FilterGroup, Rule, RuleGroup};
use crate::rules::is_named;
use proptest::prelude::*;

const DAY: i64 = 86_400_000;

fn patch(name: &str, version: &str, is_security: bool) -> Patch {
    Patch {
        name: name.into(),
        version: version.into(),
        arch: "amd64".into(),
        product: "Debian12".into(),
        section: "libs".into(),
        priority: "optional".into(),
        classification: if is_security {
            "Security".into()
        } else {
            String::new()
        },
        is_security,
        ..Patch::default()
    }
}

fn rule(key: &str, values: &[&str]) -> Rule {
    Rule {
        patch_filter_group: FilterGroup {
            patch_filters: vec![Filter {
                key: key.into(),
                values: values.iter().map(|&value| value.into()).collect(),
            }],
        },
        compliance_level: Some("CRITICAL".into()),
        ..Rule::default()
    }
}

fn baseline(rules: Vec<Rule>) -> Baseline {
    Baseline {
        approval_rules: RuleGroup { patch_rules: rules },
        approved_patches_compliance_level: "HIGH".into(),
        rejected_patches_action: "ALLOW_AS_DEPENDENCY".into(),
        ..Baseline::default()
    }
}

fn approved(level: &str, is_explicit: bool) -> Verdict {
    Verdict::Approved {
        level: level.into(),
        is_explicit,
    }
}

#[test]
fn names_are_as_people_write_them() {
    let mut openssl = patch("openssl", "3.0.11-1~deb12u2", true);
    openssl.cve_ids = vec!["CVE-2023-5678".into()];
    for entry in [
        "openssl",
        "OpenSSL",
        "open*",
        "*ssl",
        "o*s*l",
        "openssl.amd64",
        "openssl=3.0.11-1~deb12u2",
        "openssl-3.0.*",
        "openssl_3.0.11-1~deb12u2",
        "CVE-2023-5678",
        "*",
    ] {
        assert!(is_named(entry, &openssl), "{entry}");
    }
    for entry in [
        "",
        "ssl",
        "openssl2",
        "libopenssl",
        "CVE-2023-567",
        "openssl=3.0.10",
    ] {
        assert!(!is_named(entry, &openssl), "{entry}");
    }
    assert!(
        is_named("vim=9.0-1", &patch("vim", "2:9.0-1", false)),
        "without the epoch"
    );
}

#[test]
fn only_security_updates_count_unless_a_rule_says_otherwise() {
    let mut of = baseline(vec![rule("PRODUCT", &["*"])]);
    let (security, other) = (patch("a", "1", true), patch("b", "1", false));
    assert_eq!(verdict(&of, &security, 0), approved("CRITICAL", false));
    assert_eq!(verdict(&of, &other, 0), Verdict::NotMeant);
    of.approval_rules.patch_rules[0].enable_non_security = Some(true);
    assert_eq!(verdict(&of, &other, 0), approved("CRITICAL", false));
    of.global_filters = rule("SECTION", &["net"]).patch_filter_group;
    assert_eq!(verdict(&of, &other, 0), Verdict::NotMeant);
    of.approved_patches = vec!["b".into()];
    assert_eq!(verdict(&of, &other, 0), approved("HIGH", true));
    of.rejected_patches = vec!["b*".into()];
    assert_eq!(verdict(&of, &other, 0), Verdict::Rejected);
}

#[test]
fn a_release_is_waited_for_where_it_is_known() {
    let mut of = baseline(vec![rule("CLASSIFICATION", &["security", "Critical"])]);
    of.approval_rules.patch_rules[0].approve_after_days = Some(7);
    let mut update = patch("a", "1", true);
    assert_eq!(
        verdict(&of, &update, 0),
        approved("CRITICAL", false),
        "nobody knows"
    );
    update.released_ms = Some(10 * DAY);
    let until_ms = 17 * DAY;
    let level = "CRITICAL".to_owned();
    assert_eq!(
        verdict(&of, &update, until_ms - 1),
        Verdict::Pending { until_ms, level }
    );
    assert_eq!(verdict(&of, &update, until_ms), approved("CRITICAL", false));
    let rule = &mut of.approval_rules.patch_rules[0];
    (rule.approve_after_days, rule.approve_until_date) = (None, Some("1970-01-11".into()));
    assert_eq!(verdict(&of, &update, 20 * DAY), approved("CRITICAL", false));
    of.approval_rules.patch_rules[0].approve_until_date = Some("1970-01-10".into());
    assert_eq!(verdict(&of, &update, 20 * DAY), Verdict::NotMeant);
}

#[test]
fn every_package_has_one_state() {
    let mut of = baseline(vec![rule("PRODUCT", &["Debian12"])]);
    of.rejected_patches = vec!["r".into()];
    of.rejected_patches_action = "BLOCK".into();
    let there = |name: &str, is_security, needs_reboot| Installed {
        patch: patch(name, "1", is_security),
        installed_ms: Some(5),
        needs_reboot,
        is_broken: name == "half",
    };
    let installed = [
        there("half", false, false),
        there("old", false, false),
        there("broken", false, false),
        there("good", true, false),
        there("kernel", true, true),
        there("other", false, false),
        there("r", true, false),
        there("late", false, false),
    ];
    let newer = |name: &str, is_security, has_failed| Update {
        patch: patch(name, "2", is_security),
        has_failed,
    };
    of.global_filters = FilterGroup::default();
    let updates = [
        newer("old", true, false),
        newer("broken", true, true),
        newer("other", false, false),
        newer("r", true, false),
    ];
    let all = assess(&of, &installed, &updates, 0);
    let states: Vec<(&str, State)> = all
        .items
        .iter()
        .map(|item| (item.id.as_str(), item.state))
        .collect();
    assert_eq!(
        states,
        [
            ("broken.amd64", State::Failed),
            ("half.amd64", State::Failed),
            ("old.amd64", State::Missing),
            ("kernel.amd64", State::InstalledPendingReboot),
            ("r.amd64", State::InstalledRejected),
            ("good.amd64", State::Installed),
            ("late.amd64", State::InstalledOther),
            ("other.amd64", State::InstalledOther),
        ]
    );
    assert_eq!(all.counts.critical_non_compliant_count, 3);
    assert_eq!(all.counts.security_non_compliant_count, 1, "what is rejected");
    let names: Vec<&str> = all.to_install.iter().map(|patch| patch.name.as_str()).collect();
    assert_eq!(names, ["old", "broken"]);
}

#[test]
fn what_nobody_approved_is_told_when_it_is_about_security() {
    let mut of = baseline(vec![]);
    let updates = [Update {
        patch: patch("a", "2", true),
        has_failed: false,
    }];
    let all = assess(&of, &[], &updates, 0);
    assert_eq!(all.items[0].state, State::AvailableSecurityUpdate);
    assert_eq!(all.counts.security_non_compliant_count, 0);
    of.available_security_updates_compliance_status = Some("NON_COMPLIANT".into());
    assert_eq!(
        assess(&of, &[], &updates, 0).counts.security_non_compliant_count,
        1
    );
}

proptest! {
    #[test]
    fn names_never_panic_and_a_star_means_all(entry in ".{0,30}", name in ".{0,20}", version in ".{0,20}") {
        let patch = patch(&name, &version, true);
        let _ = is_named(&entry, &patch);
        prop_assert!(is_named("*", &patch));
    }

    #[test]
    fn counts_are_of_all_items(
        there in prop::collection::vec(("[a-d]", any::<bool>(), any::<bool>()), 0..8),
        newer in prop::collection::vec(("[a-d]", any::<bool>(), any::<bool>()), 0..8),
        approved in prop::collection::vec("[a-d]", 0..2),
        rejected in prop::collection::vec("[a-d]", 0..2),
    ) {
        let mut of = baseline(vec![rule("PRODUCT", &["*"])]);
        of.approved_patches = approved;
        of.rejected_patches = rejected.clone();
        let installed: Vec<Installed> = there.iter().map(|(name, security, reboot)| Installed {
            patch: patch(name, "1", *security), installed_ms: None, needs_reboot: *reboot, is_broken: false }).collect();
        let updates: Vec<Update> = newer.iter().map(|(name, security, failed)| Update {
            patch: patch(name, "2", *security), has_failed: *failed }).collect();
        let all = assess(&of, &installed, &updates, 0);
        let c = &all.counts;
        let sum = c.installed_count + c.installed_other_count + c.installed_pending_reboot_count
            + c.installed_rejected_count + c.missing_count + c.failed_count + c.available_security_update_count;
        prop_assert_eq!(sum, all.items.len() as i64);
        let bad = all.items.iter().filter(|item| item.state.is_bad()).count() as i64;
        prop_assert_eq!(bad, c.critical_non_compliant_count + c.security_non_compliant_count + c.other_non_compliant_count);
        for patch in &all.to_install {
            prop_assert!(!rejected.iter().any(|entry| is_named(entry, patch)));
        }
    }
}
