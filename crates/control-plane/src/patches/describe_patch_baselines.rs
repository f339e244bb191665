//! `DescribePatchBaselines`: those that come with the control plane and the account's own, by id. Also how a baseline is
//! answered in short.

use super::queries::{self, BaselineRow};
use super::{default_of, defaults};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page_of_whole;
use crate::validation::{Member, NEXT_TOKEN, optional, whole};
use crate::windows::filters::{FILTERS, Filter, Filters};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    FILTERS,
    optional("MaxResults", whole(1, 100)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// A baseline in short.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Identity {
    baseline_id: String,
    baseline_name: String,
    operating_system: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_description: Option<String>,
    default_baseline: bool,
}

pub(crate) async fn identity(plane: &ControlPlane, row: BaselineRow) -> ApiResult<Identity> {
    let default = default_of(plane, &row.region, &row.baseline.operating_system).await?;
    Ok(Identity {
        default_baseline: default == row.baseline_id,
        baseline_id: row.baseline_id,
        baseline_name: row.baseline.name,
        operating_system: row.baseline.operating_system,
        baseline_description: row.baseline.description,
    })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    baseline_identities: Vec<Identity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = Filters::read(input.filters, &["OWNER", "NAME_PREFIX", "OPERATING_SYSTEM"])?;
    let given = defaults::all(&call.region).into_iter().map(|row| (row, "AWS"));
    let own = queries::baselines(plane.db.reader(), &call.region).await?;
    let own = own.into_iter().map(|row| (row, "Self"));
    let mut found: Vec<(String, BaselineRow)> = given
        .chain(own)
        .filter(|(row, owner)| {
            filters.all().iter().all(|(key, values)| match key.as_str() {
                "OWNER" => values.iter().any(|value| value == "All" || value == owner),
                "NAME_PREFIX" => values.iter().any(|value| row.baseline.name.starts_with(value)),
                _ => values.contains(&row.baseline.operating_system),
            })
        })
        .map(|(row, _)| (row.baseline_id.clone(), row))
        .collect();
    found.sort_by(|left, right| left.0.cmp(&right.0));
    let scope = format!("DescribePatchBaselines|{}|{:?}", call.region, filters.all());
    let limit = input.max_results.unwrap_or(100);
    let (page, next_token) = page_of_whole(&plane.tokens, &scope, input.next_token.as_deref(), found, limit)?;
    let mut baseline_identities = Vec::with_capacity(page.len());
    for (_, row) in page {
        baseline_identities.push(identity(plane, row).await?);
    }
    Ok(Output {
        baseline_identities,
        next_token,
    })
}
