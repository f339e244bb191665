//! How commands move on, with a word to the topic that somebody named in the command's `NotificationConfig`. Whoever
//! changes how a command or an invocation stands does it here: the message, and that its output is to be copied,
//! is written in the same transaction.

use super::output_copies;
use super::queries::{self, CommandRow};
use super::status::Detail;
use crate::OUTPUT_BUCKET;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::topics::publish::{Message, publish};
use crate::topics::{queries as topics, topic_name};
use muster_domain::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{Any, Transaction};

/// Who is to be told of what.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Wish {
    notification_arn: String,
    notification_events: Vec<String>,
    notification_type: String,
}

/// What a wish can be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About<'a> {
    Command,
    Invocation(&'a str),
}

impl Wish {
    /// Most commands have none.
    fn read(notification: &str) -> Option<Self> {
        let wish: Self = serde_json::from_str(notification).ok()?;
        (!wish.notification_arn.is_empty()).then_some(wish)
    }

    fn holds(&self, about: About<'_>, status: &str) -> bool {
        let of_invocations = self.notification_type == "Invocation";
        let is_told = ["InProgress", "Success", "TimedOut", "Cancelled", "Failed"].contains(&status);
        let is_wished = self
            .notification_events
            .iter()
            .any(|event| event == "All" || event == status);
        is_told && is_wished && of_invocations == matches!(about, About::Invocation(_))
    }
}

/// That there is a topic behind what a new command names.
pub(crate) async fn check(plane: &ControlPlane, region: &str, notification: Option<&Value>) -> ApiResult<()> {
    let bad = |why: &str| Err(ApiError::new("InvalidNotificationConfig", why));
    let Some(notification) = notification else {
        return Ok(());
    };
    let Some(wish) = Wish::read(&notification.to_string()) else {
        if notification.as_object().is_some_and(|all| {
            all.values()
                .any(|value| !value.is_null() && value != "" && value != &json!([]))
        }) {
            return bad("NotificationConfig names no topic: give its NotificationArn.");
        }
        return Ok(());
    };
    let Ok(topic) = topic_name(plane, region, &wish.notification_arn) else {
        return bad("NotificationArn is not the ARN of a topic of this region and account.");
    };
    if topics::topic(plane.db.reader(), region, topic).await?.is_none() {
        return bad("There is no topic with the NotificationArn: make it with CreateTopic.");
    }
    Ok(())
}

/// In the words of the service's own messages.
fn text(row: &CommandRow, about: About<'_>, status: &str, now: Timestamp) -> String {
    let mut text = json!({
        "commandId": row.command_id,
        "documentName": row.document,
        "requestedDateTime": row.requested_at.rfc3339(),
        "status": status,
        "eventTime": now.rfc3339(),
    });
    match about {
        About::Invocation(node_id) => text["instanceId"] = node_id.into(),
        About::Command => {
            let lasts_ms = (row.timeout_seconds + row.execution_timeout_seconds) * 1000;
            text["instanceIds"] = json!(row.instance_ids);
            text["expiresAfter"] = row.requested_at.plus_ms(lasts_ms).rfc3339().into();
            text["outputS3BucketName"] = row.output_bucket.as_str().into();
            text["outputS3KeyPrefix"] = row.output_prefix.as_str().into();
        }
    }
    text.to_string()
}

async fn tell(
    plane: &ControlPlane,
    transaction: &mut Transaction<'static, Any>,
    (command_id, notification): (&str, &str),
    about: About<'_>,
    status: &str,
) -> ApiResult<()> {
    let Some(wish) = Wish::read(notification).filter(|wish| wish.holds(about, status)) else {
        return Ok(());
    };
    let mut sql = queries::commands_sql();
    sql.push("where c.command_id = ").text(command_id);
    let Some(row) = queries::commands(sql, &mut **transaction).await?.pop() else {
        return Ok(());
    };
    // The topic may have been deleted since: then nobody has subscribed to it.
    let Ok(topic) = topic_name(plane, &row.region, &wish.notification_arn) else {
        return Ok(());
    };
    if !topics::lock_topic(&mut **transaction, &row.region, topic).await? {
        return Ok(());
    }
    let text = text(&row, about, status, plane.clock.now());
    let message = Message {
        region: &row.region,
        topic,
        subject: Some(format!("EC2 Run Command Notification {}", row.region)),
        texts: &[("http", text.clone()), ("https", text)],
        attributes: "{}".into(),
    };
    publish(plane, transaction, &plane.random.uuid(), message).await
}

/// The node has the command.
pub(crate) async fn acknowledge(
    plane: &ControlPlane,
    transaction: &mut Transaction<'static, Any>,
    command_id: &str,
    node_id: &str,
    now: Timestamp,
) -> ApiResult<()> {
    let Some(taken) = queries::acknowledge(transaction, command_id, node_id, now).await? else {
        return Ok(());
    };
    let whose = (command_id, taken.notification.as_str());
    let status = Detail::InProgress.status();
    tell(plane, transaction, whose, About::Invocation(node_id), status).await?;
    if taken.is_first {
        tell(plane, transaction, whose, About::Command, status).await?;
    }
    Ok(())
}

/// Ends an invocation, once.
pub(crate) async fn finish(
    plane: &ControlPlane,
    transaction: &mut Transaction<'static, Any>,
    (command_id, node_id): (&str, &str),
    detail: Detail,
    trace: &str,
    now: Timestamp,
) -> ApiResult<()> {
    let Some(ended) = queries::finish(transaction, command_id, node_id, detail, trace, now).await? else {
        return Ok(());
    };
    if !ended.output_bucket.is_empty() && ended.output_bucket != OUTPUT_BUCKET {
        output_copies::wish(&mut **transaction, command_id, node_id, now).await?;
    }
    let whose = (command_id, ended.notification.as_str());
    tell(
        plane,
        transaction,
        whose,
        About::Invocation(node_id),
        detail.status(),
    )
    .await
}

/// Ends the command when all of its invocations have ended.
pub(crate) async fn settle(
    plane: &ControlPlane,
    transaction: &mut Transaction<'static, Any>,
    command_id: &str,
) -> ApiResult<()> {
    if let Some((status, notification)) = queries::settle(transaction, command_id).await? {
        let whose = (command_id, notification.as_str());
        tell(plane, transaction, whose, About::Command, status).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_for_commands_or_for_invocations() {
        let wish = |more: &str| Wish::read(&format!(r#"{{"NotificationArn": "arn"{more}}}"#)).unwrap();
        let commands = wish(r#", "NotificationEvents": ["Failed", "TimedOut"]"#);
        assert!(commands.holds(About::Command, "Failed"));
        assert!(!commands.holds(About::Command, "Success"));
        assert!(!commands.holds(About::Invocation("mi"), "Failed"));
        let parts = wish(r#", "NotificationEvents": ["All"], "NotificationType": "Invocation""#);
        assert!(parts.holds(About::Invocation("mi"), "InProgress"));
        assert!(!parts.holds(About::Invocation("mi"), "Delayed"));
        assert!(!parts.holds(About::Command, "Success"));
        assert!(!wish("").holds(About::Command, "Failed"));
        assert!(Wish::read("{}").is_none());
    }
}
