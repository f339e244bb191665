//! `Unsubscribe`. A subscription that is not there is no mistake.

use super::{queries, subscription_parts};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required("SubscriptionArn", ANY_TEXT)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    subscription_arn: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let (topic, id) = subscription_parts(plane, call, &input.subscription_arn)?;
    let mut transaction = plane.db.begin().await?;
    // Whoever publishes at this moment is through, or sees that it is gone.
    queries::lock_topic(&mut *transaction, &call.region, topic).await?;
    queries::delete_subscription(&mut transaction, &call.region, id).await?;
    transaction.commit().await?;
    Ok(Empty {})
}
