//! How a window went: its executions, and of one of them the tasks with what they started.

use super::rows::Outcome;
use super::url::execution_path;
use crate::components::{TableCard, TimeAgo};
use leptos::prelude::*;
use muster_domain::Timestamp;
use muster_domain::windows::{LiveWindow, WindowExecution, WindowInvocation, WindowRun};

/// For how long something went.
fn took(from: Option<Timestamp>, until: Option<Timestamp>) -> String {
    let Some((from, until)) = from.zip(until) else {
        return "—".to_owned();
    };
    let seconds = until.since_ms(from) / 1_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// The executions, and one of them in full.
#[component]
pub(super) fn Executions(id: String, live: LiveWindow) -> impl IntoView {
    let shown = live
        .execution
        .as_ref()
        .map(|one| one.id.clone())
        .unwrap_or_default();
    if live.runs.is_empty() {
        return view! {
            <section class="card" aria-labelledby="runs-title">
                <header>
                    <h2 id="runs-title">"Executions"</h2>
                </header>
                <div class="card-body">
                    <p class="muted">"It has not opened yet."</p>
                </div>
            </section>
        }
        .into_any();
    }
    let names = live.state.targets.clone();
    let name_of = move |target: &str| {
        let found = names.iter().find(|one| one.id == target);
        found.map_or_else(|| target.to_owned(), |one| one.label())
    };
    view! {
        <h2 class="section-title">"Executions"</h2>
        <TableCard label="Executions">
            <table class="window-runs">
                <thead>
                    <tr>
                        <th scope="col">"Opened"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Took"</th>
                    </tr>
                </thead>
                <tbody>
                    {live
                        .runs
                        .into_iter()
                        .map(|run| {
                            let is_shown = run.id == shown;
                            view! { <Run id=id.clone() run is_shown /> }
                        })
                        .collect_view()}
                </tbody>
            </table>
        </TableCard>
        {live.execution.map(|execution| view! { <One execution name_of /> })}
    }
    .into_any()
}

#[component]
fn Run(id: String, run: WindowRun, is_shown: bool) -> impl IntoView {
    let href = execution_path(&id, &run.id);
    let at = run.at.map_or_else(|| run.id.clone(), |at| at.readable());
    view! {
        <tr data-row="" data-run=run.id.clone() tabindex="-1" aria-current=is_shown.then_some("true")>
            <td>
                <div class="two-lines">
                    <a class="strong" data-act="open" href=href data-noscroll="">
                        {at}
                    </a>
                    <small>{run.at.map(|at| view! { <TimeAgo at /> })}</small>
                </div>
            </td>
            <td>
                <div class="two-lines">
                    <Outcome status=run.status />
                    <small class="wraps">{run.details}</small>
                </div>
            </td>
            <td class="nowrap">{took(run.at, run.ended_at)}</td>
        </tr>
    }
}

#[component]
fn One(execution: WindowExecution, name_of: impl Fn(&str) -> String + Send + 'static) -> impl IntoView {
    let tasks = execution.tasks;
    let is_empty = tasks.is_empty();
    view! {
        <section class="card" aria-labelledby="one-title" data-execution=execution.id>
            <header>
                <h2 id="one-title">"What this execution did"</h2>
            </header>
            <div class="card-body">
                {is_empty.then(|| view! { <p class="muted">"It had no tasks."</p> })}
                <ul class="window-parts">
                    {tasks
                        .into_iter()
                        .map(|task| {
                            view! {
                                <li data-ran=task.document.clone()>
                                    <div class="window-part">
                                        <strong>{task.document.clone()}</strong>
                                        <span class="row">
                                            <Outcome status=task.status />
                                            <small class="muted">{took(task.at, task.ended_at)}</small>
                                        </span>
                                        {(!task.details.is_empty())
                                            .then(|| view! { <small class="muted">{task.details}</small> })}
                                        <ul class="window-parts">
                                            {task
                                                .invocations
                                                .into_iter()
                                                .map(|one| {
                                                    let target = name_of(&one.target);
                                                    view! { <Invocation one target /> }
                                                })
                                                .collect_view()}
                                        </ul>
                                    </div>
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
            </div>
        </section>
    }
}

#[component]
fn Invocation(one: WindowInvocation, target: String) -> impl IntoView {
    let place = if target.is_empty() {
        "the nodes that the task names".to_owned()
    } else {
        target
    };
    view! {
        <li>
            <div class="window-part">
                <span class="row">
                    <Outcome status=one.status />
                    <span class="break-anywhere">{format!("on {place}")}</span>
                    {one.href.map(|href| view! { <a href=href>"Open what it started"</a> })}
                </span>
                {(!one.execution.is_empty()).then(|| view! { <small class="mono muted break-anywhere">{one.execution}</small> })}
                {(!one.details.is_empty()).then(|| view! { <small class="muted">{one.details}</small> })}
            </div>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::took;
    use muster_domain::Timestamp;

    #[test]
    fn how_long_it_took_is_said_shortly() {
        let of = |ms| took(Some(Timestamp(0)), Some(Timestamp(ms)));
        assert_eq!(of(4_200), "4 s");
        assert_eq!(of(65_000), "1 min 5 s");
        assert_eq!(of(3_700_000), "1 h 1 min");
        assert_eq!(took(None, Some(Timestamp(1))), "—");
    }
}
