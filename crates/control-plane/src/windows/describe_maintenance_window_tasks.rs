//! `DescribeMaintenanceWindowTasks`.

use super::filters::{FILTERS, Filter, Filters};
use super::task::Task;
use super::{WINDOW_ID, find, queries};
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
pub(crate) struct Listed {
    window_id: String,
    window_task_id: String,
    #[serde(flatten)]
    task: Task,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    tasks: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = Filters::read(
        input.filters,
        &["WindowTaskId", "TaskArn", "Priority", "TaskType"],
    )?;
    let window = find(plane, call, &input.window_id).await?;
    let mut rows = queries::registered::<Task>(plane.db.reader(), &call.region, &window.window_id).await?;
    rows.retain(|(id, task)| {
        let priority = task.priority.to_string();
        filters.all().iter().all(|(key, values)| {
            let value = match key.as_str() {
                "WindowTaskId" => id,
                "TaskArn" => &task.task_arn,
                "Priority" => &priority,
                _ => &task.kind,
            };
            values.contains(value)
        })
    });
    let scope = format!(
        "DescribeMaintenanceWindowTasks|{}|{}|{:?}",
        call.region,
        window.window_id,
        filters.all()
    );
    let limit = input.max_results.unwrap_or(50);
    let (page, next_token) = page_of_whole(&plane.tokens, &scope, input.next_token.as_deref(), rows, limit)?;
    let shown = |(window_task_id, mut task): (String, Task)| {
        // Only `GetMaintenanceWindowTask` answers these.
        task.task_invocation_parameters = None;
        Listed {
            window_id: window.window_id.clone(),
            window_task_id,
            task,
        }
    };
    Ok(Output {
        tasks: page.into_iter().map(shown).collect(),
        next_token,
    })
}
