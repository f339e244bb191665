//! How nodes stand against their baselines, as far as the last scan of each of them says.

use crate::error::FieldError;
use crate::fleet::{PingStatus, Tag};
use crate::fleet_filter::{FleetFilter, Operator, Property, Token};
use crate::ids::NodeId;
use crate::paging::{Cursor, Page};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How a node stands. Several may hold at once; the first of [`PatchStanding::ALL`] that does is what a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PatchStanding {
    /// Nobody has looked yet, so nothing is known.
    Never,
    /// Patches could not be installed.
    Failed,
    /// Patches are installed that a reboot has yet to put to use.
    Reboot,
    /// Patches that the baseline approves are not installed.
    Missing,
    /// Patches are installed that the baseline rejects.
    Rejected,
    /// All that the baseline approves is there, and nothing that it rejects.
    Compliant,
}

impl PatchStanding {
    /// All of them, what needs somebody most first.
    pub const ALL: [Self; 6] = [
        Self::Never,
        Self::Failed,
        Self::Reboot,
        Self::Missing,
        Self::Rejected,
        Self::Compliant,
    ];

    /// The word in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Failed => "failed",
            Self::Reboot => "reboot",
            Self::Missing => "missing",
            Self::Rejected => "rejected",
            Self::Compliant => "compliant",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Never => "Never scanned",
            Self::Failed => "Patches failed",
            Self::Reboot => "Pending reboot",
            Self::Missing => "Patches missing",
            Self::Rejected => "Rejected patches installed",
            Self::Compliant => "Compliant",
        }
    }

    /// Reads the word in addresses.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// What the last scan or installation on a node found: numbers of patches, as Patch Manager counts them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchScan {
    /// The baseline that the node was held against.
    pub baseline_id: String,
    /// The node's patch group; empty where it has none.
    pub patch_group: String,
    /// The snapshot of the baseline; empty where there is none.
    pub snapshot_id: String,
    /// `Scan` or `Install`.
    pub operation: String,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Installed, and approved by the baseline.
    pub installed: u32,
    /// Installed, and not mentioned by the baseline.
    pub installed_other: u32,
    /// Installed since the last reboot, so not in use yet.
    pub pending_reboot: u32,
    /// Installed, and rejected by the baseline.
    pub rejected: u32,
    /// Approved, and not installed.
    pub missing: u32,
    /// Approved, and could not be installed.
    pub failed: u32,
    /// Of those that are not as they should be: with the compliance level `CRITICAL`.
    pub critical: u32,
    /// Of those that are not as they should be: security updates.
    pub security: u32,
    /// Of those that are not as they should be: all others.
    pub other: u32,
}

impl PatchScan {
    /// Whether that holds for the node.
    #[must_use]
    pub const fn is(&self, standing: PatchStanding) -> bool {
        match standing {
            PatchStanding::Never => false,
            PatchStanding::Failed => self.failed > 0,
            PatchStanding::Reboot => self.pending_reboot > 0,
            PatchStanding::Missing => self.missing > 0,
            PatchStanding::Rejected => self.rejected > 0,
            PatchStanding::Compliant => {
                self.failed == 0 && self.pending_reboot == 0 && self.missing == 0 && self.rejected == 0
            }
        }
    }
}

/// A node with how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePatches {
    /// Which.
    pub node_id: NodeId,
    /// Its name.
    pub name: String,
    /// Platform and version.
    pub platform: String,
    /// Whether it reports.
    pub ping_status: PingStatus,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// What the last scan found; nothing where it was never scanned.
    pub scan: Option<PatchScan>,
    /// Whether the actor may scan it and install patches on it.
    pub may_run: bool,
}

impl NodePatches {
    /// What its row says.
    #[must_use]
    pub fn standing(&self) -> PatchStanding {
        let Some(scan) = &self.scan else {
            return PatchStanding::Never;
        };
        let mut all = PatchStanding::ALL.into_iter();
        all.find(|one| scan.is(*one)).unwrap_or(PatchStanding::Compliant)
    }
}

/// How many nodes stand how. A node counts wherever it belongs, so these do not add up; `nodes` is all of them, scanned or
/// not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchTotals {
    /// All nodes that match, whatever their state.
    pub nodes: u64,
    /// Never scanned.
    pub never: u64,
    /// With patches that failed.
    pub failed: u64,
    /// Waiting for a reboot.
    pub reboot: u64,
    /// With patches missing.
    pub missing: u64,
    /// With rejected patches installed.
    pub rejected: u64,
    /// As they should be.
    pub compliant: u64,
    /// With critical or security patches that are not as they should be.
    pub urgent: u64,
}

impl PatchTotals {
    /// How many nodes stand so.
    #[must_use]
    pub const fn of(&self, standing: PatchStanding) -> u64 {
        match standing {
            PatchStanding::Never => self.never,
            PatchStanding::Failed => self.failed,
            PatchStanding::Reboot => self.reboot,
            PatchStanding::Missing => self.missing,
            PatchStanding::Rejected => self.rejected,
            PatchStanding::Compliant => self.compliant,
        }
    }
}

/// Which nodes to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchQuery {
    /// Only those that stand so.
    pub standing: Option<PatchStanding>,
    /// Only those that match.
    pub filter: FleetFilter,
    /// From where.
    pub cursor: Option<Cursor>,
    /// How many.
    pub limit: Option<u32>,
}

impl PatchQuery {
    /// The nodes with a tag, written `Key=Value`, and with a text in name, id or address; both may be empty.
    ///
    /// # Errors
    /// When the tag cannot be read.
    pub fn filter_of(tag: &str, text: &str) -> Result<FleetFilter, FieldError> {
        let mut tokens = Vec::new();
        let tag = tag.trim();
        if !tag.is_empty() {
            let (key, value) = tag
                .split_once('=')
                .map(|(key, value)| (key.trim(), value.trim()))
                .filter(|(key, value)| !key.is_empty() && !value.is_empty())
                .ok_or_else(|| {
                    FieldError::new(
                        "tag",
                        format!("“{tag}” is no tag: write Key=Value, such as Environment=Production."),
                    )
                })?;
            tokens.push(Token {
                property: Property::Tag(key.to_owned()),
                operator: Operator::Is,
                values: vec![value.to_owned()],
            });
        }
        let text = text.trim();
        if !text.is_empty() {
            tokens.push(Token {
                property: Property::Text,
                operator: Operator::Contains,
                values: vec![text.to_lowercase()],
            });
        }
        Ok(FleetFilter { tokens })
    }
}

/// A page of nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchPage {
    /// The nodes.
    pub page: Page<NodePatches>,
    /// How many stand how, of all that match but for the state.
    pub totals: PatchTotals,
    /// When all states were last copied.
    pub synced_at: Option<Timestamp>,
    /// Whether the actor may scan and install anywhere.
    pub may_run: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(scan: Option<PatchScan>) -> NodePatches {
        NodePatches {
            node_id: "mi-1".into(),
            name: "web-1".into(),
            platform: "Debian GNU/Linux 12".into(),
            ping_status: PingStatus::Online,
            tags: Vec::new(),
            scan,
            may_run: false,
        }
    }

    #[test]
    fn a_node_stands_as_its_worst_count_says_and_unscanned_ones_are_not_compliant() {
        assert_eq!(node(None).standing(), PatchStanding::Never);
        let scan = |change: &dyn Fn(&mut PatchScan)| {
            let mut scan = PatchScan {
                installed: 40,
                installed_other: 3,
                ..PatchScan::default()
            };
            change(&mut scan);
            node(Some(scan)).standing()
        };
        assert_eq!(scan(&|_| ()), PatchStanding::Compliant);
        assert_eq!(scan(&|scan| scan.rejected = 1), PatchStanding::Rejected);
        assert_eq!(
            scan(&|scan| {
                scan.missing = 2;
                scan.rejected = 1;
            }),
            PatchStanding::Missing
        );
        assert_eq!(scan(&|scan| scan.pending_reboot = 1), PatchStanding::Reboot);
        assert_eq!(
            scan(&|scan| {
                scan.pending_reboot = 1;
                scan.failed = 1;
            }),
            PatchStanding::Failed
        );
        for standing in PatchStanding::ALL {
            assert_eq!(PatchStanding::parse(standing.as_str()), Some(standing));
        }
        assert_eq!(PatchStanding::parse("fine"), None);
    }

    #[test]
    fn a_tag_is_read_or_named() {
        let filter = PatchQuery::filter_of(" Team = web;1 ", "DB").unwrap();
        assert_eq!(filter.to_string(), r"tag:Team=web\;1;db");
        assert!(PatchQuery::filter_of("", " ").unwrap().tokens.is_empty());
        for wrong in ["Team", "=web", "Team="] {
            assert_eq!(PatchQuery::filter_of(wrong, "").unwrap_err().field, "tag");
        }
    }
}
