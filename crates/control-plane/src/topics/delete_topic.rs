//! `DeleteTopic`, with its subscriptions and what is on its way to them. A topic that is not there is no mistake.

use super::{queries, topic_name};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required("TopicArn", ANY_TEXT)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    topic_arn: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let topic = topic_name(plane, &call.region, &input.topic_arn)?;
    let mut transaction = plane.db.begin().await?;
    queries::delete_topic(&mut transaction, &call.region, topic).await?;
    transaction.commit().await?;
    Ok(Empty {})
}
