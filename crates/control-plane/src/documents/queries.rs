//! SQL of the documents that accounts make themselves. Nothing else touches their table.

use crate::errors::ApiResult;
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql, StoreError};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// One version of a document.
#[derive(Clone, Debug)]
pub(crate) struct DocumentRow {
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) version: i64,
    /// Empty for none; so are the next two.
    pub(crate) version_name: String,
    pub(crate) display_name: String,
    pub(crate) target_type: String,
    pub(crate) document_type: String,
    pub(crate) schema_version: String,
    /// `JSON` or `YAML`: as it was given.
    pub(crate) format: String,
    pub(crate) content: String,
    pub(crate) sha256: String,
    /// The account.
    pub(crate) owner: String,
    pub(crate) created_at: Timestamp,
    pub(crate) is_default: bool,
}

impl DocumentRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            region: row.text("region")?,
            name: row.text("name")?,
            version: row.int("version")?,
            version_name: row.text("version_name")?,
            display_name: row.text("display_name")?,
            target_type: row.text("target_type")?,
            document_type: row.text("document_type")?,
            schema_version: row.text("schema_version")?,
            format: row.text("format")?,
            content: row.text("content")?,
            sha256: row.text("sha256")?,
            owner: row.text("owner")?,
            created_at: row.time("created_at")?,
            is_default: row.flag("is_default")?,
        })
    }
}

fn documents_sql() -> Sql {
    Sql::new(
        "select region, name, version, version_name, display_name, target_type, document_type, schema_version, format, \
         content, sha256, owner, created_at, is_default from ssm_documents ",
    )
}

async fn read_all(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<DocumentRow>> {
    sql.all(on).await?.iter().map(DocumentRow::read).collect()
}

/// All versions of a document, oldest first.
pub(crate) async fn versions(
    on: impl AnyExecutor<'_>,
    region: &str,
    name: &str,
) -> ApiResult<Vec<DocumentRow>> {
    let mut sql = documents_sql();
    sql.push("where region = ")
        .text(region)
        .push(" and name = ")
        .text(name);
    sql.push(" order by version");
    read_all(sql, on).await
}

/// The default version of every document of a region.
pub(crate) async fn defaults(on: impl AnyExecutor<'_>, region: &str) -> ApiResult<Vec<DocumentRow>> {
    let mut sql = documents_sql();
    sql.push("where region = ").text(region);
    sql.push(" and is_default = 1 order by name");
    read_all(sql, on).await
}

/// How many documents a region has.
pub(crate) async fn count(on: impl AnyExecutor<'_>, region: &str) -> ApiResult<i64> {
    let mut sql = Sql::new("select count(*) as n from ssm_documents where is_default = 1 and region = ");
    sql.text(region);
    Ok(sql.one(on).await?.int("n")?)
}

/// Keeps others from changing a document until the transaction ends; `false` when there is none of that name.
pub(crate) async fn lock(on: impl AnyExecutor<'_>, region: &str, name: &str) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_documents set is_default = is_default where region = ");
    sql.text(region).push(" and name = ").text(name);
    Ok(sql.run(on).await? > 0)
}

/// Adds a version; a violation of uniqueness says that it is there already.
pub(crate) async fn insert(on: impl AnyExecutor<'_>, row: &DocumentRow) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "insert into ssm_documents (region, name, version_name, display_name, target_type, document_type, schema_version, \
         format, content, sha256, owner, version, created_at, is_default) values (",
    );
    for text in [
        &row.region,
        &row.name,
        &row.version_name,
        &row.display_name,
        &row.target_type,
        &row.document_type,
        &row.schema_version,
        &row.format,
        &row.content,
        &row.sha256,
        &row.owner,
    ] {
        sql.text(text.as_str()).push(", ");
    }
    sql.int(row.version).push(", ").int(row.created_at.0);
    sql.push(", ").int(i64::from(row.is_default)).push(")");
    sql.run(on).await?;
    Ok(())
}

/// Makes that version the default one, and the others not. In one statement: there is always one.
pub(crate) async fn set_default(
    on: impl AnyExecutor<'_>,
    region: &str,
    name: &str,
    version: i64,
) -> ApiResult<()> {
    let mut sql = Sql::new("update ssm_documents set is_default = case when version = ");
    sql.int(version).push(" then 1 else 0 end where region = ");
    sql.text(region).push(" and name = ").text(name);
    sql.run(on).await?;
    Ok(())
}

/// Deletes one version, or all of them.
pub(crate) async fn delete(
    on: impl AnyExecutor<'_>,
    region: &str,
    name: &str,
    version: Option<i64>,
) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_documents where region = ");
    sql.text(region).push(" and name = ").text(name);
    if let Some(version) = version {
        sql.push(" and version = ").int(version);
    }
    sql.run(on).await?;
    Ok(())
}

/// With which accounts a document is shared, after an account, and which of its versions.
pub(crate) async fn shared_with(
    on: impl AnyExecutor<'_>,
    region: &str,
    name: &str,
    after: &str,
    limit: i64,
) -> ApiResult<Vec<(String, String)>> {
    let mut sql = Sql::new("select account_id, shared_version from ssm_document_permissions where region = ");
    sql.text(region).push(" and name = ").text(name);
    sql.push(" and account_id > ").text(after);
    sql.push(" order by account_id limit ").int(limit);
    let rows = sql.all(on).await?;
    let pair = |row: &AnyRow| Ok((row.text("account_id")?, row.text("shared_version")?));
    Ok(rows.iter().map(pair).collect::<Result<_, StoreError>>()?)
}

/// Shares a document with an account, or changes which version is shared.
pub(crate) async fn share(
    on: impl AnyExecutor<'_>,
    region: &str,
    name: &str,
    account: &str,
    version: &str,
) -> ApiResult<()> {
    let mut sql =
        Sql::new("insert into ssm_document_permissions (region, name, account_id, shared_version) values (");
    sql.text(region).push(", ").text(name);
    sql.push(", ").text(account).push(", ").text(version);
    sql.push(
        ") on conflict (region, name, account_id) do update set shared_version = excluded.shared_version",
    );
    sql.run(on).await?;
    Ok(())
}

/// Stops sharing a document with these accounts.
pub(crate) async fn unshare(
    on: impl AnyExecutor<'_>,
    region: &str,
    name: &str,
    accounts: &[String],
) -> ApiResult<()> {
    if accounts.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("delete from ssm_document_permissions where region = ");
    sql.text(region).push(" and name = ").text(name);
    sql.push(" and account_id in (").texts(accounts).push(")");
    sql.run(on).await?;
    Ok(())
}
