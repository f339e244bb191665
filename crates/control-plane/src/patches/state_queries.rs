//! SQL of how nodes stand with their patches. Nothing else touches the table.

use crate::errors::ApiResult;
use muster_domain::Timestamp;
use muster_patching::Counts;
use muster_store::{RowExt, Sql};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// The last run on a node.
#[derive(Clone, Debug, Default)]
pub(crate) struct StateRow {
    pub(crate) region: String,
    pub(crate) node_id: String,
    pub(crate) patch_group: String,
    pub(crate) baseline_id: String,
    pub(crate) snapshot_id: String,
    pub(crate) owner_information: String,
    pub(crate) operation: String,
    pub(crate) reboot_option: String,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Timestamp,
    pub(crate) last_no_reboot_at: Option<Timestamp>,
    pub(crate) counts: Counts,
}

impl StateRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            region: row.text("region")?,
            node_id: row.text("node_id")?,
            patch_group: row.text("patch_group")?,
            baseline_id: row.text("baseline_id")?,
            snapshot_id: row.text("snapshot_id")?,
            owner_information: row.text("owner_information")?,
            operation: row.text("operation")?,
            reboot_option: row.text("reboot_option")?,
            started_at: row.time("started_at")?,
            ended_at: row.time("ended_at")?,
            last_no_reboot_at: row.time_or_none("last_no_reboot_at")?,
            counts: Counts {
                installed_count: row.int("installed_count")?,
                installed_other_count: row.int("installed_other_count")?,
                installed_pending_reboot_count: row.int("installed_pending_reboot_count")?,
                installed_rejected_count: row.int("installed_rejected_count")?,
                missing_count: row.int("missing_count")?,
                failed_count: row.int("failed_count")?,
                available_security_update_count: row.int("available_security_update_count")?,
                critical_non_compliant_count: row.int("critical_non_compliant_count")?,
                security_non_compliant_count: row.int("security_non_compliant_count")?,
                other_non_compliant_count: row.int("other_non_compliant_count")?,
            },
        })
    }
}

/// Begins a query for states of a region.
pub(crate) fn states_sql(region: &str) -> Sql {
    let mut sql = Sql::new("select * from ssm_patch_states where region = ");
    sql.text(region);
    sql
}

pub(crate) async fn states(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<StateRow>> {
    sql.all(on).await?.iter().map(StateRow::read).collect()
}

/// The last run that did not reboot is remembered by the ones after it.
pub(crate) async fn put(on: impl AnyExecutor<'_>, row: &StateRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_patch_states (region, node_id, patch_group, baseline_id, snapshot_id, owner_information, \
         operation, reboot_option, started_at, ended_at, installed_count, installed_other_count, \
         installed_pending_reboot_count, installed_rejected_count, missing_count, failed_count, \
         available_security_update_count, critical_non_compliant_count, security_non_compliant_count, \
         other_non_compliant_count, last_no_reboot_at) values (",
    );
    for text in [
        &row.region,
        &row.node_id,
        &row.patch_group,
        &row.baseline_id,
        &row.snapshot_id,
        &row.owner_information,
        &row.operation,
        &row.reboot_option,
    ] {
        sql.text(text).push(", ");
    }
    let c = &row.counts;
    for number in [
        row.started_at.0,
        row.ended_at.0,
        c.installed_count,
        c.installed_other_count,
        c.installed_pending_reboot_count,
        c.installed_rejected_count,
        c.missing_count,
        c.failed_count,
        c.available_security_update_count,
        c.critical_non_compliant_count,
        c.security_non_compliant_count,
        c.other_non_compliant_count,
    ] {
        sql.int(number).push(", ");
    }
    sql.int_or_none(row.last_no_reboot_at.map(|at| at.0));
    sql.push(
        ") on conflict (region, node_id) do update set patch_group = excluded.patch_group, \
         baseline_id = excluded.baseline_id, snapshot_id = excluded.snapshot_id, \
         owner_information = excluded.owner_information, operation = excluded.operation, \
         reboot_option = excluded.reboot_option, started_at = excluded.started_at, ended_at = excluded.ended_at, \
         installed_count = excluded.installed_count, installed_other_count = excluded.installed_other_count, \
         installed_pending_reboot_count = excluded.installed_pending_reboot_count, \
         installed_rejected_count = excluded.installed_rejected_count, missing_count = excluded.missing_count, \
         failed_count = excluded.failed_count, \
         available_security_update_count = excluded.available_security_update_count, \
         critical_non_compliant_count = excluded.critical_non_compliant_count, \
         security_non_compliant_count = excluded.security_non_compliant_count, \
         other_non_compliant_count = excluded.other_non_compliant_count, \
         last_no_reboot_at = coalesce(excluded.last_no_reboot_at, ssm_patch_states.last_no_reboot_at)",
    );
    sql.run(on).await?;
    Ok(())
}

/// How many nodes of a group have how many patches of a kind: the columns that `DescribePatchGroupState` counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupCounts {
    pub(crate) nodes: i64,
    pub(crate) installed: i64,
    pub(crate) installed_other: i64,
    pub(crate) pending_reboot: i64,
    pub(crate) rejected: i64,
    pub(crate) missing: i64,
    pub(crate) failed: i64,
    pub(crate) available: i64,
    pub(crate) critical: i64,
    pub(crate) security: i64,
    pub(crate) other: i64,
}

pub(crate) async fn of_group(
    on: impl AnyExecutor<'_>,
    region: &str,
    patch_group: &str,
) -> ApiResult<GroupCounts> {
    let mut sql = Sql::new(
        "select count(*) as nodes, count(case when installed_count > 0 then 1 end) as installed, \
         count(case when installed_other_count > 0 then 1 end) as installed_other, \
         count(case when installed_pending_reboot_count > 0 then 1 end) as pending_reboot, \
         count(case when installed_rejected_count > 0 then 1 end) as rejected, \
         count(case when missing_count > 0 then 1 end) as missing, \
         count(case when failed_count > 0 then 1 end) as failed, \
         count(case when available_security_update_count > 0 then 1 end) as available, \
         count(case when critical_non_compliant_count > 0 then 1 end) as critical, \
         count(case when security_non_compliant_count > 0 then 1 end) as security, \
         count(case when other_non_compliant_count > 0 then 1 end) as other \
         from ssm_patch_states where region = ",
    );
    sql.text(region).push(" and patch_group = ").text(patch_group);
    let row = sql.one(on).await?;
    Ok(GroupCounts {
        nodes: row.int("nodes")?,
        installed: row.int("installed")?,
        installed_other: row.int("installed_other")?,
        pending_reboot: row.int("pending_reboot")?,
        rejected: row.int("rejected")?,
        missing: row.int("missing")?,
        failed: row.int("failed")?,
        available: row.int("available")?,
        critical: row.int("critical")?,
        security: row.int("security")?,
        other: row.int("other")?,
    })
}

/// Forgets a node that is one no more.
pub(crate) async fn delete(on: impl AnyExecutor<'_>, region: &str, node_id: &str) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_patch_states where region = ");
    sql.text(region).push(" and node_id = ").text(node_id);
    sql.run(on).await?;
    Ok(())
}
