//! `ListComplianceSummaries`: for each type how many resources are compliant and how many are not.

use super::SeveritySummary;
use super::filters::{self, FILTERS, Filter};
use super::list_resource_compliance_summaries::{Compliant, NonCompliant};
use super::queries;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page_of_whole;
use crate::validation::{Member, NEXT_TOKEN, optional, whole};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    compliance_type: String,
    compliant_summary: Compliant,
    non_compliant_summary: NonCompliant,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    compliance_summary_items: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let mut sql = queries::counted_sql(&call.region);
    let given = input.filters.unwrap_or_default();
    filters::add(&mut sql, &given, &[])?;
    let mut types: BTreeMap<String, (SeveritySummary, SeveritySummary)> = BTreeMap::new();
    for counted in queries::counted(sql, plane.db.reader()).await? {
        let (good, bad) = types.entry(counted.compliance_type).or_default();
        let side = if counted.status == "COMPLIANT" { good } else { bad };
        side.add(&counted.severity, counted.count);
    }
    let scope = format!("ListComplianceSummaries|{}|{given:?}", call.region);
    let limit = input.max_results.unwrap_or(50);
    let rows = types.into_iter().collect();
    let (page, next_token) = page_of_whole(&plane.tokens, &scope, input.next_token.as_deref(), rows, limit)?;
    let shown = |(compliance_type, (good, bad)): (String, (SeveritySummary, SeveritySummary))| Summary {
        compliance_type,
        compliant_summary: Compliant {
            compliant_count: good.total(),
            severity_summary: good,
        },
        non_compliant_summary: NonCompliant {
            non_compliant_count: bad.total(),
            severity_summary: bad,
        },
    };
    Ok(Output {
        compliance_summary_items: page.into_iter().map(shown).collect(),
        next_token,
    })
}
