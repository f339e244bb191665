//! SQL of messages on their way: what is due for whom. Nothing else touches these tables.

use super::queries::SubscriptionRow;
use crate::errors::ApiResult;
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use sqlx::{Any, AnyExecutor, Transaction};

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct MessageRow {
    pub(crate) message_id: String,
    pub(crate) region: String,
    pub(crate) topic: String,
    pub(crate) subject: Option<String>,
    pub(crate) body: String,
    /// JSON.
    pub(crate) attributes: String,
    pub(crate) published_at: Timestamp,
}

/// A message that is due for somebody. Without a message, it is the question whether they want to be told.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryRow {
    pub(crate) subscription: SubscriptionRow,
    pub(crate) message: Option<MessageRow>,
    /// Tries before this one.
    pub(crate) attempts: i64,
}

impl DeliveryRow {
    /// What tells the message from others to the same subscriber.
    pub(crate) fn message_id(&self) -> &str {
        self.message.as_ref().map_or("", |message| &message.message_id)
    }
}

pub(crate) async fn put_message(on: impl AnyExecutor<'_>, row: &MessageRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into sns_messages (message_id, region, topic, body, attributes, subject, published_at) values (",
    );
    for text in [
        &row.message_id,
        &row.region,
        &row.topic,
        &row.body,
        &row.attributes,
    ] {
        sql.text(text).push(", ");
    }
    sql.text_or_none(row.subject.clone()).push(", ");
    sql.int(row.published_at.0).push(")");
    sql.run(on).await?;
    Ok(())
}

/// A message is to be delivered: now, or when something else for the same subscriber is tried again.
pub(crate) async fn put(
    on: impl AnyExecutor<'_>,
    region: &str,
    subscription_id: &str,
    message_id: &str,
    now: Timestamp,
) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into sns_deliveries (region, subscription_id, message_id, attempts, due_at) select ",
    );
    for text in [region, subscription_id, message_id] {
        sql.text(text).push(", ");
    }
    sql.push("0, case when coalesce(max(e.due_at), 0) > ").int(now.0);
    sql.push(" then max(e.due_at) else ").int(now.0);
    sql.push(" end from sns_deliveries e where e.attempts > 0 and e.region = ")
        .text(region);
    sql.push(" and e.subscription_id = ").text(subscription_id);
    sql.push(" on conflict (region, subscription_id, message_id) do update set attempts = 0, due_at = excluded.due_at");
    sql.run(on).await?;
    Ok(())
}

/// Deliveries of messages that were published before `since`: subscriber and message.
pub(crate) async fn too_old(
    on: impl AnyExecutor<'_>,
    since: Timestamp,
    limit: i64,
) -> ApiResult<Vec<(String, String, String)>> {
    let mut sql = Sql::new(
        "select d.region, d.subscription_id, d.message_id from sns_messages m join sns_deliveries d \
         on d.message_id = m.message_id where m.published_at < ",
    );
    sql.int(since.0)
        .push(" order by m.published_at limit ")
        .int(limit);
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.text("region")?,
                row.text("subscription_id")?,
                row.text("message_id")?,
            ))
        })
        .collect()
}

/// What is due, the oldest first, and of each subscriber only the first: one that does not answer holds up nobody else.
pub(crate) async fn due(on: impl AnyExecutor<'_>, now: Timestamp, limit: i64) -> ApiResult<Vec<DeliveryRow>> {
    let mut sql = Sql::new(
        "select s.*, d.message_id, d.attempts, m.subject, m.body, m.attributes, m.published_at from sns_deliveries d \
         join sns_subscriptions s on s.region = d.region and s.subscription_id = d.subscription_id \
         left join sns_messages m on m.message_id = d.message_id where d.due_at <= ",
    );
    sql.int(now.0);
    sql.push(
        " and not exists (select 1 from sns_deliveries e where e.region = d.region and e.subscription_id = \
         d.subscription_id and (e.due_at < d.due_at or (e.due_at = d.due_at and e.message_id < d.message_id)))",
    );
    sql.push(" order by d.due_at limit ").int(limit);
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| {
            let subscription = SubscriptionRow::read(row)?;
            let message = row
                .int_or_none("published_at")?
                .map(|published_at| {
                    ApiResult::Ok(MessageRow {
                        message_id: row.text("message_id")?,
                        region: subscription.region.clone(),
                        topic: subscription.topic.clone(),
                        subject: row.text_or_none("subject")?,
                        body: row.text("body")?,
                        attributes: row.text("attributes")?,
                        published_at: Timestamp(published_at),
                    })
                })
                .transpose()?;
            Ok(DeliveryRow {
                subscription,
                message,
                attempts: row.int("attempts")?,
            })
        })
        .collect()
}

/// It is tried again later, and so is whatever else waits for the same subscriber.
pub(crate) async fn later(
    transaction: &mut Transaction<'static, Any>,
    row: &DeliveryRow,
    due_at: Timestamp,
) -> ApiResult<()> {
    let (region, id) = (&row.subscription.region, &row.subscription.id);
    let mut sql = Sql::new("update sns_deliveries set attempts = attempts + 1 where region = ");
    sql.text(region).push(" and subscription_id = ").text(id);
    sql.push(" and message_id = ").text(row.message_id());
    sql.run(&mut **transaction).await?;
    let mut sql = Sql::new("update sns_deliveries set due_at = ");
    sql.int(due_at.0).push(" where region = ").text(region);
    sql.push(" and subscription_id = ").text(id);
    sql.push(" and due_at < ").int(due_at.0);
    sql.run(&mut **transaction).await?;
    Ok(())
}

/// It was delivered, or is given up; a message that nobody waits for any more is forgotten.
pub(crate) async fn done(
    transaction: &mut Transaction<'static, Any>,
    region: &str,
    subscription_id: &str,
    message_id: &str,
) -> ApiResult<()> {
    // One after the other for one message: the last one has to see that it is the last.
    let mut sql = Sql::new("update sns_messages set published_at = published_at where message_id = ");
    sql.text(message_id);
    sql.run(&mut **transaction).await?;
    let mut sql = Sql::new("delete from sns_deliveries where region = ");
    sql.text(region)
        .push(" and subscription_id = ")
        .text(subscription_id);
    sql.push(" and message_id = ").text(message_id);
    sql.run(&mut **transaction).await?;
    let mut sql = Sql::new("delete from sns_messages where message_id = ");
    sql.text(message_id);
    sql.push(" and not exists (select 1 from sns_deliveries d where d.message_id = ");
    sql.text(message_id).push(")");
    sql.run(&mut **transaction).await?;
    Ok(())
}
