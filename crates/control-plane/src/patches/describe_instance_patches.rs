//! `DescribeInstancePatches`: each patch of a node with its state, from what the node has reported.

use super::reported::{COMPLIANCE, Line};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::{queries as nodes, seconds};
use crate::inventory::queries as inventory;
use crate::operations::Call;
use crate::paging::page_of_whole;
use crate::validation::{INSTANCE_ID, Member, NEXT_TOKEN, optional, required, whole};
use crate::windows::filters::{FILTERS, Filter, Filters};
use muster_domain::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("InstanceId", INSTANCE_ID),
    FILTERS,
    optional("NextToken", NEXT_TOKEN),
    optional("MaxResults", whole(10, 100)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    instance_id: String,
    filters: Option<Vec<Filter>>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Patch {
    title: String,
    #[serde(rename = "KBId")]
    id: String,
    classification: String,
    severity: String,
    state: String,
    /// The service answers zero where it does not know.
    installed_time: f64,
    #[serde(rename = "CVEIds", skip_serializing_if = "String::is_empty")]
    cve_ids: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    patches: Vec<Patch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = Filters::read(input.filters, &["Classification", "KBId", "Severity", "State"])
        .map_err(|error| ApiError::new("InvalidFilter", error.message.unwrap_or_default()))?;
    let node = nodes::node(plane.db.reader(), &input.instance_id)
        .await?
        .filter(|node| node.region == call.region);
    let node = node.ok_or_else(|| {
        ApiError::new(
            "InvalidInstanceId",
            format!("{} is not a valid instance ID", input.instance_id),
        )
    })?;
    let row = inventory::item(plane.db.reader(), &call.region, &node.node_id, COMPLIANCE).await?;
    let lines: Vec<Line> = row.map(|row| row.entries()).transpose()?.unwrap_or_default();
    // Their place in the report is their order: what needs somebody comes first.
    let lines: Vec<(String, Line)> = lines
        .into_iter()
        .enumerate()
        .map(|(at, line)| (format!("{at:08}"), line))
        .filter(|(_, line)| {
            filters.fit(|key| match key {
                "Classification" => &line.classification,
                "KBId" => &line.id,
                "Severity" => &line.severity,
                _ => &line.state,
            })
        })
        .collect();
    let scope = format!(
        "DescribeInstancePatches|{}|{}|{:?}",
        call.region,
        node.node_id,
        filters.all()
    );
    let limit = input.max_results.unwrap_or(100);
    let (page, next_token) = page_of_whole(&plane.tokens, &scope, input.next_token.as_deref(), lines, limit)?;
    let shown = |(_, line): (String, Line)| Patch {
        installed_time: Timestamp::parse(&line.installed_time)
            .map(seconds)
            .unwrap_or_default(),
        title: line.title,
        id: line.id,
        classification: line.classification,
        severity: line.severity,
        state: line.state,
        cve_ids: line.cve_ids,
    };
    Ok(Output {
        patches: page.into_iter().map(shown).collect(),
        next_token,
    })
}
