//! What the worker is asked to do: from the step's inputs, with the baseline that the control plane put into them.

use muster_patching::Baseline;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The operation that only looks.
pub(crate) const SCAN: &str = "Scan";
/// The operation that installs what is missing.
pub(crate) const INSTALL: &str = "Install";

/// A request.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) operation: String,
    pub(crate) snapshot_id: String,
    pub(crate) reboot_option: String,
    pub(crate) baseline_id: String,
    pub(crate) patch_group: String,
    pub(crate) owner_information: String,
    /// Where a list lies of what is to be installed, whatever the baseline says. May hold a secret.
    #[serde(default)]
    pub(crate) install_override_list: String,
    /// Where baselines lie of which one takes the place of the node's. May hold a secret.
    #[serde(default)]
    pub(crate) baseline_override: String,
    /// What the node is held against.
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
        let address = |name: &str| text(name).unwrap_or_default().trim().to_owned();
        Ok(Self {
            operation,
            snapshot_id: word("SnapshotId").to_owned(),
            reboot_option: text("rebootOption").unwrap_or_else(|| "RebootIfNeeded".into()),
            baseline_id: word("BaselineId").to_owned(),
            patch_group: word("PatchGroup").to_owned(),
            owner_information: String::new(),
            install_override_list: address("installOverrideList"),
            baseline_override: address("baselineOverride"),
            baseline: serde_json::from_value(baseline)
                .map_err(|error| format!("its baseline cannot be read: {error}"))?,
        })
    }
}
