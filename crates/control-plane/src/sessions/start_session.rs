//! `StartSession`: the session is written down, the node is asked, and the caller gets a token with which
//! its client opens the data channel.

use super::content::{Prepared, prepare};
use super::queries::{self, SessionRow};
use super::status::Status;
use super::{ending, is_portal, owner_arn, rounds, session_id, stream_url};
use crate::control_plane::ControlPlane;
use crate::documents::parameters::Given;
use crate::documents::session_built_in::RUN_SHELL;
use crate::documents::shown;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries as nodes;
use crate::gateway::relay::Role;
use crate::gateway::relay::leg::{created, message_id};
use crate::gateway::relay::live::Ending;
use crate::operations::Call;
use crate::parameters::references;
use crate::validation::{Member, Pattern, Shape, list, matching, optional, required, text};
use muster_agent_protocol::session::{InteractiveShell, SessionContent, message_type};
use muster_session_channel::Message;
use serde::{Deserialize, Serialize};

/// Sessions that go on at once at most.
const MAX_SESSIONS: usize = 10_000;
const VALUE: Shape = text(1, 65_535);
const VALUES: Shape = list(0, usize::MAX, &VALUE);

pub(crate) const INPUT: &[Member] = &[
    required("Target", text(1, 400)),
    optional("DocumentName", crate::documents::NAME),
    optional(
        "Reason",
        matching(
            1,
            256,
            Pattern {
                text: "^.{1,256}$",
                holds: |text| !text.contains(['\n', '\r']),
            },
        ),
    ),
    optional("Parameters", Shape::Map(&VALUES)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    target: String,
    document_name: Option<String>,
    reason: Option<String>,
    parameters: Option<Given>,
}

/// The answer, also of `ResumeSession`. It holds a secret, so it is never shown by `Debug`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    pub(super) session_id: String,
    pub(super) token_value: String,
    pub(super) stream_url: String,
}

fn not_connected(target: &str) -> ApiError {
    ApiError::new("TargetNotConnected", format!("{target} is not connected."))
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let name = input.document_name.as_deref().unwrap_or(RUN_SHELL);
    let found = shown::find(plane, &call.region, name, None, None).await?;
    let Some(document) = found.content.session() else {
        return Err(ApiError::new(
            "InvalidDocument",
            format!(
                "Document {} is of the type {}: a session needs one of the type Session.",
                found.name, found.document_type
            ),
        ));
    };
    let preferences = match &document.inputs {
        Some(_) => None,
        None => {
            let own = shown::find(plane, &call.region, RUN_SHELL, None, None).await?;
            own.content.session().and_then(|session| session.inputs.clone())
        }
    };
    let given = input.parameters.unwrap_or_default();
    let given = references::resolved(plane, call, &document.parameters, &given)
        .await?
        .unwrap_or(given);
    let prepared = prepare(&found.name, document, given, preferences.as_ref())?;
    let node = nodes::node(plane.db.reader(), &input.target).await?;
    let is_here = node.is_some_and(|node| node.region == call.region);
    if !is_here || !plane.registry.is_open(&input.target) {
        return Err(not_connected(&input.target));
    }
    if plane.hub.count() >= MAX_SESSIONS {
        return Err(ApiError::new(
            "LimitExceeded",
            format!("{MAX_SESSIONS} sessions go on, which is the most: end some first."),
        ));
    }
    let row = row(
        plane,
        call,
        &input.target,
        &found.name,
        input.reason.unwrap_or_default(),
        &prepared,
    )?;
    let message = asking(plane, &row, prepared, is_portal(&call.caller))?;
    queries::insert(plane.db.writer(), &row).await?;
    let live = plane.hub.add(rounds::live(plane, &row));
    if !plane.registry.send_message(&row.node_id, &message) {
        let output = "The node's connection broke off before it could be asked for the session.".to_owned();
        let failed = Ending {
            status: Status::Failed,
            details: output.clone(),
            output,
            node_knows: true,
        };
        ending::end(plane, &live, failed).await?;
        return Err(not_connected(&input.target));
    }
    let token = plane.random.hex(32);
    live.add_token(Role::Client, &token, plane.config.steady.now());
    Ok(Output {
        stream_url: stream_url(call, &row.session_id),
        session_id: row.session_id,
        token_value: token,
    })
}

fn row(
    plane: &ControlPlane,
    call: &Call,
    node_id: &str,
    document: &str,
    reason: String,
    prepared: &Prepared,
) -> ApiResult<SessionRow> {
    Ok(SessionRow {
        session_id: session_id(call),
        region: call.region.clone(),
        node_id: node_id.to_owned(),
        document: document.to_owned(),
        document_content: serde_json::to_string(&prepared.document).map_err(ApiError::internal)?,
        parameters: serde_json::to_string(&prepared.parameters).map_err(ApiError::internal)?,
        reason,
        owner: owner_arn(plane, call),
        status: Status::Connecting,
        status_version: 1,
        started_at: call.now,
        ended_at: None,
        idle_ms: prepared.idle_ms,
        max_ms: prepared.max_ms,
        end_message: String::new(),
        details: String::new(),
        input_bytes: 0,
        output_bytes: 0,
    })
}

/// What asks the node for the session.
fn asking(plane: &ControlPlane, row: &SessionRow, prepared: Prepared, handshake: bool) -> ApiResult<Message> {
    let content = SessionContent {
        document_name: row.document.clone(),
        session_id: row.session_id.clone(),
        run_as_user: String::new(),
        session_owner: row.owner.clone(),
        parameters: prepared.parameters,
        document_content: prepared.document,
        handshake,
    };
    let task = InteractiveShell {
        schema_version: 1,
        task_id: row.session_id.clone(),
        topic: message_type::INTERACTIVE_SHELL.to_owned(),
        content: serde_json::to_string(&content).map_err(ApiError::internal)?,
    };
    let payload = serde_json::to_vec(&task).map_err(ApiError::internal)?;
    let kind = message_type::INTERACTIVE_SHELL;
    Ok(Message::control(kind, message_id(plane), created(plane), payload))
}
