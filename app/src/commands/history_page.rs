//! The commands that were run, newest first.

use super::api::list_commands;
use super::history_url::{HistoryUrl, Period};
use crate::components::time_ago::duration;
use crate::components::{
    Empty, EmptyState, ErrorNotice, Fresh, Glyph, Icon, PageHead, Pager, ProgressBar, SelectField, Skeleton,
    StaleNotice, StatusBadge, TableCard, TextField, TimeAgo, any_or, grouped, plural, renewed,
};
use crate::layout::use_frame;
use crate::url::{problem_of, use_query};
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::action::Action;
use muster_domain::commands::{CommandStatus, CommandSummary};
use muster_domain::paging::Page;
use std::sync::Arc;
use std::time::Duration;

/// How often rows are asked for again while something is going on …
const WHILE_MOVING: Duration = Duration::from_secs(3);
/// … and while nothing is: others start commands, too.
const WHILE_IDLE: Duration = Duration::from_secs(15);

/// Past and present commands.
#[component]
pub(crate) fn HistoryPage() -> impl IntoView {
    let query = use_query();
    let state = Memo::new(move |_| query.with(HistoryUrl::read));
    let rows = renewed(
        move || state.get(),
        |state| async move {
            let state = state.readable()?;
            list_commands(
                state.status.map(|status| status.as_str().to_owned()),
                Some(state.document),
                Some(state.text),
                state.node,
                Some(state.period.word().to_owned()),
                state.cursor,
            )
            .await
        },
    );
    // In an effect: a resource is not read outside of a `Suspense` while the page is hydrated.
    let moving = RwSignal::new(false);
    Effect::new(move |_| {
        let now = rows.with(
            |rows| matches!(rows, Some(Ok(page)) if page.items.iter().any(|row| !row.status.is_final())),
        );
        if moving.get_untracked() != now {
            moving.set(now);
        }
    });
    Effect::new(move |_| {
        let renewing = set_interval_with_handle(
            move || {
                if !document().hidden() {
                    rows.refetch();
                }
            },
            if moving.get() { WHILE_MOVING } else { WHILE_IDLE },
        );
        on_cleanup(move || {
            if let Ok(renewing) = renewing {
                renewing.clear();
            }
        });
    });
    let frame = use_frame();
    let may_run = move || async move { frame.await.is_ok_and(|frame| frame.may(Action::CommandsRun)) };
    view! {
        <PageHead title="Commands" subtitle=|| "What was run on nodes, by whom, and what came of it.">
            <Transition fallback=|| ()>
                {move || Suspend::new(async move {
                    may_run()
                        .await
                        .then(|| {
                            view! {
                                <a class="btn primary" href="/commands/new">
                                    <Icon glyph=Glyph::Command />
                                    "Run command"
                                </a>
                            }
                        })
                })}
            </Transition>
        </PageHead>
        {move || view! { <Filter state=state.get() /> }}
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || Suspend::new(async move {
                let may_run = may_run().await;
                match rows.await {
                    Ok(Fresh { value: page, stale }) => {
                        let page = Arc::unwrap_or_clone(page);
                        view! { <StaleNotice stale /> <Rows state=state.get_untracked() page may_run /> }.into_any()
                    }
                    Err(error) => {
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="the commands" clear=state.get_untracked().page(None) />
                            </div>
                        }
                            .into_any()
                    }
                }
            })}
        </Transition>
    }
}

#[component]
fn Filter(state: HistoryUrl) -> impl IntoView {
    let statuses = any_or(CommandStatus::ALL.iter().map(|one| (one.as_str(), one.label())));
    let narrowed = state.is_filtered() || state.period != Period::default() || !state.problems.is_empty();
    let (status_problem, period_problem) = (
        problem_of(&state.problems, "status"),
        problem_of(&state.problems, "period"),
    );
    view! {
        <Form method="GET" action="/commands" attr:class="command-filter" attr:role="search" attr:aria-label="Filter commands">
            <div class="field">
                <label for="text">"Comment, script, id or person"</label>
                <input id="text" name="text" value=state.text autocomplete="off" data-filter="" />
            </div>
            <TextField name="document" label="Document" value=state.document placeholder="AWS-RunShellScript" />
            <SelectField
                name="status"
                label="Status"
                options=statuses
                selected=state.status.map(CommandStatus::as_str).unwrap_or_default()
                error=status_problem
            />
            <SelectField name="period" label="Period" options=Period::options() selected=state.period.word() error=period_problem />
            {state
                .node
                .map(|node| view! { <TextField name="node" label="Node" value=node /> })}
            <div class="row">
                <button type="submit" class="btn primary">
                    "Filter"
                </button>
                {narrowed.then(|| view! { <a class="btn quiet" href="/commands">"Clear"</a> })}
            </div>
        </Form>
    }
}

#[component]
fn Rows(state: HistoryUrl, page: Page<CommandSummary>, may_run: bool) -> impl IntoView {
    if page.items.is_empty() {
        return view! {
            <section class="card">
                <Nothing state may_run />
            </section>
        }
        .into_any();
    }
    let count = format!(
        "{} on this page, newest first",
        plural(page.items.len() as u64, "command", "commands")
    );
    let first = state.cursor.is_some().then(|| state.page(None));
    let next = page.next.map(|cursor| state.page(Some(cursor.0)));
    view! {
        <TableCard label="Commands">
            <table class="commands">
                <thead>
                    <tr>
                        <th scope="col">"Command"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Progress"</th>
                        <th scope="col">"Requested by"</th>
                        <th scope="col">"When"</th>
                        <th scope="col" class="right">
                            "Duration"
                        </th>
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
fn Nothing(state: HistoryUrl, may_run: bool) -> impl IntoView {
    let run = may_run.then(|| {
        view! {
            <a class="btn primary" href="/commands/new">
                "Run command"
            </a>
        }
    });
    if state.is_filtered() {
        return view! {
            <EmptyState kind=Empty::NothingMatches title="No command matches">
                <p>{format!("Nothing fits all conditions ({}).", state.period.label().to_lowercase())}</p>
                <div class="row">
                    <a class="btn" href="/commands">
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
            <EmptyState kind=Empty::NothingExists title="No command has been run yet">
                <p>"Run a document on one node or on many; its progress and output will be kept here."</p>
                {run}
            </EmptyState>
        }
        .into_any();
    }
    view! {
        <EmptyState kind=Empty::NothingExists title="No command was run in this period">
            <p>{format!("{}: none.", state.period.label())}</p>
            <div class="row">
                <a class="btn" href=state.over_all_time()>
                    "Show all time"
                </a>
                {run}
            </div>
        </EmptyState>
    }
    .into_any()
}

#[component]
fn Row(row: CommandSummary) -> impl IntoView {
    let errors = match row.errors {
        0 => String::new(),
        some => format!(" · {}", plural(some.into(), "error", "errors")),
    };
    let document = (row.title() != row.document).then(|| format!("{} · ", row.document));
    let title = row.title().to_owned();
    let took = row
        .ended_at
        .map(|ended| duration(ended.since_ms(row.requested_at)));
    view! {
        <tr data-row="" tabindex="-1">
            <td>
                <div class="two-lines">
                    <a class="strong" data-act="open" href=format!("/commands/{}", row.command_id)>
                        {title}
                    </a>
                    <small>
                        {document}
                        <span class="mono">{row.command_id.to_string()}</span>
                    </small>
                </div>
            </td>
            <td>
                <StatusBadge badge=row.status label=row.status.label() />
            </td>
            <td>
                <div class="command-progress">
                    <ProgressBar completed=row.completed errors=row.errors total=row.targets />
                    <span class="nowrap">
                        {format!("{} / {}", grouped(row.completed.into()), grouped(row.targets.into()))}
                        <span class="bad-text">{errors}</span>
                    </span>
                </div>
            </td>
            <td>{row.requested_by}</td>
            <td class="muted nowrap">
                <TimeAgo at=row.requested_at />
            </td>
            <td class="right nowrap muted">{took.unwrap_or_else(|| "—".into())}</td>
        </tr>
    }
}
