//! What a command's steps need of other documents, put into them before the command is sent: agents fetch nothing. Which
//! version runs is thereby decided when the command is made, for all of its nodes.

use crate::control_plane::ControlPlane;
use crate::documents::shown::{self, Shown};
use crate::errors::{ApiError, ApiResult};
use muster_agent_protocol::control::{
    DocumentContent, DocumentStep, EMBEDDED_CONTENT, EMBEDDED_DOCUMENT, SendCommandContent,
};
use muster_agent_protocol::inputs;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

/// Documents within documents at most; agents go no deeper.
const MOST_DEEP: usize = 3;

fn invalid(step: &DocumentStep, why: &str) -> ApiError {
    ApiError::new("InvalidDocument", format!("Step {}: {why}", step.name))
}

/// `name`, `name:version` or an ARN of one.
fn parts(path: &str) -> (&str, Option<&str>) {
    let name = path.split_once(":document/").map_or(path, |(_, name)| name);
    match name.rsplit_once(':') {
        Some((name, version)) => (name, Some(version)),
        None => (name, None),
    }
}

async fn find(plane: &ControlPlane, region: &str, step: &DocumentStep, path: &str) -> ApiResult<Shown> {
    let (name, version) = parts(path.trim());
    shown::find(plane, region, name, version, None)
        .await
        .map_err(|error| match error.status {
            400 => invalid(step, &format!("there is no document {path}.")),
            _ => error,
        })
}

/// The values of a document's parameters: what was given, else its defaults.
pub(crate) fn values_of(
    content: &DocumentContent,
    parameters: BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    inputs::parameter_values(&SendCommandContent {
        command_id: String::new(),
        document_name: String::new(),
        document_content: content.clone(),
        parameters,
        output_s3_bucket_name: String::new(),
        output_s3_key_prefix: String::new(),
        cloud_watch_log_group_name: String::new(),
        cloud_watch_output_enabled: String::new(),
    })
}

/// Puts into the steps of a document what they need of others.
pub(crate) async fn embed(
    plane: &ControlPlane,
    region: &str,
    content: &mut DocumentContent,
    parameters: BTreeMap<String, Value>,
) -> ApiResult<()> {
    go(plane, region, content, parameters, 1).await
}

fn go<'a>(
    plane: &'a ControlPlane,
    region: &'a str,
    content: &'a mut DocumentContent,
    parameters: BTreeMap<String, Value>,
    depth: usize,
) -> Pin<Box<dyn Future<Output = ApiResult<()>> + Send + 'a>> {
    Box::pin(async move {
        let is_meant =
            |step: &DocumentStep| matches!(&*step.action, "aws:runDocument" | "aws:downloadContent");
        if !content.main_steps.iter().any(is_meant) {
            return Ok(());
        }
        let values = values_of(content, parameters);
        for step in content.main_steps.iter_mut().filter(|step| is_meant(step)) {
            // What is sent to agents under these names is ours alone.
            step.inputs.remove(EMBEDDED_DOCUMENT);
            step.inputs.remove(EMBEDDED_CONTENT);
            let text = |name: &str| inputs::text_input(&step.inputs, name, &values).unwrap_or_default();
            if step.action == "aws:downloadContent" {
                if text("sourceType").trim() == "SSMDocument" {
                    let info = inputs::object_input(&step.inputs, "sourceInfo", &values).unwrap_or_default();
                    let embedded = source(plane, region, step, &info).await?;
                    step.inputs.insert(EMBEDDED_CONTENT.into(), embedded);
                }
                continue;
            }
            if text("documentType").trim() != "SSMDocument" {
                continue;
            }
            if depth > MOST_DEEP {
                let why = format!("documents can be run within documents {MOST_DEEP} deep, not deeper.");
                return Err(invalid(step, &why));
            }
            let path = text("documentPath");
            let found = find(plane, region, step, &path).await?;
            let Some(nested) = found.content.command() else {
                return Err(invalid(step, &format!("{path} is no Command document.")));
            };
            let mut nested = nested.clone();
            let given = inputs::object_input(&step.inputs, "documentParameters", &values)
                .map_err(|reason| invalid(step, &format!("{reason}.")))?;
            go(plane, region, &mut nested, given.into_iter().collect(), depth + 1).await?;
            let nested = serde_json::to_value(nested).map_err(ApiError::internal)?;
            step.inputs.insert(EMBEDDED_DOCUMENT.into(), nested);
        }
        Ok(())
    })
}

/// The text of a document that is to be downloaded.
async fn source(
    plane: &ControlPlane,
    region: &str,
    step: &DocumentStep,
    info: &Map<String, Value>,
) -> ApiResult<Value> {
    let name = info
        .get("name")
        .and_then(Value::as_str)
        .ok_or_else(|| invalid(step, "sourceInfo must be like {\"name\": \"document:version\"}."))?;
    let found = find(plane, region, step, name).await?;
    let ending = found.format.to_ascii_lowercase();
    Ok(json!({"Name": format!("{}.{ending}", found.name), "Content": found.text}))
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn documents_are_named_with_their_version_or_by_arn() {
        assert_eq!(parts("Greet"), ("Greet", None));
        assert_eq!(parts("Greet:7"), ("Greet", Some("7")));
        assert_eq!(parts("Greet:$LATEST"), ("Greet", Some("$LATEST")));
        let arn = "arn:aws:ssm:eu-west-1:123456789012:document/Greet:2";
        assert_eq!(parts(arn), ("Greet", Some("2")));
        let arn = "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript";
        assert_eq!(parts(arn), ("AWS-RunShellScript", None));
    }
}
