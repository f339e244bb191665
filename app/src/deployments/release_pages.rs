//! Writing a release down, and the page of one: what it is, in what it differs, and where it was deployed.

use super::api::{CreateReleaseFn, get_release};
use super::edit_page::{NotShown, named};
use super::lists::DeploymentTable;
use super::plan_view::Changes;
use super::url::{application_path, deploy_path, release_path};
use crate::components::{
    Fact, FormError, Keeper, PageHead, Skeleton, SubmitButton, TextArea, TextField, TimeAgo,
};
use crate::error::{AppError, action_error, field_error};
use crate::forms::keep_fields;
use crate::layout::{NotPermitted, missing, use_frame};
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use muster_domain::PortalError;
use muster_domain::action::Action;
use muster_domain::deployments::{
    ApplicationDetail, DeploymentKind, ReleaseContent, ReleaseDetail, parameter_lines,
};

/// A new release.
#[component]
pub(crate) fn NewReleasePage() -> impl IntoView {
    let params = use_params_map();
    let frame = use_frame();
    let id = Memo::new(move |_| params.with(|params| params.get("application_id").unwrap_or_default()));
    let detail = Resource::new(move || id.get(), named);
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/deployments">"Deployments"</a>
            " / "
            <a href=move || application_path(&id.get()) data-escape="">
                "Application"
            </a>
            " / New release"
        </nav>
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    if let Some(missing) = missing(frame, Action::DeploymentsCreateRelease).await {
                        return view! { <NotPermitted missing what="make releases" /> }.into_any();
                    }
                    match detail.await {
                        Ok(detail) => keeper.view(move || view! { <NewRelease detail /> }),
                        Err(error) => {
                            view! { <NotShown error title="Application" what="application" /> }.into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}

#[component]
fn NewRelease(detail: ApplicationDetail) -> impl IntoView {
    keep_fields::<CreateReleaseFn>();
    let create = ServerAction::<CreateReleaseFn>::new();
    let error = action_error(create);
    let settings = detail.settings;
    let id = detail.application_id.to_string();
    let newest = detail
        .newest
        .map(|(_, version)| format!("The newest is {version}."))
        .unwrap_or_default();
    let takes_artefact = !settings.artefact_parameter.is_empty();
    let usual = settings
        .parameters
        .get(&settings.artefact_parameter)
        .and_then(|values| values.first())
        .cloned()
        .unwrap_or_default();
    let artefact_hint = if usual.is_empty() {
        "Where it lies; goes to the runbook.".to_owned()
    } else {
        format!("Empty takes the application's: {usual}")
    };
    let sha_hint = if settings.sha256_parameter.is_empty() {
        "As sha256sum says. No parameter of the runbook takes it: it is written down, and not checked."
    } else {
        "As sha256sum says; the runbook looks at it on each node."
    };
    view! {
        <PageHead
            title=format!("New release of {}", settings.name)
            subtitle=|| "It is written down once and never changed: its parameters, its artefact and the runbook's version of now."
        />
        <section class="card" aria-labelledby="release-title">
            <header>
                <h2 id="release-title">"Release"</h2>
            </header>
            <div class="card-body">
                <ActionForm action=create attr:class="form wide" attr:novalidate="">
                    <FormError error />
                    <input type="hidden" name="application_id" value=id.clone() />
                    <TextField
                        name="version"
                        label="Version"
                        hint=newest
                        required=true
                        error=field_error(error, "version")
                    />
                    <TextArea
                        name="notes"
                        label="What is in it, and why"
                        hint="Up to 2,000 characters. Those who decide read it."
                        required=true
                        error=field_error(error, "notes")
                    />
                    {takes_artefact
                        .then(|| {
                            view! {
                                <TextField
                                    name="artefact"
                                    label="Artefact's address (optional)"
                                    hint=artefact_hint
                                    error=field_error(error, "artefact")
                                />
                            }
                        })}
                    <TextField
                        name="sha256"
                        label="Artefact's SHA-256 (optional)"
                        hint=sha_hint
                        error=field_error(error, "sha256")
                    />
                    <TextArea
                        name="parameters"
                        label="What the runbook is given for this release (optional)"
                        rows=4
                        mono=true
                        hint="Name=value, each on its line. The application's parameters are taken over as they are now."
                        error=field_error(error, "parameters")
                    />
                    <div class="row">
                        <SubmitButton pending=create.pending()>"Create release"</SubmitButton>
                        <a class="btn quiet" href=application_path(&id) data-escape="">
                            "Cancel"
                        </a>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}

/// On the way to another page the address has no id any more, and nothing is asked for.
async fn release_named(id: String) -> Result<ReleaseDetail, AppError> {
    if id.is_empty() {
        return Err(AppError::Portal(PortalError::NotFound {
            what: "A release without an id".into(),
        }));
    }
    get_release(id).await
}

/// One release.
#[component]
pub(crate) fn ReleasePage() -> impl IntoView {
    let params = use_params_map();
    let application =
        Memo::new(move |_| params.with(|params| params.get("application_id").unwrap_or_default()));
    let id = Memo::new(move |_| params.with(|params| params.get("release_id").unwrap_or_default()));
    let detail = Resource::new(move || id.get(), release_named);
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/deployments">"Deployments"</a>
            " / "
            <a href=move || application_path(&application.get())>"Application"</a>
            " / Release"
        </nav>
        <Transition fallback=|| view! { <Skeleton lines=10 /> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match detail.await {
                        Ok(detail) => keeper.view(move || view! { <Release detail /> }),
                        Err(error) => view! { <NotShown error title="Release" what="release" /> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
}

#[component]
fn Content(content: ReleaseContent) -> impl IntoView {
    view! {
        <dl class="facts">
            {(!content.artefact.is_empty())
                .then(|| view! { <Fact label="Artefact"><span class="mono break-anywhere">{content.artefact}</span></Fact> })}
            {(!content.sha256.is_empty())
                .then(|| view! { <Fact label="SHA-256"><span class="mono break-anywhere">{content.sha256}</span></Fact> })}
            <Fact label="Runbook">
                <a class="mono" href=format!("/runbooks/{}", content.document)>{content.document.clone()}</a>
                {format!(" version {}", content.document_version)}
            </Fact>
            <Fact label="Its text">
                <span class="mono break-anywhere">{format!("SHA-256 {}", content.content_hash)}</span>
            </Fact>
            <Fact label="Parameters">
                <pre class="code" tabindex="0">{parameter_lines(&content.parameters)}</pre>
            </Fact>
        </dl>
    }
}

#[component]
fn Release(detail: ReleaseDetail) -> impl IntoView {
    let release = detail.release;
    let application = release.application_id.to_string();
    let title = format!("{} {}", detail.application, release.version);
    let (by, at, number) = (release.created_by.clone(), release.created_at, release.number);
    let sub = StoredValue::new((by, number));
    let id = release.release_id.to_string();
    let deploy = (detail.may_deploy && !detail.environments.is_empty()).then(|| {
        view! {
            <a class="btn primary" href=deploy_path(&application, DeploymentKind::Deploy, "", &id)>
                "Deploy…"
            </a>
        }
    });
    let before = detail.before.map(|(before, version, changes)| {
        view! {
            <h3>"Against " <a href=release_path(&application, before.as_str())>{version}</a> ", the release before"</h3>
            <Changes changes otherwise="Nothing." />
        }
    });
    let is_first = before.is_none();
    view! {
        <PageHead
            title
            subtitle=move || {
                let (by, number) = sub.get_value();
                view! { <span>{format!("release number {number}, made by {by} ")} <TimeAgo at /></span> }
            }
        >
            {deploy}
        </PageHead>
        {detail
            .is_deleted
            .then(|| view! { <div class="notice" role="status"><div>"Its application was deleted."</div></div> })}
        <div class="grid-main">
            <div class="stack">
                <section class="card" aria-labelledby="notes-title">
                    <header>
                        <h2 id="notes-title">"What is in it"</h2>
                    </header>
                    <div class="card-body prose break-anywhere">{release.notes}</div>
                </section>
                <section class="card" aria-labelledby="differs-title">
                    <header>
                        <h2 id="differs-title">"In what it differs"</h2>
                    </header>
                    <div class="card-body" data-differs="">
                        {before}
                        {is_first.then(|| view! { <p class="muted">"It is the first release."</p> })}
                        {detail
                            .against
                            .into_iter()
                            .map(|(environment, version, changes)| {
                                view! {
                                    <h3>{format!("Against {version}, which runs in {environment}")}</h3>
                                    <Changes changes otherwise="Nothing." />
                                }
                            })
                            .collect_view()}
                    </div>
                </section>
                {if detail.deployments.is_empty() {
                    view! { <p class="muted">"It was not deployed yet."</p> }.into_any()
                } else {
                    view! { <DeploymentTable label="Its deployments" rows=detail.deployments /> }.into_any()
                }}
            </div>
            <section class="card" aria-labelledby="content-title">
                <header>
                    <h2 id="content-title">"What it is"</h2>
                </header>
                <div class="card-body">
                    <Content content=release.content />
                </div>
            </section>
        </div>
    }
}
