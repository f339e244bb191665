//! Registering a Run Command task: first the document is chosen, in the address, then its parameters and where it runs.

use super::change_form::{About, ChangeForm};
use super::url::view_path;
use crate::commands::{ParameterForm, get_document, list_documents};
use crate::components::{ErrorNotice, Keeper, SelectField, Skeleton, TextField};
use crate::error::{AppError, field_error};
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::commands::DocumentDetail;
use std::collections::BTreeMap;

/// What most people come to run.
const USUAL_DOCUMENT: &str = "AWS-RunShellScript";

/// The card: which document, or what it is given.
#[component]
pub(super) fn AddTask(about: About, document: String) -> impl IntoView {
    let keeper = Keeper::here();
    if document.is_empty() {
        return view! { <Choose about keeper /> }.into_any();
    }
    let name = document.clone();
    let found = Resource::new(move || name.clone(), get_document);
    let about = StoredValue::new(about);
    view! {
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match found.await {
                        Ok(document) => keeper.view(|| view! { <Fill about=about.get_value() document /> }),
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
    .into_any()
}

#[component]
fn Choose(about: About, keeper: Keeper) -> impl IntoView {
    let documents = Resource::new(|| (), |()| list_documents());
    let path = StoredValue::new(view_path(&about.id));
    view! {
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=3 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match documents.await {
                        Ok(documents) => {
                            let options: Vec<(String, String)> = documents
                                .into_iter()
                                .map(|one| (one.name.clone(), one.name))
                                .collect();
                            keeper
                                .view(|| {
                                    view! {
                                        <section class="card" aria-labelledby="choose-title">
                                            <header>
                                                <h2 id="choose-title">"Register a task"</h2>
                                            </header>
                                            <div class="card-body">
                                                <Form method="GET" action=path.get_value() attr:class="form wide">
                                                    <input type="hidden" name="do" value="add-task" />
                                                    <SelectField
                                                        name="document"
                                                        label="Document"
                                                        options
                                                        selected=USUAL_DOCUMENT
                                                        hint="What the window runs on its targets, by Run Command."
                                                    />
                                                    <div class="row">
                                                        <button type="submit" class="btn primary">
                                                            "Go on"
                                                        </button>
                                                        <a class="btn quiet" href=path.get_value() data-escape="" data-noscroll="">
                                                            "Cancel"
                                                        </a>
                                                    </div>
                                                </Form>
                                            </div>
                                        </section>
                                    }
                                })
                        }
                        Err(error) => {
                            view! {
                                <div class="card card-body">
                                    <ErrorNotice error what="the documents" />
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

#[component]
fn Fill(about: About, document: DocumentDetail) -> impl IntoView {
    let name = document.summary.name.clone();
    let title = format!("Register {name}");
    let all = match about.state.targets.len() {
        0 => "No target is registered yet".to_owned(),
        _ => "All targets of the window".to_owned(),
    };
    let targets: Vec<(String, String)> = std::iter::once((String::new(), all))
        .chain(
            about
                .state
                .targets
                .iter()
                .map(|target| (target.id.clone(), target.label())),
        )
        .collect();
    let may_name = about.state.settings.allow_unassociated;
    view! {
        <ChangeForm
            what="add-task"
            about=Some(about)
            title
            submit="Register task"
            fields=Box::new(move |error: Signal<Option<AppError>>| {
                view! {
                    <input type="hidden" name="document" value=name />
                    <p class="field-error">{field_error(error, "document")}</p>
                    <ParameterForm parameters=document.parameters given=BTreeMap::new() error />
                    <div class="form-row">
                        <SelectField
                            name="task_target"
                            label="On"
                            options=targets
                            error=field_error(error, "task_target")
                        />
                        {may_name
                            .then(|| {
                                view! {
                                    <TextField
                                        name="task_nodes"
                                        label="Or ids of nodes"
                                        placeholder="mi-0123456789abcdef0"
                                        hint="This window lets tasks name nodes that are no targets."
                                        error=field_error(error, "task_nodes")
                                    />
                                }
                            })}
                    </div>
                    <div class="form-row">
                        <TextField
                            name="max_concurrency"
                            label="On how many at once"
                            value="1"
                            hint="A number, or a percentage such as 10%."
                            error=field_error(error, "max_concurrency")
                        />
                        <TextField
                            name="max_errors"
                            label="Stop after errors"
                            value="0"
                            hint="A number, or a percentage such as 10%."
                            error=field_error(error, "max_errors")
                        />
                        <TextField
                            name="priority"
                            label="Priority"
                            value="1"
                            hint="The smallest is done first."
                            error=field_error(error, "priority")
                        />
                        <TextField
                            name="timeout_seconds"
                            label="Delivery time-out in seconds (optional)"
                            error=field_error(error, "timeout_seconds")
                        />
                    </div>
                    <div class="form-row">
                        <TextField name="task_name" label="Name (optional)" error=field_error(error, "task_name") />
                        <TextField name="description" label="Description (optional)" error=field_error(error, "description") />
                        <TextField name="comment" label="Comment of its commands (optional)" error=field_error(error, "comment") />
                    </div>
                }
                    .into_any()
            })
        />
    }
}
