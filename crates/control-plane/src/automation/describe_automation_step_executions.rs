//! `DescribeAutomationStepExecutions`: those that were begun, and those that were not reached.

use super::shown::{self, ShownStep};
use super::{EXECUTION_ID, find, step_queries};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use crate::operations::Call;
use crate::validation::{Member, NEXT_TOKEN, Shape, list, one_of, optional, required, text, whole};
use muster_domain::Timestamp;
use serde::{Deserialize, Serialize};

const KEY: Shape = one_of(&[
    "StartTimeBefore",
    "StartTimeAfter",
    "StepExecutionStatus",
    "StepExecutionId",
    "StepName",
    "Action",
    "ParentStepExecutionId",
    "ParentStepIteration",
    "ParentStepIteratorValue",
]);
pub(crate) const INPUT: &[Member] = &[
    required("AutomationExecutionId", EXECUTION_ID),
    optional(
        "Filters",
        list(
            1,
            6,
            &Shape::Record(&[
                required("Key", KEY),
                required("Values", list(1, 10, &text(1, 150))),
            ]),
        ),
    ),
    optional("NextToken", NEXT_TOKEN),
    optional("MaxResults", whole(1, 50)),
    optional("ReverseOrder", Shape::Flag),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    automation_execution_id: String,
    filters: Option<Vec<Filter>>,
    next_token: Option<String>,
    max_results: Option<usize>,
    reverse_order: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    step_executions: Vec<ShownStep>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn fits(filter: &Filter, step: &ShownStep) -> ApiResult<bool> {
    let is = |text: &str| filter.values.iter().any(|value| value == text);
    let moment = || {
        let text = filter.values.first().map(String::as_str).unwrap_or_default();
        Timestamp::parse(text).map(seconds).ok_or_else(|| {
            ApiError::new(
                "InvalidFilterValue",
                format!(
                    "The value {text:?} of {} has to be a time like 2026-11-26T12:00:00Z.",
                    filter.key
                ),
            )
        })
    };
    let started = step.execution_start_time;
    let parent = step.parent_step_details.as_ref();
    Ok(match filter.key.as_str() {
        "StepExecutionStatus" => is(step.step_status),
        "StepExecutionId" => is(&step.step_execution_id),
        "StepName" => is(&step.step_name),
        "Action" => is(&step.action),
        "StartTimeBefore" => {
            let at = moment()?;
            started.is_some_and(|started| started <= at)
        }
        "StartTimeAfter" => {
            let at = moment()?;
            started.is_some_and(|started| started >= at)
        }
        "ParentStepExecutionId" => parent.is_some_and(|parent| is(&parent.step_execution_id)),
        "ParentStepIteration" => parent.is_some_and(|parent| is(&parent.iteration.to_string())),
        "ParentStepIteratorValue" => {
            let value = parent.and_then(|parent| parent.iterator_value.as_deref());
            value.is_some_and(is)
        }
        _ => false,
    })
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, call, &input.automation_execution_id).await?;
    let rows = step_queries::steps(plane.db.reader(), &row.execution_id).await?;
    let mut all = Vec::new();
    let filters = input.filters.unwrap_or_default();
    let steps = match row.plan {
        // They are those of its targets' executions.
        Some(_) => Vec::new(),
        None => shown::steps(&row, &shown::document(&row)?, &rows),
    };
    for step in steps {
        let mut is_meant = true;
        for filter in &filters {
            is_meant &= fits(filter, &step)?;
        }
        if is_meant {
            all.push(step);
        }
    }
    if input.reverse_order == Some(true) {
        all.reverse();
    }
    let scope = format!(
        "DescribeAutomationStepExecutions|{}|{filters:?}|{:?}",
        row.execution_id, input.reverse_order
    );
    let skipped: usize = plane
        .tokens
        .after(&scope, input.next_token.as_deref())?
        .parse()
        .unwrap_or_default();
    let limit = input.max_results.unwrap_or(50);
    let is_last = all.len() <= skipped + limit;
    Ok(Output {
        step_executions: all.into_iter().skip(skipped).take(limit).collect(),
        next_token: (!is_last).then(|| plane.tokens.seal(&scope, &[(skipped + limit).to_string()])),
    })
}
