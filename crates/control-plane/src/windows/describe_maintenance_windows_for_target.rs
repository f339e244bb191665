//! `DescribeMaintenanceWindowsForTarget`: the windows that work on some nodes. Also how that is found out.

use super::queries::{self, WindowRow};
use super::task::Task;
use super::{RESOURCE_TYPE, TargetDefinition};
use crate::commands::shapes::TARGETS;
use crate::commands::targets::{IDS_AT_ONCE, Target, by_targets};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page_of_whole;
use crate::validation::{Member, NEXT_TOKEN, optional, required, whole};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub(crate) const INPUT: &[Member] = &[
    required("Targets", TARGETS),
    required("ResourceType", RESOURCE_TYPE),
    optional("MaxResults", whole(1, i32::MAX as i64)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    targets: Vec<Target>,
    resource_type: String,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Identity {
    window_id: String,
    name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_identities: Vec<Identity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// Windows in one answer, unless fewer are asked for.
pub(crate) const PAGE: usize = 50;

/// The windows with a target or a task that means one of these nodes.
pub(crate) async fn windows_of(
    plane: &ControlPlane,
    call: &Call,
    resource_type: &str,
    targets: &[Target],
) -> ApiResult<Vec<WindowRow>> {
    super::check_targets(resource_type, targets)?;
    let wanted = ids(plane, call, targets).await?;
    let mut found = Vec::new();
    for window in queries::windows(plane.db.reader(), &call.region).await? {
        if means(plane, call, &window.window_id, &wanted).await? {
            found.push(window);
        }
    }
    Ok(found)
}

async fn ids(plane: &ControlPlane, call: &Call, targets: &[Target]) -> ApiResult<BTreeSet<String>> {
    let nodes = by_targets(plane, &call.region, targets).await?;
    Ok(nodes.into_iter().map(|node| node.node_id).collect())
}

async fn means(
    plane: &ControlPlane,
    call: &Call,
    window_id: &str,
    wanted: &BTreeSet<String>,
) -> ApiResult<bool> {
    if wanted.is_empty() {
        return Ok(false);
    }
    let all: Vec<String> = wanted.iter().cloned().collect();
    let chunks: Vec<Vec<String>> = all.chunks(IDS_AT_ONCE).map(<[String]>::to_vec).collect();
    let registered =
        queries::registered::<TargetDefinition>(plane.db.reader(), &call.region, window_id).await?;
    for (_, target) in registered {
        for some in &chunks {
            let mut targets = target.targets.clone();
            // Of what it means only these are looked at.
            targets.push(Target {
                key: "InstanceIds".into(),
                values: some.clone(),
            });
            if !ids(plane, call, &targets).await?.is_empty() {
                return Ok(true);
            }
        }
    }
    let tasks = queries::registered::<Task>(plane.db.reader(), &call.region, window_id).await?;
    Ok(tasks.iter().any(|(_, task)| {
        task.window_targets().is_none()
            && task
                .targets
                .iter()
                .flat_map(|target| &target.values)
                .any(|id| wanted.contains(id))
    }))
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let found = windows_of(plane, call, &input.resource_type, &input.targets).await?;
    let scope = format!(
        "DescribeMaintenanceWindowsForTarget|{}|{}|{:?}",
        call.region, input.resource_type, input.targets
    );
    let rows = found
        .into_iter()
        .map(|row| (row.window_id, row.definition.name))
        .collect();
    let limit = input.max_results.unwrap_or(PAGE).min(PAGE);
    let (page, next_token) = page_of_whole(&plane.tokens, &scope, input.next_token.as_deref(), rows, limit)?;
    let shown = |(window_id, name)| Identity { window_id, name };
    Ok(Output {
        window_identities: page.into_iter().map(shown).collect(),
        next_token,
    })
}
