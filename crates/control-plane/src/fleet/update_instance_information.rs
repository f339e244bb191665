//! `UpdateInstanceInformation`: a node's heartbeat, and what it says of itself.

use super::Empty;
use super::queries::{Report, report};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{INSTANCE_ID, Member, one_of, optional, required, text};
use muster_agent_protocol::calls::UpdateInstanceInformationRequest;

pub(crate) const INPUT: &[Member] = &[
    required("InstanceId", INSTANCE_ID),
    optional("AgentName", text(0, 128)),
    optional("AgentVersion", text(0, 64)),
    optional("AgentStatus", text(0, 64)),
    optional("PlatformType", one_of(&["", "Linux", "Windows", "MacOS"])),
    optional("PlatformName", text(0, 255)),
    optional("PlatformVersion", text(0, 255)),
    optional("ComputerName", text(0, 255)),
    optional("IPAddress", text(0, 46)),
    optional("SSMConnectionChannel", text(0, 64)),
    // Ours: absent from Amazon's agent.
    optional("MusterSnapshots", one_of(&["", "command", "btrfs", "lvm"])),
];

pub(crate) async fn call(
    plane: &ControlPlane,
    call: &Call,
    input: UpdateInstanceInformationRequest,
) -> ApiResult<Empty> {
    call.check_own(&input.instance_id)?;
    let said = Report {
        agent_name: input.agent_name,
        agent_version: input.agent_version,
        platform_type: input.platform_type,
        platform_name: input.platform_name,
        platform_version: input.platform_version,
        computer_name: input.computer_name,
        ip_address: input.ip_address,
        snapshots: input.snapshots,
    };
    report(plane.db.writer(), &input.instance_id, said, call.now).await?;
    Ok(Empty {})
}
