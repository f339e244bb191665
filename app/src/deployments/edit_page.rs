//! The pages where an application is made and where its settings are changed.

use super::api::get_application;
use super::change_form::{ChangeForm, SettingsFields, usual};
use super::url::application_path;
use crate::components::{ErrorNotice, Keeper, PageHead, Skeleton};
use crate::error::{AppError, set_page_status};
use crate::layout::{NotPermitted, missing, use_frame};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use muster_domain::PortalError;
use muster_domain::action::Action;
use muster_domain::deployments::ApplicationDetail;

const WHAT: &str = "change applications";

/// The application of that id. On the way to another page the address has none any more, and nothing is asked for.
///
/// # Errors
/// As the portal says.
pub(super) async fn named(id: String) -> Result<ApplicationDetail, AppError> {
    if id.is_empty() {
        return Err(AppError::Portal(PortalError::NotFound {
            what: "An application without an id".into(),
        }));
    }
    get_application(id).await
}

/// What an application's page shows when it cannot be shown.
#[component]
pub(super) fn NotShown(
    error: AppError,
    #[prop(into)] title: String,
    #[prop(into)] what: String,
) -> impl IntoView {
    set_page_status(&error);
    let title = if error.is_not_found() {
        format!("{title} not found")
    } else {
        title
    };
    view! {
        <PageHead title />
        <ErrorNotice error what=format!("this {what}") />
    }
}

/// A new application.
#[component]
pub(crate) fn NewPage() -> impl IntoView {
    let frame = use_frame();
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/deployments" data-escape="">
                "Deployments"
            </a>
            " / New"
        </nav>
        <PageHead
            title="New application"
            subtitle=|| "What it is, where it runs, and which runbook deploys it. Releases come afterwards."
        />
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    if let Some(missing) = missing(frame, Action::DeploymentsChange).await {
                        return view! { <NotPermitted missing what=WHAT /> }.into_any();
                    }
                    keeper
                        .view(move || {
                            view! {
                                <ChangeForm
                                    what="create"
                                    about=None
                                    title="A new application"
                                    submit="Create application"
                                    fields=Box::new(|error| {
                                        view! { <SettingsFields settings=usual() is_new=true error /> }.into_any()
                                    })
                                />
                            }
                        })
                })
            }}
        </Transition>
    }
}

fn form(detail: ApplicationDetail) -> AnyView {
    let settings = detail.settings;
    let about = Some((detail.application_id.to_string(), detail.revision));
    view! {
        <PageHead title=format!("Edit {}", settings.name) />
        <ChangeForm
            what="edit"
            about
            title="Settings"
            submit="Save changes"
            fields=Box::new(|error| view! { <SettingsFields settings is_new=false error /> }.into_any())
        />
    }
    .into_any()
}

/// An application is given other settings.
#[component]
pub(crate) fn EditPage() -> impl IntoView {
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
            " / Edit"
        </nav>
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    if let Some(missing) = missing(frame, Action::DeploymentsChange).await {
                        return view! { <NotPermitted missing what=WHAT /> }.into_any();
                    }
                    match detail.await {
                        Ok(detail) => keeper.view(move || form(detail)),
                        Err(error) => {
                            view! { <NotShown error title="Application" what="application" /> }.into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}
