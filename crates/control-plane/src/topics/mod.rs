//! The notification service beside Systems Manager: topics, who has subscribed to them, and messages on their way to
//! webhooks. Scripts tell people through it how their work ended; commands tell how they stand. One file per operation.

pub(crate) mod confirm_subscription;
pub(crate) mod create_topic;
pub(crate) mod delete_topic;
pub(crate) mod delivery;
pub(crate) mod delivery_queries;
pub(crate) mod get_topic_attributes;
pub(crate) mod letter;
pub(crate) mod list_subscriptions;
pub(crate) mod list_subscriptions_by_topic;
pub(crate) mod list_topics;
pub(crate) mod publish;
pub(crate) mod queries;
pub(crate) mod shown;
pub(crate) mod subscribe;
pub(crate) mod unsubscribe;

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;

/// What is asked is not possible, in the service's words.
pub(crate) fn invalid(message: &str) -> ApiError {
    ApiError::new("InvalidParameter", format!("Invalid parameter: {message}"))
}

/// There is no such topic or subscription.
pub(crate) fn not_found(what: &str) -> ApiError {
    ApiError {
        status: 404,
        ..ApiError::new("NotFound", format!("{what} does not exist"))
    }
}

/// The ARN of a topic.
pub(crate) fn arn(plane: &ControlPlane, region: &str, name: &str) -> String {
    format!("arn:aws:sns:{region}:{}:{name}", plane.config.account)
}

/// What follows region and account in an ARN of this service, of the region and account that the call is for.
fn own_part<'a>(plane: &ControlPlane, region: &str, arn: &'a str) -> Option<&'a str> {
    arn.strip_prefix("arn:aws:sns:")?
        .strip_prefix(region)?
        .strip_prefix(':')?
        .strip_prefix(plane.config.account.as_str())?
        .strip_prefix(':')
}

/// Whether a topic may be called so.
pub(crate) fn is_topic_name(name: &str) -> bool {
    (1..=256).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The name of a topic that is known here, by its ARN.
pub(crate) fn topic_name<'a>(plane: &ControlPlane, region: &str, arn: &'a str) -> ApiResult<&'a str> {
    own_part(plane, region, arn)
        .filter(|name| is_topic_name(name))
        .ok_or_else(|| {
            invalid(&format!(
                "TopicArn Reason: A topic of this region and account is called {}.",
                self::arn(plane, region, "NAME")
            ))
        })
}

/// The topic and the id of a subscription, by its ARN.
pub(crate) fn subscription_parts<'a>(
    plane: &ControlPlane,
    call: &Call,
    arn: &'a str,
) -> ApiResult<(&'a str, &'a str)> {
    own_part(plane, &call.region, arn)
        .and_then(|rest| rest.split_once(':'))
        .filter(|(topic, id)| is_topic_name(topic) && crate::validation::is_uuid(id))
        .ok_or_else(|| {
            invalid(&format!(
                "SubscriptionArn Reason: A subscription of this region and account is called {}:ID.",
                self::arn(plane, &call.region, "TOPIC")
            ))
        })
}
