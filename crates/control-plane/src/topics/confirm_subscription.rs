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

/// The region and the id of the subscription that a token is for.
fn meant(plane: &ControlPlane, topic_arn: &str, token: &str) -> ApiResult<(String, String)> {
    // Who does not sign names no region: the ARN does.
    let region = topic_arn.split(':').nth(3).unwrap_or_default().to_owned();
    let topic = topic_name(plane, &region, topic_arn)?;
    let sealed = plane.tokens.open(&token_scope(&region, topic), token);
    let id = sealed.ok().and_then(|parts| parts.into_iter().next());
    Ok((region, id.ok_or_else(|| invalid("Token"))?))
}

/// That a call nobody signed holds a token of ours. It is looked at before anything is written down: else everybody could
/// fill the audit log.
pub(crate) fn check_unsigned(plane: &ControlPlane, topic_arn: &str, token: &str) -> ApiResult<()> {
    meant(plane, topic_arn, token).map(|_| ())
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let bad = || invalid("Token");
    let (region, id) = meant(plane, &input.topic_arn, &input.token)?;
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
