//! What a command's steps need of other documents, put into them before the command is sent: agents fetch nothing. Which
//! version runs is thereby decided when the command is made, for all of its nodes.

use super::order::MAX_JOB_BYTES;
use crate::control_plane::ControlPlane;
use crate::documents::parameters::{self, Given};
use crate::documents::shown::{self, Shown};
use crate::errors::{ApiError, ApiResult};
use muster_agent_protocol::control::{DocumentContent, DocumentStep, EMBEDDED_CONTENT, EMBEDDED_DOCUMENT};
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

/// What may still be put in.
struct Budget {
    documents: usize,
    bytes: usize,
}

impl Budget {
    /// A job has to fit into a frame, and every document is looked up.
    const WHOLE: Self = Self {
        documents: 100,
        bytes: MAX_JOB_BYTES,
    };

    fn take(&mut self, step: &DocumentStep, text: &str) -> ApiResult<()> {
        match (self.documents.checked_sub(1), self.bytes.checked_sub(text.len())) {
            (Some(documents), Some(bytes)) => {
                *self = Self { documents, bytes };
                Ok(())
            }
            _ => Err(invalid(
                step,
                "all documents that are run within this one are together more than 100, or too large to be sent to a node.",
            )),
        }
    }
}

/// Where it is looked, and how far it has come.
struct Search<'a> {
    plane: &'a ControlPlane,
    region: &'a str,
    budget: Budget,
}

/// Puts into the steps of a document what they need of others.
pub(crate) async fn embed(
    plane: &ControlPlane,
    region: &str,
    content: &mut DocumentContent,
    parameters: BTreeMap<String, Value>,
) -> ApiResult<()> {
    let mut search = Search {
        plane,
        region,
        budget: Budget::WHOLE,
    };
    search.go(content, parameters, 1).await
}

/// The values of a document's parameters as a caller gives them: every value is a list.
pub(crate) fn given(parameters: &Map<String, Value>) -> Given {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    parameters
        .iter()
        .map(|(name, value)| {
            let values = match value {
                Value::Array(items) => items.iter().map(text).collect(),
                single => vec![text(single)],
            };
            (name.clone(), values)
        })
        .collect()
}

impl Search<'_> {
    fn go<'b>(
        &'b mut self,
        content: &'b mut DocumentContent,
        parameters: BTreeMap<String, Value>,
        depth: usize,
    ) -> Pin<Box<dyn Future<Output = ApiResult<()>> + Send + 'b>> {
        Box::pin(async move {
            let is_meant =
                |step: &DocumentStep| matches!(&*step.action, "aws:runDocument" | "aws:downloadContent");
            if !content.main_steps.iter().any(is_meant) {
                return Ok(());
            }
            let values = inputs::parameter_values(content, &parameters);
            for step in content.main_steps.iter_mut().filter(|step| is_meant(step)) {
                // What is sent to agents under these names is ours alone.
                step.inputs.remove(EMBEDDED_DOCUMENT);
                step.inputs.remove(EMBEDDED_CONTENT);
                let text = |name: &str| inputs::text_input(&step.inputs, name, &values).unwrap_or_default();
                if step.action == "aws:downloadContent" {
                    if text("sourceType").trim() == "SSMDocument" {
                        let info =
                            inputs::object_input(&step.inputs, "sourceInfo", &values).unwrap_or_default();
                        let embedded = self.source(step, &info).await?;
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
                let found = find(self.plane, self.region, step, &path).await?;
                self.budget.take(step, &found.text)?;
                let Some(nested) = found.content.command() else {
                    return Err(invalid(step, &format!("{path} is no Command document.")));
                };
                let mut nested = nested.clone();
                let parameters = inputs::object_input(&step.inputs, "documentParameters", &values)
                    .map_err(|reason| invalid(step, &format!("{reason}.")))?;
                parameters::check(&found.name, &nested.parameters, &given(&parameters))?;
                self.go(&mut nested, parameters.into_iter().collect(), depth + 1)
                    .await?;
                let nested = serde_json::to_value(nested).map_err(ApiError::internal)?;
                step.inputs.insert(EMBEDDED_DOCUMENT.into(), nested);
            }
            Ok(())
        })
    }

    /// The text of a document that is to be downloaded.
    async fn source(&mut self, step: &DocumentStep, info: &Map<String, Value>) -> ApiResult<Value> {
        let name = info
            .get("name")
            .and_then(Value::as_str)
            .ok_or_else(|| invalid(step, "sourceInfo must be like {\"name\": \"document:version\"}."))?;
        let found = find(self.plane, self.region, step, name).await?;
        self.budget.take(step, &found.text)?;
        let steps = found.content.command().map(|content| &content.main_steps);
        if let Some(needy) = steps.into_iter().flatten().find(|step| needs_us(step)) {
            let why = format!(
                "{name} has the step {} of {}, which the node cannot do alone: run it with aws:runDocument and the \
                 documentType SSMDocument.",
                needy.name, needy.action
            );
            return Err(invalid(step, &why));
        }
        let ending = found.format.to_ascii_lowercase();
        Ok(json!({"Name": format!("{}.{ending}", found.name), "Content": found.text}))
    }
}

/// Whether a step needs something that goes with a command: a document that is only downloaded cannot have it.
fn needs_us(step: &DocumentStep) -> bool {
    let is_not = |name: &str, value: &str| step.inputs.get(name) != Some(&json!(value));
    match step.action.as_str() {
        "aws:runDocument" => is_not("documentType", "LocalPath"),
        "aws:downloadContent" => !is_not("sourceType", "SSMDocument"),
        "aws:runPatchBaseline" | "aws:refreshAssociation" => true,
        _ => false,
    }
}

/// All steps of a document, with those of documents within it.
pub(crate) fn any_step(content: &DocumentContent, holds: &dyn Fn(&DocumentStep) -> bool) -> bool {
    content
        .main_steps
        .iter()
        .any(|step| holds(step) || within(step).is_some_and(|nested| any_step(&nested, holds)))
}

/// Changes all steps of a document, with those of documents within it.
pub(crate) fn each_step(
    content: &mut DocumentContent,
    change: &mut dyn FnMut(&mut DocumentStep),
) -> ApiResult<()> {
    for step in &mut content.main_steps {
        change(step);
        if let Some(mut nested) = within(step) {
            each_step(&mut nested, change)?;
            let nested = serde_json::to_value(nested).map_err(ApiError::internal)?;
            step.inputs.insert(EMBEDDED_DOCUMENT.into(), nested);
        }
    }
    Ok(())
}

/// The document that is within a step.
pub(crate) fn within(step: &DocumentStep) -> Option<DocumentContent> {
    let embedded = step.inputs.get(EMBEDDED_DOCUMENT)?;
    serde_json::from_value(embedded.clone()).ok()
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
