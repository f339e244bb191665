//! Registering a task, or saying of a registered one anew what it is: the parameters that its document declares, its version, and
//! where and how fast it runs.

use super::change_form::{About, ChangeForm};
use super::task_choose::Choose;
use super::url::{TaskDocument, do_path, version_path};
use crate::commands::{ParameterForm, get_document};
use crate::components::{ErrorNotice, Keeper, SelectField, Skeleton, TextField};
use crate::error::{AppError, field_error};
use crate::runbooks::get_runbook;
use leptos::prelude::*;
use muster_domain::commands::DocumentParameter;
use muster_domain::windows::{WindowState, WindowTask};
use serde::{Deserialize, Serialize};

/// Systems Manager's word for whichever version is the default one.
const DEFAULT_VERSION: &str = "$DEFAULT";

/// What a form is for.
#[derive(Clone, Debug, PartialEq)]
struct Wanted {
    about: About,
    document: TaskDocument,
    /// The task that is changed; none where one is registered.
    old: Option<WindowTask>,
}

/// What its document declares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Declared {
    parameters: Vec<DocumentParameter>,
    /// The versions of a runbook, newest first.
    versions: Vec<String>,
}

async fn declared(document: TaskDocument) -> Result<Declared, AppError> {
    if document.is_runbook {
        // The catalogue knows versions by their numbers.
        let version = Some(document.version).filter(|version| !version.starts_with('$'));
        let found = get_runbook(document.name, version).await?;
        return Ok(Declared {
            parameters: found.parameters,
            versions: found.versions.into_iter().map(|one| one.version).collect(),
        });
    }
    let found = get_document(document.name).await?;
    Ok(Declared {
        parameters: found.parameters,
        versions: Vec::new(),
    })
}

/// The card: what is to run, or what that is given.
#[component]
pub(super) fn AddTask(about: About, document: TaskDocument) -> impl IntoView {
    if document.name.is_empty() {
        let keeper = Keeper::here();
        return view! { <Choose about keeper /> }.into_any();
    }
    let wanted = Wanted {
        about,
        document,
        old: None,
    };
    view! { <Look wanted /> }.into_any()
}

/// The card: a task as it is, to be changed.
#[component]
pub(super) fn EditTask(about: About, id: String, version: Option<String>) -> impl IntoView {
    let found = about.state.tasks.iter().find(|task| task.id == id).cloned();
    let Some(task) = found.filter(|task| task.is_command() || task.is_runbook()) else {
        return view! {
            <div class="notice" role="status">
                <div>"This task is not registered any more, or it is none that can be changed here."</div>
            </div>
        }
        .into_any();
    };
    let document = TaskDocument {
        name: task.document.clone(),
        is_runbook: task.is_runbook(),
        version: version.unwrap_or_else(|| task.document_version.clone()),
    };
    let wanted = Wanted {
        about,
        document,
        old: Some(task),
    };
    view! { <Look wanted /> }.into_any()
}

#[component]
fn Look(wanted: Wanted) -> impl IntoView {
    let keeper = Keeper::here();
    let document = wanted.document.clone();
    let found = Resource::new(move || document.clone(), declared);
    let wanted = StoredValue::new(wanted);
    view! {
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match found.await {
                        Ok(declared) => keeper.view(move || view! { <Fill wanted=wanted.get_value() declared /> }),
                        Err(error) => {
                            view! {
                                <div class="card card-body">
                                    <ErrorNotice error what="this document" />
                                </div>
                            }
                                .into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}

/// On what a task can be told to run.
fn places(state: &WindowState, is_runbook: bool, is_edit: bool) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut add = |value: &str, text: String| all.push((value.to_owned(), text));
    if is_edit {
        add("=", "Where it runs now".into());
    }
    if is_runbook {
        add(
            "",
            "Nothing: it is started once, and its parameters say the rest".into(),
        );
    }
    match (state.targets.len(), is_runbook) {
        (0, false) => add("*", "No target is registered yet".into()),
        (0, true) => {}
        _ => add("*", "All targets of the window".into()),
    }
    for target in &state.targets {
        add(&target.id, target.label());
    }
    all
}

#[component]
fn Fill(wanted: Wanted, declared: Declared) -> impl IntoView {
    let Wanted { about, document, old } = wanted;
    let TaskDocument {
        name,
        is_runbook,
        version,
    } = document;
    let is_edit = old.is_some();
    let (what, title, submit) = if is_edit {
        ("edit-task", format!("Change {name}"), "Save task")
    } else {
        ("add-task", format!("Register {name}"), "Register task")
    };
    let places = places(&about.state, is_runbook, is_edit);
    let may_name = about.state.settings.allow_unassociated;
    let versions = is_runbook.then(|| {
        let base = match &old {
            Some(task) => do_path(&about.id, "edit-task", &task.id),
            None => do_path(&about.id, "add-task", ""),
        };
        let runbook = if is_edit { "" } else { name.as_str() };
        let links = std::iter::once(DEFAULT_VERSION.to_owned()).chain(declared.versions);
        let links: Vec<(String, String, bool)> = links
            .map(|one| {
                let is_default = one == DEFAULT_VERSION;
                let word = if is_default { "default" } else { one.as_str() };
                (
                    version_path(&base, runbook, &one),
                    word.to_owned(),
                    one == version || is_default && version.is_empty(),
                )
            })
            .collect();
        view! { <Versions links /> }
    });
    let task = old.unwrap_or_else(|| WindowTask {
        priority: 1,
        max_concurrency: "1".into(),
        max_errors: "0".into(),
        ..WindowTask::default()
    });
    let or = |text: &str, otherwise: &str| if text.is_empty() { otherwise } else { text }.to_owned();
    let (concurrency, errors) = (or(&task.max_concurrency, "1"), or(&task.max_errors, "0"));
    let timeout = match task.timeout_seconds {
        0 => String::new(),
        seconds => seconds.to_string(),
    };
    let hint = is_runbook.then_some(
        "{{RESOURCE_ID}} stands for each node, so the runbook is started on all nodes of the targets; {{WINDOW_ID}} and the like \
         stand for the window.",
    );
    view! {
        <ChangeForm
            what
            about=Some(about)
            title
            submit
            fields=Box::new(move |error: Signal<Option<AppError>>| {
                view! {
                    <input type="hidden" name="document" value=name />
                    <input type="hidden" name="kind" value=if is_runbook { "runbook" } else { "command" } />
                    {is_edit.then(|| view! { <input type="hidden" name="id" value=task.id /> })}
                    <p class="field-error">{field_error(error, "document")}</p>
                    {versions}
                    {hint.map(|text| view! { <p class="muted small-text">{text}</p> })}
                    <ParameterForm parameters=declared.parameters given=task.parameters error />
                    {if is_runbook {
                        view! {
                            <input type="hidden" name="document_version" value=version />
                            <p class="field-error">{field_error(error, "document_version")}</p>
                        }
                            .into_any()
                    } else {
                        view! {
                            <TextField
                                name="document_version"
                                label="Version of the document (optional)"
                                value=version
                                hint="A number, or $LATEST. Empty is the default version, whichever that is when the window opens."
                                error=field_error(error, "document_version")
                            />
                        }
                            .into_any()
                    }}
                    <div class="form-row">
                        <SelectField name="task_target" label="On" options=places error=field_error(error, "task_target") />
                        {may_name
                            .then(|| {
                                view! {
                                    <TextField
                                        name="task_nodes"
                                        label="Or ids of nodes"
                                        placeholder="mi-0123456789abcdef0"
                                        hint="This window lets tasks name nodes that are no targets. Where they are named, choose nothing above."
                                        error=field_error(error, "task_nodes")
                                    />
                                }
                            })}
                    </div>
                    <div class="form-row">
                        <TextField
                            name="max_concurrency"
                            label="On how many at once"
                            value=concurrency
                            hint="A number, or a percentage such as 10%."
                            error=field_error(error, "max_concurrency")
                        />
                        <TextField
                            name="max_errors"
                            label="Stop after errors"
                            value=errors
                            hint="A number, or a percentage such as 10%."
                            error=field_error(error, "max_errors")
                        />
                        <TextField
                            name="priority"
                            label="Priority"
                            value=task.priority.to_string()
                            hint="The smallest is done first."
                            error=field_error(error, "priority")
                        />
                        {(!is_runbook)
                            .then(|| {
                                view! {
                                    <TextField
                                        name="timeout_seconds"
                                        label="Delivery time-out in seconds (optional)"
                                        value=timeout
                                        error=field_error(error, "timeout_seconds")
                                    />
                                }
                            })}
                    </div>
                    <div class="form-row">
                        <TextField
                            name="task_name"
                            label="Name (optional)"
                            value=task.name
                            error=field_error(error, "task_name")
                        />
                        <TextField
                            name="description"
                            label="Description (optional)"
                            value=task.description
                            error=field_error(error, "description")
                        />
                        {(!is_runbook)
                            .then(|| {
                                view! {
                                    <TextField
                                        name="comment"
                                        label="Comment of its commands (optional)"
                                        value=task.comment
                                        error=field_error(error, "comment")
                                    />
                                }
                            })}
                    </div>
                }
                    .into_any()
            })
        />
    }
}

/// In which version a runbook is started; another one may declare other parameters, so it is another address.
#[component]
fn Versions(links: Vec<(String, String, bool)>) -> impl IntoView {
    view! {
        <nav class="tab-chips" aria-label="Version of the runbook" data-versions="">
            <span class="muted">"Version"</span>
            {links
                .into_iter()
                .map(|(href, word, is_chosen)| {
                    view! {
                        <a class="tab-chip" href=href aria-current=is_chosen.then_some("page") data-noscroll="">
                            {word}
                        </a>
                    }
                })
                .collect_view()}
        </nav>
    }
}
