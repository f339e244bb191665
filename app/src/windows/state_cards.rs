//! What a window is: its settings, when it opens next, its targets and its tasks.

use super::rows::Moment;
use super::url::do_path;
use crate::components::{Fact, TimeAgo};
use leptos::prelude::*;
use muster_domain::runbooks::LocalTime;
use muster_domain::windows::{LiveWindow, WindowState, WindowSummary, WindowTarget, WindowTask};

fn or_none(text: String) -> String {
    if text.is_empty() { "—".to_owned() } else { text }
}

/// Its settings.
#[component]
pub(super) fn Definition(summary: WindowSummary, live: LiveWindow) -> impl IntoView {
    let settings = live.state.settings;
    let zone = if settings.time_zone.is_empty() {
        "UTC".to_owned()
    } else {
        settings.time_zone
    };
    view! {
        <section class="card" aria-labelledby="definition-title">
            <header>
                <h2 id="definition-title">"Definition"</h2>
            </header>
            <div class="card-body">
                <dl class="facts">
                    <Fact label="Id">
                        <span class="mono">{summary.id.to_string()}</span>
                    </Fact>
                    <Fact label="Description">{or_none(settings.description)}</Fact>
                    <Fact label="Schedule">
                        <span class="mono break-anywhere">{settings.schedule}</span>
                    </Fact>
                    {(!summary.schedule_words.is_empty())
                        .then(|| view! { <Fact label="In words">{summary.schedule_words}</Fact> })}
                    <Fact label="Time zone">{zone}</Fact>
                    {(settings.offset_days > 0)
                        .then(|| view! { <Fact label="Days of offset">{settings.offset_days.to_string()}</Fact> })}
                    {(!settings.starts.is_empty()).then(|| view! { <Fact label="Not before">{settings.starts}</Fact> })}
                    {(!settings.ends.is_empty()).then(|| view! { <Fact label="Not after">{settings.ends}</Fact> })}
                    <Fact label="Open for">{format!("{} h", settings.duration_hours)}</Fact>
                    <Fact label="Cutoff">{format!("{} h before its end", settings.cutoff_hours)}</Fact>
                    <Fact label="Unregistered nodes">
                        {if settings.allow_unassociated { "tasks may name them" } else { "tasks may not name them" }}
                    </Fact>
                    {live.created_at.map(|at| view! { <Fact label="Made"><TimeAgo at /></Fact> })}
                    {live.modified_at.map(|at| view! { <Fact label="Changed"><TimeAgo at /></Fact> })}
                    <Fact label="Copied">
                        <TimeAgo at=summary.synced_at />
                    </Fact>
                </dl>
            </div>
        </section>
    }
}

/// When it opens next.
#[component]
pub(super) fn NextRuns(next: Vec<LocalTime>, enabled: bool) -> impl IntoView {
    let nothing = if enabled {
        "It never opens again by its schedule."
    } else {
        "It is disabled, so it does not open."
    };
    let is_empty = next.is_empty();
    view! {
        <section class="card" aria-labelledby="next-title">
            <header>
                <h2 id="next-title">"Next runs"</h2>
            </header>
            <div class="card-body">
                {if is_empty {
                    view! { <p class="muted">{nothing}</p> }.into_any()
                } else {
                    view! {
                        <ol class="window-next" data-next="">
                            {next.into_iter().map(|at| view! { <li><Moment at /></li> }).collect_view()}
                        </ol>
                    }
                        .into_any()
                }}
            </div>
        </section>
    }
}

/// On which nodes.
#[component]
pub(super) fn TargetsCard(id: String, state: WindowState, may_change: bool) -> impl IntoView {
    let add = do_path(&id, "add-target", "");
    let is_empty = state.targets.is_empty();
    view! {
        <section class="card" aria-labelledby="targets-title">
            <header>
                <h2 id="targets-title">"Targets"</h2>
                {may_change
                    .then(|| {
                        view! {
                            <div class="row aside">
                                <a class="btn small" href=add data-noscroll="">
                                    "Register target"
                                </a>
                            </div>
                        }
                    })}
            </header>
            <div class="card-body">
                {if is_empty {
                    view! { <p class="muted">"No nodes are registered with it."</p> }.into_any()
                } else {
                    view! {
                        <ul class="window-parts">
                            {state
                                .targets
                                .into_iter()
                                .map(|target| view! { <TargetItem id=id.clone() target may_change /> })
                                .collect_view()}
                        </ul>
                    }
                        .into_any()
                }}
            </div>
        </section>
    }
}

#[component]
fn TargetItem(id: String, target: WindowTarget, may_change: bool) -> impl IntoView {
    let remove = do_path(&id, "remove-target", &target.id);
    let edit = do_path(&id, "edit-target", &target.id);
    let edit_label = format!("Change the target {}", target.label());
    let label = format!("Deregister {}", target.label());
    let words = target.words();
    let is_named = !target.name.is_empty();
    view! {
        <li data-target=target.id.clone()>
            <div class="window-part">
                {is_named.then(|| view! { <strong>{target.name.clone()}</strong> })}
                <span class="break-anywhere">{words}</span>
                {(!target.description.is_empty()).then(|| view! { <small class="muted">{target.description.clone()}</small> })}
                {(!target.owner.is_empty())
                    .then(|| view! { <small class="muted">{format!("Owner information: {}", target.owner)}</small> })}
            </div>
            {may_change
                .then(|| {
                    view! {
                        <div class="row">
                            <a class="btn small" href=edit aria-label=edit_label data-noscroll="">
                                "Change"
                            </a>
                            <a class="btn small quiet" href=remove aria-label=label data-noscroll="">
                                "Deregister"
                            </a>
                        </div>
                    }
                })}
        </li>
    }
}

/// What it does.
#[component]
pub(super) fn TasksCard(id: String, state: WindowState, may_change: bool) -> impl IntoView {
    let add = do_path(&id, "add-task", "");
    let tasks: Vec<(WindowTask, String)> = state
        .tasks
        .iter()
        .map(|task| (task.clone(), state.where_of(task)))
        .collect();
    let is_empty = tasks.is_empty();
    view! {
        <section class="card" aria-labelledby="tasks-title">
            <header>
                <h2 id="tasks-title">"Tasks"</h2>
                {may_change
                    .then(|| {
                        view! {
                            <div class="row aside">
                                <a class="btn small" href=add data-noscroll="">
                                    "Register task"
                                </a>
                            </div>
                        }
                    })}
            </header>
            <div class="card-body">
                {if is_empty {
                    view! { <p class="muted">"It does nothing yet."</p> }.into_any()
                } else {
                    view! {
                        <ul class="window-parts">
                            {tasks
                                .into_iter()
                                .map(|(task, place)| view! { <TaskItem id=id.clone() task place may_change /> })
                                .collect_view()}
                        </ul>
                    }
                        .into_any()
                }}
            </div>
        </section>
    }
}

/// Systems Manager's word for what a task is, as people read it.
fn kind_words(kind: &str) -> &str {
    match kind {
        "RUN_COMMAND" => "Run Command",
        "AUTOMATION" => "Runbook",
        "LAMBDA" => "Lambda function",
        "STEP_FUNCTIONS" => "Step Functions",
        other => other,
    }
}

#[component]
fn TaskItem(id: String, task: WindowTask, place: String, may_change: bool) -> impl IntoView {
    let remove = do_path(&id, "remove-task", &task.id);
    let can_edit = task.is_command() || task.is_runbook();
    let edit = can_edit.then(|| do_path(&id, "edit-task", &task.id));
    let edit_label = format!("Change the task {}", task.label());
    let label = format!("Deregister {}", task.label());
    let version = if matches!(task.document_version.as_str(), "" | "$DEFAULT") {
        "default version".to_owned()
    } else {
        format!("version {}", task.document_version)
    };
    let pace = if task.targets.is_empty() {
        format!("priority {}, started once", task.priority)
    } else {
        format!(
            "priority {}, on {} at once, stops after {} errors",
            task.priority, task.max_concurrency, task.max_errors
        )
    };
    let line = task.script_line();
    let parameters: Vec<(String, String)> = task
        .parameters
        .iter()
        .map(|(name, values)| (name.clone(), values.join("\n")))
        .collect();
    view! {
        <li data-task=task.id.clone()>
            <div class="window-part">
                <strong>{task.label()}</strong>
                <small class="muted">{format!("{}, {version}, {pace}", kind_words(&task.kind))}</small>
                {(!place.is_empty()).then(|| view! { <span class="break-anywhere">{format!("On {place}")}</span> })}
                {(!task.description.is_empty()).then(|| view! { <small class="muted">{task.description.clone()}</small> })}
                {(!parameters.is_empty())
                    .then(|| {
                        view! {
                            <details>
                                <summary>
                                    "Parameters " {(!line.is_empty()).then(|| view! { <code class="mono">{line}</code> })}
                                </summary>
                                <dl class="facts">
                                    {parameters
                                        .into_iter()
                                        .map(|(name, text)| {
                                            view! {
                                                <Fact label=name>
                                                    <pre class="code" tabindex="0">
                                                        {text}
                                                    </pre>
                                                </Fact>
                                            }
                                        })
                                        .collect_view()}
                                </dl>
                            </details>
                        }
                    })}
            </div>
            {may_change
                .then(|| {
                    view! {
                        <div class="row">
                            {edit
                                .map(|href| {
                                    view! {
                                        <a class="btn small" href=href aria-label=edit_label data-noscroll="">
                                            "Change"
                                        </a>
                                    }
                                })}
                            <a class="btn small quiet" href=remove aria-label=label data-noscroll="">
                                "Deregister"
                            </a>
                        </div>
                    }
                })}
        </li>
    }
}
