//! `DescribeSnapshots`: what nodes took of themselves, and how each stands.

use super::create_snapshot::ShownTag;
use super::snapshot_queries::{self as snapshots, STATE, SnapshotRow};
use super::wildcards::any_of;
use super::{FILTERS, Filter, IDS, SNAPSHOT_TAGS, check_dry_run, volume_id};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::paging::page;
use crate::tags;
use crate::validation::{ANY_TEXT, Member, Shape, optional, whole};
use muster_store::{Dialect, Sql};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) const INPUT: &[Member] = &[
    optional("MaxResults", whole(0, i32::MAX as i64)),
    optional("NextToken", ANY_TEXT),
    optional("OwnerIds", IDS),
    optional("SnapshotIds", IDS),
    optional("DryRun", Shape::Flag),
    optional("Filters", FILTERS),
];
/// Snapshots in one answer at most; SDKs go on by the token.
const AT_ONCE: usize = 1_000;
/// Ids and values that are taken at once, as EC2 has it.
const MOST: usize = 200;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    max_results: Option<usize>,
    next_token: Option<String>,
    snapshot_ids: Option<Vec<String>>,
    dry_run: Option<bool>,
    filters: Option<Vec<Filter>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    snapshot_id: String,
    volume_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    status_message: String,
    start_time: String,
    progress: &'static str,
    owner_id: String,
    description: String,
    encrypted: bool,
    tag_set: Vec<ShownTag>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    snapshot_set: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

const TAGGED: &str = " and exists (select 1 from ssm_tags t where t.resource_type = 'Snapshot' and t.region = s.region \
     and t.resource_id = s.snapshot_id and ";

fn add_filter(sql: &mut Sql, dialect: Dialect, filter: &Filter) -> ApiResult<()> {
    let invalid = |why: &str| {
        let name: String = filter.name.chars().take(128).collect();
        ApiError::new(
            "InvalidParameterValue",
            format!("The filter '{name}' is invalid{why}"),
        )
    };
    if filter.values.is_empty() || filter.values.len() > MOST {
        return Err(invalid(": it has 1 to 200 values"));
    }
    match filter.name.as_str() {
        "snapshot-id" => {
            sql.push(" and ");
            any_of(sql, dialect, "s.snapshot_id", &filter.values);
        }
        "description" => {
            sql.push(" and ");
            any_of(sql, dialect, "s.description", &filter.values);
        }
        "volume-id" => {
            // Also where only the beginning is given.
            let nodes: Vec<String> = filter
                .values
                .iter()
                .map(|id| id.replacen("vol-", "mi-", 1))
                .collect();
            sql.push(" and ");
            any_of(sql, dialect, "s.node_id", &nodes);
        }
        "status" => {
            sql.push(" and ");
            any_of(sql, dialect, STATE, &filter.values);
        }
        // There is one owner.
        "owner-id" | "owner-alias" => {}
        "tag-key" => {
            sql.push(TAGGED);
            any_of(sql, dialect, "t.tag_key", &filter.values);
            sql.push(")");
        }
        name => {
            let Some(key) = name.strip_prefix("tag:").filter(|key| !key.is_empty()) else {
                return Err(invalid(
                    ": known are tag:<key>, tag-key, snapshot-id, volume-id, status, description, owner-id",
                ));
            };
            sql.push(TAGGED).push("t.tag_key = ").text(key).push(" and ");
            any_of(sql, dialect, "t.tag_value", &filter.values);
            sql.push(")");
        }
    }
    Ok(())
}

fn shown(account: &str, row: SnapshotRow, tag_set: Vec<ShownTag>) -> Shown {
    let status = row.state();
    Shown {
        volume_id: volume_id(&row.node_id),
        status_message: if status == "error" {
            format!(
                "The node took none ({}): GetCommandInvocation tells more of the command {}.",
                row.details, row.command_id
            )
        } else {
            String::new()
        },
        status,
        start_time: row.started_at.rfc3339(),
        progress: if status == "completed" { "100%" } else { "" },
        owner_id: account.to_owned(),
        description: row.description,
        encrypted: false,
        snapshot_id: row.snapshot_id,
        tag_set,
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    check_dry_run(input.dry_run)?;
    let mut sql = snapshots::snapshots_sql(&call.region);
    let ids = input.snapshot_ids.unwrap_or_default();
    if ids.len() > MOST {
        return Err(ApiError::new(
            "InvalidParameterValue",
            format!("SnapshotId: at most {MOST} at once."),
        ));
    }
    for id in &ids {
        if !snapshots::is_there(plane.db.reader(), &call.region, id).await? {
            let id: String = id.chars().take(128).collect();
            return Err(ApiError::new(
                "InvalidSnapshot.NotFound",
                format!("The snapshot '{id}' does not exist."),
            ));
        }
    }
    if !ids.is_empty() {
        sql.push(" and s.snapshot_id in (").texts(&ids).push(")");
    }
    let filters = input.filters.unwrap_or_default();
    for filter in &filters {
        add_filter(&mut sql, plane.db.dialect(), filter)?;
    }
    let question: Vec<(&str, &[String])> = filters
        .iter()
        .map(|filter| (filter.name.as_str(), filter.values.as_slice()))
        .collect();
    let scope = format!("DescribeSnapshots|{}|{ids:?}|{question:?}", call.region);
    let after = plane.tokens.after(&scope, input.next_token.as_deref())?;
    let limit = input.max_results.unwrap_or(AT_ONCE).clamp(1, AT_ONCE);
    sql.push(" and s.snapshot_id > ").text(after);
    sql.push(" order by s.snapshot_id limit ")
        .int(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1));
    let rows = snapshots::snapshots(sql, plane.db.reader()).await?;
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, |row| {
        vec![row.snapshot_id.clone()]
    });
    let mut tags_of: BTreeMap<String, Vec<ShownTag>> = BTreeMap::new();
    let ids: Vec<String> = rows.iter().map(|row| row.snapshot_id.clone()).collect();
    for some in ids.chunks(400) {
        let found = tags::queries::of_many(plane.db.reader(), &call.region, SNAPSHOT_TAGS, some).await?;
        for (id, (key, value)) in found {
            tags_of.entry(id).or_default().push(ShownTag { key, value });
        }
    }
    let account = &plane.config.account;
    Ok(Output {
        snapshot_set: rows
            .into_iter()
            .map(|row| {
                let tag_set = tags_of.remove(&row.snapshot_id).unwrap_or_default();
                shown(account, row, tag_set)
            })
            .collect(),
        next_token,
    })
}
