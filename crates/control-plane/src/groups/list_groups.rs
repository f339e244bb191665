//! `ListGroups`. It counts before it filters, so a page may be short.

use super::queries::{self, GroupRow};
use super::shapes::{GROUP_FILTERS, MAX_RESULTS, NEXT_TOKEN, inward, outward};
use super::{ShownGroup, arn, shown};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::Member;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[GROUP_FILTERS, MAX_RESULTS, NEXT_TOKEN];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    name: String,
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    #[serde(default)]
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupIdentifier {
    group_name: String,
    group_arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    group_identifiers: Vec<GroupIdentifier>,
    groups: Vec<ShownGroup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn holds(filter: &Filter, row: &GroupRow) -> bool {
    let is = |text: &str| filter.values.iter().any(|value| value == text);
    match filter.name.as_str() {
        "owner" => row.about.owner.as_deref().is_some_and(is),
        "display-name" => row.about.display_name.as_deref().is_some_and(is),
        "criticality" => row.about.criticality.is_some_and(|level| is(&level.to_string())),
        "resource-type" => row
            .query
            .read()
            .is_ok_and(|query| query.types().iter().any(|kind| is(kind))),
        // Groups that are more than a query are not known.
        _ => false,
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = input.filters.unwrap_or_default();
    let scope = format!("ListGroups|{}|{filters:?}", call.region);
    let after = plane.tokens.after(&scope, inward(input.next_token).as_deref())?;
    let limit = input.max_results.unwrap_or(50);
    let rows = queries::groups(plane.db.reader(), &call.region, &after, limit + 1).await?;
    let (rows, token) = page(&plane.tokens, &scope, rows, limit, |row| vec![row.name.clone()]);
    let rows: Vec<GroupRow> = rows
        .into_iter()
        .filter(|row| filters.iter().all(|filter| holds(filter, row)))
        .collect();
    Ok(Output {
        group_identifiers: rows
            .iter()
            .map(|row| GroupIdentifier {
                group_name: row.name.clone(),
                group_arn: arn(plane, &row.region, &row.name),
            })
            .collect(),
        groups: rows.iter().map(|row| shown(plane, row)).collect(),
        next_token: outward(token),
    })
}
