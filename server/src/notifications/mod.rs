//! Notices: people are told, outside the portal, that something waits for them or has gone on. A notice is written into
//! the outbox in the transaction of what it is about, so neither is there without the other, and is brought to each
//! channel that is set (a webhook, Slack or what speaks like it, mail) at least once, by work of its own.
//!
//! No I/O happens while a notice is written. Nothing secret is in one: who writes it says only what all who may read the
//! channel may know.

mod channels;
mod delivery;
mod letter;
mod notice;
mod queries;
mod send;

pub use channels::Channels;
pub(crate) use channels::{Mail, Secret, Wanted, Webhook};
pub use delivery::Deliverer;
pub use notice::Notice;
pub use queries::Behind;
pub use send::SenderError;

use muster_domain::Timestamp;
use muster_store::{Db, StoreError};
use sqlx::{Any, Transaction};

/// Waiting for longer than this is worth a warning.
const BEHIND_MS: i64 = 5 * 60_000;

/// Writes a notice into the outbox, once for each channel that is set, in the transaction of what it is about. By mail, once
/// for each address that is meant. The same notice twice is one.
///
/// # Errors
/// When the database does not take it; the transaction is then not good for anything any more.
pub async fn enqueue(
    transaction: &mut Transaction<'static, Any>,
    channels: &Channels,
    notice: &Notice,
) -> Result<(), StoreError> {
    let mut notice = notice.cleaned();
    let id = notice.id();
    if let Some(at) = &channels.at {
        notice.href = [at, notice.href.as_str()].concat();
    }
    for (channel, recipient) in channels.recipients(&notice.to) {
        queries::put(transaction, channel, &recipient, &id, &notice).await?;
    }
    Ok(())
}

/// What has been waiting to be told for longer than five minutes, if anything has.
///
/// # Errors
/// When the database does not answer.
pub async fn behind(db: &Db, now: Timestamp) -> Result<Option<Behind>, StoreError> {
    queries::behind(db.reader(), now.plus_ms(-BEHIND_MS)).await
}
