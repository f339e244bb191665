//! `DescribeMaintenanceWindowTargets`.

use super::filters::{FILTERS, Filter, Filters};
use super::{TargetDefinition, WINDOW_ID, find, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page_of_whole;
use crate::validation::{Member, NEXT_TOKEN, optional, required, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("WindowId", WINDOW_ID),
    FILTERS,
    optional("MaxResults", whole(10, 100)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_id: String,
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Target {
    window_id: String,
    window_target_id: String,
    #[serde(flatten)]
    definition: TargetDefinition,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    targets: Vec<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = Filters::read(input.filters, &["Type", "WindowTargetId", "OwnerInformation"])?;
    let window = find(plane, call, &input.window_id).await?;
    let mut rows =
        queries::registered::<TargetDefinition>(plane.db.reader(), &call.region, &window.window_id).await?;
    rows.retain(|(id, definition)| {
        filters.fit(|key| match key {
            "Type" => &definition.resource_type,
            "WindowTargetId" => id,
            _ => definition.owner_information.as_deref().unwrap_or_default(),
        })
    });
    let scope = format!(
        "DescribeMaintenanceWindowTargets|{}|{}|{:?}",
        call.region,
        window.window_id,
        filters.all()
    );
    let limit = input.max_results.unwrap_or(50);
    let (page, next_token) = page_of_whole(&plane.tokens, &scope, input.next_token.as_deref(), rows, limit)?;
    let shown = |(window_target_id, definition)| Target {
        window_id: window.window_id.clone(),
        window_target_id,
        definition,
    };
    Ok(Output {
        targets: page.into_iter().map(shown).collect(),
        next_token,
    })
}
