//! How a node stands against a baseline: a state for each package, and the counts that lists show.

use crate::baseline::Baseline;
use crate::rules::{Patch, Verdict, verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The state of a patch on a node, in the service's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Approved and there.
    Installed,
    /// There, and the baseline does not speak of it.
    InstalledOther,
    /// Approved and there, and the system has to be started anew for it.
    InstalledPendingReboot,
    /// There although it is rejected.
    InstalledRejected,
    /// Approved and not there.
    Missing,
    /// Approved, and installing it failed.
    Failed,
    /// A security update that is to be had and not approved.
    AvailableSecurityUpdate,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Installed,
        Self::InstalledOther,
        Self::InstalledPendingReboot,
        Self::InstalledRejected,
        Self::Missing,
        Self::Failed,
        Self::AvailableSecurityUpdate,
    ];

    /// As it goes over the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Installed => "INSTALLED",
            Self::InstalledOther => "INSTALLED_OTHER",
            Self::InstalledPendingReboot => "INSTALLED_PENDING_REBOOT",
            Self::InstalledRejected => "INSTALLED_REJECTED",
            Self::Missing => "MISSING",
            Self::Failed => "FAILED",
            Self::AvailableSecurityUpdate => "AVAILABLE_SECURITY_UPDATE",
        }
    }

    /// Whether a node with such a patch is not compliant.
    #[must_use]
    pub const fn is_bad(self) -> bool {
        matches!(
            self,
            Self::InstalledPendingReboot | Self::InstalledRejected | Self::Missing | Self::Failed
        )
    }
}

/// A package that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Installed {
    /// What it is, of the version that is installed.
    pub patch: Patch,
    /// When it was installed, in milliseconds since 1970, where the system knows.
    pub installed_ms: Option<i64>,
    /// Whether the system has to be started anew for it.
    pub needs_reboot: bool,
    /// Whether it is there in part only: its installation was interrupted, or failed on the way.
    pub is_broken: bool,
}

/// A newer version of a package that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// The newer one.
    pub patch: Patch,
    /// Whether installing it was tried and failed.
    pub has_failed: bool,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Item {
    /// `openssl.amd64:3.0.11-1`.
    pub title: String,
    /// `openssl.amd64`.
    #[serde(rename = "KBId")]
    pub id: String,
    /// As the distribution says; empty where it does not.
    pub classification: String,
    /// As the distribution says; empty where it does not.
    pub severity: String,
    /// How it stands.
    pub state: State,
    /// How bad that is, by the baseline.
    pub compliance_level: String,
    /// Whether the node is as the baseline wants it, in this.
    pub is_compliant: bool,
    /// Milliseconds since 1970; 0 where nobody knows.
    pub installed_ms: i64,
    /// Vulnerabilities that it mends, as far as they are told.
    #[serde(rename = "CVEIds")]
    pub cve_ids: Vec<String>,
}

/// How many patches are in each state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Counts {
    /// Of that state.
    pub installed_count: i64,
    /// Of that state.
    pub installed_other_count: i64,
    /// Of that state.
    pub installed_pending_reboot_count: i64,
    /// Of that state.
    pub installed_rejected_count: i64,
    /// Of that state.
    pub missing_count: i64,
    /// Of that state.
    pub failed_count: i64,
    /// Of that state.
    pub available_security_update_count: i64,
    /// Not compliant, and the baseline calls them critical.
    pub critical_non_compliant_count: i64,
    /// Not compliant, and security updates.
    pub security_non_compliant_count: i64,
    /// Not compliant, and neither.
    pub other_non_compliant_count: i64,
}

/// The whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assessment {
    /// One line for each package, those that need somebody first.
    pub items: Vec<Item>,
    /// How many there are of each.
    pub counts: Counts,
    /// Names of packages whose update is approved and not there.
    pub to_install: Vec<Patch>,
}

fn item(patch: &Patch, state: State, level: &str, installed_ms: Option<i64>) -> Item {
    Item {
        title: format!("{}.{}:{}", patch.name, patch.arch, patch.version),
        id: format!("{}.{}", patch.name, patch.arch),
        classification: patch.classification.clone(),
        severity: patch.severity.clone(),
        state,
        compliance_level: level.to_owned(),
        is_compliant: !state.is_bad(),
        installed_ms: installed_ms.unwrap_or_default(),
        cve_ids: patch.cve_ids.clone(),
    }
}

impl Counts {
    fn add(&mut self, item: &Item, is_security: bool) {
        let of_state = match item.state {
            State::Installed => &mut self.installed_count,
            State::InstalledOther => &mut self.installed_other_count,
            State::InstalledPendingReboot => &mut self.installed_pending_reboot_count,
            State::InstalledRejected => &mut self.installed_rejected_count,
            State::Missing => &mut self.missing_count,
            State::Failed => &mut self.failed_count,
            State::AvailableSecurityUpdate => &mut self.available_security_update_count,
        };
        *of_state += 1;
        if item.is_compliant {
            return;
        }
        if item.compliance_level == "CRITICAL" {
            self.critical_non_compliant_count += 1;
        } else if is_security {
            self.security_non_compliant_count += 1;
        } else {
            self.other_non_compliant_count += 1;
        }
    }
}

/// Holds a node against a baseline: what is there, and what could be.
#[must_use]
pub fn assess(baseline: &Baseline, installed: &[Installed], updates: &[Update], now_ms: i64) -> Assessment {
    let mut all = Assessment::default();
    let mut lines: Vec<(Item, bool)> = Vec::with_capacity(installed.len());
    let mut behind: BTreeSet<(&str, &str)> = BTreeSet::new();
    for update in updates {
        let patch = &update.patch;
        match verdict(baseline, patch, now_ms) {
            Verdict::Approved { level, .. } => {
                let state = if update.has_failed {
                    State::Failed
                } else {
                    State::Missing
                };
                behind.insert((&patch.name, &patch.arch));
                all.to_install.push(patch.clone());
                lines.push((item(patch, state, &level, None), patch.is_security));
            }
            Verdict::Pending { level, .. } if patch.is_security => {
                let line = item(patch, State::AvailableSecurityUpdate, &level, None);
                lines.push((line, true));
            }
            Verdict::NotMeant if patch.is_security => {
                let line = item(patch, State::AvailableSecurityUpdate, "UNSPECIFIED", None);
                lines.push((line, true));
            }
            _ => {}
        }
    }
    for there in installed {
        let patch = &there.patch;
        if behind.contains(&(patch.name.as_str(), patch.arch.as_str())) {
            continue;
        }
        let (state, level) = match verdict(baseline, patch, now_ms) {
            Verdict::Approved { level, .. } if there.is_broken => (State::Failed, level),
            _ if there.is_broken => (State::Failed, "UNSPECIFIED".into()),
            Verdict::Approved { level, .. } if there.needs_reboot => (State::InstalledPendingReboot, level),
            Verdict::Approved { level, .. } => (State::Installed, level),
            Verdict::Rejected if baseline.rejected_patches_action == "BLOCK" => {
                (State::InstalledRejected, "UNSPECIFIED".into())
            }
            _ => (State::InstalledOther, "UNSPECIFIED".into()),
        };
        lines.push((item(patch, state, &level, there.installed_ms), patch.is_security));
    }
    let available_is_bad =
        baseline.available_security_updates_compliance_status.as_deref() == Some("NON_COMPLIANT");
    for (line, is_security) in &mut lines {
        if available_is_bad && line.state == State::AvailableSecurityUpdate {
            line.is_compliant = false;
        }
        all.counts.add(line, *is_security);
    }
    let order = |state: State| match state {
        State::Failed => 0,
        State::Missing => 1,
        State::InstalledPendingReboot => 2,
        State::InstalledRejected => 3,
        State::AvailableSecurityUpdate => 4,
        State::Installed => 5,
        State::InstalledOther => 6,
    };
    all.items = lines.into_iter().map(|(line, _)| line).collect();
    all.items
        .sort_by(|left, right| (order(left.state), &left.title).cmp(&(order(right.state), &right.title)));
    all
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
