//! `DescribeMaintenanceWindowSchedule`: when windows open next, of one window, of those that work on some nodes, or of all.

use super::describe_maintenance_windows_for_target::{PAGE, windows_of};
use super::filters::{FILTERS, Filter};
use super::queries::{self, WindowRow};
use super::schedule::Moments;
use super::{RESOURCE_TYPE, WINDOW_ID, find};
use crate::commands::shapes::TARGETS;
use crate::commands::targets::Target;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, optional, whole};
use muster_domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

pub(crate) const INPUT: &[Member] = &[
    optional("WindowId", WINDOW_ID),
    optional("Targets", TARGETS),
    optional("ResourceType", RESOURCE_TYPE),
    FILTERS,
    optional("MaxResults", whole(1, i32::MAX as i64)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_id: Option<String>,
    targets: Option<Vec<Target>>,
    resource_type: Option<String>,
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Scheduled {
    window_id: String,
    name: String,
    execution_time: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    scheduled_window_executions: Vec<Scheduled>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// How far ahead is looked: clients walk all pages, and a schedule has no end of its own.
const AHEAD_MS: i64 = 366 * 86_400_000;
/// Openings in all that are told.
const MOST: i64 = 1_000;

async fn windows(plane: &ControlPlane, call: &Call, input: &Input) -> ApiResult<Vec<WindowRow>> {
    let targets = input.targets.as_deref().unwrap_or_default();
    if !targets.is_empty() || input.resource_type.is_some() {
        let resource_type = input.resource_type.as_deref().ok_or_else(|| {
            ApiError::validation("ResourceType: with Targets it has to be given, as INSTANCE.")
        })?;
        let mut found = windows_of(plane, call, resource_type, targets).await?;
        if let Some(id) = &input.window_id {
            found.retain(|window| window.window_id == *id);
        }
        return Ok(found);
    }
    match &input.window_id {
        Some(id) => Ok(vec![find(plane, call, id).await?]),
        None => queries::windows(plane.db.reader(), &call.region).await,
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    if input.filters.as_ref().is_some_and(|filters| !filters.is_empty()) {
        return Err(ApiError::validation(
            "Filters: this operation knows no filter keys; use WindowId or Targets.",
        ));
    }
    let scope = format!(
        "DescribeMaintenanceWindowSchedule|{}|{:?}|{:?}",
        call.region, input.window_id, input.targets
    );
    // Where the walk began, so that all pages tell of the same year, and how many were told.
    let position = match input.next_token.as_deref() {
        None | Some("") => Vec::new(),
        Some(token) => plane.tokens.open(&scope, token)?,
    };
    let number = |at: usize| position.get(at).and_then(|text| text.parse::<i64>().ok());
    let began = Timestamp(number(0).unwrap_or(call.now.0));
    let told = number(1).unwrap_or_default();
    let after = (
        Timestamp(number(2).unwrap_or(call.now.0)),
        position.get(3).cloned().unwrap_or_default(),
    );
    let until = began.plus_ms(AHEAD_MS);
    let windows: Vec<(WindowRow, Moments)> = windows(plane, call, &input)
        .await?
        .into_iter()
        .filter(|window| window.definition.enabled)
        .map(|window| Ok((Moments::read(&window.definition, window.created_at)?, window)))
        .map(|read: ApiResult<_>| read.map(|(moments, window)| (window, moments)))
        .collect::<ApiResult<_>>()?;
    let limit = input.max_results.unwrap_or(PAGE).min(PAGE);
    // The nearest opening of each window; of two at one moment the smaller id comes first.
    let mut ahead = BinaryHeap::new();
    for (place, (window, moments)) in windows.iter().enumerate() {
        let from = if window.window_id > after.1 {
            after.0.plus_ms(-1)
        } else {
            after.0
        };
        let from = from.max(began);
        if let Some(at) = moments.next(from) {
            ahead.push(Reverse((at, window.window_id.as_str(), place)));
        }
    }
    let mut found = Vec::new();
    while let Some(Reverse((at, _, place))) = ahead.pop() {
        if at > until || found.len() > limit || told + found.len() as i64 >= MOST {
            break;
        }
        let Some((window, moments)) = windows.get(place) else {
            break;
        };
        found.push((at, window, moments));
        if let Some(next) = moments.next(at) {
            ahead.push(Reverse((next, window.window_id.as_str(), place)));
        }
    }
    let position = |(at, window, _): &(Timestamp, &WindowRow, &Moments)| {
        vec![
            began.0.to_string(),
            (told + limit as i64).to_string(),
            at.0.to_string(),
            window.window_id.clone(),
        ]
    };
    let (found, next_token) = page(&plane.tokens, &scope, found, limit, position);
    let shown = |(at, window, moments): (Timestamp, &WindowRow, &Moments)| Scheduled {
        window_id: window.window_id.clone(),
        name: window.definition.name.clone(),
        execution_time: moments.shown(at),
    };
    Ok(Output {
        scheduled_window_executions: found.into_iter().map(shown).collect(),
        next_token,
    })
}
