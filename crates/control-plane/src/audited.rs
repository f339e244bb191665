//! Calls that change something are written to the audit log before and after, and those that are answered with a
//! secret before the answer leaves. The portal's own calls are not: the portal has recorded who asked for them.

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::{Access, Call, Operation, Who};
use crate::signature::Caller;
use muster_domain::Actor;
use muster_domain::action::Action;
use muster_domain::actor::Origin;
use muster_domain::audit::{
    API_PREFIX, AuditTrail, EC2_PREFIX, GROUPS_PREFIX, Intent, KMS_PREFIX, Outcome, SNS_PREFIX,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

/// Members that are secrets, whatever the operation.
const SECRET: [&str; 2] = ["ActivationCode", "TokenValue"];

/// Members that are secrets of one operation.
pub(crate) fn is_secret(operation: &Operation, member: &str) -> bool {
    SECRET.contains(&member)
        || matches!(
            (operation.name, member),
            ("PutParameter", "Value") | ("Decrypt", "CiphertextBlob")
                // Repositories may be reached with a password.
                | ("CreatePatchBaseline" | "UpdatePatchBaseline", "Sources")
                // Who knows the address of a webhook may often write to it.
                | ("Subscribe", "Endpoint")
                | ("ConfirmSubscription", "Token")
                | ("Publish", "PhoneNumber")
        )
}

/// How a call is written down.
enum Audited {
    /// Before and after.
    Act,
    /// Once, before its answer leaves: nothing is different afterwards, but somebody knows more.
    Reveal,
    Not,
}

fn how(operation: &Operation, caller: &Caller, input: &Value) -> Audited {
    let is_portal = matches!(caller, Caller::Operator { is_portal: true, .. });
    let is_report = operation.who == Who::OperatorOrNode && matches!(caller, Caller::Node { .. });
    let in_the_clear =
        || operation.service == "kms" || input.get("WithDecryption").and_then(Value::as_bool) == Some(true);
    match operation.access {
        // A node's reports are its heartbeat, not acts of a person.
        Access::Write if is_portal || operation.who == Who::Node || is_report => Audited::Not,
        Access::Write => Audited::Act,
        Access::Reveal if !is_portal && in_the_clear() => Audited::Reveal,
        _ => Audited::Not,
    }
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

fn resource_kind(input: &Value) -> &'static str {
    match input.get("ResourceType").and_then(Value::as_str) {
        Some("Parameter") => "parameter",
        Some("Document") => "document",
        Some("MaintenanceWindow") => "window",
        Some("PatchBaseline") => "patch-baseline",
        Some("Association") => "association",
        Some("OpsItem") => "ops-item",
        _ => "node",
    }
}

/// The parameter of a call, or the first of several and how many more.
fn parameters(input: &Value) -> String {
    let short = |value: &Value| {
        value
            .as_str()
            .map(|text| text.chars().take(200).collect::<String>())
    };
    let one = ["Name", "Path"]
        .into_iter()
        .find_map(|name| input.get(name).and_then(short));
    let names = input.get("Names").and_then(Value::as_array);
    let first = names.and_then(|names| names.first()).and_then(short);
    match (one.or(first), names.map_or(0, Vec::len)) {
        (Some(name), 0 | 1) => format!("parameter:{name}"),
        (Some(name), count) => format!("parameter:{name} and {} more", count - 1),
        (None, _) => String::new(),
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
        "CreateAssociation" => format!("association:{}", call.fresh_id),
        "CreateOpsItem" => format!("ops-item:{}", crate::ops_items::fresh_id(call)),
        "CreatePatchBaseline" => format!("patch-baseline:{}", crate::patches::fresh_baseline_id(call)),
        "CreateSnapshot" => format!("snapshot:{}", crate::ec2::create_snapshot::fresh_id(call)),
        "CreateTags" | "DeleteTags" => input["Resources"][0]
            .as_str()
            .map(|id| {
                let kind = if id.starts_with("snap-") {
                    "snapshot"
                } else {
                    "node"
                };
                format!("{kind}:{}", id.chars().take(64).collect::<String>())
            })
            .unwrap_or_default(),
        "CreateTopic" => text("Name")
            .map(|name| format!("topic:{name}"))
            .unwrap_or_default(),
        "CreateMaintenanceWindow" => format!("window:{}", crate::windows::fresh_window_id(call)),
        "StartAutomationExecution" => format!("automation:{}", call.fresh_id),
        "CreateGroup" => text("Name")
            .map(|name| format!("group:{name}"))
            .unwrap_or_default(),
        "StartSession" => format!("session:{}", crate::sessions::session_id(call)),
        name if name.contains("Parameter") => parameters(input),
        _ => [
            ("CommandId", "command"),
            ("OpsItemId", "ops-item"),
            ("ActivationId", "activation"),
            ("InstanceId", "node"),
            ("ResourceId", resource_kind(input)),
            ("SessionId", "session"),
            ("KeyId", "key"),
            ("AliasName", "key"),
            ("SettingId", "setting"),
            ("WindowId", "window"),
            ("BaselineId", "patch-baseline"),
            ("AssociationId", "association"),
            ("TypeName", "inventory"),
            ("WindowExecutionId", "window-execution"),
            ("SyncName", "data-sync"),
            ("TopicArn", "topic"),
            ("TargetArn", "topic"),
            ("SubscriptionArn", "subscription"),
            ("AutomationExecutionId", "automation"),
            ("Group", "group"),
            ("GroupName", "group"),
            ("Arn", "group"),
            ("Name", "document"),
        ]
        .into_iter()
        .find_map(|(member, kind)| text(member).map(|id| format!("{kind}:{id}")))
        .unwrap_or_default(),
    }
}

pub(crate) fn without_secrets(operation: &Operation, input: &Value) -> Value {
    let mut parameters = input.clone();
    if let Value::Object(members) = &mut parameters {
        members.retain(|name, _| !is_secret(operation, name));
    }
    parameters
}

fn known(input: &Value) -> Value {
    let text = |name: &str| input.get(name).and_then(Value::as_str).unwrap_or_default();
    let short = |name: &str| text(name).chars().take(64).collect::<String>();
    serde_json::json!({"ActivationId": short("ActivationId"), "PublicKeyType": short("PublicKeyType")})
}

/// What the log calls it, so that it can be told and filtered by operation.
pub(crate) fn name(operation: &Operation) -> String {
    let prefix = match operation.service {
        "kms" => KMS_PREFIX,
        "ec2" => EC2_PREFIX,
        "sns" => SNS_PREFIX,
        "resource-groups" => GROUPS_PREFIX,
        _ => API_PREFIX,
    };
    format!("{prefix}{}", operation.name)
}

fn intent(operation: &Operation, call: &Call, input: &Value) -> Intent {
    let parameters = match &call.caller {
        // What anybody may send is not let into the log at any length.
        Caller::Anonymous => known(input),
        _ => without_secrets(operation, input),
    };
    let action = if operation.access == Access::Reveal {
        Action::ApiReveal
    } else {
        Action::ApiCall
    };
    Intent::new(action, resource(operation, call, input))
        .named(name(operation))
        .with("operation", operation.name)
        .with("region", call.region.clone())
        .with("parameters", parameters)
}

/// Does `act`, with entries as its kind asks for.
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
    match how(operation, &call.caller, input) {
        Audited::Not => act.await,
        Audited::Act => {
            let (actor, intent) = (actor(&call.caller, origin), intent(operation, call, input));
            done(&plane.audit, &actor, &intent, act).await
        }
        Audited::Reveal => {
            let (actor, intent) = (actor(&call.caller, origin), intent(operation, call, input));
            let result = act.await;
            if result
                .as_ref()
                .is_ok_and(|answer| !tells_secret(operation, answer))
            {
                return result;
            }
            let (outcome, message) = outcome(&result);
            // What cannot be recorded is not told.
            plane.audit.record(&actor, &intent, outcome, &message).await?;
            result
        }
    }
}

/// Whether there is a secret in an answer: parameters that were asked for in the clear may all be plain ones.
fn tells_secret(operation: &Operation, answer: &Value) -> bool {
    let is_secret = |parameter: &Value| parameter["Type"] == "SecureString";
    operation.service == "kms"
        || is_secret(&answer["Parameter"])
        || answer["Parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(is_secret))
}

fn outcome<T>(result: &ApiResult<T>) -> (Outcome, String) {
    match result {
        Ok(_) => (Outcome::Success, String::new()),
        Err(error) => (
            Outcome::Failure,
            format!("{}: {}", error.code, error.message.as_deref().unwrap_or_default()),
        ),
    }
}

/// What the control plane does by itself, because it is time: between two entries in its own name.
pub(crate) async fn own_act<F, T>(plane: &ControlPlane, intent: &Intent, act: F) -> ApiResult<T>
where
    F: Future<Output = ApiResult<T>>,
{
    own_act_beside(&plane.audit, intent, act).await
}

/// The same for what is done beside everything else.
pub(crate) async fn own_act_beside<F, T>(audit: &Arc<dyn AuditTrail>, intent: &Intent, act: F) -> ApiResult<T>
where
    F: Future<Output = ApiResult<T>>,
{
    done(audit, &Actor::server(), intent, act).await
}

/// Does `act` between two entries.
async fn done<F, T>(audit: &Arc<dyn AuditTrail>, actor: &Actor, intent: &Intent, act: F) -> ApiResult<T>
where
    F: Future<Output = ApiResult<T>>,
{
    let act_id = audit.begin(actor, intent).await?;
    let result = act.await;
    let (outcome, message) = outcome(&result);
    let completed = audit
        .complete(actor, intent, &act_id, outcome, &message, BTreeMap::new())
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
