//! `ConfirmSubscription`: whoever holds the token that was sent to a webhook says that it wants to be told. Nobody has to
//! sign for it: the token is the secret, and its seal is compared in constant time.

use super::letter::token_scope;
use super::queries;
use super::shown::subscription_arn;
use super::{invalid, topic_name};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, optional, required, sensitive};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("TopicArn", ANY_TEXT),
    sensitive(required("Token", ANY_TEXT)),
    optional("AuthenticateOnUnsubscribe", ANY_TEXT),
];
/// How long a token holds.
pub(crate) const PENDING_MS: i64 = 3 * 86_400_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    topic_arn: String,
    token: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    subscription_arn: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let bad = || invalid("Token");
    // Who does not sign names no region: the ARN does.
    let region = input.topic_arn.split(':').nth(3).unwrap_or_default().to_owned();
    let topic = topic_name(plane, &region, &input.topic_arn)?;
    let sealed = plane.tokens.open(&token_scope(&region, topic), &input.token);
    let id = sealed
        .ok()
        .and_then(|parts| parts.into_iter().next())
        .ok_or_else(bad)?;
    let since = call.now.plus_ms(-PENDING_MS);
    if !queries::confirm(plane.db.writer(), &region, &id, since).await? {
        return Err(bad());
    }
    let row = queries::subscription(plane.db.reader(), &region, &id)
        .await?
        .ok_or_else(bad)?;
    Ok(Output {
        subscription_arn: subscription_arn(plane, &row),
    })
}
