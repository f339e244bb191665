//! `DescribeSessions`: the sessions that go on, or those of the last 30 days, newest first.

use super::queries::{SessionRow, sessions, sessions_sql};
use super::status::Status;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, Shape, list, one_of, optional, required, text, whole};
use muster_domain::Timestamp;
use muster_store::Sql;
use serde::{Deserialize, Serialize};

const HISTORY_MS: i64 = 30 * 86_400_000;
const KEYS: &[&str] = &[
    "InvokedAfter",
    "InvokedBefore",
    "Target",
    "Owner",
    "Status",
    "SessionId",
    "AccessType",
];

pub(crate) const INPUT: &[Member] = &[
    required("State", one_of(&["Active", "History"])),
    optional("MaxResults", whole(1, 200)),
    optional("NextToken", NEXT_TOKEN),
    optional(
        "Filters",
        list(
            1,
            6,
            &Shape::Record(&[required("key", one_of(KEYS)), required("value", text(1, 400))]),
        ),
    ),
];

#[derive(Debug, Deserialize)]
struct Filter {
    key: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    state: String,
    max_results: Option<usize>,
    next_token: Option<String>,
    filters: Option<Vec<Filter>>,
}

#[derive(Debug, Serialize)]
struct OutputUrl {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Session {
    session_id: String,
    target: String,
    status: &'static str,
    start_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<f64>,
    document_name: String,
    owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<String>,
    output_url: OutputUrl,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_session_duration: Option<String>,
    access_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    sessions: Vec<Session>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn narrow(sql: &mut Sql, filter: &Filter) -> ApiResult<()> {
    let value = filter.value.as_str();
    let time = || {
        Timestamp::parse(value).ok_or_else(|| {
            ApiError::validation(format!(
                "The filter {} needs a time like 2026-11-23T00:00:00Z.",
                filter.key
            ))
        })
    };
    match filter.key.as_str() {
        "InvokedAfter" => sql.push(" and started_at > ").int(time()?.0),
        "InvokedBefore" => sql.push(" and started_at < ").int(time()?.0),
        "Target" => sql.push(" and node_id = ").text(value),
        "Owner" => sql.push(" and owner = ").text(value),
        "SessionId" => sql.push(" and session_id = ").text(value),
        "Status" => {
            let status = Status::from_name(value).ok_or_else(|| {
                ApiError::validation(
                    "The filter Status must be Connected, Connecting, Disconnected, Terminated, Terminating or Failed.",
                )
            })?;
            sql.push(" and status = ").text(status.name())
        }
        "AccessType" => match value {
            "Standard" => sql,
            // No session of that kind can be started here.
            "JustInTime" => sql.push(" and 1 = 0"),
            _ => {
                return Err(ApiError::validation(
                    "The filter AccessType must be Standard or JustInTime.",
                ));
            }
        },
        _ => return Err(ApiError::bare("InvalidFilterKey")),
    };
    Ok(())
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = input.filters.unwrap_or_default();
    let mut scope = format!("DescribeSessions|{}|{}", call.region, input.state);
    for filter in &filters {
        scope.push_str(&format!("|{}={}", filter.key, filter.value));
    }
    let limit = input.max_results.unwrap_or(50);
    let mut sql = sessions_sql();
    sql.push("where region = ").text(&call.region);
    if input.state == "Active" {
        sql.push(" and finished = 0");
    } else {
        sql.push(" and finished = 1 and started_at > ")
            .int(call.now.plus_ms(-HISTORY_MS).0);
    }
    for filter in &filters {
        narrow(&mut sql, filter)?;
    }
    if let Some(token) = &input.next_token {
        let position = plane.tokens.open(&scope, token)?;
        let at = position
            .first()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        let id = position.get(1).cloned().unwrap_or_default();
        sql.push(" and (started_at < ")
            .int(at)
            .push(" or (started_at = ")
            .int(at);
        sql.push(" and session_id > ").text(id).push("))");
    }
    sql.push(" order by started_at desc, session_id limit ")
        .int(limit as i64 + 1);
    let rows = sessions(sql, plane.db.reader()).await?;
    let position = |row: &SessionRow| vec![row.started_at.0.to_string(), row.session_id.clone()];
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, position);
    let given = |text: String| (!text.is_empty()).then_some(text);
    let shown = |row: SessionRow| Session {
        status: row.status.name(),
        start_date: seconds(row.started_at),
        end_date: row.ended_at.map(seconds),
        session_id: row.session_id,
        target: row.node_id,
        document_name: row.document,
        owner: row.owner,
        reason: given(row.reason),
        details: given(row.details.chars().take(1_024).collect()),
        output_url: OutputUrl {},
        max_session_duration: row.max_ms.map(|ms| (ms / 60_000).to_string()),
        access_type: "Standard",
    };
    Ok(Output {
        sessions: rows.into_iter().map(shown).collect(),
        next_token,
    })
}
