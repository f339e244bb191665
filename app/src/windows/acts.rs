//! What is done with a window on its page. Each is a card of its own with an address, so that it works without script and can be
//! asked for where policies want that.

use super::change_form::{About, ChangeForm};
use super::task_form::{AddTask, EditTask};
use super::url::Doing;
use crate::components::{TextArea, TextField, plural};
use crate::error::{AppError, field_error};
use leptos::prelude::*;
use muster_domain::windows::{TargetKey, WindowDetail, WindowState, WindowTarget};

/// The card for what the address says; nothing where there is nothing to do, or the actor may not.
#[component]
pub(super) fn Acts(detail: WindowDetail, doing: Doing) -> impl IntoView {
    let may = match doing {
        Doing::Delete => detail.may_delete,
        _ => detail.may_change,
    };
    let Ok(live) = detail.live else {
        return ().into_any();
    };
    if !may {
        return ().into_any();
    }
    let about = About {
        id: detail.summary.id.to_string(),
        state: live.state,
    };
    match doing {
        Doing::Nothing => ().into_any(),
        Doing::Enable(enabled) => view! { <Enable about enabled /> }.into_any(),
        Doing::Delete => view! { <Delete about /> }.into_any(),
        Doing::AddTarget => view! { <Target about old=None /> }.into_any(),
        Doing::EditTarget(id) => {
            let old = about.state.targets.iter().find(|target| target.id == id).cloned();
            match old {
                Some(old) => view! { <Target about old=Some(old) /> }.into_any(),
                None => view! { <Gone /> }.into_any(),
            }
        }
        Doing::EditTask(id, version) => view! { <EditTask about id version /> }.into_any(),
        Doing::RemoveTarget(id) => view! { <Remove about id is_task=false /> }.into_any(),
        Doing::AddTask(document) => view! { <AddTask about document /> }.into_any(),
        Doing::RemoveTask(id) => view! { <Remove about id is_task=true /> }.into_any(),
    }
}

/// What a window does, in words.
fn does(state: &WindowState) -> String {
    match state.tasks.as_slice() {
        [] => "It has no tasks.".to_owned(),
        tasks => {
            let names: Vec<String> = tasks.iter().map(|task| task.label()).collect();
            format!(
                "{}: {}.",
                plural(tasks.len() as u64, "task", "tasks"),
                names.join(", ")
            )
        }
    }
}

#[component]
fn Enable(about: About, enabled: bool) -> impl IntoView {
    let name = about.state.settings.name.clone();
    let does = does(&about.state);
    let (what, title, submit, says) = if enabled {
        (
            "enable",
            format!("Enable {name}?"),
            "Enable it",
            "It opens by its schedule from then on, and runs what is registered with it.",
        )
    } else {
        (
            "disable",
            format!("Disable {name}?"),
            "Disable it",
            "It does not open any more until somebody enables it. What runs now goes on.",
        )
    };
    view! {
        <ChangeForm
            what
            about=Some(about)
            title
            submit
            fields=Box::new(move |_: Signal<Option<AppError>>| {
                view! {
                    <p>{says}</p>
                    <p class="muted">{does}</p>
                }
                    .into_any()
            })
        />
    }
}

#[component]
fn Delete(about: About) -> impl IntoView {
    let name = about.state.settings.name.clone();
    let does = does(&about.state);
    let title = format!("Delete {name}?");
    view! {
        <ChangeForm
            what="delete"
            about=Some(about)
            title
            submit="Delete it"
            is_danger=true
            fields=Box::new(move |error: Signal<Option<AppError>>| {
                view! {
                    <p>"Nothing of this happens any more, and nothing brings it back:"</p>
                    <p data-no-longer="">{does}</p>
                    <p class="muted">"Its targets and tasks go with it. What runs now goes on."</p>
                    <TextField
                        name="confirmation"
                        label="Type its name"
                        placeholder=name
                        required=true
                        error=field_error(error, "confirmation")
                    />
                }
                    .into_any()
            })
        />
    }
}

#[component]
fn Gone() -> impl IntoView {
    view! {
        <div class="notice" role="status">
            <div>"This is not registered any more."</div>
        </div>
    }
}

/// What a target's fields say: tags, one on each line, or ids of nodes. Nothing where it is named otherwise.
fn typed(targets: &[TargetKey]) -> (String, String) {
    let tags = targets.iter().filter_map(|key| {
        let tag = key.key.strip_prefix("tag:")?;
        Some(format!("{tag}={}", key.values.join(",")))
    });
    let nodes = targets.iter().filter(|key| key.is_by_id());
    (
        tags.collect::<Vec<_>>().join("\n"),
        nodes
            .map(|key| key.values.join(", "))
            .collect::<Vec<_>>()
            .join(", "),
    )
}

#[component]
fn Target(about: About, old: Option<WindowTarget>) -> impl IntoView {
    let (what, title, submit) = match &old {
        None => ("add-target", "Register a target".to_owned(), "Register target"),
        Some(old) => ("edit-target", format!("Change {}", old.label()), "Save target"),
    };
    let old = old.unwrap_or_default();
    let (tags, nodes) = typed(&old.targets);
    view! {
        <ChangeForm
            what
            about=Some(about)
            title
            submit
            fields=Box::new(move |error: Signal<Option<AppError>>| {
                view! {
                    {(!old.id.is_empty()).then(|| view! { <input type="hidden" name="id" value=old.id /> })}
                    <TextArea
                        name="target_tags"
                        label="Tags"
                        rows=3
                        mono=true
                        value=tags
                        placeholder="Environment=Production"
                        hint="One on each line, and all have to hold: Environment=Production,Staging means either. Nodes are found when the window opens."
                        error=field_error(error, "target_tags")
                    />
                    <TextField
                        name="target_nodes"
                        label="Or ids of nodes"
                        value=nodes
                        placeholder="mi-0123456789abcdef0"
                        hint="Separated by commas."
                        error=field_error(error, "target_nodes")
                    />
                    <div class="form-row">
                        <TextField
                            name="target_name"
                            label="Name (optional)"
                            value=old.name
                            error=field_error(error, "target_name")
                        />
                        <TextField
                            name="description"
                            label="Description (optional)"
                            value=old.description
                            error=field_error(error, "description")
                        />
                        <TextField
                            name="owner"
                            label="Owner information (optional)"
                            value=old.owner
                            error=field_error(error, "owner")
                        />
                    </div>
                }
                    .into_any()
            })
        />
    }
}

#[component]
fn Remove(about: About, id: String, is_task: bool) -> impl IntoView {
    let state = &about.state;
    let label = if is_task {
        state
            .tasks
            .iter()
            .find(|task| task.id == id)
            .map(|task| task.label())
    } else {
        state
            .targets
            .iter()
            .find(|target| target.id == id)
            .map(|target| target.label())
    };
    let Some(label) = label else {
        return view! { <Gone /> }.into_any();
    };
    let (what, submit, says) = if is_task {
        (
            "remove-task",
            "Deregister task",
            "The window does not run it any more. What runs now goes on.",
        )
    } else {
        (
            "remove-target",
            "Deregister target",
            "The window does not act on these nodes any more. It is refused while a task still names them.",
        )
    };
    view! {
        <ChangeForm
            what
            about=Some(about)
            title=format!("Deregister {label}?")
            submit
            is_danger=true
            fields=Box::new(move |_: Signal<Option<AppError>>| {
                view! {
                    <p>{says}</p>
                    <input type="hidden" name="id" value=id />
                }
                    .into_any()
            })
        />
    }
    .into_any()
}
