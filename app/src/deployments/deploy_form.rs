//! What a deployment would do, and the form that does it, or asks for it where policies want that.

use super::api::{AskDeployment, DeployFn};
use super::deploy_page::Asked;
use super::plan_view::Changes;
use super::url::{application_path, release_path, run_path};
use crate::approvals::{AskPanel, Asking, needs_of};
use crate::components::{
    Fact, FormError, Glyph, Icon, SubmitButton, TextArea, TextField, TimeAgo, Tone, plural,
};
use crate::error::{AppError, action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::PortalError;
use muster_domain::deployments::{DeployPreview, DeploymentKind, parameter_lines};

/// The id of the form: there is one on a page.
const FORM_ID: &str = "deploy";

/// The nodes, and those that are left out.
#[component]
fn Nodes(preview: DeployPreview) -> impl IntoView {
    let count = preview.nodes.len() as u64;
    let production = match preview.in_production {
        0 => String::new(),
        some => format!(", {some} of them in production"),
    };
    let excluded = preview.excluded;
    view! {
        <p>
            <strong data-nodes=count.to_string()>{plural(count, "node", "nodes")}</strong>
            {production}
        </p>
        <ul class="deployment-nodes">
            {preview
                .nodes
                .into_iter()
                .map(|node| {
                    let environment = if node.environment.is_empty() { "no Environment tag".to_owned() } else { node.environment };
                    view! {
                        <li>
                            <a class="break-anywhere" href=format!("/fleet/{}", node.node_id)>{node.name}</a>
                            <span class="muted">{format!(" {environment}")}</span>
                        </li>
                    }
                })
                .collect_view()}
        </ul>
        {(!excluded.is_empty())
            .then(|| {
                view! {
                    <p class="small-text">"Left out now:"</p>
                    <ul class="deployment-nodes" data-excluded="">
                        {excluded
                            .into_iter()
                            .map(|one| view! { <li>{one.name} <span class="muted">{format!(" {}", one.reason)}</span></li> })
                            .collect_view()}
                    </ul>
                }
            })}
    }
}

/// What it would do.
#[component]
fn Preview(asked: Asked, preview: DeployPreview) -> impl IntoView {
    let release = preview.release.clone();
    let stops = if preview.stops.is_empty() {
        "No step of the runbook says that it stops something.".to_owned()
    } else {
        format!("Yes: {}.", preview.stops.join(", "))
    };
    let otherwise = if preview.replaces.is_none() {
        "Nothing was deployed there before."
    } else {
        "Nothing but the version."
    };
    let application = asked.application.clone();
    let about = release_path(&application, release.release_id.as_str());
    let runs = match preview.replaces.clone() {
        Some(current) => {
            let at = current.ended_at.unwrap_or(current.requested_at);
            view! {
                <a href=run_path(&application, current.deployment_id.as_str())>{current.version}</a>
                " since "
                <TimeAgo at />
            }
            .into_any()
        }
        None => view! { <span class="muted">"nothing"</span> }.into_any(),
    };
    let changes = preview.changes.clone();
    let count = plural(preview.parameters.len() as u64, "parameter", "parameters");
    let lines = parameter_lines(&preview.parameters);
    let steps = preview.steps.join(" → ");
    let notes = preview.notes.clone();
    view! {
        <section class="card" aria-labelledby="preview-title" data-preview="">
            <header>
                <h2 id="preview-title">"2. What it would do"</h2>
            </header>
            <div class="card-body">
                {notes
                    .into_iter()
                    .map(|note| {
                        view! {
                            <div class="notice warn">
                                <Icon glyph=Glyph::Warning />
                                <div>{note}</div>
                            </div>
                        }
                    })
                    .collect_view()}
                <dl class="facts">
                    <Fact label="Release">
                        <a href=about>{release.version.clone()}</a>
                        {format!(" by {} ", release.created_by)}
                        <TimeAgo at=release.created_at />
                    </Fact>
                    <Fact label="Runs there now">
                        {runs}
                    </Fact>
                    <Fact label="Differs in">
                        <Changes changes otherwise />
                    </Fact>
                    <Fact label="Stops the application">
                        <span data-stops="">{stops}</span>
                    </Fact>
                    <Fact label="Runbook">
                        <span class="mono">{release.content.document.clone()}</span>
                        {format!(" version {}: {steps}", release.content.document_version)}
                    </Fact>
                    <Fact label="Parameters">
                        <details>
                            <summary>{count}</summary>
                            <pre class="code" tabindex="0">{lines}</pre>
                        </details>
                    </Fact>
                    <Fact label="Nodes">
                        <Nodes preview />
                    </Fact>
                </dl>
            </div>
        </section>
    }
}

/// The preview and the form.
#[component]
pub(super) fn DeployForm(asked: Asked, application: String, preview: DeployPreview) -> impl IntoView {
    keep_fields::<DeployFn>();
    keep_fields::<AskDeployment>();
    let deploy = ServerAction::<DeployFn>::new();
    let ask = ServerAction::<AskDeployment>::new();
    let (refused, ask_error) = (action_error(deploy), action_error(ask));
    let error = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    let needs = needs_of(refused, ask_error);
    // What is wrong with the number is said at its field.
    let number_error = Signal::derive(move || {
        field_error(error, "confirmed_nodes").get().or_else(|| {
            error.with(|error| match error {
                Some(AppError::Portal(problem @ PortalError::ConfirmationNeeded { .. })) => {
                    Some(problem.to_string())
                }
                _ => None,
            })
        })
    });
    let must_confirm = preview.must_confirm;
    let asks_number = Memo::new(move |_| must_confirm || number_error.with(Option::is_some));
    let is_back = asked.kind == DeploymentKind::RollBack;
    let (submit, label) = if is_back {
        ("Roll back", "Why it goes back (required)")
    } else {
        ("Deploy", "What it is for (required)")
    };
    let title = asked
        .kind
        .title(&application, &preview.release.version, &asked.environment);
    let busy = preview.busy.clone().map(|open| {
        view! {
            <div class="notice warn" role="status" data-busy="">
                <Icon glyph=Glyph::Warning />
                <div>
                    <a href=run_path(open.application_id.as_str(), open.deployment_id.as_str())>
                        {format!("{} is being deployed there now", open.version)}
                    </a>
                    {format!(", by {}: one at a time.", open.requested_by)}
                </div>
            </div>
        }
    });
    let back = application_path(&asked.application);
    view! {
        <Preview asked=asked.clone() preview />
        {busy}
        <ActionForm action=deploy attr:id=FORM_ID attr:class="stack" attr:novalidate="">
            <section class="card" aria-labelledby="why-title">
                <header>
                    <h2 id="why-title">"3. Reason"</h2>
                </header>
                <div class="card-body form wide">
                    <p data-title="">{title}</p>
                    <FormError error />
                    <input type="hidden" name="application_id" value=asked.application />
                    <input type="hidden" name="environment" value=asked.environment />
                    <input type="hidden" name="release" value=asked.release />
                    <input type="hidden" name="kind" value=asked.kind.as_str() />
                    <TextArea
                        name="reason"
                        label
                        rows=2
                        hint="Up to 500 characters. Shown in the history and the audit log."
                        error=field_error(error, "reason")
                    />
                    <TextField
                        name="deployment_ticket"
                        label="Ticket (optional)"
                        error=field_error(error, "deployment_ticket")
                    />
                    {move || {
                        asks_number
                            .get()
                            .then(|| {
                                view! {
                                    <TextField
                                        name="confirmed_nodes"
                                        label="Number of nodes, to confirm"
                                        hint="Nodes in production, or many: type how many there are above."
                                        error=number_error
                                    />
                                }
                            })
                    }}
                </div>
            </section>
            {move || {
                needs
                    .get()
                    .map(|refusal| {
                        let asking = Asking {
                            action: ask,
                            form: FORM_ID,
                            now: if is_back { "Roll back now, unapproved" } else { "Deploy now, unapproved" },
                        };
                        view! { <AskPanel refusal asking error=ask_error /> }
                    })
            }}
            <div class="row">
                <SubmitButton tone=if is_back { Tone::Danger } else { Tone::Primary } pending=deploy.pending()>
                    {submit}
                </SubmitButton>
                <a class="btn quiet" href=back data-escape="">
                    "Cancel"
                </a>
            </div>
        </ActionForm>
    }
}
