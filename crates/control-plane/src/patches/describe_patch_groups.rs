//! `DescribePatchGroups`: each with its baseline.

use super::describe_patch_baselines::{Identity, identity};
use super::find;
use super::queries::{self, GroupRow};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, optional, whole};
use crate::windows::filters::{FILTERS, Filter, Filters};
use muster_store::sql::prefix_pattern;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    optional("MaxResults", whole(1, 100)),
    FILTERS,
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    max_results: Option<usize>,
    filters: Option<Vec<Filter>>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Mapping {
    patch_group: String,
    baseline_identity: Identity,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    mappings: Vec<Mapping>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = Filters::read(input.filters, &["NAME_PREFIX", "OPERATING_SYSTEM"])?;
    let mut sql = queries::groups_sql(&call.region);
    for (key, values) in filters.all() {
        if key == "OPERATING_SYSTEM" {
            sql.push(" and operating_system in (").texts(values).push(")");
        } else {
            for (at, value) in values.iter().enumerate() {
                sql.push(if at == 0 { " and (" } else { " or " });
                sql.push("lower(patch_group) like ")
                    .text(prefix_pattern(value))
                    .push(" escape '\\'");
            }
            sql.push(")");
        }
    }
    let scope = format!("DescribePatchGroups|{}|{:?}", call.region, filters.all());
    if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
        let position = plane.tokens.open(&scope, token)?;
        let part = |at: usize| position.get(at).cloned().unwrap_or_default();
        sql.push(" and (patch_group > ")
            .text(part(0))
            .push(" or (patch_group = ")
            .text(part(0));
        sql.push(" and operating_system > ").text(part(1)).push("))");
    }
    let limit = input.max_results.unwrap_or(100);
    sql.push(" order by patch_group, operating_system limit ")
        .int(limit as i64 + 1);
    let rows = queries::groups(sql, plane.db.reader()).await?;
    let position = |row: &GroupRow| vec![row.patch_group.clone(), row.operating_system.clone()];
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, position);
    let mut mappings = Vec::with_capacity(rows.len());
    for row in rows {
        let baseline = match find(plane, &call.region, &row.baseline_id).await {
            Ok(baseline) => baseline,
            Err(error) if error.code == "DoesNotExistException" => continue,
            Err(error) => return Err(error),
        };
        mappings.push(Mapping {
            patch_group: row.patch_group,
            baseline_identity: identity(plane, baseline).await?,
        });
    }
    Ok(Output { mappings, next_token })
}
