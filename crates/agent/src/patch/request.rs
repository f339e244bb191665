//! What the worker is asked to do: from the step's inputs, with the baseline that the control plane put into them.

use muster_patching::Baseline;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The operation that only looks.
pub(crate) const SCAN: &str = "Scan";
/// The operation that installs what is missing.
pub(crate) const INSTALL: &str = "Install";

/// A request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) operation: String,
    pub(crate) snapshot_id: String,
    pub(crate) reboot_option: String,
    pub(crate) baseline_id: String,
    pub(crate) patch_group: String,
    pub(crate) owner_information: String,
    /// Version of the system, as the agent reports it.
    pub(crate) baseline: Baseline,
}

impl Request {
    /// Reads it from a step: `text` gives an input as text, `snapshot` is what the control plane added.
    pub(crate) fn read(
        text: impl Fn(&str) -> Option<String>,
        snapshot: Option<&Value>,
    ) -> Result<Self, String> {
        let snapshot = snapshot.ok_or(
            "it came without a patch baseline: this control plane does not give out baselines to this node",
        )?;
        if let Some(error) = snapshot.get("Error").and_then(Value::as_str) {
            return Err(error.to_owned());
        }
        let word = |name: &str| snapshot.get(name).and_then(Value::as_str).unwrap_or_default();
        let baseline = snapshot.get("Baseline").cloned().unwrap_or_default();
        let operation = text("operation")
            .or_else(|| text("Operation"))
            .unwrap_or_else(|| SCAN.into());
        if ![SCAN, INSTALL].contains(&operation.as_str()) {
            return Err(format!(
                "its input Operation is {operation:?}, not Scan or Install"
            ));
        }
        if text("installOverrideList").is_some_and(|list| !list.trim().is_empty()) {
            return Err("InstallOverrideList is not known to this agent".into());
        }
        Ok(Self {
            operation,
            snapshot_id: word("SnapshotId").to_owned(),
            reboot_option: text("rebootOption").unwrap_or_else(|| "RebootIfNeeded".into()),
            baseline_id: word("BaselineId").to_owned(),
            patch_group: word("PatchGroup").to_owned(),
            owner_information: String::new(),
            baseline: serde_json::from_value(baseline)
                .map_err(|error| format!("its baseline cannot be read: {error}"))?,
        })
    }
}
