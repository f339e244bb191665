//! SQL of what executions are run over. Nothing else touches their table.

use super::queries::{json, text};
use crate::documents::parameters::Given;
use crate::errors::ApiResult;
use muster_store::{RowExt, Sql};
use sqlx::{Any, AnyExecutor, Transaction};

/// A target.
#[derive(Clone, Debug)]
pub(crate) struct TargetRow {
    pub(crate) position: i64,
    /// The parameters that it gives.
    pub(crate) given: Given,
}

/// Targets in one statement: below the number of placeholders that either engine takes.
const AT_ONCE: usize = 200;

pub(crate) async fn insert(
    transaction: &mut Transaction<'static, Any>,
    execution_id: &str,
    all: &[Given],
) -> ApiResult<()> {
    for (part, givens) in all.chunks(AT_ONCE).enumerate() {
        let mut sql =
            Sql::new("insert into ssm_automation_targets (execution_id, position, given, child_id) values ");
        for (at, given) in givens.iter().enumerate() {
            let position = i64::try_from(part * AT_ONCE + at).unwrap_or(i64::MAX);
            sql.push(if at == 0 { "(" } else { ", (" }).text(execution_id);
            sql.push(", ")
                .int(position)
                .push(", ")
                .text(text(given)?)
                .push(", '')");
        }
        sql.run(&mut **transaction).await?;
    }
    Ok(())
}

fn read(row: &sqlx::any::AnyRow) -> ApiResult<TargetRow> {
    Ok(TargetRow {
        position: row.int("position")?,
        given: json(row, "given")?,
    })
}

/// The next ones that nothing was started for.
pub(crate) async fn waiting(
    on: impl AnyExecutor<'_>,
    execution_id: &str,
    most: i64,
) -> ApiResult<Vec<TargetRow>> {
    let mut sql = Sql::new("select position, given from ssm_automation_targets where execution_id = ");
    sql.text(execution_id);
    sql.push(" and child_id = '' order by position limit ").int(most);
    sql.all(on).await?.iter().map(read).collect()
}

/// The first ones, for an answer.
pub(crate) async fn first(on: impl AnyExecutor<'_>, execution_id: &str, most: i64) -> ApiResult<Vec<Given>> {
    let mut sql = Sql::new("select position, given from ssm_automation_targets where execution_id = ");
    sql.text(execution_id);
    sql.push(" order by position limit ").int(most);
    let rows = sql.all(on).await?;
    rows.iter().map(|row| read(row).map(|row| row.given)).collect()
}

/// Notes what was started for a target. `false` when something was already.
pub(crate) async fn started(
    on: impl AnyExecutor<'_>,
    execution_id: &str,
    position: i64,
    child_id: &str,
) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_automation_targets set child_id = ");
    sql.text(child_id)
        .push(" where execution_id = ")
        .text(execution_id);
    sql.push(" and position = ")
        .int(position)
        .push(" and child_id = ''");
    Ok(sql.run(on).await? == 1)
}
