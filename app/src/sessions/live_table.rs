//! The table of sessions that go on.

use super::acts::EndButton;
use super::api::EndSessionFn;
use super::list_url::ListUrl;
use super::words::{RecordingMark, bytes, span, terminal_address};
use crate::components::{Empty, EmptyState, Pager, StatusDot, TableCard, TimeAgo, grouped, plural};
use crate::live::clock::use_now;
use leptos::prelude::*;
use muster_domain::action::Action;
use muster_domain::sessions::{LivePage, SessionKind, SessionSummary};

/// What the reader may do with sessions that go on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LiveRights {
    pub(super) start: bool,
    pub(super) attach: bool,
    pub(super) watch: bool,
    pub(super) end: bool,
    pub(super) end_other: bool,
}

impl LiveRights {
    /// Asks for each of them.
    pub(super) fn of(may: impl Fn(Action) -> bool) -> Self {
        Self {
            start: may(Action::SessionsStart),
            attach: may(Action::SessionsAttach),
            watch: may(Action::SessionsWatch),
            end: may(Action::SessionsEnd),
            end_other: may(Action::SessionsEndOther),
        }
    }
}

/// A page of those that go on, one's own first.
#[component]
pub(super) fn LiveTable(
    live: LivePage,
    state: ListUrl,
    end: ServerAction<EndSessionFn>,
    rights: LiveRights,
) -> impl IntoView {
    let LivePage {
        sessions,
        matching,
        open,
        next,
        ..
    } = live;
    if sessions.is_empty() && open > 0 {
        return view! {
            <section class="card">
                <EmptyState kind=Empty::NothingMatches title="No open terminal matches">
                    <p>{format!("{} open.", plural(open, "terminal is", "terminals are"))}</p>
                    <a class="btn" href="/terminals">
                        "Show all"
                    </a>
                </EmptyState>
            </section>
        }
        .into_any();
    }
    if sessions.is_empty() {
        return view! {
            <section class="card">
                <EmptyState kind=Empty::NothingExists title="No terminal is open">
                    <p>"A terminal goes on when its page is closed, until somebody or a time limit ends it."</p>
                    {rights.start.then(|| view! { <a class="btn primary" href="/terminals/new">"New terminal"</a> })}
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let count = if state.is_narrowed() {
        format!(
            "{} of {} shown, of {} open",
            sessions.len(),
            grouped(matching),
            grouped(open)
        )
    } else {
        format!("{} of {} open shown", sessions.len(), grouped(open))
    };
    let first = state.open.is_some().then(|| state.open_page(None));
    let next = next.map(|cursor| state.open_page(Some(cursor.0)));
    let is_part = first.is_some() || next.is_some() || state.is_narrowed();
    view! {
        <TableCard label="Open terminals">
            <table class="sessions">
                <thead>
                    <tr>
                        <th scope="col">"Node"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Owner"</th>
                        <th scope="col">"OS user"</th>
                        <th scope="col">"Open for"</th>
                        <th scope="col">"Idle"</th>
                        <th scope="col" class="right">
                            "Output"
                        </th>
                        <th scope="col">"Watching"</th>
                        <th scope="col">"Recording"</th>
                        <th scope="col">
                            <span class="visually-hidden">"Acts"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{sessions.into_iter().map(|session| view! { <Row session end rights /> }).collect_view()}</tbody>
            </table>
        </TableCard>
        {is_part.then(|| view! { <Pager count first next label="Pages of open terminals" /> })}
    }
    .into_any()
}

#[component]
fn Row(session: SessionSummary, end: ServerAction<EndSessionFn>, rights: LiveRights) -> impl IntoView {
    let now = use_now();
    let own = session.is_own;
    let is_shell = session.kind == SessionKind::Shell;
    let href = terminal_address(session.session_id.as_str());
    let (started, active) = (session.started_at, session.active_at);
    // Counted, not owned: they must outlive the run that made them as long as they are on show.
    let age = ArcMemo::new(move |_| match now.get() {
        Some(now) => span(now.since_ms(started)),
        None => started.readable(),
    });
    let idle = ArcMemo::new(move |_| {
        now.get()
            .map(|now| span(now.since_ms(active)))
            .unwrap_or_default()
    });
    let may_end = if own { rights.end } else { rights.end_other };
    let may_attach = is_shell && if own { rights.attach } else { rights.watch };
    let watchers = session.watchers.join(", ");
    let to_end = session.clone();
    view! {
        <tr data-row="" tabindex="-1" data-session=session.session_id.to_string()>
            <td>
                <div class="two-lines">
                    <a class="strong" data-act="open" href=href.clone()>
                        {session.node_name.clone()}
                        {session.is_production.then(|| view! { " " <span class="tag warn">"Production"</span> })}
                    </a>
                    <small>
                        {if session.reason.is_empty() { session.node_id.to_string() } else { session.reason.clone() }}
                    </small>
                </div>
            </td>
            <td>
                <StatusDot badge=session.status label=session.status.label() />
            </td>
            <td class="nowrap">
                {session.owner.clone()}
                {own.then(|| view! { <span class="muted">" (you)"</span> })}
            </td>
            <td class="mono nowrap">{session.os_user.clone()}</td>
            <td class="nowrap" title=started.readable()>
                {move || age.get()}
            </td>
            <td class="nowrap muted" title=active.readable()>
                {move || idle.get()}
            </td>
            <td class="right nowrap">{bytes(session.bytes_out)}</td>
            <td>{if watchers.is_empty() { view! { <span class="muted">"nobody"</span> }.into_any() } else { watchers.into_any() }}</td>
            <td class="nowrap">
                <RecordingMark state=session.recording />
            </td>
            <td class="right">
                <div class="row end nowrap-row">
                    {may_attach
                        .then(|| {
                            view! {
                                <a class="btn small" href=href>
                                    {if own { "Attach" } else { "Watch" }}
                                </a>
                            }
                        })}
                    {may_end.then(|| view! { <EndButton session=to_end end small=true /> })}
                </div>
            </td>
        </tr>
    }
}

/// Sessions on one node, the newest few.
#[component]
pub(super) fn RecentRows(sessions: Vec<SessionSummary>) -> impl IntoView {
    view! {
        <ul class="list">
            {sessions
                .into_iter()
                .map(|session| {
                    view! {
                        <li>
                            <span class="two-lines grow">
                                <a class="strong" href=terminal_address(session.session_id.as_str())>
                                    {session.owner.clone()}
                                    {(!session.os_user.is_empty()).then(|| format!(" as {}", session.os_user))}
                                </a>
                                <small>
                                    {session.reason.clone()}
                                    {if session.reason.is_empty() { "" } else { " · " }}
                                    <TimeAgo at=session.started_at />
                                </small>
                            </span>
                            <StatusDot badge=session.status label=session.status.label() />
                        </li>
                    }
                })
                .collect_view()}
        </ul>
    }
}
