//! A patch baseline, in the members and words of the service's own model.

use serde::{Deserialize, Serialize};

/// The operating systems that baselines are made for, in the order of the model.
pub const OPERATING_SYSTEMS: [&str; 15] = [
    "WINDOWS",
    "AMAZON_LINUX",
    "AMAZON_LINUX_2",
    "AMAZON_LINUX_2022",
    "UBUNTU",
    "REDHAT_ENTERPRISE_LINUX",
    "SUSE",
    "CENTOS",
    "ORACLE_LINUX",
    "DEBIAN",
    "MACOS",
    "RASPBIAN",
    "ROCKY_LINUX",
    "ALMA_LINUX",
    "AMAZON_LINUX_2023",
];

/// A property of patches and the values of which one has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Filter {
    /// `PRODUCT`, `CLASSIFICATION`, `SECTION` …
    pub key: String,
    /// `*` fits everything.
    pub values: Vec<String>,
}

/// Filters that all have to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FilterGroup {
    /// All of them.
    pub patch_filters: Vec<Filter>,
}

/// What is approved by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Rule {
    /// Which patches.
    pub patch_filter_group: FilterGroup,
    /// How bad it is when one of them is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compliance_level: Option<String>,
    /// Days that are waited after a patch was released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approve_after_days: Option<i64>,
    /// The last day, `2030-01-31`, whose patches are approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approve_until_date: Option<String>,
    /// Whether updates count that no security repository or advisory speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_non_security: Option<bool>,
}

/// The rules of a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RuleGroup {
    /// The first that fits holds.
    pub patch_rules: Vec<Rule>,
}

/// Another repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Source {
    /// What it is called.
    pub name: String,
    /// For which versions of the system.
    pub products: Vec<String>,
    /// Its lines, as the system's package manager reads them. May hold a password.
    pub configuration: String,
}

/// A baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Baseline {
    /// What it is called.
    pub name: String,
    /// One of [`OPERATING_SYSTEMS`].
    pub operating_system: String,
    /// Patches that are not meant at all, whatever the rules say.
    pub global_filters: FilterGroup,
    /// What is approved by itself.
    pub approval_rules: RuleGroup,
    /// Approved one by one.
    pub approved_patches: Vec<String>,
    /// How bad it is when one of them is missing.
    pub approved_patches_compliance_level: String,
    /// Whether those may be more than security updates.
    pub approved_patches_enable_non_security: bool,
    /// Never installed.
    pub rejected_patches: Vec<String>,
    /// `ALLOW_AS_DEPENDENCY` or `BLOCK`.
    pub rejected_patches_action: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Other repositories.
    pub sources: Vec<Source>,
    /// Whether security updates that are there but not approved count as compliant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_security_updates_compliance_status: Option<String>,
}
