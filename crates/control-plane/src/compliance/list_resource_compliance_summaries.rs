//! `ListResourceComplianceSummaries`: each resource in each type, with counts of its items.

use super::SeveritySummary;
use super::filters::{self, FILTERS, Filter};
use super::list_compliance_items::ExecutionSummary;
use super::queries::{self, ResourceRow};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, optional, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    FILTERS,
    optional("NextToken", NEXT_TOKEN),
    optional("MaxResults", whole(1, 50)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    filters: Option<Vec<Filter>>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

/// What holds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Compliant {
    pub(crate) compliant_count: i64,
    pub(crate) severity_summary: SeveritySummary,
}

/// What does not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NonCompliant {
    pub(crate) non_compliant_count: i64,
    pub(crate) severity_summary: SeveritySummary,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    compliance_type: String,
    resource_type: String,
    resource_id: String,
    status: String,
    overall_severity: String,
    execution_summary: ExecutionSummary,
    compliant_summary: Compliant,
    non_compliant_summary: NonCompliant,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    resource_compliance_summary_items: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let mut sql = queries::resources_sql(&call.region);
    let given = input.filters.unwrap_or_default();
    filters::add(&mut sql, &given, &[])?;
    let scope = format!("ListResourceComplianceSummaries|{}|{given:?}", call.region);
    if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
        let position = plane.tokens.open(&scope, token)?;
        let part = |at: usize| position.get(at).cloned().unwrap_or_default();
        sql.push(" and (r.resource_id > ")
            .text(part(0))
            .push(" or (r.resource_id = ")
            .text(part(0));
        sql.push(" and r.compliance_type > ").text(part(1)).push("))");
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by r.resource_id, r.compliance_type limit ")
        .int(limit as i64 + 1);
    let rows = queries::resources(sql, plane.db.reader()).await?;
    let position = |row: &ResourceRow| vec![row.resource.id.clone(), row.compliance_type.clone()];
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, position);
    let shown = |row: ResourceRow| Summary {
        compliance_type: row.compliance_type,
        resource_type: row.resource.kind,
        resource_id: row.resource.id,
        status: row.status,
        overall_severity: row.severity,
        execution_summary: row.execution.into(),
        compliant_summary: Compliant {
            compliant_count: row.compliant.total(),
            severity_summary: row.compliant,
        },
        non_compliant_summary: NonCompliant {
            non_compliant_count: row.non_compliant.total(),
            severity_summary: row.non_compliant,
        },
    };
    Ok(Output {
        resource_compliance_summary_items: rows.into_iter().map(shown).collect(),
        next_token,
    })
}
