//! `DescribeMaintenanceWindows`: by id, filtered by name and by whether they are enabled.

use super::Definition;
use super::filters::{FILTERS, Filter, Filters};
use super::queries;
use super::schedule::Moments;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page_of_whole;
use crate::validation::{Member, NEXT_TOKEN, optional, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    FILTERS,
    optional("MaxResults", whole(10, 100)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Identity {
    window_id: String,
    #[serde(flatten)]
    definition: Definition,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_execution_time: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_identities: Vec<Identity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = Filters::read(input.filters, &["Name", "Enabled"])?;
    let mut found = Vec::new();
    for row in queries::windows(plane.db.reader(), &call.region).await? {
        let fits = filters.fit(|key| match key {
            "Name" => &row.definition.name,
            _ if row.definition.enabled => "true",
            _ => "false",
        });
        if fits {
            found.push((row.window_id.clone(), row));
        }
    }
    let scope = format!("DescribeMaintenanceWindows|{}|{:?}", call.region, filters.all());
    let (page, next_token) = page_of_whole(
        &plane.tokens,
        &scope,
        input.next_token.as_deref(),
        found,
        input.max_results.unwrap_or(50),
    )?;
    let shown = |(window_id, row): (String, queries::WindowRow)| {
        let moments = Moments::read(&row.definition, row.created_at)?;
        Ok(Identity {
            window_id,
            next_execution_time: row.next_at.map(|at| moments.shown(at)),
            definition: row.definition,
        })
    };
    Ok(Output {
        window_identities: page.into_iter().map(shown).collect::<ApiResult<_>>()?,
        next_token,
    })
}
