//! `ListSubscriptionsByTopic`.

use super::list_subscriptions::listed;
use super::shown::Page;
use super::{not_found, queries, topic_name};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, NEXT_TOKEN, optional, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required("TopicArn", ANY_TEXT), optional("NextToken", NEXT_TOKEN)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    topic_arn: String,
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Page> {
    let topic = topic_name(plane, &call.region, &input.topic_arn)?;
    if queries::topic(plane.db.reader(), &call.region, topic)
        .await?
        .is_none()
    {
        return Err(not_found("Topic"));
    }
    listed(plane, call, Some(topic), input.next_token.as_deref()).await
}
