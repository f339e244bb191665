//! The calls to Systems Manager that are about patches, and its shapes as ours.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use aws_sdk_ssm::types::InstancePatchState;
use muster_domain::Timestamp;
use muster_domain::patching::PatchScan;

/// Nodes that can be asked about at once.
pub const AT_ONCE: usize = 50;

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

fn scan(found: &InstancePatchState) -> PatchScan {
    let maybe = |number: Option<i32>| count(number.unwrap_or_default());
    PatchScan {
        baseline_id: found.baseline_id().to_owned(),
        patch_group: found.patch_group().to_owned(),
        snapshot_id: found.snapshot_id().unwrap_or_default().to_owned(),
        operation: found.operation().as_str().to_owned(),
        ended_at: Timestamp(found.operation_end_time().to_millis().unwrap_or_default()),
        installed: count(found.installed_count()),
        installed_other: count(found.installed_other_count()),
        pending_reboot: maybe(found.installed_pending_reboot_count()),
        rejected: maybe(found.installed_rejected_count()),
        missing: count(found.missing_count()),
        failed: count(found.failed_count()),
        critical: maybe(found.critical_non_compliant_count()),
        security: maybe(found.security_non_compliant_count()),
        other: maybe(found.other_non_compliant_count()),
    }
}

/// How these nodes stand, at most [`AT_ONCE`]; those that were never scanned are not among them.
///
/// # Errors
/// [`CallError`].
pub async fn states(ssm: &Ssm, nodes: &[String]) -> Result<Vec<(String, PatchScan)>, CallError> {
    let mut all = Vec::new();
    let mut token = None;
    loop {
        let request = ssm
            .client
            .describe_instance_patch_states()
            .set_instance_ids(Some(nodes.to_vec()))
            .max_results(100)
            .set_next_token(token);
        let answer = ssm.call("DescribeInstancePatchStates", request.send()).await?;
        let found = answer.instance_patch_states().iter();
        all.extend(found.map(|one| (one.instance_id().to_owned(), scan(one))));
        token = answer
            .next_token()
            .filter(|token| !token.is_empty())
            .map(str::to_owned);
        if token.is_none() {
            return Ok(all);
        }
    }
}
