//! `ListCommands`: newest first. Also the filters that `ListCommandInvocations` shares.

use super::queries::{CommandRow, commands, commands_sql};
use super::shown::{ShownCommand, shown_command};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{
    COMMAND_ID, INSTANCE_ID, Member, NEXT_TOKEN, Shape, list, one_of, optional, required, text, whole,
};
use muster_domain::Timestamp;
use muster_store::Sql;
use serde::{Deserialize, Serialize};

/// Filters by state, time and document.
pub(crate) const FILTERS: Shape = list(
    1,
    5,
    &Shape::Record(&[
        required(
            "key",
            one_of(&[
                "InvokedAfter",
                "InvokedBefore",
                "Status",
                "ExecutionStage",
                "DocumentName",
            ]),
        ),
        required("value", text(1, 128)),
    ]),
);
pub(crate) const INPUT: &[Member] = &[
    optional("CommandId", COMMAND_ID),
    optional("InstanceId", INSTANCE_ID),
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", NEXT_TOKEN),
    optional("Filters", FILTERS),
];

/// One of them.
#[derive(Debug, Deserialize)]
pub(crate) struct Filter {
    key: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    command_id: Option<String>,
    instance_id: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
    filters: Option<Vec<Filter>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    commands: Vec<ShownCommand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// The columns that filters speak of: of commands, or of invocations joined with their commands.
pub(crate) struct Columns {
    pub(crate) status: [&'static str; 3],
    pub(crate) finished: [&'static str; 2],
}

const OF_COMMANDS: Columns = Columns {
    status: [" and (c.status = ", " or c.status_details = ", ")"],
    finished: [" and c.finished = 0", " and c.finished = 1"],
};

/// Adds filters to a query; commands are `c`.
pub(crate) fn add_filters(sql: &mut Sql, filters: &[Filter], columns: &Columns) -> ApiResult<()> {
    for Filter { key, value } in filters {
        match key.as_str() {
            "InvokedAfter" | "InvokedBefore" => {
                let at = Timestamp::parse(value).ok_or_else(|| {
                    ApiError::validation(format!(
                        "The filter {key} needs a time of the form 2026-11-23T09:41:07Z."
                    ))
                })?;
                let side = if key == "InvokedAfter" {
                    " and c.requested_at > "
                } else {
                    " and c.requested_at < "
                };
                sql.push(side).int(at.0);
            }
            "Status" => {
                let word = value.replace(' ', "");
                let [status, details, end] = columns.status;
                sql.push(status)
                    .text(word.as_str())
                    .push(details)
                    .text(word)
                    .push(end);
            }
            "ExecutionStage" => {
                let [executing, complete] = columns.finished;
                match value.as_str() {
                    "Executing" => sql.push(executing),
                    "Complete" => sql.push(complete),
                    _ => {
                        return Err(ApiError::validation(
                            "ExecutionStage is either Executing or Complete.",
                        ));
                    }
                };
            }
            _ => {
                let short = value
                    .rsplit_once("document/")
                    .map_or(value.as_str(), |(_, short)| short);
                sql.push(" and c.document = ").text(short);
            }
        }
    }
    Ok(())
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let mut sql = commands_sql();
    sql.push("where c.region = ").text(&call.region);
    if let Some(id) = input.command_id {
        sql.push(" and c.command_id = ").text(id);
    }
    if let Some(node) = input.instance_id {
        sql.push(" and c.command_id in (select i.command_id from ssm_invocations i where i.node_id = ");
        sql.text(node).push(")");
    }
    add_filters(&mut sql, &input.filters.unwrap_or_default(), &OF_COMMANDS)?;
    let scope = format!("ListCommands|{}", call.region);
    if let Some(token) = &input.next_token {
        let position = plane.tokens.open(&scope, token)?;
        let at = position
            .first()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        sql.push(" and (c.requested_at < ")
            .int(at)
            .push(" or (c.requested_at = ")
            .int(at);
        sql.push(" and c.command_id < ")
            .text(position.get(1).cloned().unwrap_or_default())
            .push("))");
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by c.requested_at desc, c.command_id desc limit ")
        .int(limit as i64 + 1);
    let rows = commands(sql, plane.db.reader()).await?;
    let position = |row: &CommandRow| vec![row.requested_at.0.to_string(), row.command_id.clone()];
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, position);
    Ok(Output {
        commands: rows.iter().map(shown_command).collect(),
        next_token,
    })
}
