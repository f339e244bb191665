//! Session Manager: starting, resuming, ending and listing sessions, and what time does to them. The data
//! channels themselves are in `gateway::relay`.
//!
//! Invariant: a session is written down before its node is asked; it ends once; and while it goes on, it
//! survives the loss of either leg and a restart of this program.

pub(crate) mod content;
pub(crate) mod describe_sessions;
pub(crate) mod ending;
pub(crate) mod queries;
pub(crate) mod resume_session;
pub(crate) mod rounds;
pub(crate) mod start_session;
pub(crate) mod status;
pub(crate) mod terminate_session;

use crate::caller_identity::user_name;
use crate::control_plane::ControlPlane;
use crate::operations::Call;
use crate::signature::Caller;
use crate::validation::{Shape, text};

/// A session's id, in requests.
pub(crate) const SESSION_ID: Shape = text(1, 96);

/// Whether the portal asks, and not somebody's own client.
fn is_portal(caller: &Caller) -> bool {
    matches!(caller, Caller::Operator { is_portal: true, .. })
}

/// Who asks: the name that session ids begin with.
fn owner_name(caller: &Caller) -> &'static str {
    user_name(is_portal(caller))
}

/// The id of the session that a call starts: the owner and 17 characters, as the service makes them.
pub(crate) fn session_id(call: &Call) -> String {
    // The fixed characters of a UUID are left out: 68 random bits.
    let hex: String = call.fresh_id.chars().filter(|c| *c != '-').collect();
    let (head, tail) = (
        hex.get(..12).unwrap_or_default(),
        hex.get(27..).unwrap_or_default(),
    );
    format!("{}-{head}{tail}", owner_name(&call.caller))
}

fn owner_arn(plane: &ControlPlane, call: &Call) -> String {
    format!(
        "arn:aws:iam::{}:user/{}",
        plane.config.account,
        owner_name(&call.caller)
    )
}

/// Where a session's client connects: at the host that its caller reached.
fn stream_url(call: &Call, session_id: &str) -> String {
    let base = call.base_url.replacen("http", "ws", 1);
    format!("{base}/v1/data-channel/{session_id}?role=publish_subscribe")
}
