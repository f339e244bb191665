//! SQL of parameters and their versions; `label_queries` has that of their labels. Nothing else touches these tables.

use super::policies::Policy;
use crate::errors::{ApiError, ApiResult};
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql, StoreError};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyExecutor, Transaction};

/// One version of a parameter.
#[derive(Clone, Debug)]
pub(crate) struct ParameterRow {
    pub(crate) region: String,
    /// The name without its leading slash.
    pub(crate) key: String,
    /// As it was spelled when it was made.
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) kind: String,
    /// Sealed, in base64, when it is a SecureString.
    pub(crate) value: String,
    /// As it was given; empty when it is not sealed.
    pub(crate) key_id: String,
    pub(crate) description: String,
    pub(crate) allowed_pattern: String,
    pub(crate) tier: String,
    pub(crate) data_type: String,
    pub(crate) policies: Vec<Policy>,
    pub(crate) policy_due_at: Option<Timestamp>,
    pub(crate) modified_at: Timestamp,
    pub(crate) modified_by: String,
}

impl ParameterRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        let policies = row.text("policies")?;
        Ok(Self {
            region: row.text("region")?,
            key: row.text("name_key")?,
            name: row.text("name")?,
            version: row.int("version")?,
            kind: row.text("type")?,
            value: row.text("value")?,
            key_id: row.text("key_id")?,
            description: row.text("description")?,
            allowed_pattern: row.text("allowed_pattern")?,
            tier: row.text("tier")?,
            data_type: row.text("data_type")?,
            policies: if policies.is_empty() {
                Vec::new()
            } else {
                serde_json::from_str(&policies).map_err(ApiError::internal)?
            },
            policy_due_at: row.time_or_none("policy_due_at")?,
            modified_at: row.time("modified_at")?,
            modified_by: row.text("modified_by")?,
        })
    }
}

fn rows_sql() -> Sql {
    Sql::new(
        "select region, name_key, name, version, type, value, key_id, description, allowed_pattern, tier, data_type, \
         policies, policy_due_at, modified_at, modified_by from ssm_parameters where ",
    )
}

fn one_sql(region: &str, key: &str) -> Sql {
    let mut sql = rows_sql();
    sql.push("region = ")
        .text(region)
        .push(" and name_key = ")
        .text(key);
    sql
}

async fn first(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Option<ParameterRow>> {
    sql.first(on)
        .await?
        .map(|row| ParameterRow::read(&row))
        .transpose()
}

async fn all(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<ParameterRow>> {
    sql.all(on).await?.iter().map(ParameterRow::read).collect()
}

/// The newest version.
pub(crate) async fn current(
    on: impl AnyExecutor<'_>,
    region: &str,
    key: &str,
) -> ApiResult<Option<ParameterRow>> {
    let mut sql = one_sql(region, key);
    sql.push(" and is_current = 1");
    first(sql, on).await
}

/// That version.
pub(crate) async fn version(
    on: impl AnyExecutor<'_>,
    region: &str,
    key: &str,
    version: i64,
) -> ApiResult<Option<ParameterRow>> {
    let mut sql = one_sql(region, key);
    sql.push(" and version = ").int(version);
    first(sql, on).await
}

/// The version that has that label.
pub(crate) async fn labelled(
    on: impl AnyExecutor<'_>,
    region: &str,
    key: &str,
    label: &str,
) -> ApiResult<Option<ParameterRow>> {
    let mut sql = one_sql(region, key);
    sql.push(" and version = (select l.version from ssm_parameter_labels l where l.region = ");
    sql.text(region).push(" and l.name_key = ").text(key);
    sql.push(" and l.label = ").text(label).push(")");
    first(sql, on).await
}

/// Versions after that one, oldest first.
pub(crate) async fn history(
    on: impl AnyExecutor<'_>,
    region: &str,
    key: &str,
    after: i64,
    limit: i64,
) -> ApiResult<Vec<ParameterRow>> {
    let mut sql = one_sql(region, key);
    sql.push(" and version > ").int(after);
    sql.push(" order by version limit ").int(limit);
    all(sql, on).await
}

/// Which of the parameters of a region a list goes through, in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Range {
    All,
    /// Exactly these.
    Keys(Vec<String>),
    /// Keys that begin so; never empty.
    Prefix(String),
    /// Those directly under that path; empty for the root.
    Parent(String),
}

/// The first text after all that begin with `prefix`. Keys are ASCII, and so is what follows their last character.
fn end_of(prefix: &str) -> String {
    let mut bytes = prefix.as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last = last.saturating_add(1).min(0x7f);
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// Current versions in a range, after a key.
pub(crate) async fn list(
    on: impl AnyExecutor<'_>,
    region: &str,
    range: &Range,
    after: &str,
    limit: i64,
) -> ApiResult<Vec<ParameterRow>> {
    let mut sql = rows_sql();
    sql.push("is_current = 1 and region = ").text(region);
    match range {
        Range::All => {}
        Range::Keys(keys) => {
            sql.push(" and name_key in (").texts(keys).push(")");
        }
        Range::Prefix(prefix) => {
            sql.push(" and name_key < ").text(end_of(prefix));
            if prefix.as_str() > after {
                sql.push(" and name_key >= ").text(prefix.as_str());
            }
        }
        Range::Parent(parent) => {
            sql.push(" and parent = ").text(parent.as_str());
        }
    }
    sql.push(" and name_key > ").text(after);
    sql.push(" order by name_key limit ").int(limit);
    all(sql, on).await
}

/// Versions of these parameters that have one of these labels, by key and version.
pub(crate) async fn labelled_of(
    on: impl AnyExecutor<'_>,
    region: &str,
    keys: &[String],
    labels: &[String],
) -> ApiResult<Vec<ParameterRow>> {
    if keys.is_empty() || labels.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = rows_sql();
    sql.push("region = ").text(region);
    sql.push(" and name_key in (").texts(keys);
    sql.push(") and exists (select 1 from ssm_parameter_labels l where l.region = ssm_parameters.region");
    sql.push(
        " and l.name_key = ssm_parameters.name_key and l.version = ssm_parameters.version and l.label in (",
    );
    sql.texts(labels).push(")) order by name_key, version");
    all(sql, on).await
}

/// How many parameters of a tier a region has; no more than `most` are counted.
pub(crate) async fn count(on: impl AnyExecutor<'_>, region: &str, tier: &str, most: i64) -> ApiResult<i64> {
    let mut sql = Sql::new(
        "select count(*) as n from (select 1 as one from ssm_parameters where is_current = 1 and region = ",
    );
    sql.text(region).push(" and tier = ").text(tier);
    sql.push(" limit ").int(most).push(") counted");
    Ok(sql.one(on).await?.int("n")?)
}

/// Adds a version as the current one; a violation of uniqueness says that somebody else was faster.
pub(crate) async fn insert(
    on: impl AnyExecutor<'_>,
    row: &ParameterRow,
    parent: &str,
) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "insert into ssm_parameters (region, name_key, parent, name, type, value, key_id, description, allowed_pattern, \
         tier, data_type, policies, modified_by, policy_due_at, version, modified_at, is_current) values (",
    );
    let policies = policies_text(&row.policies);
    for text in [
        &row.region,
        &row.key,
        &parent.to_owned(),
        &row.name,
        &row.kind,
        &row.value,
        &row.key_id,
        &row.description,
        &row.allowed_pattern,
        &row.tier,
        &row.data_type,
        &policies,
        &row.modified_by,
    ] {
        sql.text(text.as_str()).push(", ");
    }
    sql.int_or_none(row.policy_due_at.map(|at| at.0)).push(", ");
    sql.int(row.version)
        .push(", ")
        .int(row.modified_at.0)
        .push(", 1)");
    sql.run(on).await?;
    Ok(())
}

fn policies_text(policies: &[Policy]) -> String {
    if policies.is_empty() {
        String::new()
    } else {
        serde_json::to_string(policies).unwrap_or_default()
    }
}

/// Makes that version an old one; `false` when it is no longer the current one.
pub(crate) async fn retire(on: impl AnyExecutor<'_>, row: &ParameterRow) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_parameters set is_current = 0, policy_due_at = null where region = ");
    sql.text(row.region.as_str())
        .push(" and name_key = ")
        .text(row.key.as_str());
    sql.push(" and is_current = 1 and version = ").int(row.version);
    Ok(sql.run(on).await? == 1)
}

/// Keeps others from changing the parameter until the transaction ends; `false` when it is not there.
pub(crate) async fn lock(
    transaction: &mut Transaction<'static, Any>,
    region: &str,
    key: &str,
) -> ApiResult<bool> {
    /// A new version may have come while this waited for the old one; it hardly comes so often.
    const TRIES: usize = 8;
    for _ in 0..TRIES {
        if lock_current(&mut **transaction, region, key).await? {
            return Ok(true);
        }
        if current(&mut **transaction, region, key).await?.is_none() {
            return Ok(false);
        }
    }
    Err(ApiError::new(
        "TooManyUpdates",
        "There are concurrent updates for a resource that supports one update at a time: try again.",
    ))
}

async fn lock_current(on: impl AnyExecutor<'_>, region: &str, key: &str) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_parameters set is_current = 1 where is_current = 1 and region = ");
    sql.text(region).push(" and name_key = ").text(key);
    Ok(sql.run(on).await? == 1)
}

/// The oldest version, and how many there are.
pub(crate) async fn oldest(on: impl AnyExecutor<'_>, region: &str, key: &str) -> ApiResult<(i64, i64)> {
    let mut sql = Sql::new(
        "select coalesce(min(version), 0) as oldest, count(*) as n from ssm_parameters where region = ",
    );
    sql.text(region).push(" and name_key = ").text(key);
    let row = sql.one(on).await?;
    Ok((row.int("oldest")?, row.int("n")?))
}

/// Deletes one version.
pub(crate) async fn delete_version(
    on: impl AnyExecutor<'_>,
    region: &str,
    key: &str,
    version: i64,
) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_parameters where region = ");
    sql.text(region).push(" and name_key = ").text(key);
    sql.push(" and version = ").int(version);
    sql.run(on).await?;
    Ok(())
}

/// Deletes a parameter with its labels; `false` when it is not there.
pub(crate) async fn delete(
    transaction: &mut Transaction<'static, Any>,
    region: &str,
    key: &str,
) -> ApiResult<bool> {
    // First of all: nobody adds a version or a label meanwhile.
    if !lock(transaction, region, key).await? {
        return Ok(false);
    }
    let mut labels = Sql::new("delete from ssm_parameter_labels where region = ");
    labels.text(region).push(" and name_key = ").text(key);
    labels.run(&mut **transaction).await?;
    let mut versions = Sql::new("delete from ssm_parameters where region = ");
    versions.text(region).push(" and name_key = ").text(key);
    Ok(versions.run(&mut **transaction).await? > 0)
}

/// Parameters, of all regions, whose next policy is due.
pub(crate) async fn due(
    on: impl AnyExecutor<'_>,
    now: Timestamp,
    limit: i64,
) -> ApiResult<Vec<ParameterRow>> {
    let mut sql = rows_sql();
    sql.push("policy_due_at is not null and policy_due_at <= ")
        .int(now.0);
    sql.push(" order by policy_due_at limit ").int(limit);
    all(sql, on).await
}

/// Writes down what has become of the policies of a version.
pub(crate) async fn set_policies(
    on: impl AnyExecutor<'_>,
    row: &ParameterRow,
    policies: &[Policy],
    due_at: Option<Timestamp>,
) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_parameters set policies = ");
    sql.text(policies_text(policies)).push(", policy_due_at = ");
    sql.int_or_none(due_at.map(|at| at.0)).push(" where region = ");
    sql.text(row.region.as_str())
        .push(" and name_key = ")
        .text(row.key.as_str());
    sql.push(" and is_current = 1 and version = ").int(row.version);
    Ok(sql.run(on).await? == 1)
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn a_prefix_ends_before_what_comes_after_it() {
        let end = end_of("a/b");
        assert!("a/b" < end.as_str() && "a/bzzz" < end.as_str() && end.as_str() <= "a/c");
        assert!("a/" < end_of("a/").as_str() && "a0" >= end_of("a/").as_str());
    }
}
