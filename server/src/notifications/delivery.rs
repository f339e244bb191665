//! Brings notices to their channels. All of it follows from the database, so it goes on after any stop, and two servers
//! on one database do not tell the same at the same time: a try is begun by a change that only one of them can make, and
//! is nobody else's until its lease is over.
//!
//! Each channel has a line of its own: what was written first is told first. A notice that is not taken three times steps
//! aside, is tried again further and further apart for a day, and holds up nobody. As soon as the channel takes
//! something, what stands aside is tried at once.

use super::channels::{Channel, Channels};
use super::queries::{self, NoticeRow};
use super::send::{SenderError, Senders};
use muster_domain::Timestamp;
use muster_domain::time::Clock;
use muster_store::{Db, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Notices of one channel that are told before the database is left alone for a moment.
const AT_ONCE: usize = 32;
/// Seconds until the next try, by the number of tries before; the last one from then on.
const PATIENCE_S: [i64; 6] = [1, 5, 30, 120, 600, 3_600];
/// Tries after which a notice steps aside.
const TRIES_IN_LINE: i64 = 3;
/// How long a notice is tried to be told.
const WORTH_MS: i64 = 86_400_000;
/// How long a try belongs to whoever began it.
const LEASE_MS: i64 = 60_000;
/// How long a receiver may take; well below the lease.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// How long it is remembered what became of a notice.
const KEPT_MS: i64 = 30 * 86_400_000;
/// Rows that are forgotten in one statement.
const PRUNED: i64 = 500;
/// How often the outbox is looked at.
const EVERY: Duration = Duration::from_secs(2);
/// How often old rows are forgotten.
const TIDIED_EVERY: Duration = Duration::from_secs(600);

/// Brings notices to their channels.
pub struct Deliverer {
    db: Db,
    clock: Arc<dyn Clock>,
    channels: Arc<Channels>,
    senders: Senders,
    /// How long a receiver may take.
    pub within: Duration,
}

impl Deliverer {
    /// For these channels. `portal` is how people reach the portal: `https://muster.example`.
    ///
    /// # Errors
    /// When no client can be built.
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        channels: Arc<Channels>,
        portal: String,
    ) -> Result<Self, SenderError> {
        Ok(Self {
            db,
            clock,
            senders: Senders::new(Arc::clone(&channels), portal)?,
            channels,
            within: ANSWER_WITHIN,
        })
    }

    /// Delivers until `stop`. Each channel goes its own way: one that is slow holds up no other.
    pub async fn run(self, stop: CancellationToken) {
        let channels = Channel::ALL
            .into_iter()
            .filter(|channel| self.channels.has(*channel))
            .map(|channel| self.run_channel(channel, &stop));
        let tidying = async {
            loop {
                if let Err(error) = self.tidy().await {
                    tracing::warn!(%error, "old notices could not be forgotten");
                }
                if is_over(&stop, TIDIED_EVERY).await {
                    return;
                }
            }
        };
        futures::join!(futures::future::join_all(channels), tidying);
    }

    async fn run_channel(&self, channel: Channel, stop: &CancellationToken) {
        loop {
            match self.round_of(channel, stop).await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => {
                    if is_over(stop, EVERY).await {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, channel = channel.word(), "notices could not be delivered");
                    if is_over(stop, EVERY).await {
                        return;
                    }
                }
            }
        }
    }

    /// One round over all channels. Answers whether there may be more.
    ///
    /// # Errors
    /// When the database does not answer. What was under way is then told again.
    pub async fn round(&self) -> Result<bool, StoreError> {
        let stop = CancellationToken::new();
        let set = Channel::ALL
            .into_iter()
            .filter(|channel| self.channels.has(*channel));
        let ended = futures::future::join_all(set.map(|channel| self.round_of(channel, &stop))).await;
        let more = ended.into_iter().collect::<Result<Vec<bool>, _>>()?;
        Ok(more.contains(&true))
    }

    /// Tells what is due on one channel, one after the other: the line and what stands aside take turns.
    async fn round_of(&self, channel: Channel, stop: &CancellationToken) -> Result<bool, StoreError> {
        for _ in 0..AT_ONCE {
            if stop.is_cancelled() {
                return Ok(false);
            }
            let in_line = queries::first_in_line(self.db.reader(), channel, self.clock.now()).await?;
            let moved = self.tell(in_line).await?;
            let aside = queries::first_aside(self.db.reader(), channel, self.clock.now()).await?;
            if !self.tell(aside).await? && !moved {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Tries once, where there is something to try. Answers whether there was.
    async fn tell(&self, row: Option<NoticeRow>) -> Result<bool, StoreError> {
        let Some(row) = row else { return Ok(false) };
        let now = self.clock.now();
        let Some(row) = queries::claim(self.db.writer(), row, now, now.plus_ms(LEASE_MS)).await? else {
            // Somebody else does.
            return Ok(true);
        };
        let sent = self.senders.send(&row, now, self.within).await;
        let now = self.clock.now();
        match sent {
            Ok(()) => {
                let mut transaction = self.db.begin().await?;
                queries::delivered(&mut transaction, &row, now).await?;
                queries::wake(&mut transaction, row.channel, now).await?;
                transaction.commit().await?;
            }
            Err(why) => self.not_taken(&row, now, &why).await?,
        }
        Ok(true)
    }

    async fn not_taken(&self, row: &NoticeRow, now: Timestamp, why: &str) -> Result<(), StoreError> {
        let (channel, about, tries) = (row.channel.word(), &row.notice.about, row.tries);
        if now.since_ms(row.notice.at) >= WORTH_MS {
            tracing::warn!(
                channel,
                about,
                kind = row.notice.kind,
                message.id = row.message_id,
                tries,
                why,
                "a notice is given up: it could not be delivered for a day"
            );
            return queries::given_up(self.db.writer(), row, now, why).await;
        }
        let next_at = next_try(row.notice.at, tries, now);
        let steps_aside = tries >= TRIES_IN_LINE;
        if tries == TRIES_IN_LINE {
            tracing::warn!(
                channel,
                about,
                message.id = row.message_id,
                tries,
                why,
                "a notice cannot be delivered; it is tried again for a day"
            );
        } else {
            tracing::debug!(
                channel,
                about,
                message.id = row.message_id,
                tries,
                why,
                "a notice was not taken"
            );
        }
        queries::later(self.db.writer(), row, next_at, steps_aside, why).await
    }

    /// Gives up what is for channels that are not set any more, and forgets what ended long ago.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for channel in Channel::ALL {
            if self.channels.has(channel) {
                continue;
            }
            let since = now.plus_ms(-WORTH_MS);
            let notices = queries::give_up_unset(self.db.writer(), channel, since, now).await?;
            if notices > 0 {
                tracing::warn!(
                    channel = channel.word(),
                    notices,
                    "notices are given up: their channel is not set any more"
                );
            }
        }
        let pruned = u64::try_from(PRUNED).unwrap_or(u64::MAX);
        while queries::prune(self.db.writer(), now.plus_ms(-KEPT_MS), PRUNED).await? >= pruned {}
        Ok(())
    }
}

/// When to try again: the last time when the notice is a day old.
fn next_try(at: Timestamp, tries: i64, now: Timestamp) -> Timestamp {
    let last = PATIENCE_S.len() - 1;
    let tried = usize::try_from(tries - 1).unwrap_or(0).min(last);
    let seconds = PATIENCE_S.get(tried).copied().unwrap_or(3_600);
    now.plus_ms(seconds * 1_000).min(at.plus_ms(WORTH_MS))
}

/// Waits; answers whether the server stops.
async fn is_over(stop: &CancellationToken, wait: Duration) -> bool {
    tokio::select! {
        () = stop.cancelled() => true,
        () = tokio::time::sleep(wait) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_further_and_further_apart_until_a_day_is_over() {
        let at = Timestamp(1_795_000_000_000);
        let mut now = at;
        let mut waits = Vec::new();
        while now < at.plus_ms(WORTH_MS) {
            let next = next_try(at, i64::try_from(waits.len()).unwrap() + 1, now);
            waits.push(next.since_ms(now) / 1_000);
            now = next;
        }
        assert_eq!(now, at.plus_ms(WORTH_MS), "tried once more when the day is over");
        assert_eq!(waits[..6], PATIENCE_S);
        assert!(
            waits[..waits.len() - 1].is_sorted() && waits.len() < 40,
            "{waits:?}"
        );
    }

    #[test]
    fn a_try_is_over_before_its_lease_is() {
        assert!(ANSWER_WITHIN.as_millis() * 2 < u128::try_from(LEASE_MS).unwrap());
    }
}
