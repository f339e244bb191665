//! Says regularly that the node is there, and what it is.

use crate::backoff::{Backoff, spread};
use crate::calls::Client;
use crate::error::AgentError;
use crate::tokens::Tokens;
use muster_agent_protocol::calls::UpdateInstanceInformationRequest;
use muster_domain::time::Random;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Reports at once, then every `every` (a little less, by chance), until `stop`.
pub(crate) async fn keep(
    client: &Client,
    tokens: &Tokens,
    information: impl Fn(bool) -> UpdateInstanceInformationRequest,
    every: Duration,
    random: &dyn Random,
    stop: &CancellationToken,
) {
    let mut backoff = Backoff::default();
    let mut is_known = false;
    loop {
        let reported = async {
            if !is_known {
                report(client, tokens, &information(false)).await?;
            }
            report(client, tokens, &information(true)).await
        };
        let reported = tokio::select! {
            () = stop.cancelled() => return,
            reported = reported => reported,
        };
        let wait = match reported {
            Ok(()) => {
                is_known = true;
                backoff.reset();
                every - spread(every / 10, random)
            }
            Err(error) => {
                tracing::warn!(%error, "the node could not report itself");
                backoff.next(random).min(every)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn report(
    client: &Client,
    tokens: &Tokens,
    information: &UpdateInstanceInformationRequest,
) -> Result<(), AgentError> {
    let credentials = tokens.get().await?;
    let answer: Result<serde_json::Value, AgentError> = client
        .call("UpdateInstanceInformation", information, &credentials)
        .await;
    if let Err(error) = answer {
        if error.is_about_credentials() {
            tokens.forget().await;
        }
        return Err(error);
    }
    Ok(())
}
