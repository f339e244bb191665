//! Steps that start something else, a command or another runbook, under the id that was written down.

use super::queries::ExecutionRow;
use super::start_automation_execution as start;
use super::step_queries::StepRow;
use super::targets::Asked;
use super::values;
use crate::audited;
use crate::commands::rate::Limit;
use crate::control_plane::ControlPlane;
use crate::ec2::instance_ids;
use crate::errors::{ApiError, ApiResult};
use crate::operations::{self, Call};
use crate::parameters::references;
use muster_automation::{text_of, texts_of};
use muster_domain::action::Action as Act;
use muster_domain::audit::{API_PREFIX, Intent};
use serde_json::{Map, Value, json};

/// Whether a text with a zero character stands anywhere in it, which PostgreSQL does not keep.
fn has_zero(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_zero),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || has_zero(value)),
        _ => false,
    }
}

/// A value of a step may come from a node, and a node may not have parameters read for it.
fn check_values(inputs: &Value) -> ApiResult<()> {
    if has_zero(inputs) {
        return Err(ApiError::validation(
            "one of its values holds a zero character, which no text here may hold",
        ));
    }
    let text = inputs.to_string();
    if references::is_in(&text) {
        return Err(ApiError::validation(
            "one of its values holds {{ssm:…}}, which would be followed; give parameters by name when the execution is \
             started",
        ));
    }
    Ok(())
}

/// Sends a step's command under the id that was written down.
pub(crate) async fn send(plane: &ControlPlane, execution: &ExecutionRow, row: &StepRow) -> ApiResult<()> {
    let invalid = |why: String| ApiError::validation(why);
    let inputs = &row.inputs;
    check_values(inputs)?;
    let mut input = Map::new();
    for name in [
        "DocumentName",
        "DocumentVersion",
        "DocumentHash",
        "DocumentHashType",
        "Comment",
        "MaxConcurrency",
        "MaxErrors",
        "OutputS3BucketName",
        "OutputS3KeyPrefix",
        "OutputS3Region",
        "ServiceRoleArn",
    ] {
        if let Some(text) = values::text(inputs, name) {
            input.insert(name.into(), text.into());
        }
    }
    if let Some(seconds) = inputs.get("TimeoutSeconds") {
        let seconds: i64 = text_of(seconds)
            .trim()
            .parse()
            .map_err(|_| invalid("its input TimeoutSeconds is no number".to_owned()))?;
        input.insert("TimeoutSeconds".into(), seconds.into());
    }
    for name in ["Targets", "NotificationConfig", "CloudWatchOutputConfig"] {
        if let Some(value) = inputs.get(name).filter(|value| !value.is_null()) {
            input.insert(name.into(), value.clone());
        }
    }
    if let Some(ids) = inputs.get("InstanceIds") {
        input.insert("InstanceIds".into(), json!(texts_of(ids)));
    }
    let parameters = values::given(inputs, "Parameters").map_err(invalid)?;
    if !parameters.is_empty() {
        input.insert("Parameters".into(), Value::Object(parameters));
    }
    let mut input = Value::Object(input);
    instance_ids::resolve(plane, &execution.region, &mut input).await?;
    let call = Call {
        fresh_id: row.work.clone(),
        ..Call::of_server(plane, &execution.region)
    };
    let intent = Intent::new(Act::ApiCall, format!("command:{}", row.work))
        .named(format!("{API_PREFIX}SendCommand"))
        .with("operation", "SendCommand")
        .with("region", execution.region.clone())
        .with(
            "reason",
            format!("automation execution {}", execution.execution_id),
        )
        .with("step", row.name.clone())
        .with("parameters", input.clone());
    let act = operations::dispatch(plane, &call, "SendCommand", input);
    audited::own_act(plane, &intent, act).await.map(|_| ())
}

/// What another runbook is to be run over.
fn asked(inputs: &Value) -> ApiResult<Asked> {
    let mut members = Map::new();
    for name in ["TargetParameterName", "MaxConcurrency", "MaxErrors"] {
        if let Some(text) = values::text(inputs, name) {
            members.insert(name.into(), text.into());
        }
    }
    for name in ["Targets", "TargetMaps"] {
        if let Some(value) = inputs.get(name).filter(|value| !value.is_null()) {
            members.insert(name.into(), value.clone());
        }
    }
    let asked: Asked = serde_json::from_value(Value::Object(members))
        .map_err(|_| ApiError::validation("its inputs Targets and TargetMaps are not what they should be"))?;
    let is_limit = |text: &Option<String>| text.as_deref().is_none_or(|text| Limit::parse(text).is_some());
    if !is_limit(&asked.max_concurrency) || !is_limit(&asked.max_errors) {
        return Err(ApiError::validation(
            "its inputs MaxConcurrency and MaxErrors have to be like 10 or 10%",
        ));
    }
    Ok(asked)
}

/// Starts another runbook under the id that was written down.
pub(crate) async fn start_child(
    plane: &ControlPlane,
    execution: &ExecutionRow,
    row: &StepRow,
) -> ApiResult<()> {
    check_values(&row.inputs)?;
    let name = values::text(&row.inputs, "DocumentName").unwrap_or_default();
    let given = values::given(&row.inputs, "RuntimeParameters").map_err(ApiError::validation)?;
    let parameters = serde_json::from_value(Value::Object(given)).map_err(ApiError::internal)?;
    let version = values::text(&row.inputs, "DocumentVersion");
    let asked = asked(&row.inputs)?;
    let depth = start::depth(plane, execution).await?;
    if depth >= start::MOST_DEEP {
        return Err(ApiError::validation(format!(
            "runbooks are started by runbooks {} deep at most",
            start::MOST_DEEP
        )));
    }
    let call = Call {
        fresh_id: row.work.clone(),
        ..Call::of_server(plane, &execution.region)
    };
    let wanted = start::Wanted {
        document: name,
        version,
        parameters,
        parent_id: execution.execution_id.clone(),
        executed_by: execution.executed_by.clone(),
        asked: asked.has_targets()?.then_some(asked),
        is_interactive: false,
    };
    let child = start::prepared(plane, &call, wanted).await?;
    let mut transaction = plane.db.begin().await?;
    child.insert(&mut transaction).await?;
    transaction.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_would_be_followed_or_cannot_be_kept_are_refused() {
        check_values(&json!({"a": ["b", {"c": "\\u0000 is written out"}], "d": 1})).unwrap();
        for (inputs, says) in [
            (json!({"a": ["b\0"]}), "a zero character"),
            (json!({"a": {"b\0": 1}}), "a zero character"),
            (json!({"a": "{{ssm:/secret}}"}), "{{ssm:…}}"),
        ] {
            let told = check_values(&inputs).unwrap_err().message.unwrap_or_default();
            assert!(told.contains(says), "{told}");
        }
    }
}
