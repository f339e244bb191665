//! The history of sessions: its filter, its rows, and why there are none.

use super::list_url::{ListUrl, Period};
use super::words::{RecordingMark, bytes, ending, recording_address, terminal_address};
use crate::components::time_ago::duration;
use crate::components::{
    Empty, EmptyState, Pager, SelectField, StatusBadge, TableCard, TextField, TimeAgo, any_or, plural,
};
use crate::url::problem_of;
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::paging::{DEFAULT_LIMIT, Page};
use muster_domain::sessions::{RecordingState, SessionKind, SessionStatus, SessionSummary, is_default};

/// The conditions, as a form that needs no script. Those that go on have all but the last two.
#[component]
pub(super) fn ListFilter(state: ListUrl) -> impl IntoView {
    let statuses = any_or(SessionStatus::ALL.iter().map(|one| (one.as_str(), one.label())));
    let narrowed = state.is_filtered() || state.period != Period::default() || !state.problems.is_empty();
    let (status_problem, period_problem) = (
        problem_of(&state.problems, "status"),
        problem_of(&state.problems, "period"),
    );
    view! {
        <Form method="GET" action="/terminals" attr:class="command-filter" attr:role="search" attr:aria-label="Filter the terminals">
            <div class="field">
                <label for="text">"Node, owner, reason or id"</label>
                <input id="text" name="text" value=state.text autocomplete="off" data-filter="" />
            </div>
            <TextField name="node" label="Node id" value=state.node.unwrap_or_default() placeholder="mi-…" />
            <TextField name="owner" label="Owner" value=state.owner />
            <SelectField
                name="status"
                label="Status in the history"
                options=statuses
                selected=state.status.map(SessionStatus::as_str).unwrap_or_default()
                error=status_problem
            />
            <SelectField name="period" label="Period of the history" options=Period::options() selected=state.period.word() error=period_problem />
            <div class="row">
                <button type="submit" class="btn primary">
                    "Filter"
                </button>
                {narrowed.then(|| view! { <a class="btn quiet" href="/terminals">"Clear"</a> })}
            </div>
        </Form>
    }
}

/// A page of rows.
#[component]
pub(super) fn HistoryRows(state: ListUrl, page: Page<SessionSummary>) -> impl IntoView {
    if page.items.is_empty()
        && let Some(next) = page.next.clone()
    {
        let further = state.page(Some(next.0));
        return view! {
            <section class="card">
                <EmptyState kind=Empty::NothingMatches title="Nothing in this part of the history">
                    <p>"A page looks at 5\u{202f}000 sessions at most, newest first. None of these matches; older ones were not looked at yet."</p>
                    <a class="btn" rel="next" href=further>
                        "Look further back"
                    </a>
                </EmptyState>
            </section>
        }
        .into_any();
    }
    if page.items.is_empty() {
        return view! {
            <section class="card">
                <Nothing state />
            </section>
        }
        .into_any();
    }
    let count = format!(
        "{} on this page, newest first{}",
        plural(page.items.len() as u64, "session", "sessions"),
        if page.next.is_some() && page.items.len() < DEFAULT_LIMIT as usize {
            "; older ones were not looked at yet"
        } else {
            ""
        }
    );
    let first = state.cursor.is_some().then(|| state.page(None));
    let next = page.next.map(|cursor| state.page(Some(cursor.0)));
    view! {
        <TableCard label="History of sessions">
            <table class="sessions">
                <thead>
                    <tr>
                        <th scope="col">"Node"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Owner"</th>
                        <th scope="col">"OS user"</th>
                        <th scope="col">"Started"</th>
                        <th scope="col" class="right">
                            "Duration"
                        </th>
                        <th scope="col" class="right">
                            "Output"
                        </th>
                        <th scope="col">"Recording"</th>
                    </tr>
                </thead>
                <tbody>{page.items.into_iter().map(|row| view! { <Row row /> }).collect_view()}</tbody>
            </table>
        </TableCard>
        <Pager count first next />
    }
    .into_any()
}

#[component]
fn Nothing(state: ListUrl) -> impl IntoView {
    if state.is_filtered() {
        return view! {
            <EmptyState kind=Empty::NothingMatches title="No session matches">
                <p>{format!("Nothing fits all conditions ({}).", state.period.label().to_lowercase())}</p>
                <div class="row">
                    <a class="btn" href="/terminals">
                        "Clear the filter"
                    </a>
                    {(state.period != Period::All)
                        .then(|| view! { <a class="btn" href=state.over_all_time()>"Search all time"</a> })}
                </div>
            </EmptyState>
        }
        .into_any();
    }
    if state.period == Period::All {
        return view! {
            <EmptyState kind=Empty::NothingExists title="No session has been started yet">
                <p>"Every terminal and tunnel will be kept here, with who, where, why, and its recording."</p>
            </EmptyState>
        }
        .into_any();
    }
    view! {
        <EmptyState kind=Empty::NothingExists title="No session was started in this period">
            <p>{format!("{}: none.", state.period.label())}</p>
            <a class="btn" href=state.over_all_time()>
                "Show all time"
            </a>
        </EmptyState>
    }
    .into_any()
}

#[component]
fn Row(row: SessionSummary) -> impl IntoView {
    let id = row.session_id.to_string();
    let took = row.ended_at.map(|ended| duration(ended.since_ms(row.started_at)));
    let why = row.status.is_over().then(|| ending(&row));
    let playable = row.recording != RecordingState::None;
    view! {
        <tr data-row="" tabindex="-1">
            <td>
                <div class="two-lines">
                    <a class="strong" data-act="open" href=terminal_address(&id)>
                        {row.node_name.clone()}
                        {row.is_production.then(|| view! { " " <span class="tag warn">"Production"</span> })}
                    </a>
                    <small>
                        {if row.reason.is_empty() { row.kind.label().to_owned() } else { row.reason.clone() }}
                        {(!is_default(&row.document) && row.kind == SessionKind::Shell)
                            .then(|| format!(" · with {}", row.document))}
                        {row.request.clone().map(|request| view! {
                            " · " <a href=format!("/approvals/{request}")>{request.to_string()}</a>
                        })}
                    </small>
                </div>
            </td>
            <td>
                <span title=why>
                    <StatusBadge badge=row.status label=row.status.label() />
                </span>
            </td>
            <td class="nowrap">{row.owner.clone()}</td>
            <td class="mono nowrap">{row.os_user.clone()}</td>
            <td class="muted nowrap">
                <TimeAgo at=row.started_at />
            </td>
            <td class="right nowrap muted">{took.unwrap_or_else(|| "—".into())}</td>
            <td class="right nowrap">{bytes(row.bytes_out)}</td>
            <td class="nowrap">
                <div class="row nowrap-row">
                    <RecordingMark state=row.recording />
                    {playable
                        .then(|| {
                            view! {
                                <a class="btn small" href=recording_address(&id)>
                                    "Play"
                                    <span class="visually-hidden">{format!(" the session of {} on {}", row.owner, row.node_name)}</span>
                                </a>
                            }
                        })}
                </div>
            </td>
        </tr>
    }
}
