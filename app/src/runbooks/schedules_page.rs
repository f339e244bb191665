//! The schedules on which runbooks are started: when next, how it went, and what may be done with each.

use super::catalogue_url::runbook_path;
use super::schedule_api::{DeleteScheduleFn, EnableScheduleFn, list_schedules};
use crate::components::{
    ConfirmDialog, DialogCancel, Empty, EmptyState, ErrorNotice, FormError, Fresh, PageHead, Skeleton,
    StaleNotice, SubmitButton, TableCard, TimeAgo, Tone, close_dialogs, plural, renewed, use_toaster,
};
use crate::error::action_error;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::runbooks::{LastRun, ScheduleRow};
use std::sync::Arc;
use std::time::Duration;

/// How often the rows are asked for again: what is due is started meanwhile.
const EVERY: Duration = Duration::from_secs(20);

/// The page.
#[component]
pub(crate) fn SchedulesPage() -> impl IntoView {
    let enable = ServerAction::<EnableScheduleFn>::new();
    let delete = ServerAction::<DeleteScheduleFn>::new();
    let toaster = use_toaster();
    let rows = renewed(
        move || (enable.version().get(), delete.version().get()),
        |_| list_schedules(),
    );
    Effect::new(move |_| {
        let renewing = set_interval_with_handle(
            move || {
                if !document().hidden() {
                    rows.refetch();
                }
            },
            EVERY,
        );
        on_cleanup(move || {
            if let Ok(renewing) = renewing {
                renewing.clear();
            }
        });
    });
    Effect::new(move |_| match enable.value().get() {
        Some(Ok(())) => toaster.say("Done."),
        Some(Err(error)) => toaster.complain(error.to_string()),
        None => {}
    });
    Effect::new(move |_| match delete.value().get() {
        Some(Ok(())) => {
            close_dialogs();
            toaster.say("Schedule deleted.");
        }
        Some(Err(error)) => toaster.complain(error.to_string()),
        None => {}
    });
    // Without script a refusal comes with the page.
    let refused = action_error(enable);
    let came_back = refused.get_untracked().is_some();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/runbooks">"Runbooks"</a>
            " / Schedules"
        </nav>
        <PageHead title="Schedules" subtitle=|| "Runbooks that Systems Manager starts by itself, for somebody here.">
            <a class="btn" href="/approvals/calendar">
                "Calendar"
            </a>
        </PageHead>
        {came_back.then(|| view! { <FormError error=refused /> })}
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=6 /></div> }>
            {move || Suspend::new(async move {
                match rows.await {
                    Ok(Fresh { value: rows, stale }) => {
                        let rows = Arc::unwrap_or_clone(rows);
                        view! {
                            <StaleNotice stale />
                            <Rows rows enable delete />
                        }
                            .into_any()
                    }
                    Err(error) => {
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="the schedules" />
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
fn Rows(
    rows: Vec<ScheduleRow>,
    enable: ServerAction<EnableScheduleFn>,
    delete: ServerAction<DeleteScheduleFn>,
) -> impl IntoView {
    if rows.is_empty() {
        return view! {
            <section class="card">
                <EmptyState kind=Empty::NothingExists title="Nothing is scheduled">
                    <p>"Open a runbook, choose Start, fill in the form, and open “On a schedule instead of now”."</p>
                    <a class="btn" href="/runbooks">
                        "Runbooks"
                    </a>
                </EmptyState>
            </section>
        }
        .into_any();
    }
    view! {
        <TableCard label="Schedules">
            <table class="runbooks schedules">
                <thead>
                    <tr>
                        <th scope="col">"Schedule"</th>
                        <th scope="col">"When"</th>
                        <th scope="col">"Next start"</th>
                        <th scope="col">"Last"</th>
                        <th scope="col">
                            <span class="visually-hidden">"Acts"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows.into_iter().map(|row| view! { <Row row enable delete /> }).collect_view()}</tbody>
            </table>
        </TableCard>
    }
    .into_any()
}

/// Systems Manager's word for how a window went, and the class of its dot.
pub(crate) fn window_outcome(status: &str) -> (&'static str, String) {
    let dot = match status {
        "SUCCESS" => "ok",
        "FAILED" | "TIMED_OUT" => "bad",
        "IN_PROGRESS" | "PENDING" | "CANCELLING" => "info",
        _ => "off",
    };
    let mut words = status.replace('_', " ").to_lowercase();
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    (dot, words)
}

#[component]
fn Last(last: Option<LastRun>) -> impl IntoView {
    match last {
        None => view! { <span class="muted">"not yet"</span> }.into_any(),
        Some(last) => {
            let (dot, words) = window_outcome(&last.status);
            view! {
                <div class="two-lines">
                    <span class="status-dot">
                        <span class=format!("dot {dot}") aria-hidden="true"></span>
                        {words}
                    </span>
                    <small>
                        <TimeAgo at=last.at />
                        {last
                            .execution
                            .map(|id| view! { " · " <a href=format!("/executions/{id}")>"Execution →"</a> })}
                    </small>
                </div>
            }
            .into_any()
        }
    }
}

/// When it is started next, or why it is not.
#[component]
fn Next(row: ScheduleRow) -> impl IntoView {
    let waits = if !row.problem.is_empty() {
        Some(("bad", "Broken", row.problem.clone()))
    } else if !row.enabled {
        Some((
            "off",
            "Paused",
            "Nothing is started until somebody resumes it.".to_owned(),
        ))
    } else if !row.held.is_empty() {
        Some(("warn", "Held", row.held.clone()))
    } else if row.window_id.is_none() {
        Some((
            "info",
            "Being made",
            "Systems Manager has not answered yet.".to_owned(),
        ))
    } else {
        None
    };
    match (waits, row.next) {
        (Some((dot, word, why)), _) => view! {
            <div class="two-lines">
                <span class="status-dot" data-standing=word>
                    <span class=format!("dot {dot}") aria-hidden="true"></span>
                    {word}
                </span>
                <small class="wraps">{why}</small>
            </div>
        }
        .into_any(),
        (None, Some(next)) => view! {
            <div class="two-lines" data-standing="On">
                <span>{next.local}</span>
                <small>{next.at.readable()}</small>
            </div>
        }
        .into_any(),
        (None, None) => view! { <span class="muted">"never again"</span> }.into_any(),
    }
}

#[component]
fn Row(
    row: ScheduleRow,
    enable: ServerAction<EnableScheduleFn>,
    delete: ServerAction<DeleteScheduleFn>,
) -> impl IntoView {
    let nodes = if row.nodes.is_empty() {
        "given no nodes".to_owned()
    } else {
        plural(row.nodes.len() as u64, "node", "nodes")
    };
    let about = format!("version {}, {nodes}, by {}", row.document_version, row.created_by);
    let hours = format!(
        "{}, open for {}",
        row.timing.time_zone,
        plural(u64::from(row.timing.duration_hours), "hour", "hours")
    );
    view! {
        <tr data-row="" tabindex="-1" data-schedule=row.name.clone()>
            <td>
                <div class="two-lines">
                    <span class="strong">{row.name.clone()}</span>
                    <small class="wraps">
                        <a data-act="open" href=runbook_path(&row.document)>
                            {row.document.clone()}
                        </a>
                        {format!(" · {about}")}
                    </small>
                    <small class="wraps">{row.reason.clone()}</small>
                </div>
            </td>
            <td>
                <div class="two-lines">
                    <span class="mono">{row.timing.schedule.clone()}</span>
                    <small>{hours}</small>
                </div>
            </td>
            <td>
                <Next row=row.clone() />
            </td>
            <td>
                <Last last=row.last.clone() />
            </td>
            <td>{row.may_change.then(|| view! { <RowActs row=row.clone() enable delete /> })}</td>
        </tr>
    }
}

#[component]
fn RowActs(
    row: ScheduleRow,
    enable: ServerAction<EnableScheduleFn>,
    delete: ServerAction<DeleteScheduleFn>,
) -> impl IntoView {
    let dialog = format!("delete-schedule-{}", row.id);
    let (id, to_delete) = (row.id.to_string(), row.id.to_string());
    let (word, next) = if row.enabled {
        ("Pause", "false")
    } else {
        ("Resume", "true")
    };
    let can_open = row.problem.is_empty();
    let says = format!("{word} {}", row.name);
    view! {
        <div class="row row-acts">
            {can_open
                .then(|| {
                    view! {
                        <ActionForm action=enable>
                            <input type="hidden" name="schedule_id" value=id />
                            <input type="hidden" name="enabled" value=next />
                            <button type="submit" class="btn small quiet" aria-label=says>
                                {word}
                            </button>
                        </ActionForm>
                    }
                })}
            <ConfirmDialog
                id=dialog.clone()
                trigger="Delete"
                title=format!("Delete the schedule “{}”?", row.name)
                tone=Tone::Quiet
                small=true
            >
                <p>"Its maintenance window is deleted at Systems Manager, and nothing is started by it any more. What it has started goes on."</p>
                <ActionForm action=delete>
                    <input type="hidden" name="schedule_id" value=to_delete />
                    <div class="dialog-actions">
                        <DialogCancel id=dialog />
                        <SubmitButton tone=Tone::Danger pending=delete.pending()>
                            "Delete schedule"
                        </SubmitButton>
                    </div>
                </ActionForm>
            </ConfirmDialog>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::window_outcome as outcome;

    #[test]
    fn how_a_window_went_is_said_in_words() {
        assert_eq!(outcome("SUCCESS"), ("ok", "Success".into()));
        assert_eq!(outcome("TIMED_OUT"), ("bad", "Timed out".into()));
        assert_eq!(outcome("SKIPPED_OVERLAPPING").0, "off");
    }
}
