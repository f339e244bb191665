//! What was found, as the inventory types that the service's own agent reports for patching.

use super::request::{INSTALL, Request};
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
            ("CVEIds", item.cve_ids.join(",")),
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
        ])
    };
    let item = |name: &str, content: Vec<Map<String, Value>>| InventoryItem {
        type_name: name.into(),
        schema_version: "1.0".into(),
        capture_time: whole_seconds(ended),
        content,
        ..InventoryItem::default()
    };
    vec![
        item("AWS:PatchSummary", vec![summary(request, found, started, ended)]),
        item("AWS:PatchCompliance", found.items.iter().map(line).collect()),
        item("Custom:AvailablePatch", available.iter().map(update).collect()),
    ]
}
