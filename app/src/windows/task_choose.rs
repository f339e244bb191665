//! Registering a task: first it is chosen what the window runs, a document of Run Command or a runbook. The choice stands in
//! the address.

use super::change_form::About;
use super::url::view_path;
use crate::commands::list_documents;
use crate::components::{ErrorNotice, Keeper, SelectField, Skeleton, TextField};
use crate::error::AppError;
use crate::runbooks::list_runbooks;
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::commands::DocumentSummary;
use muster_domain::runbooks::RunbookPage;

/// What most people come to run.
const USUAL_DOCUMENT: &str = "AWS-RunShellScript";

/// What there is to choose from, by name: documents of Run Command, and the runbooks that are known first.
fn names(
    documents: Result<Vec<DocumentSummary>, AppError>,
    runbooks: Result<RunbookPage, AppError>,
) -> Result<(Vec<String>, Vec<String>), AppError> {
    Ok((
        documents?.into_iter().map(|one| one.name).collect(),
        runbooks?.page.items.into_iter().map(|one| one.name).collect(),
    ))
}

/// The card.
#[component]
pub(super) fn Choose(about: About, keeper: Keeper) -> impl IntoView {
    // One each: behind the first answer of a resource there need be no portal any more to ask for a second one.
    let documents = Resource::new(|| (), |()| list_documents());
    let runbooks = Resource::new(|| (), |()| list_runbooks(None, None, None, None));
    let path = StoredValue::new(view_path(&about.id));
    view! {
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=3 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match names(documents.await, runbooks.await) {
                        Ok((documents, runbooks)) => {
                            keeper.view(move || view! { <Forms path=path.get_value() documents runbooks /> })
                        }
                        Err(error) => {
                            view! {
                                <div class="card card-body">
                                    <ErrorNotice error what="what a window can run" />
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
fn Forms(path: String, documents: Vec<String>, runbooks: Vec<String>) -> impl IntoView {
    let options: Vec<(String, String)> = documents.into_iter().map(|name| (name.clone(), name)).collect();
    let (back, other) = (path.clone(), path.clone());
    view! {
        <section class="card" aria-labelledby="choose-title">
            <header>
                <h2 id="choose-title">"Register a task"</h2>
            </header>
            <div class="card-body">
                <Form method="GET" action=path.clone() attr:class="form wide" attr:data-choose="command">
                    <h3>"Run Command"</h3>
                    <input type="hidden" name="do" value="add-task" />
                    <SelectField
                        name="document"
                        label="Document"
                        options
                        selected=USUAL_DOCUMENT
                        hint="What the window runs on its targets, by Run Command."
                    />
                    <GoOn back />
                </Form>
                <Form method="GET" action=path attr:class="form wide" attr:data-choose="runbook">
                    <h3>"Runbook"</h3>
                    <input type="hidden" name="do" value="add-task" />
                    <div class="form-row">
                        <TextField
                            name="runbook"
                            label="Runbook"
                            list="runbook-names"
                            required=true
                            hint="What the window starts, once or for each of its targets."
                        />
                        <TextField
                            name="version"
                            id="runbook-version"
                            label="Version (optional)"
                            hint="A number. Empty is the default version, whichever that is when the window opens."
                        />
                    </div>
                    <datalist id="runbook-names">
                        {runbooks.into_iter().map(|name| view! { <option value=name></option> }).collect_view()}
                    </datalist>
                    <GoOn back=other />
                </Form>
            </div>
        </section>
    }
}

#[component]
fn GoOn(back: String) -> impl IntoView {
    view! {
        <div class="row">
            <button type="submit" class="btn primary">
                "Go on"
            </button>
            <a class="btn quiet" href=back data-escape="" data-noscroll="">
                "Cancel"
            </a>
        </div>
    }
}
