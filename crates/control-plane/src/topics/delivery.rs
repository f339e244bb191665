//! Brings messages to webhooks. All of it follows from the database, so it goes on after any stop: a message is
//! delivered at least once. What cannot be delivered is tried again for a day, further and further apart.

use super::confirm_subscription::PENDING_MS;
use super::delivery_queries::{self as deliveries, DeliveryRow};
use super::letter::{Letter, letter, token_scope};
use super::{arn, queries};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use futures::{FutureExt as _, StreamExt as _, stream};
use muster_domain::Timestamp;
use std::time::Duration;

/// Messages that are looked at in one go.
const AT_ONCE: i64 = 64;
/// Webhooks that are spoken to at the same time.
const SIDE_BY_SIDE: usize = 8;
/// Seconds until the next try, by the number of tries before; the last one from then on.
const PATIENCE_S: [i64; 6] = [1, 5, 30, 120, 600, 3_600];
/// How long a message is tried to be delivered.
const WORTH_MS: i64 = 86_400_000;
/// How often somebody is asked whether they want to be told.
const QUESTIONS: i64 = 8;
/// How long a webhook may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// How a try went.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Taken,
    /// Not now; with the reason.
    Later(String),
    /// Never: it would be the same again.
    Refused(String),
}

/// What a status means: only what may pass by itself is tried again.
fn of_status(status: u16) -> Answer {
    match status {
        200..=299 => Answer::Taken,
        408 | 425 | 429 | 500..=599 => Answer::Later(format!("it answered {status}")),
        _ => Answer::Refused(format!("it answered {status}")),
    }
}

/// What speaks to webhooks: it follows no redirects, so that an address is the one that was confirmed.
pub(crate) fn client() -> ApiResult<reqwest::Client> {
    // Somebody may have chosen one already; ours is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .timeout(ANSWER_WITHIN)
        .user_agent("Muster")
        .build()
        .map_err(ApiError::internal)
}

/// The one that all share, made the first time.
pub(crate) fn shared_client(plane: &ControlPlane) -> ApiResult<reqwest::Client> {
    if let Some(client) = plane.webhooks.get() {
        return Ok(client.clone());
    }
    let made = client()?;
    Ok(plane.webhooks.get_or_init(|| made).clone())
}

async fn post(client: &reqwest::Client, endpoint: &str, letter: Letter) -> Answer {
    let mut request = client
        .post(endpoint)
        .header("content-type", "text/plain; charset=UTF-8")
        .header("x-amz-sns-message-type", letter.kind)
        .header("x-amz-sns-message-id", letter.message_id)
        .header("x-amz-sns-topic-arn", letter.topic_arn);
    if !letter.subscription_arn.is_empty() {
        request = request.header("x-amz-sns-subscription-arn", letter.subscription_arn);
    }
    if letter.is_raw {
        request = request.header("x-amz-sns-rawdelivery", "true");
    }
    match request.body(letter.body).send().await {
        Ok(answer) => of_status(answer.status().as_u16()),
        // An address may hold a secret.
        Err(error) => Answer::Later(error.without_url().to_string()),
    }
}

async fn deliver(plane: &ControlPlane, client: &reqwest::Client, row: &DeliveryRow) -> ApiResult<()> {
    let subscription = &row.subscription;
    let topic_arn = arn(plane, &subscription.region, &subscription.topic);
    let scope = token_scope(&subscription.region, &subscription.topic);
    let token = plane.tokens.seal(&scope, std::slice::from_ref(&subscription.id));
    let letter = letter(row, &topic_arn, &token, &plane.clock.now().rfc3339());
    let answer = post(client, &subscription.endpoint, letter).await;
    let last = PATIENCE_S.len() - 1;
    let tried = usize::try_from(row.attempts).unwrap_or(last).min(last);
    let is_over = row.message.is_none() && row.attempts + 1 >= QUESTIONS;
    let wait_s = PATIENCE_S.get(tried).filter(|_| !is_over);
    let why = match (answer, wait_s) {
        (Answer::Taken, _) => None,
        (Answer::Later(why), Some(seconds)) => {
            tracing::debug!(
                subscription.id,
                attempts = row.attempts + 1,
                why,
                "a message could not be delivered yet"
            );
            let due_at = plane.clock.now().plus_ms(seconds * 1_000);
            let mut transaction = plane.db.begin().await?;
            deliveries::later(&mut transaction, row, due_at).await?;
            transaction.commit().await?;
            return Ok(());
        }
        (Answer::Later(why) | Answer::Refused(why), _) => Some(why),
    };
    if let Some(why) = why {
        tracing::warn!(
            subscription.id,
            subscription.topic,
            attempts = row.attempts + 1,
            why,
            "a message to a webhook is given up"
        );
    }
    let mut transaction = plane.db.begin().await?;
    deliveries::done(
        &mut transaction,
        &subscription.region,
        &subscription.id,
        row.message_id(),
    )
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// Forgets messages that could not be delivered for a day, whoever they were for.
async fn give_up_old(plane: &ControlPlane, since: Timestamp) -> ApiResult<()> {
    let old = deliveries::too_old(plane.db.reader(), since, AT_ONCE).await?;
    if old.is_empty() {
        return Ok(());
    }
    let mut transaction = plane.db.begin().await?;
    for (region, subscription_id, message_id) in &old {
        deliveries::done(&mut transaction, region, subscription_id, message_id).await?;
        tracing::warn!(
            subscription.id = subscription_id,
            message.id = message_id,
            "a message to a webhook is given up: it could not be delivered for a day"
        );
    }
    transaction.commit().await?;
    Ok(())
}

/// One round over what is due: the first message for each subscriber. Answers whether there may be more.
pub(crate) async fn round(plane: &ControlPlane) -> ApiResult<bool> {
    let now = plane.clock.now();
    let since = now.plus_ms(-PENDING_MS);
    if queries::has_forgotten(plane.db.reader(), since).await? {
        let mut transaction = plane.db.begin().await?;
        queries::forget_pending(&mut transaction, since).await?;
        transaction.commit().await?;
    }
    give_up_old(plane, now.plus_ms(-WORTH_MS)).await?;
    let due = deliveries::due(plane.db.reader(), now, AT_ONCE).await?;
    if due.is_empty() {
        return Ok(false);
    }
    let client = &shared_client(plane)?;
    let mut tries = Vec::with_capacity(due.len());
    for row in &due {
        tries.push(deliver(plane, client, row).boxed());
    }
    let ended: Vec<ApiResult<()>> = stream::iter(tries).buffer_unordered(SIDE_BY_SIDE).collect().await;
    ended.into_iter().collect::<ApiResult<Vec<()>>>()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        assert_eq!(of_status(204), Answer::Taken);
        for later in [408, 425, 429, 500, 503] {
            assert!(matches!(of_status(later), Answer::Later(_)), "{later}");
        }
        for refused in [301, 400, 404, 410] {
            assert!(matches!(of_status(refused), Answer::Refused(_)), "{refused}");
        }
    }

    #[test]
    fn tries_come_further_and_further_apart() {
        assert!(PATIENCE_S.is_sorted());
        // The last wait is short beside how long a message is worth it.
        assert!(PATIENCE_S.iter().all(|seconds| seconds * 20_000 < WORTH_MS));
    }
}
