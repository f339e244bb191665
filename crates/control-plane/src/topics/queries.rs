//! SQL of topics and subscriptions. Nothing else touches these tables.

use crate::errors::ApiResult;
use muster_agent_protocol::signing::sha256_hex;
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyExecutor, Transaction};

/// A topic.
#[derive(Clone, Debug)]
pub(crate) struct TopicRow {
    pub(crate) display_name: String,
}

/// Who is to be told of a topic's messages.
#[derive(Clone, Debug)]
pub(crate) struct SubscriptionRow {
    pub(crate) region: String,
    pub(crate) id: String,
    pub(crate) topic: String,
    pub(crate) protocol: String,
    pub(crate) endpoint: String,
    /// Where this control plane was reached by the one who subscribed.
    pub(crate) base_url: String,
    pub(crate) is_raw: bool,
    pub(crate) is_confirmed: bool,
    pub(crate) created_at: Timestamp,
}

impl SubscriptionRow {
    pub(crate) fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            region: row.text("region")?,
            id: row.text("subscription_id")?,
            topic: row.text("topic")?,
            protocol: row.text("protocol")?,
            endpoint: row.text("endpoint")?,
            base_url: row.text("base_url")?,
            is_raw: row.flag("is_raw")?,
            is_confirmed: row.flag("is_confirmed")?,
            created_at: row.time("created_at")?,
        })
    }
}

/// What tells one endpoint from another, at any length.
pub(crate) fn place(protocol: &str, endpoint: &str) -> String {
    sha256_hex(format!("{protocol} {endpoint}").as_bytes())
}

/// Makes a topic, unless it is there.
pub(crate) async fn put_topic(
    on: impl AnyExecutor<'_>,
    region: &str,
    name: &str,
    display_name: &str,
    now: Timestamp,
) -> ApiResult<()> {
    let mut sql = Sql::new("insert into sns_topics (region, name, display_name, created_at) values (");
    sql.text(region)
        .push(", ")
        .text(name)
        .push(", ")
        .text(display_name);
    sql.push(", ").int(now.0);
    sql.push(") on conflict (region, name) do nothing");
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn topic(on: impl AnyExecutor<'_>, region: &str, name: &str) -> ApiResult<Option<TopicRow>> {
    let mut sql = Sql::new("select t.display_name from sns_topics t where t.region = ");
    sql.text(region).push(" and t.name = ").text(name);
    let found = sql.first(on).await?;
    found
        .map(|row| {
            Ok(TopicRow {
                display_name: row.text("display_name")?,
            })
        })
        .transpose()
}

/// Keeps a topic until the transaction ends. `false` when it is not there.
pub(crate) async fn lock_topic(on: impl AnyExecutor<'_>, region: &str, name: &str) -> ApiResult<bool> {
    let mut sql = Sql::new("update sns_topics set created_at = created_at where region = ");
    sql.text(region).push(" and name = ").text(name);
    Ok(sql.run(on).await? == 1)
}

/// The names of topics after one, in their order.
pub(crate) async fn topics(
    on: impl AnyExecutor<'_>,
    region: &str,
    after: &str,
    limit: usize,
) -> ApiResult<Vec<String>> {
    let mut sql = Sql::new("select t.name from sns_topics t where t.region = ");
    sql.text(region).push(" and t.name > ").text(after);
    sql.push(" order by t.name limit ")
        .int(i64::try_from(limit).unwrap_or(i64::MAX));
    let rows = sql.all(on).await?;
    rows.iter().map(|row| Ok(row.text("name")?)).collect()
}

/// Deletes a topic with all that hangs on it.
pub(crate) async fn delete_topic(
    transaction: &mut Transaction<'static, Any>,
    region: &str,
    name: &str,
) -> ApiResult<()> {
    let mut sql = Sql::new("delete from sns_topics where region = ");
    sql.text(region).push(" and name = ").text(name);
    sql.run(&mut **transaction).await?;
    let mut sql = Sql::new("select s.* from sns_subscriptions s where s.region = ");
    sql.text(region).push(" and s.topic = ").text(name);
    for row in sql.all(&mut **transaction).await? {
        let row = SubscriptionRow::read(&row)?;
        delete_subscription(transaction, region, &row.id).await?;
    }
    Ok(())
}

/// How many subscriptions a topic has: confirmed, and not yet.
pub(crate) async fn counted(on: impl AnyExecutor<'_>, region: &str, topic: &str) -> ApiResult<(i64, i64)> {
    let mut sql = Sql::new(
        "select cast(coalesce(sum(s.is_confirmed), 0) as bigint) as confirmed, count(*) as n from sns_subscriptions s where s.region = ",
    );
    sql.text(region).push(" and s.topic = ").text(topic);
    let Some(row) = sql.first(on).await? else {
        return Ok((0, 0));
    };
    let (confirmed, all) = (row.int("confirmed")?, row.int("n")?);
    Ok((confirmed, all - confirmed))
}

pub(crate) async fn subscriptions(
    on: impl AnyExecutor<'_>,
    region: &str,
    topic: Option<&str>,
    after: &str,
    limit: usize,
) -> ApiResult<Vec<SubscriptionRow>> {
    let mut sql = Sql::new("select s.* from sns_subscriptions s where s.region = ");
    sql.text(region);
    if let Some(topic) = topic {
        sql.push(" and s.topic = ").text(topic);
    }
    sql.push(" and s.subscription_id > ").text(after);
    sql.push(" order by s.subscription_id limit ")
        .int(i64::try_from(limit).unwrap_or(i64::MAX));
    sql.all(on).await?.iter().map(SubscriptionRow::read).collect()
}

pub(crate) async fn subscription(
    on: impl AnyExecutor<'_>,
    region: &str,
    id: &str,
) -> ApiResult<Option<SubscriptionRow>> {
    let mut sql = Sql::new("select s.* from sns_subscriptions s where s.region = ");
    sql.text(region).push(" and s.subscription_id = ").text(id);
    sql.first(on)
        .await?
        .map(|row| SubscriptionRow::read(&row))
        .transpose()
}

/// The subscription of that endpoint to that topic.
pub(crate) async fn at_place(
    on: impl AnyExecutor<'_>,
    region: &str,
    topic: &str,
    place: &str,
) -> ApiResult<Option<SubscriptionRow>> {
    let mut sql = Sql::new("select s.* from sns_subscriptions s where s.region = ");
    sql.text(region).push(" and s.topic = ").text(topic);
    sql.push(" and s.place = ").text(place);
    sql.first(on)
        .await?
        .map(|row| SubscriptionRow::read(&row))
        .transpose()
}

/// The ids of those who are to be told of a topic's messages over one protocol.
pub(crate) async fn confirmed(
    on: impl AnyExecutor<'_>,
    region: &str,
    topic: &str,
    protocol: &str,
) -> ApiResult<Vec<String>> {
    let mut sql = Sql::new(
        "select s.subscription_id from sns_subscriptions s where s.is_confirmed = 1 and s.region = ",
    );
    sql.text(region).push(" and s.topic = ").text(topic);
    sql.push(" and s.protocol = ").text(protocol);
    let rows = sql.all(on).await?;
    rows.iter().map(|row| Ok(row.text("subscription_id")?)).collect()
}

pub(crate) async fn put_subscription(
    on: impl AnyExecutor<'_>,
    row: &SubscriptionRow,
    place: &str,
) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into sns_subscriptions (region, subscription_id, topic, protocol, endpoint, place, base_url, is_raw, \
         is_confirmed, created_at) values (",
    );
    for text in [
        row.region.as_str(),
        &row.id,
        &row.topic,
        &row.protocol,
        &row.endpoint,
        place,
        &row.base_url,
    ] {
        sql.text(text).push(", ");
    }
    sql.int(i64::from(row.is_raw)).push(", ");
    sql.int(i64::from(row.is_confirmed)).push(", ");
    sql.int(row.created_at.0).push(")");
    sql.run(on).await?;
    Ok(())
}

/// A subscription is wanted; one that was asked for before `since` and did not answer is forgotten. `false` when there
/// is none.
pub(crate) async fn confirm(
    on: impl AnyExecutor<'_>,
    region: &str,
    id: &str,
    since: Timestamp,
) -> ApiResult<bool> {
    let mut sql = Sql::new("update sns_subscriptions set is_confirmed = 1 where region = ");
    sql.text(region).push(" and subscription_id = ").text(id);
    sql.push(" and (is_confirmed = 1 or created_at >= ")
        .int(since.0)
        .push(")");
    Ok(sql.run(on).await? == 1)
}

pub(crate) async fn delete_subscription(
    transaction: &mut Transaction<'static, Any>,
    region: &str,
    id: &str,
) -> ApiResult<()> {
    let mut sql = Sql::new("delete from sns_subscriptions where region = ");
    sql.text(region).push(" and subscription_id = ").text(id);
    sql.run(&mut **transaction).await?;
    let mut sql = Sql::new("select d.message_id from sns_deliveries d where d.region = ");
    sql.text(region).push(" and d.subscription_id = ").text(id);
    for row in sql.all(&mut **transaction).await? {
        super::delivery_queries::done(transaction, region, id, &row.text("message_id")?).await?;
    }
    Ok(())
}

/// Whether there are subscriptions that were asked for before `since` and never confirmed.
pub(crate) async fn has_forgotten(on: impl AnyExecutor<'_>, since: Timestamp) -> ApiResult<bool> {
    let mut sql =
        Sql::new("select 1 as n from sns_subscriptions s where s.is_confirmed = 0 and s.created_at < ");
    sql.int(since.0).push(" limit 1");
    Ok(sql.first(on).await?.is_some())
}

/// A subscription is asked for once more, from now on and from there.
pub(crate) async fn renew(on: impl AnyExecutor<'_>, row: &SubscriptionRow) -> ApiResult<()> {
    let mut sql = Sql::new("update sns_subscriptions set created_at = ");
    sql.int(row.created_at.0)
        .push(", base_url = ")
        .text(&row.base_url);
    sql.push(" where is_confirmed = 0 and region = ")
        .text(&row.region);
    sql.push(" and subscription_id = ").text(&row.id);
    sql.run(on).await?;
    Ok(())
}

/// Forgets subscriptions that were asked for before `since` and never confirmed.
pub(crate) async fn forget_pending(
    transaction: &mut Transaction<'static, Any>,
    since: Timestamp,
) -> ApiResult<()> {
    let mut sql =
        Sql::new("select s.* from sns_subscriptions s where s.is_confirmed = 0 and s.created_at < ");
    sql.int(since.0).push(" limit 100");
    for row in sql.all(&mut **transaction).await? {
        let row = SubscriptionRow::read(&row)?;
        delete_subscription(transaction, &row.region, &row.id).await?;
    }
    Ok(())
}
