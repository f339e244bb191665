//! SQL of notices on their way: what is next on a channel, whose try it is, and how it went. Nothing else touches this
//! table.

use super::channels::Channel;
use super::notice::Notice;
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql, StoreError};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyExecutor, Transaction};

/// More are not counted.
const COUNTED: i64 = 1_000;

/// A notice on its way to one recipient.
#[derive(Clone, Debug)]
pub(crate) struct NoticeRow {
    pub(crate) message_id: String,
    pub(crate) channel: Channel,
    /// The address, where the channel has several.
    pub(crate) recipient: String,
    pub(crate) notice: Notice,
    /// Tries that were begun.
    pub(crate) tries: i64,
    next_at: Timestamp,
    leased_until: Timestamp,
}

impl NoticeRow {
    fn read(row: &AnyRow, channel: Channel) -> Result<Self, StoreError> {
        let told = row.text("told")?;
        let to = serde_json::from_str(&told).map_err(|error| StoreError::Column {
            column: "told".into(),
            message: error.to_string(),
        })?;
        Ok(Self {
            message_id: row.text("message_id")?,
            channel,
            recipient: row.text("recipient")?,
            notice: Notice {
                kind: row.text("kind")?,
                about: row.text("about")?,
                title: row.text("title")?,
                text: row.text("body")?,
                href: row.text("href")?,
                at: row.time("happened_at")?,
                to,
                urgent: row.flag("is_urgent")?,
            },
            tries: row.int("tries")?,
            next_at: row.time("next_at")?,
            leased_until: row.time("leased_until")?,
        })
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.next_at <= now && self.leased_until <= now
    }

    /// Which row, as long as the try that was begun last is this one.
    fn this_try(&self, sql: &mut Sql) {
        sql.push(" where message_id = ").text(&self.message_id);
        sql.push(" and channel = ").text(self.channel.word());
        sql.push(" and recipient = ").text(&self.recipient);
        sql.push(" and state = 'waiting' and tries = ").int(self.tries);
    }
}

/// Written once: the same notice for the same recipient again changes nothing.
pub(crate) async fn put(
    transaction: &mut Transaction<'static, Any>,
    channel: Channel,
    recipient: &str,
    message_id: &str,
    notice: &Notice,
) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "insert into notifications (message_id, channel, recipient, sequence, kind, about, title, body, href, told, \
         happened_at, is_urgent, state, tries, next_at, leased_until, is_aside, is_woken, last_error) select ",
    );
    sql.text(message_id).push(", ").text(channel.word());
    sql.push(", ").text(recipient);
    // Two at once may get the same number: then neither is before the other.
    sql.push(", (select coalesce(max(sequence), 0) + 1 from notifications where channel = ");
    sql.text(channel.word()).push(")");
    let told = serde_json::json!(notice.to).to_string();
    for text in [
        &notice.kind,
        &notice.about,
        &notice.title,
        &notice.text,
        &notice.href,
        &told,
    ] {
        sql.push(", ").text(text);
    }
    sql.push(", ").int(notice.at.0);
    sql.push(", ").int(i64::from(notice.urgent));
    sql.push(
        ", 'waiting', 0, 0, 0, 0, 0, '' where true on conflict (message_id, channel, recipient) do nothing",
    );
    sql.run(&mut **transaction).await?;
    Ok(())
}

/// The first in a channel's line, when it is its time. Until it is taken or steps aside, nothing behind it is next.
pub(crate) async fn first_in_line(
    on: impl AnyExecutor<'_>,
    channel: Channel,
    now: Timestamp,
) -> Result<Option<NoticeRow>, StoreError> {
    let mut sql =
        Sql::new("select * from notifications where state = 'waiting' and is_aside = 0 and channel = ");
    sql.text(channel.word())
        .push(" order by sequence, message_id limit 1");
    let row = sql.first(on).await?;
    let row = row.map(|row| NoticeRow::read(&row, channel)).transpose()?;
    Ok(row.filter(|row| row.is_due(now)))
}

/// Of those that stepped aside, the one that has been due for longest.
pub(crate) async fn first_aside(
    on: impl AnyExecutor<'_>,
    channel: Channel,
    now: Timestamp,
) -> Result<Option<NoticeRow>, StoreError> {
    let mut sql =
        Sql::new("select * from notifications where state = 'waiting' and is_aside = 1 and channel = ");
    sql.text(channel.word()).push(" and next_at <= ").int(now.0);
    sql.push(" and leased_until <= ").int(now.0);
    sql.push(" order by next_at, sequence limit 1");
    let row = sql.first(on).await?;
    row.map(|row| NoticeRow::read(&row, channel)).transpose()
}

/// Begins a try, unless somebody else has begun it: then nothing is given. Until `until` nobody else tries.
pub(crate) async fn claim(
    on: impl AnyExecutor<'_>,
    row: NoticeRow,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<NoticeRow>, StoreError> {
    let mut sql = Sql::new("update notifications set tries = tries + 1, leased_until = ");
    sql.int(until.0);
    row.this_try(&mut sql);
    sql.push(" and leased_until <= ").int(now.0);
    let mine = sql.run(on).await? == 1;
    Ok(mine.then(|| NoticeRow {
        tries: row.tries + 1,
        leased_until: until,
        ..row
    }))
}

/// It was taken.
pub(crate) async fn delivered(
    transaction: &mut Transaction<'static, Any>,
    row: &NoticeRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "update notifications set state = 'delivered', leased_until = 0, last_error = '', ended_at = ",
    );
    sql.int(now.0);
    row.this_try(&mut sql);
    sql.run(&mut **transaction).await?;
    Ok(())
}

/// The channel takes something again: what had stepped aside is tried at once, but each only once out of its turn, for it
/// may be the notice itself that is not taken.
pub(crate) async fn wake(
    transaction: &mut Transaction<'static, Any>,
    channel: Channel,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut sql = Sql::new("update notifications set is_woken = 1, next_at = ");
    sql.int(now.0);
    sql.push(" where state = 'waiting' and is_aside = 1 and channel = ")
        .text(channel.word());
    sql.push(" and next_at > ").int(now.0);
    sql.push(" and is_woken = 0 and leased_until <= ").int(now.0);
    sql.run(&mut **transaction).await?;
    Ok(())
}

/// It was not taken, for the reason `why`, and is tried again at `next_at`.
pub(crate) async fn later(
    on: impl AnyExecutor<'_>,
    row: &NoticeRow,
    next_at: Timestamp,
    steps_aside: bool,
    why: &str,
) -> Result<(), StoreError> {
    let mut sql = Sql::new("update notifications set leased_until = 0, next_at = ");
    sql.int(next_at.0).push(", last_error = ").text(why);
    if steps_aside {
        sql.push(", is_aside = 1");
    }
    row.this_try(&mut sql);
    sql.run(on).await?;
    Ok(())
}

/// It was not taken, and is not tried any more.
pub(crate) async fn given_up(
    on: impl AnyExecutor<'_>,
    row: &NoticeRow,
    now: Timestamp,
    why: &str,
) -> Result<(), StoreError> {
    let mut sql = Sql::new("update notifications set state = 'given_up', leased_until = 0, last_error = ");
    sql.text(why).push(", ended_at = ").int(now.0);
    row.this_try(&mut sql);
    sql.run(on).await?;
    Ok(())
}

/// Gives up what is for a channel that is not set any more and happened before `since`. Answers how many.
pub(crate) async fn give_up_unset(
    on: impl AnyExecutor<'_>,
    channel: Channel,
    since: Timestamp,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut sql = Sql::new(
        "update notifications set state = 'given_up', last_error = 'this channel is not set any more', ended_at = ",
    );
    sql.int(now.0).push(" where state = 'waiting' and channel = ");
    sql.text(channel.word()).push(" and happened_at < ").int(since.0);
    sql.run(on).await
}

/// Forgets some of what ended before `since`. Answers how many.
pub(crate) async fn prune(on: impl AnyExecutor<'_>, since: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let mut sql = Sql::new(
        "delete from notifications where (message_id, channel, recipient) in (select message_id, channel, recipient \
         from notifications where ended_at is not null and ended_at < ",
    );
    sql.int(since.0).push(" order by ended_at limit ").int(limit);
    sql.push(")");
    sql.run(on).await
}

/// Notices that nobody has been told for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// How many; more than a thousand are not counted.
    pub waiting: i64,
    /// Since when the oldest waits.
    pub since: Timestamp,
}

/// What has been waiting since before `since`.
pub(crate) async fn behind(on: impl AnyExecutor<'_>, since: Timestamp) -> Result<Option<Behind>, StoreError> {
    let mut sql = Sql::new(
        "select count(*) as waiting, min(happened_at) as oldest from (select happened_at from notifications \
         where state = 'waiting' and happened_at < ",
    );
    sql.int(since.0).push(" order by happened_at limit ").int(COUNTED);
    sql.push(") w");
    let row = sql.one(on).await?;
    let waiting = row.int("waiting")?;
    Ok(row.time_or_none("oldest")?.map(|since| Behind { waiting, since }))
}
