//! What a webhook is sent, in the service's own form (developer guide, "Parsing message formats"): pure. There is no
//! signature in it: receivers accept certificates of the service's own hosts alone.

use super::delivery_queries::DeliveryRow;
use serde_json::{Map, Value, json};

/// A request to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// `Notification` or `SubscriptionConfirmation`.
    pub(crate) kind: &'static str,
    pub(crate) message_id: String,
    pub(crate) topic_arn: String,
    pub(crate) subscription_arn: String,
    /// Whether the body is the message alone.
    pub(crate) is_raw: bool,
    pub(crate) body: String,
}

/// What the token of a subscription is sealed for.
pub(crate) fn token_scope(region: &str, topic: &str) -> String {
    format!("sns confirm|{region}|{topic}")
}

/// A value in an address.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The letter of a delivery. `token` is what a new subscriber has to send back, `now` RFC 3339.
pub(crate) fn letter(row: &DeliveryRow, topic_arn: &str, token: &str, now: &str) -> Letter {
    let subscription = &row.subscription;
    let mut body = Map::new();
    let mut add = |name: &str, value: Value| body.insert(name.to_owned(), value);
    let Some(message) = &row.message else {
        add("Type", "SubscriptionConfirmation".into());
        add("MessageId", subscription.id.as_str().into());
        add("Token", token.into());
        add("TopicArn", topic_arn.into());
        let asked = format!(
            "You have chosen to subscribe to the topic {topic_arn}.\nTo confirm the subscription, visit the SubscribeURL \
             included in this message."
        );
        add("Message", asked.into());
        let address = format!(
            "{}/?Action=ConfirmSubscription&TopicArn={}&Token={}",
            subscription.base_url,
            encoded(topic_arn),
            encoded(token)
        );
        add("SubscribeURL", address.into());
        add("Timestamp", now.into());
        return Letter {
            kind: "SubscriptionConfirmation",
            message_id: subscription.id.clone(),
            topic_arn: topic_arn.to_owned(),
            subscription_arn: String::new(),
            is_raw: false,
            body: Value::Object(body).to_string(),
        };
    };
    let message_id = message
        .message_id
        .split('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    add("Type", "Notification".into());
    add("MessageId", message_id.as_str().into());
    add("TopicArn", topic_arn.into());
    if let Some(subject) = &message.subject {
        add("Subject", subject.as_str().into());
    }
    add("Message", message.body.as_str().into());
    add("Timestamp", message.published_at.rfc3339().into());
    let attributes: Value = serde_json::from_str(&message.attributes).unwrap_or_else(|_| json!({}));
    if attributes.as_object().is_some_and(|all| !all.is_empty()) {
        add("MessageAttributes", attributes);
    }
    Letter {
        kind: "Notification",
        message_id,
        topic_arn: topic_arn.to_owned(),
        subscription_arn: format!("{topic_arn}:{}", subscription.id),
        is_raw: subscription.is_raw,
        body: if subscription.is_raw {
            message.body.clone()
        } else {
            Value::Object(body).to_string()
        },
    }
}
