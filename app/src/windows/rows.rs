//! The rows of the list, and how a window stands in words.

use super::url::{ListUrl, view_path};
use crate::components::{Empty, EmptyState, Pager, TableCard, TimeAgo, grouped, plural};
use crate::runbooks::window_outcome;
use leptos::prelude::*;
use muster_domain::runbooks::LocalTime;
use muster_domain::windows::{WindowPage, WindowRun, WindowSummary};

/// How something of a window stands, as a dot and a word.
#[component]
pub(super) fn Outcome(#[prop(into)] status: String) -> impl IntoView {
    let (dot, words) = window_outcome(&status);
    view! {
        <span class="status-dot" data-status=status>
            <span class=format!("dot {dot}") aria-hidden="true"></span>
            {words}
        </span>
    }
}

/// Whether a window opens at all.
#[component]
pub(super) fn Standing(enabled: bool) -> impl IntoView {
    let (dot, word) = if enabled {
        ("ok", "Enabled")
    } else {
        ("off", "Disabled")
    };
    view! {
        <span class="status-dot" data-enabled=word>
            <span class=format!("dot {dot}") aria-hidden="true"></span>
            {word}
        </span>
    }
}

/// A moment on the clock of the window, and in UTC.
#[component]
pub(super) fn Moment(at: LocalTime) -> impl IntoView {
    let utc = (!at.local.ends_with(" UTC")).then(|| at.at.readable());
    view! {
        <div class="two-lines">
            <span>{at.local}</span>
            {utc.map(|utc| view! { <small>{utc}</small> })}
        </div>
    }
}

/// The rows, or why there are none.
#[component]
pub(super) fn Rows(state: ListUrl, page: WindowPage) -> impl IntoView {
    let WindowPage {
        page,
        total,
        synced_at,
        may_change,
    } = page;
    if page.items.is_empty() {
        return view! { <Nothing state total may_change is_copied=synced_at.is_some() /> }.into_any();
    }
    let count = format!(
        "{} on this page; {} in all",
        plural(
            page.items.len() as u64,
            "maintenance window",
            "maintenance windows"
        ),
        grouped(total)
    );
    let first = state.cursor.is_some().then(|| state.page(None));
    let next = page.next.map(|cursor| state.page(Some(cursor.0)));
    view! {
        <TableCard label="Maintenance windows">
            <table class="windows">
                <thead>
                    <tr>
                        <th scope="col">"Maintenance window"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Schedule"</th>
                        <th scope="col">"Next run"</th>
                        <th scope="col">"Does"</th>
                        <th scope="col">"Last run"</th>
                    </tr>
                </thead>
                <tbody>{page.items.into_iter().map(|row| view! { <Row row /> }).collect_view()}</tbody>
            </table>
        </TableCard>
        <Pager count first next />
        {synced_at
            .map(|at| {
                view! {
                    <p class="muted small-text">
                        "Copied from Systems Manager " <TimeAgo at /> ". Targets and tasks that were changed elsewhere are found within the hour."
                    </p>
                }
            })}
    }
    .into_any()
}

/// For how long it is open.
pub(super) fn hours(duration: u32, cutoff: u32) -> String {
    let open = plural(u64::from(duration), "hour", "hours");
    match cutoff {
        0 => format!("open for {open}"),
        cutoff => format!("open for {open}, cutoff {cutoff} before its end"),
    }
}

fn counts(row: &WindowSummary) -> String {
    match (row.targets, row.tasks) {
        (Some(targets), Some(tasks)) => format!(
            "{} on {}",
            plural(u64::from(tasks), "task", "tasks"),
            plural(u64::from(targets), "target", "targets")
        ),
        _ => "being looked up".to_owned(),
    }
}

#[component]
fn Last(last: Option<WindowRun>) -> impl IntoView {
    match last {
        None => view! { <span class="muted">"not yet"</span> }.into_any(),
        Some(last) => view! {
            <div class="two-lines">
                <Outcome status=last.status />
                <small>{last.at.map(|at| view! { <TimeAgo at /> })}</small>
            </div>
        }
        .into_any(),
    }
}

#[component]
fn Row(row: WindowSummary) -> impl IntoView {
    let does = counts(&row);
    let zone = if row.time_zone.is_empty() {
        "UTC".to_owned()
    } else {
        row.time_zone.clone()
    };
    let words = if row.schedule_words.is_empty() {
        row.schedule.clone()
    } else {
        row.schedule_words.clone()
    };
    let about = format!(
        "{} · {zone} · {}",
        row.schedule,
        hours(row.duration_hours, row.cutoff_hours)
    );
    view! {
        <tr data-row="" data-window=row.name.clone() tabindex="-1">
            <td>
                <div class="two-lines">
                    <a class="strong" data-act="open" href=view_path(row.id.as_str())>
                        {row.name.clone()}
                    </a>
                    <small class="mono">{row.id.to_string()}</small>
                    <small class="wraps">{row.description}</small>
                </div>
            </td>
            <td>
                <Standing enabled=row.enabled />
            </td>
            <td>
                <div class="two-lines">
                    <span>{words}</span>
                    <small class="wraps">{about}</small>
                </div>
            </td>
            <td>
                {match row.next {
                    Some(at) => view! { <Moment at /> }.into_any(),
                    None => view! { <span class="muted">{if row.enabled { "never again" } else { "—" }}</span> }.into_any(),
                }}
            </td>
            <td class="nowrap">{does}</td>
            <td>
                <Last last=row.last />
            </td>
        </tr>
    }
}

#[component]
fn Nothing(state: ListUrl, total: u64, may_change: bool, is_copied: bool) -> impl IntoView {
    if state.is_filtered() || state.cursor.is_some() {
        return view! {
            <section class="card">
                <EmptyState kind=Empty::NothingMatches title="No maintenance window matches">
                    <p>
                        {format!(
                            "Nothing fits all conditions; in all there are {}.",
                            plural(total, "maintenance window", "maintenance windows"),
                        )}
                    </p>
                    <a class="btn" href="/windows">
                        "Clear the filter"
                    </a>
                </EmptyState>
            </section>
        }
        .into_any();
    }
    view! {
        <section class="card">
            <EmptyState kind=Empty::NothingExists title="There is no maintenance window yet">
                <p>
                    {if is_copied {
                        "A maintenance window runs commands by itself, at the times that it says, on the nodes that are registered with it."
                    } else {
                        "They are being copied from Systems Manager for the first time: look again in a few seconds."
                    }}
                </p>
                {may_change.then(|| view! { <a class="btn primary" href="/windows/new">"New maintenance window"</a> })}
            </EmptyState>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::hours;

    #[test]
    fn hours_are_said_in_words() {
        assert_eq!(hours(1, 0), "open for 1 hour");
        assert_eq!(hours(3, 1), "open for 3 hours, cutoff 1 before its end");
    }
}
