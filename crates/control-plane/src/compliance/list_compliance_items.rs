//! `ListComplianceItems`: resource by resource. A page may be short: it is counted before it is filtered.

use super::PATCH;
use super::filters::{self, FILTERS, Filter};
use super::queries::{self, Execution, Item, ResourceRow};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use crate::inventory::queries as inventory;
use crate::operations::Call;
use crate::patches::reported::{COMPLIANCE, Line, item_of};
use crate::validation::{Member, NEXT_TOKEN, list, optional, text, whole};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) const INPUT: &[Member] = &[
    FILTERS,
    optional("ResourceIds", list(1, usize::MAX, &text(1, 100))),
    optional("ResourceTypes", list(1, usize::MAX, &text(1, 50))),
    optional("NextToken", NEXT_TOKEN),
    optional("MaxResults", whole(1, 50)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    filters: Option<Vec<Filter>>,
    resource_ids: Option<Vec<String>>,
    resource_types: Option<Vec<String>>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

/// The run that found it out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ExecutionSummary {
    execution_time: f64,
    #[serde(skip_serializing_if = "String::is_empty")]
    execution_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    execution_type: String,
}

impl From<Execution> for ExecutionSummary {
    fn from(execution: Execution) -> Self {
        Self {
            execution_time: seconds(execution.at),
            execution_id: execution.id,
            execution_type: execution.kind,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    compliance_type: String,
    resource_type: String,
    resource_id: String,
    id: String,
    title: String,
    status: String,
    severity: String,
    execution_summary: ExecutionSummary,
    details: Map<String, Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    compliance_items: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

async fn items_of(plane: &ControlPlane, row: &ResourceRow) -> ApiResult<Vec<(Item, Execution)>> {
    if row.compliance_type != PATCH {
        return queries::items(plane.db.reader(), &row.resource, &row.compliance_type).await;
    }
    let (region, id) = (&row.resource.region, &row.resource.id);
    let found = inventory::item(plane.db.reader(), region, id, COMPLIANCE).await?;
    let lines: Vec<Line> = found
        .map(|found| found.entries())
        .transpose()?
        .unwrap_or_default();
    Ok(lines
        .into_iter()
        .map(|line| (item_of(line), row.execution.clone()))
        .collect())
}

/// Resources that can be named at once.
const MOST_IDS: usize = 1_000;

/// More items than a resource has.
const ALL_TOLD: &str = "4294967295";
/// Filters on single items.
const OF_ITEMS: [&str; 5] = ["Id", "Title", "Severity", "Status", "PatchState"];

fn fits(filters: &[Filter], item: &Item) -> bool {
    filters.iter().all(|filter| {
        filter.holds(match filter.key() {
            "Id" => &item.id,
            "Title" => &item.title,
            "Severity" => &item.severity,
            "Status" => &item.status,
            key => item.details.get(key).and_then(Value::as_str).unwrap_or_default(),
        })
    })
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let mut sql = queries::resources_sql(&call.region);
    let given = input.filters.unwrap_or_default();
    let of_items = filters::add(&mut sql, &given, &OF_ITEMS)?;
    if let Some(ids) = &input.resource_ids {
        if ids.len() > MOST_IDS {
            return Err(ApiError::validation(format!(
                "ResourceIds: at most {MOST_IDS} at once."
            )));
        }
        sql.push(" and r.resource_id in (").texts(ids).push(")");
    }
    if let Some(kinds) = &input.resource_types {
        sql.push(" and r.resource_type in (").texts(kinds).push(")");
    }
    let scope = format!(
        "ListComplianceItems|{}|{given:?}|{:?}|{:?}",
        call.region, input.resource_ids, input.resource_types
    );
    // Resource, type, and how many of its items were told.
    let position = match input.next_token.as_deref() {
        None | Some("") => Vec::new(),
        Some(token) => plane.tokens.open(&scope, token)?,
    };
    let part = |at: usize| position.get(at).cloned().unwrap_or_default();
    let told: usize = part(2).parse().unwrap_or_default();
    sql.push(" and (r.resource_id > ")
        .text(part(0))
        .push(" or (r.resource_id = ")
        .text(part(0));
    sql.push(" and r.compliance_type >= ").text(part(1)).push("))");
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by r.resource_id, r.compliance_type limit ")
        .int(limit as i64 + 2);
    let rows = queries::resources(sql, plane.db.reader()).await?;
    // Of resources without items a whole page may say nothing, and there are more behind it.
    let beyond = rows.last().filter(|_| rows.len() == limit + 2).map(|row| {
        [
            row.resource.id.clone(),
            row.compliance_type.clone(),
            ALL_TOLD.to_owned(),
        ]
    });
    let (mut shown, mut seen, mut next) = (Vec::new(), 0, None);
    'rows: for row in rows {
        let is_first = row.resource.id == part(0) && row.compliance_type == part(1);
        let from = if is_first { told } else { 0 };
        for (at, (item, execution)) in items_of(plane, &row).await?.into_iter().enumerate().skip(from) {
            if seen == limit {
                next = Some([
                    row.resource.id.clone(),
                    row.compliance_type.clone(),
                    at.to_string(),
                ]);
                break 'rows;
            }
            seen += 1;
            if fits(&of_items, &item) {
                shown.push(Shown {
                    compliance_type: row.compliance_type.clone(),
                    resource_type: row.resource.kind.clone(),
                    resource_id: row.resource.id.clone(),
                    id: item.id,
                    title: item.title,
                    status: item.status,
                    severity: item.severity,
                    execution_summary: execution.into(),
                    details: item.details,
                });
            }
        }
    }
    Ok(Output {
        compliance_items: shown,
        next_token: next
            .or(beyond)
            .map(|position| plane.tokens.seal(&scope, &position)),
    })
}
