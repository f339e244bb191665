//! SQL of compliance. Nothing else touches its tables.

use super::SeveritySummary;
use crate::errors::{ApiError, ApiResult};
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use serde_json::{Map, Value};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyExecutor, Transaction};

/// What something holds of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) region: String,
    pub(crate) id: String,
    pub(crate) kind: String,
}

impl Resource {
    /// A node.
    pub(crate) fn node(region: &str, node_id: &str) -> Self {
        Self {
            region: region.to_owned(),
            id: node_id.to_owned(),
            kind: "ManagedInstance".into(),
        }
    }
}

/// The run that found it out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Execution {
    pub(crate) at: Timestamp,
    pub(crate) id: String,
    pub(crate) kind: String,
}

impl Execution {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            at: row.time("execution_at")?,
            id: row.text("execution_id")?,
            kind: row.text("execution_type")?,
        })
    }
}

/// One thing that holds or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) severity: String,
    /// `COMPLIANT` or `NON_COMPLIANT`.
    pub(crate) status: String,
    pub(crate) details: Map<String, Value>,
}

/// A resource as a whole, in one type.
#[derive(Clone, Debug)]
pub(crate) struct ResourceRow {
    pub(crate) resource: Resource,
    pub(crate) compliance_type: String,
    pub(crate) status: String,
    pub(crate) severity: String,
    pub(crate) compliant: SeveritySummary,
    pub(crate) non_compliant: SeveritySummary,
    pub(crate) content_hash: String,
    pub(crate) execution: Execution,
}

impl ResourceRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        let summary = |column: &str| -> ApiResult<SeveritySummary> {
            serde_json::from_str(&row.text(column)?).map_err(ApiError::internal)
        };
        Ok(Self {
            resource: Resource {
                region: row.text("region")?,
                id: row.text("resource_id")?,
                kind: row.text("resource_type")?,
            },
            compliance_type: row.text("compliance_type")?,
            status: row.text("status")?,
            severity: row.text("severity")?,
            compliant: summary("compliant")?,
            non_compliant: summary("non_compliant")?,
            content_hash: row.text("content_hash")?,
            execution: Execution::read(row)?,
        })
    }
}

fn of(sql: &mut Sql, resource: &Resource, compliance_type: &str) {
    sql.text(&resource.region);
    sql.push(" and resource_id = ").text(&resource.id);
    sql.push(" and compliance_type = ").text(compliance_type);
}

/// Rows in one insert: well below the number of placeholders that either engine takes.
const ROWS_AT_ONCE: usize = 400;

pub(crate) async fn put_items(
    transaction: &mut Transaction<'static, Any>,
    resource: &Resource,
    compliance_type: &str,
    items: &[Item],
    execution: &Execution,
) -> ApiResult<()> {
    for some in items.chunks(ROWS_AT_ONCE) {
        let mut sql = Sql::new(
            "insert into ssm_compliance_items (region, resource_id, compliance_type, item_id, title, severity, status, \
             details, execution_id, execution_type, execution_at) values ",
        );
        for (at, item) in some.iter().enumerate() {
            sql.push(if at == 0 { "(" } else { ", (" });
            let details = serde_json::to_string(&item.details).map_err(ApiError::internal)?;
            for text in [
                resource.region.as_str(),
                &resource.id,
                compliance_type,
                &item.id,
                &item.title,
                &item.severity,
                &item.status,
                &details,
                &execution.id,
                &execution.kind,
            ] {
                sql.text(text).push(", ");
            }
            sql.int(execution.at.0).push(")");
        }
        sql.push(
            " on conflict (region, resource_id, compliance_type, item_id) do update set title = excluded.title, \
             severity = excluded.severity, status = excluded.status, details = excluded.details, \
             execution_id = excluded.execution_id, execution_type = excluded.execution_type, \
             execution_at = excluded.execution_at",
        );
        sql.run(&mut **transaction).await?;
    }
    Ok(())
}

pub(crate) async fn delete_items(
    on: impl AnyExecutor<'_>,
    resource: &Resource,
    compliance_type: &str,
) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_compliance_items where region = ");
    of(&mut sql, resource, compliance_type);
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn delete_item(
    on: impl AnyExecutor<'_>,
    resource: &Resource,
    compliance_type: &str,
    item_id: &str,
) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_compliance_items where region = ");
    of(&mut sql, resource, compliance_type);
    sql.push(" and item_id = ").text(item_id);
    sql.run(on).await?;
    Ok(())
}

/// Status and severity of each item.
pub(crate) async fn states(
    on: impl AnyExecutor<'_>,
    resource: &Resource,
    compliance_type: &str,
) -> ApiResult<Vec<(String, String)>> {
    let mut sql = Sql::new("select status, severity from ssm_compliance_items where region = ");
    of(&mut sql, resource, compliance_type);
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| Ok((row.text("status")?, row.text("severity")?)))
        .collect()
}

/// Items of a resource, by id, each with the run that found it out.
pub(crate) async fn items(
    on: impl AnyExecutor<'_>,
    resource: &Resource,
    compliance_type: &str,
) -> ApiResult<Vec<(Item, Execution)>> {
    let mut sql = Sql::new("select * from ssm_compliance_items where region = ");
    of(&mut sql, resource, compliance_type);
    sql.push(" order by item_id");
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| {
            let item = Item {
                id: row.text("item_id")?,
                title: row.text("title")?,
                severity: row.text("severity")?,
                status: row.text("status")?,
                details: serde_json::from_str(&row.text("details")?).map_err(ApiError::internal)?,
            };
            Ok((item, Execution::read(row)?))
        })
        .collect()
}

/// Begins a query for resources of a region; conditions speak of the table as `r`.
pub(crate) fn resources_sql(region: &str) -> Sql {
    let mut sql = Sql::new("select r.* from ssm_compliance_resources r where r.region = ");
    sql.text(region);
    sql
}

pub(crate) async fn resources(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<ResourceRow>> {
    sql.all(on).await?.iter().map(ResourceRow::read).collect()
}

/// One resource as a whole.
pub(crate) async fn resource(
    on: impl AnyExecutor<'_>,
    resource: &Resource,
    compliance_type: &str,
) -> ApiResult<Option<ResourceRow>> {
    let mut sql = resources_sql(&resource.region);
    sql.push(" and r.resource_id = ").text(&resource.id);
    sql.push(" and r.compliance_type = ").text(compliance_type);
    Ok(resources(sql, on).await?.pop())
}

/// The resources that have that item.
pub(crate) async fn with_item(
    on: impl AnyExecutor<'_>,
    region: &str,
    compliance_type: &str,
    item_id: &str,
) -> ApiResult<Vec<ResourceRow>> {
    let mut sql = resources_sql(region);
    sql.push(" and r.compliance_type = ").text(compliance_type);
    sql.push(
        " and exists (select 1 from ssm_compliance_items i where i.region = r.region and \
         i.resource_id = r.resource_id and i.compliance_type = r.compliance_type and i.item_id = ",
    );
    sql.text(item_id).push(")");
    resources(sql, on).await
}

pub(crate) async fn put_resource(on: impl AnyExecutor<'_>, row: &ResourceRow) -> ApiResult<()> {
    let summary = |of: &SeveritySummary| serde_json::to_string(of).map_err(ApiError::internal);
    let mut sql = Sql::new(
        "insert into ssm_compliance_resources (region, resource_id, compliance_type, resource_type, status, severity, \
         compliant, non_compliant, content_hash, execution_id, execution_type, execution_at) values (",
    );
    for text in [
        row.resource.region.as_str(),
        &row.resource.id,
        &row.compliance_type,
        &row.resource.kind,
        &row.status,
        &row.severity,
        &summary(&row.compliant)?,
        &summary(&row.non_compliant)?,
        &row.content_hash,
        &row.execution.id,
        &row.execution.kind,
    ] {
        sql.text(text).push(", ");
    }
    sql.int(row.execution.at.0);
    sql.push(
        ") on conflict (region, resource_id, compliance_type) do update set resource_type = excluded.resource_type, \
         status = excluded.status, severity = excluded.severity, compliant = excluded.compliant, \
         non_compliant = excluded.non_compliant, content_hash = excluded.content_hash, \
         execution_id = excluded.execution_id, execution_type = excluded.execution_type, \
         execution_at = excluded.execution_at",
    );
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn delete_resource(
    on: impl AnyExecutor<'_>,
    resource: &Resource,
    compliance_type: &str,
) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_compliance_resources where region = ");
    of(&mut sql, resource, compliance_type);
    sql.run(on).await?;
    Ok(())
}

/// Forgets everything of a node that is one no more.
pub(crate) async fn delete_node(
    transaction: &mut Transaction<'static, Any>,
    region: &str,
    node_id: &str,
) -> ApiResult<()> {
    for start in [
        "delete from ssm_compliance_items where region = ",
        "delete from ssm_compliance_resources where region = ",
    ] {
        let mut sql = Sql::new(start);
        sql.text(region).push(" and resource_id = ").text(node_id);
        sql.run(&mut **transaction).await?;
    }
    Ok(())
}

/// How many resources of a type have a status and a severity.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(crate) compliance_type: String,
    pub(crate) status: String,
    pub(crate) severity: String,
    pub(crate) count: i64,
}

/// Of all types of a region; `sql` ends behind its conditions.
pub(crate) async fn counted(mut sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<Counted>> {
    sql.push(" group by r.compliance_type, r.status, r.severity order by r.compliance_type");
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| {
            Ok(Counted {
                compliance_type: row.text("compliance_type")?,
                status: row.text("status")?,
                severity: row.text("severity")?,
                count: row.int("n")?,
            })
        })
        .collect()
}

/// Begins a query for [`counted`].
pub(crate) fn counted_sql(region: &str) -> Sql {
    let mut sql = Sql::new(
        "select r.compliance_type, r.status, r.severity, count(*) as n from ssm_compliance_resources r \
         where r.region = ",
    );
    sql.text(region);
    sql
}
