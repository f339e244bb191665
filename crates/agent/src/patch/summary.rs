//! What was found, as the inventory types that the service's own agent reports for patching.

use super::request::{INSTALL, Request};
use super::say;
use muster_agent_protocol::calls::InventoryItem;
use muster_domain::Timestamp;
use muster_patching::{Assessment, Patch};
use serde_json::{Map, Value};

/// A time as inventory writes it: whole seconds.
fn whole_seconds(at: Timestamp) -> String {
    let text = at.rfc3339();
    format!("{}Z", text.split('.').next().unwrap_or_default())
}

fn texts(pairs: &[(&str, String)]) -> Map<String, Value> {
    pairs
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Value::String(text.clone())))
        .collect()
}

fn summary(
    request: &Request,
    found: &Assessment,
    started: Timestamp,
    ended: Timestamp,
) -> Map<String, Value> {
    let mut all = texts(&[
        ("PatchGroup", request.patch_group.clone()),
        ("BaselineId", request.baseline_id.clone()),
        ("SnapshotId", request.snapshot_id.clone()),
        ("OwnerInformation", request.owner_information.clone()),
        ("OperationType", request.operation.clone()),
        ("OperationStartTime", whole_seconds(started)),
        ("OperationEndTime", whole_seconds(ended)),
        ("RebootOption", request.reboot_option.clone()),
    ]);
    if let Ok(Value::Object(counts)) = serde_json::to_value(&found.counts) {
        for (name, count) in counts {
            // Inventory knows texts only.
            all.insert(name, Value::String(count.to_string()));
        }
    }
    if request.operation == INSTALL && request.reboot_option == "NoReboot" {
        let at = whole_seconds(ended);
        all.insert("LastNoRebootInstallOperationTime".into(), Value::String(at));
    }
    all
}

/// Of an attribute of inventory, well below the service's 4,096.
const MOST_CHARACTERS: usize = 4_000;
/// Of one type of inventory.
const MOST_LINES: usize = 10_000;
/// A request is refused above 1 MiB.
const MOST_BYTES: usize = 900_000;

/// Ids in one text, as many as an attribute may hold.
fn joined(ids: &[String]) -> String {
    let mut text = String::new();
    for id in ids {
        if text.len() + id.len() + 1 > MOST_CHARACTERS {
            break;
        }
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(id);
    }
    text
}

/// Cuts lines to what a request may hold. They are ordered: what needs somebody comes first.
fn cut(name: &str, mut lines: Vec<Map<String, Value>>) -> Vec<Map<String, Value>> {
    let mut bytes = 0;
    let fits = lines
        .iter()
        .take(MOST_LINES)
        .take_while(|line| {
            bytes += serde_json::to_string(line).map_or(0, |text| text.len() + 1);
            bytes <= MOST_BYTES
        })
        .count();
    if fits < lines.len() {
        say(&format!(
            "{name}: only {fits} of {} lines fit into a report",
            lines.len()
        ));
        lines.truncate(fits);
    }
    lines
}

/// The items to deliver: a summary, one line for each patch, and what is to be had.
pub(super) fn inventory(
    request: &Request,
    found: &Assessment,
    available: &[Patch],
    started: Timestamp,
    ended: Timestamp,
) -> Vec<InventoryItem> {
    let line = |item: &muster_patching::Item| {
        let installed = if item.installed_ms > 0 {
            whole_seconds(Timestamp(item.installed_ms))
        } else {
            String::new()
        };
        texts(&[
            ("Title", item.title.clone()),
            ("KBId", item.id.clone()),
            ("Classification", item.classification.clone()),
            ("Severity", item.severity.clone()),
            ("State", item.state.as_str().to_owned()),
            ("ComplianceLevel", item.compliance_level.clone()),
            ("InstalledTime", installed),
            ("CVEIds", joined(&item.cve_ids)),
            (
                "Status",
                if item.is_compliant {
                    "COMPLIANT"
                } else {
                    "NON_COMPLIANT"
                }
                .to_owned(),
            ),
        ])
    };
    let update = |patch: &Patch| {
        texts(&[
            ("Name", patch.name.clone()),
            ("Version", patch.version.clone()),
            ("Arch", patch.arch.clone()),
            ("Title", patch.title.clone()),
            ("Product", patch.product.clone()),
            ("Section", patch.section.clone()),
            ("Priority", patch.priority.clone()),
            ("Classification", patch.classification.clone()),
            ("Severity", patch.severity.clone()),
            ("Repository", patch.repository.clone()),
            ("IsSecurity", patch.is_security.to_string()),
            ("CVEIds", joined(&patch.cve_ids)),
            ("AdvisoryIds", joined(&patch.advisory_ids)),
            (
                "ReleasedTime",
                patch
                    .released_ms
                    .map(|at| whole_seconds(Timestamp(at)))
                    .unwrap_or_default(),
            ),
        ])
    };
    let item = |name: &str, content: Vec<Map<String, Value>>| InventoryItem {
        type_name: name.into(),
        schema_version: "1.0".into(),
        capture_time: whole_seconds(ended),
        content: cut(name, content),
        ..InventoryItem::default()
    };
    vec![
        item("AWS:PatchSummary", vec![summary(request, found, started, ended)]),
        item("AWS:PatchCompliance", found.items.iter().map(line).collect()),
        item("Custom:AvailablePatch", available.iter().map(update).collect()),
    ]
}
