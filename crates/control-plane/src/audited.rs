//! Calls that change something are written to the audit log before and after. The portal's own calls are
//! not: the portal has recorded who asked for them.

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::{Access, Call, Operation, Who};
use crate::signature::Caller;
use muster_domain::Actor;
use muster_domain::action::Action;
use muster_domain::actor::Origin;
use muster_domain::audit::{API_PREFIX, Intent, Outcome};
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::Future;

/// Members that are secrets, whatever the operation.
const SECRET: [&str; 2] = ["ActivationCode", "TokenValue"];

fn is_audited(operation: &Operation, caller: &Caller) -> bool {
    let is_portal = matches!(caller, Caller::Operator { is_portal: true, .. });
    // A node's reports are its heartbeat, not acts of a person.
    operation.access == Access::Write && !is_portal && operation.who != Who::Node
}

fn actor(caller: &Caller, origin: Origin) -> Actor {
    let name = match caller {
        Caller::Anonymous => return Actor::anonymous(origin),
        Caller::Operator { key_id, .. } => format!("key:{key_id}"),
        Caller::Node { node_id, .. } | Caller::NodeKey { node_id } => format!("node:{node_id}"),
    };
    Actor {
        name,
        ..Actor::anonymous(origin)
    }
}

fn resource(operation: &Operation, call: &Call, input: &Value) -> String {
    let text = |name: &str| {
        input
            .get(name)
            .and_then(Value::as_str)
            .map(|text| text.chars().take(200).collect::<String>())
    };
    match operation.name {
        "SendCommand" => format!("command:{}", call.fresh_id),
        "CreateActivation" => format!("activation:{}", call.fresh_id),
        "StartSession" => format!("session:{}", crate::sessions::session_id(call)),
        _ => [
            ("CommandId", "command"),
            ("ActivationId", "activation"),
            ("InstanceId", "node"),
            ("ResourceId", "node"),
            ("SessionId", "session"),
            ("Name", "document"),
        ]
        .into_iter()
        .find_map(|(member, kind)| text(member).map(|id| format!("{kind}:{id}")))
        .unwrap_or_default(),
    }
}

fn without_secrets(input: &Value) -> Value {
    let mut parameters = input.clone();
    if let Value::Object(members) = &mut parameters {
        members.retain(|name, _| !SECRET.contains(&name.as_str()));
    }
    parameters
}

fn known(input: &Value) -> Value {
    let text = |name: &str| input.get(name).and_then(Value::as_str).unwrap_or_default();
    let short = |name: &str| text(name).chars().take(64).collect::<String>();
    serde_json::json!({"ActivationId": short("ActivationId"), "PublicKeyType": short("PublicKeyType")})
}

/// What the log calls it, so that it can be told and filtered by operation.
fn name(operation: &Operation) -> String {
    format!("{API_PREFIX}{}", operation.name)
}

fn intent(operation: &Operation, call: &Call, input: &Value) -> Intent {
    let parameters = match &call.caller {
        // What anybody may send is not let into the log at any length.
        Caller::Anonymous => known(input),
        _ => without_secrets(input),
    };
    Intent::new(Action::ApiCall, resource(operation, call, input))
        .named(name(operation))
        .with("operation", operation.name)
        .with("region", call.region.clone())
        .with("parameters", parameters)
}

/// Does `act`, with an entry before and one after where the call is to be audited.
pub(crate) async fn audited<F>(
    plane: &ControlPlane,
    operation: &Operation,
    call: &Call,
    origin: Origin,
    input: &Value,
    act: F,
) -> ApiResult<Value>
where
    F: Future<Output = ApiResult<Value>>,
{
    if !is_audited(operation, &call.caller) {
        return act.await;
    }
    let (actor, intent) = (actor(&call.caller, origin), intent(operation, call, input));
    let act_id = plane.audit.begin(&actor, &intent).await?;
    let result = act.await;
    let (outcome, message) = match &result {
        Ok(_) => (Outcome::Success, String::new()),
        Err(error) => (
            Outcome::Failure,
            format!("{}: {}", error.code, error.message.as_deref().unwrap_or_default()),
        ),
    };
    let completed = plane
        .audit
        .complete(&actor, &intent, &act_id, outcome, &message, BTreeMap::new())
        .await;
    if let Err(error) = completed {
        // The act is done and its intent is on record; the caller must not be told otherwise.
        tracing::error!(act.id = %act_id, %error, "the outcome of a call could not be recorded");
    }
    result
}

/// Records that a known caller was refused.
pub(crate) async fn refused(
    plane: &ControlPlane,
    operation: &Operation,
    call: &Call,
    origin: Origin,
    error: &ApiError,
) {
    let intent = Intent::new(Action::ApiCall, "")
        .named(name(operation))
        .with("operation", operation.name)
        .with("region", call.region.clone());
    let message = error.message.as_deref().unwrap_or_default();
    let recorded = plane
        .audit
        .record(&actor(&call.caller, origin), &intent, Outcome::Denied, message)
        .await;
    if let Err(error) = recorded {
        tracing::error!(%error, "a refused call could not be recorded");
    }
}
