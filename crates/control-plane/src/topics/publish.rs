//! `Publish`: a message to everybody who has subscribed to a topic. It is answered once it is durable; delivering it is
//! [`super::delivery`]'s business.

use super::delivery_queries::{self as deliveries, MessageRow};
use super::{invalid, not_found, queries, topic_name};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, Shape, optional, required, sensitive};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{Any, Transaction};
use std::collections::BTreeMap;

pub(crate) const INPUT: &[Member] = &[
    optional("TopicArn", ANY_TEXT),
    optional("TargetArn", ANY_TEXT),
    sensitive(optional("PhoneNumber", ANY_TEXT)),
    required("Message", ANY_TEXT),
    optional("Subject", ANY_TEXT),
    optional("MessageStructure", ANY_TEXT),
    optional(
        "MessageAttributes",
        Shape::Map(&Shape::Record(&[
            required("DataType", ANY_TEXT),
            optional("StringValue", ANY_TEXT),
            optional(
                "BinaryValue",
                Shape::Blob {
                    min: 0,
                    max: usize::MAX,
                },
            ),
        ])),
    ),
    optional("MessageDeduplicationId", ANY_TEXT),
    optional("MessageGroupId", ANY_TEXT),
];
/// Bytes of a message at most.
const MAX_BYTES: usize = 262_144;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    topic_arn: Option<String>,
    target_arn: Option<String>,
    phone_number: Option<String>,
    message: String,
    subject: Option<String>,
    message_structure: Option<String>,
    message_attributes: Option<BTreeMap<String, Attribute>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    data_type: String,
    string_value: Option<String>,
    binary_value: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    message_id: String,
}

/// As webhooks are told them.
fn attributes(given: BTreeMap<String, Attribute>) -> ApiResult<Value> {
    let mut told = serde_json::Map::new();
    for (name, attribute) in given {
        let (kind, value) = match (
            attribute.data_type.split('.').next(),
            attribute.string_value,
            attribute.binary_value,
        ) {
            (Some("String" | "Number"), Some(text), None) if !text.is_empty() => (attribute.data_type, text),
            (Some("Binary"), None, Some(bytes)) if !bytes.is_empty() => (attribute.data_type, bytes),
            _ => {
                return Err(invalid(&format!(
                    "MessageAttributes Reason: {name} must have a DataType String or Number with a StringValue, or Binary \
                     with a BinaryValue"
                )));
            }
        };
        told.insert(name, serde_json::json!({"Type": kind, "Value": value}));
    }
    Ok(Value::Object(told))
}

/// What webhooks get of a message that says something else to every kind of endpoint.
fn of_structure(message: &str, protocol: &str) -> Option<String> {
    let texts: BTreeMap<String, Value> = serde_json::from_str(message).ok()?;
    let text = |name: &str| texts.get(name).and_then(Value::as_str).map(str::to_owned);
    text("default").map(|default| text(protocol).unwrap_or(default))
}

fn check_subject(subject: &str) -> ApiResult<()> {
    let fits = (1..100).contains(&subject.chars().count())
        && !subject.starts_with(char::is_whitespace)
        && !subject.chars().any(char::is_control);
    if fits {
        return Ok(());
    }
    Err(invalid(
        "Subject Reason: 1 to 99 characters of one line that does not begin with a blank",
    ))
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    if input.phone_number.is_some() {
        return Err(invalid(
            "PhoneNumber Reason: This control plane sends no text messages: publish to a topic.",
        ));
    }
    let arn = match (input.topic_arn, input.target_arn) {
        (Some(arn), None) | (None, Some(arn)) => arn,
        _ => return Err(invalid("TopicArn Reason: Name one topic.")),
    };
    let topic = topic_name(plane, &call.region, &arn)?;
    if input.message.is_empty() {
        return Err(invalid("Empty message"));
    }
    if input.message.len() > MAX_BYTES {
        return Err(invalid("Message too long"));
    }
    if let Some(subject) = &input.subject {
        check_subject(subject)?;
    }
    let mut texts = vec![("http", input.message.clone()), ("https", input.message.clone())];
    match input.message_structure.as_deref() {
        None | Some("") => {}
        Some("json") => {
            for (protocol, text) in &mut texts {
                *text = of_structure(&input.message, protocol)
                    .ok_or_else(|| invalid("Message Structure - No default entry in JSON message body"))?;
            }
        }
        Some(_) => return Err(invalid("MessageStructure Reason: json, or none")),
    }
    let attributes = attributes(input.message_attributes.unwrap_or_default())?;
    let mut transaction = plane.db.begin().await?;
    if !queries::lock_topic(&mut *transaction, &call.region, topic).await? {
        return Err(not_found("Topic"));
    }
    let message = Message {
        region: &call.region,
        topic,
        subject: input.subject,
        texts: &texts,
        attributes: attributes.to_string(),
    };
    publish(plane, &mut transaction, &call.fresh_id, message).await?;
    transaction.commit().await?;
    plane.letters.notify_one();
    Ok(Output {
        message_id: call.fresh_id.clone(),
    })
}

/// Something to tell those who have subscribed.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub(crate) region: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) subject: Option<String>,
    /// What is told over which protocol.
    pub(crate) texts: &'a [(&'static str, String)],
    /// JSON.
    pub(crate) attributes: String,
}

/// Writes a message down for everybody who has confirmed.
pub(crate) async fn publish(
    plane: &ControlPlane,
    transaction: &mut Transaction<'static, Any>,
    id: &str,
    message: Message<'_>,
) -> ApiResult<()> {
    let now = plane.clock.now();
    let mut told = 0;
    for (protocol, text) in message.texts {
        let wanted = queries::confirmed(&mut **transaction, message.region, message.topic, protocol).await?;
        if wanted.is_empty() {
            continue;
        }
        let row = MessageRow {
            // Texts that differ are kept apart; webhooks are told the id without what follows it.
            message_id: format!("{id}/{protocol}"),
            region: message.region.to_owned(),
            topic: message.topic.to_owned(),
            subject: message.subject.clone(),
            body: text.clone(),
            attributes: message.attributes.clone(),
            published_at: now,
        };
        deliveries::put_message(&mut **transaction, &row).await?;
        for subscription in &wanted {
            deliveries::put(
                &mut **transaction,
                message.region,
                subscription,
                &row.message_id,
                now,
            )
            .await?;
        }
        told += wanted.len();
    }
    tracing::info!(
        message.id = id,
        message.topic,
        subscriptions = told,
        "a message was published"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structured_message_has_a_default() {
        let message = r#"{"default": "d", "https": "s", "sms": "no"}"#;
        assert_eq!(of_structure(message, "https").as_deref(), Some("s"));
        assert_eq!(of_structure(message, "http").as_deref(), Some("d"));
        for bad in ["{}", "d", r#"{"https": "s"}"#, r#"{"default": 1}"#] {
            assert_eq!(of_structure(bad, "http"), None, "{bad}");
        }
    }

    #[test]
    fn subjects_are_one_line() {
        assert!(check_subject("Patch Deployment Alert").is_ok());
        for bad in ["", " a", "a\nb", &"x".repeat(100)] {
            assert!(check_subject(bad).is_err(), "{bad:?}");
        }
    }
}
