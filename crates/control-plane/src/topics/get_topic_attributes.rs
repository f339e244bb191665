//! `GetTopicAttributes`.

use super::{not_found, queries, topic_name};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, required};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) const INPUT: &[Member] = &[required("TopicArn", ANY_TEXT)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    topic_arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    attributes: BTreeMap<&'static str, String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let name = topic_name(plane, &call.region, &input.topic_arn)?;
    let topic = queries::topic(plane.db.reader(), &call.region, name)
        .await?
        .ok_or_else(|| not_found("Topic"))?;
    let (confirmed, pending) = queries::counted(plane.db.reader(), &call.region, name).await?;
    Ok(Output {
        attributes: BTreeMap::from([
            ("TopicArn", input.topic_arn),
            ("Owner", plane.config.account.clone()),
            ("DisplayName", topic.display_name),
            ("SubscriptionsConfirmed", confirmed.to_string()),
            ("SubscriptionsPending", pending.to_string()),
            ("SubscriptionsDeleted", "0".to_owned()),
        ]),
    })
}
