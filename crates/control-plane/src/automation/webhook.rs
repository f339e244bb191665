//! `aws:invokeWebhook`: what its inputs say, where its integration leads, and what the webhook answers. An integration is a
//! SecureString in the service's own place of Parameter Store; its address is told nowhere, for who knows it may write to it.

use super::under_way::{Came, Failure};
use super::values;
use crate::audited;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::parameters::SECURE;
use crate::parameters::get_parameter::find;
use crate::parameters::shown::value;
use crate::topics::delivery;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use muster_automation::text_of;
use muster_domain::action::Action;
use muster_domain::audit::{API_PREFIX, Intent};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where integrations are kept (the guide's "Creating webhook integrations").
const PLACE: &str = "/d9d01087-4a3f-49e0-b0b4-d568d7826553/ssm/integrations/webhook/";
/// Bytes of an answer that are kept.
const MOST_ANSWER: usize = 100_000;

/// A call of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Webhook {
    integration: String,
    body: Option<String>,
}

/// What an integration's secret holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Integration {
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// What is sent where a step gives no body.
    payload: Option<Value>,
    #[serde(default, rename = "description")]
    _description: String,
}

impl Webhook {
    /// Reads it from a step's inputs.
    pub(crate) fn read(inputs: &Value) -> Result<Self, String> {
        let known = ["IntegrationName", "Body"];
        let members = inputs.as_object().into_iter().flatten();
        if let Some((name, _)) = members.clone().find(|(name, _)| !known.contains(&name.as_str())) {
            return Err(format!(
                "its input {name} is not known; there are {}",
                known.join(", ")
            ));
        }
        let integration =
            values::text(inputs, "IntegrationName").ok_or("it needs the input IntegrationName")?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if !integration.chars().all(is_plain) {
            return Err(
                "its input IntegrationName has to be letters, digits, dots, dashes and underscores"
                    .to_owned(),
            );
        }
        Ok(Self {
            integration,
            body: values::text(inputs, "Body"),
        })
    }

    async fn open(&self, plane: &ControlPlane, region: &str) -> ApiResult<Integration> {
        let name = format!("{PLACE}{}", self.integration);
        let wrong = |why: &str| {
            ApiError::validation(format!(
                "the integration {} {why}: put the SecureString {name} with a JSON object of url, and of headers and payload \
                 where they are needed",
                self.integration
            ))
        };
        let call = Call::of_server(plane, region);
        let (_, row) = find(plane, &call, &name)
            .await
            .map_err(|error| match error.code {
                "ParameterNotFound" => wrong("is not there"),
                _ => error,
            })?;
        if row.kind != SECURE {
            return Err(wrong("is not kept as a secret"));
        }
        let text = value(plane, &call, &row, true).await?;
        // What is wrong with it is not told further: it would tell what is in it.
        let integration: Integration =
            serde_json::from_str(&text).map_err(|_| wrong("does not hold what it should"))?;
        let is_address = reqwest::Url::parse(&integration.url)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !is_address {
            return Err(wrong("has no http or https address"));
        }
        Ok(integration)
    }

    /// Makes ready to call it, once.
    pub(crate) async fn prepared(
        self,
        plane: &ControlPlane,
        region: &str,
        execution: &str,
    ) -> ApiResult<BoxFuture<'static, Came>> {
        let integration = self.open(plane, region).await?;
        let client = delivery::shared_client(plane)?;
        let body = self
            .body
            .or_else(|| integration.payload.as_ref().map(text_of))
            .unwrap_or_default();
        let is_json = serde_json::from_str::<Value>(&body).is_ok();
        let mut request = client.post(&integration.url).header(
            "content-type",
            if is_json {
                "application/json"
            } else {
                "text/plain; charset=UTF-8"
            },
        );
        for (name, value) in &integration.headers {
            request = request.header(name, value);
        }
        let intent = Intent::new(Action::ApiCall, format!("automation:{execution}"))
            .named(format!("{API_PREFIX}InvokeWebhook"))
            .with("operation", "InvokeWebhook")
            .with("region", region.to_owned())
            .with("reason", format!("automation execution {execution}"))
            .with("integration", self.integration);
        let audit = Arc::clone(&plane.audit);
        Ok(Box::pin(async move {
            let act = async { Ok(called(request.body(body), &integration.secrets()).await) };
            let called = audited::own_act_beside(&audit, &intent, act).await;
            called.unwrap_or_else(|error| {
                // It could not be recorded, so it was not done.
                Came::failed(format!("The webhook was not called: {}.", error.code))
            })
        }))
    }
}

/// Shorter ones are words that stand in any answer.
const SHORTEST_SECRET: usize = 6;

impl Integration {
    /// What no answer may tell back: the address, and what its headers say, with and without the scheme before it.
    fn secrets(&self) -> Vec<String> {
        let values = self.headers.values();
        let parts =
            values.flat_map(|value| [Some(value.as_str()), value.rsplit_once(' ').map(|(_, last)| last)]);
        let mut all: Vec<String> = parts
            .flatten()
            .chain([self.url.as_str()])
            .filter(|secret| secret.len() >= SHORTEST_SECRET)
            .map(str::to_owned)
            .collect();
        // The longest first: one may be a part of another.
        all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        all
    }
}

/// Some tell back how they were called: that is left out, also as JSON writes it.
fn without(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| {
        let written = Value::String(secret.clone()).to_string();
        text.replace(written.trim_matches('"'), "***")
            .replace(secret, "***")
    })
}

/// Whether nothing has left yet.
fn is_before(error: &reqwest::Error) -> bool {
    error.is_connect() || error.is_builder()
}

async fn called(request: reqwest::RequestBuilder, secrets: &[String]) -> Came {
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) if is_before(&error) => {
            return Came::failed(format!(
                "The webhook could not be reached: {}.",
                error.without_url()
            ));
        }
        Err(error) => {
            let why = format!(
                "The webhook gave no answer ({}): whether it took it is not known, and it is not called again.",
                error.without_url()
            );
            return Came {
                failure: Some(Failure {
                    why,
                    is_unknown: true,
                }),
                ..Came::default()
            };
        }
    };
    let status = answer.status();
    let (mut kept, mut parts) = (Vec::new(), answer.bytes_stream());
    while let Some(Ok(part)) = parts.next().await {
        let left = MOST_ANSWER.saturating_sub(kept.len());
        kept.extend_from_slice(part.get(..left.min(part.len())).unwrap_or_default());
        if left <= part.len() {
            break;
        }
    }
    // PostgreSQL keeps no text with a zero character in it.
    let text = without(&String::from_utf8_lossy(&kept).replace('\0', "\u{fffd}"), secrets);
    let mut outputs = Map::new();
    outputs.insert("Response".into(), Value::String(text));
    outputs.insert("ResponseCode".into(), json!(status.as_u16()));
    let failure = (!status.is_success()).then(|| Failure {
        why: format!("The webhook answered {}.", status.as_u16()),
        is_unknown: false,
    });
    Came {
        outputs,
        response_code: status.as_u16().to_string(),
        failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_back_nothing_of_the_secret() {
        let integration: Integration = serde_json::from_value(json!({
            "url": "https://hooks.example/T0/x\"y",
            "headers": {"authorization": "Bearer tok-123456", "x-kind": "json"},
        }))
        .unwrap();
        let echo = json!({"to": "https://hooks.example/T0/x\"y", "with": ["Bearer tok-123456", "tok-123456"], "as": "json"});
        let told = without(&echo.to_string(), &integration.secrets());
        assert_eq!(
            told,
            json!({"to": "***", "with": ["***", "***"], "as": "json"}).to_string()
        );
    }

    #[test]
    fn inputs_are_read_and_refused_by_name() {
        let read = Webhook::read(&json!({"IntegrationName": "deploys", "Body": {"a": 1}})).unwrap();
        assert_eq!(
            (read.integration.as_str(), read.body.as_deref()),
            ("deploys", Some("{\"a\":1}"))
        );
        for (inputs, says) in [
            (json!({}), "the input IntegrationName"),
            (json!({"IntegrationName": "../x"}), "letters, digits"),
            (
                json!({"IntegrationName": "x", "Url": "http://a"}),
                "its input Url is not known",
            ),
        ] {
            let told = Webhook::read(&inputs).unwrap_err();
            assert!(told.contains(says), "{told}");
        }
    }
}
