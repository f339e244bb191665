//! What nodes report about patches, as inventory: its words, and what the lists of states and of available patches take
//! from it.

use super::available_queries as available;
use super::defaults;
use super::state_queries::{self as states, StateRow};
use crate::compliance::queries::{self as compliance_queries, Execution, Item, Resource, ResourceRow};
use crate::compliance::{PATCH, SEVERITIES, summed};
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries::NodeRow;
use muster_domain::Timestamp;
use muster_patching::{Counts, Patch, State};
use serde::Deserialize;
use serde_json::{Map, Value};
use sqlx::{Any, Transaction};

/// How a node stands as a whole.
pub(crate) const SUMMARY: &str = "AWS:PatchSummary";
/// One line for each patch.
pub(crate) const COMPLIANCE: &str = "AWS:PatchCompliance";
/// Updates that are to be had, whatever the baseline says.
pub(crate) const AVAILABLE: &str = "Custom:AvailablePatch";

/// A patch group is the value of a tag.
const LONGEST_GROUP: usize = 256;

/// A line of [`COMPLIANCE`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Line {
    pub(crate) title: String,
    #[serde(rename = "KBId")]
    pub(crate) id: String,
    pub(crate) classification: String,
    pub(crate) severity: String,
    pub(crate) state: String,
    pub(crate) compliance_level: String,
    /// `COMPLIANT` or `NON_COMPLIANT`; by its state where nothing is said.
    pub(crate) status: String,
    pub(crate) installed_time: String,
    #[serde(rename = "CVEIds")]
    pub(crate) cve_ids: String,
}

fn text<'a>(entry: &'a Map<String, Value>, name: &str) -> &'a str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn time(entry: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    Timestamp::parse(text(entry, name)).filter(|_| !text(entry, name).is_empty())
}

fn state(node: &NodeRow, entry: &Map<String, Value>) -> ApiResult<StateRow> {
    let needed = |name: &str| {
        time(entry, name).ok_or_else(|| {
            ApiError::new(
                "InvalidItemContentException",
                format!("{name} of {SUMMARY} has to be a time of the form 2026-11-26T12:00:00Z."),
            )
        })
    };
    if text(entry, "PatchGroup").chars().count() > LONGEST_GROUP {
        return Err(ApiError::new(
            "InvalidItemContentException",
            format!("PatchGroup of {SUMMARY} has at most {LONGEST_GROUP} characters."),
        ));
    }
    let count = |name: &str| text(entry, name).parse::<i64>().unwrap_or_default().max(0);
    let word = |name: &str| text(entry, name).to_owned();
    Ok(StateRow {
        region: node.region.clone(),
        node_id: node.node_id.clone(),
        patch_group: word("PatchGroup"),
        baseline_id: word("BaselineId"),
        snapshot_id: word("SnapshotId"),
        owner_information: word("OwnerInformation"),
        operation: word("OperationType"),
        reboot_option: word("RebootOption"),
        started_at: needed("OperationStartTime")?,
        ended_at: needed("OperationEndTime")?,
        last_no_reboot_at: time(entry, "LastNoRebootInstallOperationTime"),
        counts: Counts {
            installed_count: count("InstalledCount"),
            installed_other_count: count("InstalledOtherCount"),
            installed_pending_reboot_count: count("InstalledPendingRebootCount"),
            installed_rejected_count: count("InstalledRejectedCount"),
            missing_count: count("MissingCount"),
            failed_count: count("FailedCount"),
            available_security_update_count: count("AvailableSecurityUpdateCount"),
            critical_non_compliant_count: count("CriticalNonCompliantCount"),
            security_non_compliant_count: count("SecurityNonCompliantCount"),
            other_non_compliant_count: count("OtherNonCompliantCount"),
        },
    })
}

/// Ids of one text.
fn split(text: &str) -> Vec<String> {
    text.split(',')
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
        .collect()
}

fn patch(entry: &Map<String, Value>) -> Patch {
    let word = |name: &str| text(entry, name).to_owned();
    Patch {
        name: word("Name"),
        version: word("Version"),
        arch: word("Arch"),
        title: word("Title"),
        product: word("Product"),
        section: word("Section"),
        priority: word("Priority"),
        classification: word("Classification"),
        severity: word("Severity"),
        repository: word("Repository"),
        is_security: text(entry, "IsSecurity") == "true",
        cve_ids: split(text(entry, "CVEIds")),
        advisory_ids: split(text(entry, "AdvisoryIds")),
        released_ms: time(entry, "ReleasedTime").map(|at| at.0),
    }
}

/// A line as an item of compliance.
pub(crate) fn item_of(line: Line) -> Item {
    let is_bad = State::ALL
        .iter()
        .find(|state| state.as_str() == line.state)
        .is_some_and(|state| state.is_bad());
    let details = [
        ("PatchState", line.state),
        ("Classification", line.classification),
        ("PatchSeverity", line.severity),
        ("InstalledTime", line.installed_time),
        ("CVEIds", line.cve_ids),
    ];
    Item {
        id: line.id,
        title: line.title,
        severity: if SEVERITIES.contains(&line.compliance_level.as_str()) {
            line.compliance_level
        } else {
            "UNSPECIFIED".into()
        },
        status: match line.status.as_str() {
            "COMPLIANT" | "NON_COMPLIANT" => line.status,
            _ if is_bad => "NON_COMPLIANT".into(),
            _ => "COMPLIANT".into(),
        },
        details: details
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| (name.to_owned(), Value::String(text)))
            .collect(),
    }
}

/// How the node stands as a whole; the items stay in its inventory.
async fn compliance(
    transaction: &mut Transaction<'static, Any>,
    node: &NodeRow,
    entries: &[Map<String, Value>],
    now: Timestamp,
) -> ApiResult<()> {
    let items: Vec<Item> = entries
        .iter()
        .map(|entry| {
            let word = |name: &str| text(entry, name).to_owned();
            item_of(Line {
                state: word("State"),
                compliance_level: word("ComplianceLevel"),
                status: word("Status"),
                ..Line::default()
            })
        })
        .collect();
    let (status, severity, compliant, non_compliant) = summed(
        items
            .iter()
            .map(|item| (item.status.as_str(), item.severity.as_str())),
    );
    let row = ResourceRow {
        resource: Resource::node(&node.region, &node.node_id),
        compliance_type: PATCH.into(),
        status: status.into(),
        severity: severity.into(),
        compliant,
        non_compliant,
        content_hash: String::new(),
        execution: Execution {
            at: now,
            id: String::new(),
            kind: "Command".into(),
        },
    };
    compliance_queries::put_resource(&mut **transaction, &row).await
}

/// Takes from an inventory item what is asked for across nodes.
pub(crate) async fn take(
    transaction: &mut Transaction<'static, Any>,
    node: &NodeRow,
    type_name: &str,
    content: &[Map<String, Value>],
    now: Timestamp,
) -> ApiResult<()> {
    match (type_name, content) {
        (SUMMARY, [entry, ..]) => states::put(&mut **transaction, &state(node, entry)?).await,
        (COMPLIANCE, entries) => compliance(transaction, node, entries, now).await,
        (AVAILABLE, entries) => {
            let system = defaults::operating_system(&node.platform_name, &node.platform_version);
            let patches: Vec<Patch> = entries
                .iter()
                .map(patch)
                .filter(|patch| !patch.name.is_empty() && !patch.version.is_empty())
                .collect();
            available::put(
                transaction,
                &node.region,
                system.unwrap_or_default(),
                &patches,
                now,
            )
            .await
        }
        _ => Ok(()),
    }
}
