//! What a patch baseline says: its rules, and the patches that it names.

use serde::{Deserialize, Serialize};

/// The operating systems that baselines are for: the word and the name.
pub const OPERATING_SYSTEMS: [(&str, &str); 15] = [
    ("WINDOWS", "Windows Server"),
    ("AMAZON_LINUX", "Amazon Linux 1"),
    ("AMAZON_LINUX_2", "Amazon Linux 2"),
    ("AMAZON_LINUX_2022", "Amazon Linux 2022"),
    ("AMAZON_LINUX_2023", "Amazon Linux 2023"),
    ("UBUNTU", "Ubuntu Server"),
    ("DEBIAN", "Debian Server"),
    ("RASPBIAN", "Raspberry Pi OS"),
    ("REDHAT_ENTERPRISE_LINUX", "Red Hat Enterprise Linux"),
    ("CENTOS", "CentOS"),
    ("ROCKY_LINUX", "Rocky Linux"),
    ("ALMA_LINUX", "AlmaLinux"),
    ("ORACLE_LINUX", "Oracle Linux"),
    ("SUSE", "SUSE Linux Enterprise Server"),
    ("MACOS", "macOS"),
];

/// How bad it is when a patch is missing: Systems Manager's words, the worst first.
pub const COMPLIANCE_LEVELS: [&str; 6] = [
    "CRITICAL",
    "HIGH",
    "MEDIUM",
    "LOW",
    "INFORMATIONAL",
    "UNSPECIFIED",
];

/// What becomes of rejected patches: the word and what it means.
pub const REJECTED_ACTIONS: [(&str, &str); 2] = [
    (
        "ALLOW_AS_DEPENDENCY",
        "Install them only where another patch needs them",
    ),
    ("BLOCK", "Never install them"),
];

/// By what patches can be told apart.
pub const FILTER_KEYS: [&str; 19] = [
    "ARCH",
    "ADVISORY_ID",
    "BUGZILLA_ID",
    "PATCH_SET",
    "PRODUCT",
    "PRODUCT_FAMILY",
    "CLASSIFICATION",
    "CVE_ID",
    "EPOCH",
    "MSRC_SEVERITY",
    "NAME",
    "PATCH_ID",
    "SECTION",
    "PRIORITY",
    "REPOSITORY",
    "RELEASE",
    "SEVERITY",
    "SECURITY",
    "VERSION",
];

/// The name of an operating system; the word itself where it is not known.
#[must_use]
pub fn system_label(word: &str) -> &str {
    let known = OPERATING_SYSTEMS.iter().find(|(known, _)| *known == word);
    known.map_or(word, |(_, label)| label)
}

/// One condition on patches: a property and the values that fit; `*` fits everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchFilter {
    /// One of [`FILTER_KEYS`].
    pub key: String,
    /// Any of these.
    pub values: Vec<String>,
}

/// Parts of a line at commas that have no `\` before them.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == ',' {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.extend(if c == '\\' { chars.next() } else { Some(c) });
        }
    }
    parts
        .into_iter()
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

impl PatchFilter {
    /// Reads conditions as people write them, one a line: `CLASSIFICATION=Security, Bugfix`.
    ///
    /// # Errors
    /// A sentence that says which line cannot be read.
    pub fn read(text: &str) -> Result<Vec<Self>, String> {
        let mut found: Vec<Self> = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (key, values) = line.split_once('=').ok_or_else(|| {
                format!("“{line}” is no condition: write one a line, such as SEVERITY=Critical, Important.")
            })?;
            let (key, values) = (key.trim().to_ascii_uppercase(), split(values));
            if !FILTER_KEYS.contains(&key.as_str()) {
                return Err(format!(
                    "“{key}” is no property of patches. There are {}.",
                    FILTER_KEYS.join(", ")
                ));
            }
            if values.is_empty() {
                return Err(format!("{key} has no value: write {key}=* for all of them."));
            }
            if found.iter().any(|one| one.key == key) {
                return Err(format!("{key} is given twice: put all its values into one line."));
            }
            found.push(Self { key, values });
        }
        Ok(found)
    }

    /// Conditions as people write them.
    #[must_use]
    pub fn write(filters: &[Self]) -> String {
        let lines: Vec<String> = filters
            .iter()
            .map(|filter| {
                let values: Vec<String> = filter
                    .values
                    .iter()
                    .map(|value| value.replace('\\', "\\\\").replace(',', "\\,"))
                    .collect();
                format!("{}={}", filter.key, values.join(", "))
            })
            .collect();
        lines.join("\n")
    }

    /// In words: `SEVERITY Critical or Important`.
    #[must_use]
    pub fn words(filters: &[Self]) -> String {
        let said: Vec<String> = filters
            .iter()
            .filter(|filter| filter.values.iter().all(|value| value != "*"))
            .map(|filter| format!("{} {}", filter.key, filter.values.join(" or ")))
            .collect();
        if said.is_empty() {
            "all patches".to_owned()
        } else {
            format!("patches with {}", said.join(" and "))
        }
    }
}

/// A rule that approves patches by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRule {
    /// Which patches: all of these hold.
    pub filters: Vec<PatchFilter>,
    /// How bad it is when one is missing.
    pub compliance_level: String,
    /// So many days after they came out …
    pub approve_after_days: Option<u32>,
    /// … or when they came out until that day, `2030-01-31`.
    pub approve_until_date: Option<String>,
    /// Also those that are no security updates.
    pub enable_non_security: bool,
}

impl ApprovalRule {
    /// In a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let when = match (&self.approve_until_date, self.approve_after_days) {
            (Some(date), _) => format!("that came out until {date}"),
            (None, None | Some(0)) => "at once".to_owned(),
            (None, Some(1)) => "1 day after they came out".to_owned(),
            (None, Some(days)) => format!("{days} days after they came out"),
        };
        let level = match self.compliance_level.as_str() {
            "" | "UNSPECIFIED" => String::new(),
            level => format!(", missing ones count as {level}"),
        };
        let also = if self.enable_non_security {
            ", also those that are no security updates"
        } else {
            ""
        };
        format!(
            "Approves {}, {when}{level}{also}.",
            PatchFilter::words(&self.filters)
        )
    }
}

/// A repository of patches beside those of the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchSource {
    /// What it is called.
    pub name: String,
    /// For which versions of the system.
    pub products: Vec<String>,
    /// SHA-256 of its configuration, which may hold a password and so is not shown.
    pub configuration_sha256: String,
}

/// All that a baseline says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineContent {
    /// What it is called.
    pub name: String,
    /// One of [`OPERATING_SYSTEMS`].
    pub operating_system: String,
    /// What it is for.
    pub description: String,
    /// Which patches it is about at all.
    pub global_filters: Vec<PatchFilter>,
    /// What approves patches by itself; the first rule that fits holds.
    pub rules: Vec<ApprovalRule>,
    /// Approved by name.
    pub approved_patches: Vec<String>,
    /// How bad it is when one of those is missing.
    pub approved_level: String,
    /// Whether those may be other than security updates.
    pub approved_non_security: bool,
    /// Rejected by name.
    pub rejected_patches: Vec<String>,
    /// What becomes of rejected ones.
    pub rejected_action: String,
    /// Repositories beside those of the system.
    pub sources: Vec<PatchSource>,
    /// How missing security updates count that no rule approves yet; empty where nothing is said.
    pub available_security_updates: String,
}

impl BaselineContent {
    /// The same content is always the same bytes.
    #[must_use]
    pub fn canonical(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        crate::approvals::canonical_json(&value)
    }

    /// Line by line, to be read and compared.
    #[must_use]
    pub fn lines(&self) -> String {
        let mut lines = vec![
            format!("Name: {}", self.name),
            format!("Operating system: {}", system_label(&self.operating_system)),
        ];
        if !self.description.is_empty() {
            lines.push(format!("Description: {}", self.description.replace('\n', " ")));
        }
        if !self.global_filters.is_empty() {
            lines.push(format!("Only: {}", PatchFilter::words(&self.global_filters)));
        }
        lines.extend(self.rules.iter().enumerate().map(|(at, rule)| {
            format!(
                "Rule {}: {} [{}]",
                at + 1,
                rule.words(),
                PatchFilter::write(&rule.filters).replace('\n', "; ")
            )
        }));
        if self.rules.is_empty() {
            lines.push("No rule approves anything.".into());
        }
        lines.extend(
            self.approved_patches
                .iter()
                .map(|patch| format!("Approved: {patch}")),
        );
        lines.push(format!(
            "Missing approved patches count as: {}",
            self.approved_level
        ));
        if self.approved_non_security {
            lines.push("Approved patches may be other than security updates.".into());
        }
        lines.extend(
            self.rejected_patches
                .iter()
                .map(|patch| format!("Rejected: {patch}")),
        );
        let action = REJECTED_ACTIONS
            .iter()
            .find(|(word, _)| *word == self.rejected_action);
        lines.push(format!(
            "Rejected patches: {}",
            action.map_or(self.rejected_action.as_str(), |(_, label)| label)
        ));
        lines.extend(self.sources.iter().map(|source| {
            format!(
                "Source: {} for {} (configuration {})",
                source.name,
                source.products.join(", "),
                source.configuration_sha256.get(..12).unwrap_or_default()
            )
        }));
        if !self.available_security_updates.is_empty() {
            lines.push(format!(
                "Security updates that are not approved yet: {}",
                self.available_security_updates
            ));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_survive_the_way_through_a_form() {
        let text = "CLASSIFICATION=Security, Bugfix\nPRODUCT=a\\,b, c\\\\d";
        let read = PatchFilter::read(text).unwrap();
        assert_eq!(read[1].values, ["a,b", "c\\d"]);
        assert_eq!(PatchFilter::write(&read), text);
        assert!(PatchFilter::read("\n  \n").unwrap().is_empty());
        assert_eq!(PatchFilter::read("severity = Low").unwrap()[0].key, "SEVERITY");
        for (wrong, says) in [
            ("SEVERITY", "no condition"),
            ("COLOUR=red", "no property"),
            ("SEVERITY=", "no value"),
            ("SEVERITY=a\nSEVERITY=b", "given twice"),
        ] {
            assert!(PatchFilter::read(wrong).unwrap_err().contains(says), "{wrong}");
        }
    }

    #[test]
    fn a_rule_is_a_sentence() {
        let mut rule = ApprovalRule {
            filters: PatchFilter::read("PRODUCT=*\nSEVERITY=Critical, Important").unwrap(),
            compliance_level: "HIGH".into(),
            approve_after_days: Some(7),
            approve_until_date: None,
            enable_non_security: false,
        };
        assert_eq!(
            rule.words(),
            "Approves patches with SEVERITY Critical or Important, 7 days after they came out, missing ones count as HIGH."
        );
        rule.filters.truncate(1);
        rule.approve_after_days = None;
        rule.approve_until_date = Some("2030-01-31".into());
        rule.compliance_level = "UNSPECIFIED".into();
        rule.enable_non_security = true;
        assert_eq!(
            rule.words(),
            "Approves all patches, that came out until 2030-01-31, also those that are no security updates."
        );
    }

    #[test]
    fn what_differs_is_a_line_and_other_bytes() {
        let content = BaselineContent {
            name: "web".into(),
            operating_system: "DEBIAN".into(),
            rejected_action: "BLOCK".into(),
            ..BaselineContent::default()
        };
        let mut other = content.clone();
        other.rejected_patches.push("openssl*".into());
        assert_ne!(content.canonical(), other.canonical());
        assert!(other.lines().contains("Rejected: openssl*"));
        assert!(content.lines().contains("Debian Server"));
        assert!(content.lines().contains("Never install them"));
    }
}
