//! The baselines that come with the control plane, one for each operating system. They carry the names that scripts rely
//! on and approve what the user guide says of them; their ids are our own.

use super::queries::BaselineRow;
use crate::documents::built_in::CREATED;
use muster_agent_protocol::signing::sha256_hex;
use muster_patching::{Baseline, Filter, FilterGroup, OPERATING_SYSTEMS, Rule, RuleGroup};

fn name(operating_system: &str) -> &'static str {
    match operating_system {
        "AMAZON_LINUX" => "AWS-AmazonLinuxDefaultPatchBaseline",
        "AMAZON_LINUX_2" => "AWS-AmazonLinux2DefaultPatchBaseline",
        "AMAZON_LINUX_2022" => "AWS-AmazonLinux2022DefaultPatchBaseline",
        "AMAZON_LINUX_2023" => "AWS-AmazonLinux2023DefaultPatchBaseline",
        "UBUNTU" => "AWS-UbuntuDefaultPatchBaseline",
        "REDHAT_ENTERPRISE_LINUX" => "AWS-RedHatDefaultPatchBaseline",
        "SUSE" => "AWS-SuseDefaultPatchBaseline",
        "CENTOS" => "AWS-CentOSDefaultPatchBaseline",
        "ORACLE_LINUX" => "AWS-OracleLinuxDefaultPatchBaseline",
        "DEBIAN" => "AWS-DebianDefaultPatchBaseline",
        "MACOS" => "AWS-MacOSDefaultPatchBaseline",
        "RASPBIAN" => "AWS-RaspbianDefaultPatchBaseline",
        "ROCKY_LINUX" => "AWS-RockyLinuxDefaultPatchBaseline",
        "ALMA_LINUX" => "AWS-AlmaLinuxDefaultPatchBaseline",
        _ => "AWS-DefaultPatchBaseline",
    }
}

fn rule(filters: &[(&str, &[&str])], days: i64) -> Rule {
    let filter = |(key, values): &(&str, &[&str])| Filter {
        key: (*key).to_owned(),
        values: values.iter().map(|&value| value.to_owned()).collect(),
    };
    Rule {
        patch_filter_group: FilterGroup {
            patch_filters: filters.iter().map(filter).collect(),
        },
        compliance_level: Some("UNSPECIFIED".into()),
        approve_after_days: Some(days),
        approve_until_date: None,
        enable_non_security: Some(false),
    }
}

fn rules(operating_system: &str) -> Vec<Rule> {
    let all: (&str, &[&str]) = ("PRODUCT", &["*"]);
    match operating_system {
        "DEBIAN" | "UBUNTU" | "RASPBIAN" => vec![rule(
            &[
                all,
                (
                    "PRIORITY",
                    &["Required", "Important", "Standard", "Optional", "Extra"],
                ),
            ],
            0,
        )],
        "WINDOWS" => vec![rule(
            &[
                ("CLASSIFICATION", &["CriticalUpdates", "SecurityUpdates"]),
                ("MSRC_SEVERITY", &["Critical", "Important"]),
            ],
            7,
        )],
        "MACOS" => vec![rule(&[all, ("CLASSIFICATION", &["Security"])], 0)],
        "SUSE" => vec![rule(
            &[
                all,
                ("CLASSIFICATION", &["Security"]),
                ("SEVERITY", &["Critical", "Important"]),
            ],
            7,
        )],
        _ => vec![
            rule(
                &[
                    all,
                    ("CLASSIFICATION", &["Security"]),
                    ("SEVERITY", &["Critical", "Important"]),
                ],
                7,
            ),
            rule(&[all, ("CLASSIFICATION", &["Bugfix"])], 7),
        ],
    }
}

/// The ARN by which the service answers baselines that are not the account's own.
pub(crate) fn id(region: &str, operating_system: &str) -> String {
    let hash = sha256_hex(format!("default patch baseline {operating_system}").as_bytes());
    let hex = hash.get(..17).unwrap_or_default();
    format!("arn:aws:ssm:{region}:aws:patchbaseline/pb-{hex}")
}

fn row(region: &str, operating_system: &str) -> BaselineRow {
    BaselineRow {
        region: region.to_owned(),
        baseline_id: id(region, operating_system),
        baseline: Baseline {
            name: name(operating_system).to_owned(),
            operating_system: operating_system.to_owned(),
            approval_rules: RuleGroup {
                patch_rules: rules(operating_system),
            },
            approved_patches_compliance_level: "UNSPECIFIED".into(),
            rejected_patches_action: "ALLOW_AS_DEPENDENCY".into(),
            description: Some(format!(
                "Default Patch Baseline for {operating_system}: approves security updates."
            )),
            ..Baseline::default()
        },
        created_at: CREATED,
        modified_at: CREATED,
    }
}

/// All of them.
pub(crate) fn all(region: &str) -> Vec<BaselineRow> {
    OPERATING_SYSTEMS
        .iter()
        .map(|operating_system| row(region, operating_system))
        .collect()
}

/// The one of that ARN, or of the id at its end.
pub(crate) fn by_id(region: &str, named: &str) -> Option<BaselineRow> {
    all(region).into_iter().find(|row| {
        row.baseline_id == named || row.baseline_id.rsplit('/').next().is_some_and(|id| id == named)
    })
}

/// The operating system of a node, from what it says its platform is.
pub(crate) fn operating_system(platform_name: &str, platform_version: &str) -> Option<&'static str> {
    let name = platform_name.to_ascii_lowercase();
    let starts = |word: &str| name.starts_with(word);
    Some(match () {
        () if starts("debian") => "DEBIAN",
        () if starts("ubuntu") => "UBUNTU",
        () if starts("raspbian") => "RASPBIAN",
        () if starts("amazon linux") => match platform_version {
            version if version.starts_with("2023") => "AMAZON_LINUX_2023",
            version if version.starts_with("2022") => "AMAZON_LINUX_2022",
            version if version.starts_with("201") => "AMAZON_LINUX",
            _ => "AMAZON_LINUX_2",
        },
        () if starts("red hat") => "REDHAT_ENTERPRISE_LINUX",
        () if starts("centos") => "CENTOS",
        () if starts("rocky") => "ROCKY_LINUX",
        () if starts("almalinux") || starts("alma linux") => "ALMA_LINUX",
        () if starts("oracle") => "ORACLE_LINUX",
        () if starts("sles") || starts("suse") => "SUSE",
        () if starts("macos") => "MACOS",
        () if name.contains("windows") => "WINDOWS",
        () => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn there_is_one_for_each_system_and_each_is_found() {
        let all = all("eu-west-1");
        let ids: BTreeSet<&str> = all.iter().map(|row| row.baseline_id.as_str()).collect();
        let names: BTreeSet<&str> = all.iter().map(|row| row.baseline.name.as_str()).collect();
        assert_eq!((ids.len(), names.len()), (15, 15));
        for row in &all {
            assert!(by_id("eu-west-1", &row.baseline_id).is_some());
            crate::patches::check(&row.baseline).unwrap();
        }
        assert!(by_id("eu-west-1", "pb-0123456789abcdef0").is_none());
    }

    #[test]
    fn nodes_say_what_they_are() {
        for (name, version, is) in [
            ("Debian GNU/Linux", "12", Some("DEBIAN")),
            ("Ubuntu", "22.04", Some("UBUNTU")),
            ("Amazon Linux", "2", Some("AMAZON_LINUX_2")),
            ("Amazon Linux", "2023", Some("AMAZON_LINUX_2023")),
            ("Amazon Linux AMI", "2018.03", Some("AMAZON_LINUX")),
            ("Red Hat Enterprise Linux", "9", Some("REDHAT_ENTERPRISE_LINUX")),
            ("Microsoft Windows Server 2022", "10", Some("WINDOWS")),
            ("NixOS", "24", None),
        ] {
            assert_eq!(operating_system(name, version), is, "{name}");
        }
    }
}
