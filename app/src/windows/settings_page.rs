//! The pages where a window is made and where its settings are changed.

use super::change_form::{About, ChangeForm};
use super::settings_form::{SettingsFields, usual};
use super::url::{edit_path, view_path};
use super::view_page::named;
use crate::components::{ErrorNotice, Keeper, PageHead, Skeleton};
use crate::error::set_page_status;
use crate::layout::{NotPermitted, missing, use_frame};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use muster_domain::action::Action;
use muster_domain::windows::WindowDetail;

const WHAT: &str = "change maintenance windows";

/// A new window.
#[component]
pub(crate) fn NewPage() -> impl IntoView {
    let frame = use_frame();
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/windows" data-escape="">
                "Maintenance windows"
            </a>
            " / New"
        </nav>
        <PageHead
            title="New maintenance window"
            subtitle=|| "When Systems Manager does something by itself. What it does, and where, is registered with it afterwards."
        />
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    if let Some(missing) = missing(frame, Action::WindowsChange).await {
                        return view! { <NotPermitted missing what=WHAT /> }.into_any();
                    }
                    keeper
                        .view(move || {
                            view! {
                                <ChangeForm
                                    what="create"
                                    about=None
                                    title="A new maintenance window"
                                    submit="Create maintenance window"
                                    has_preview=true
                                    fields=Box::new(|error| view! { <SettingsFields settings=usual() error /> }.into_any())
                                />
                            }
                        })
                })
            }}
        </Transition>
    }
}

/// The form, or why there is none.
fn form(detail: WindowDetail) -> AnyView {
    let id = detail.summary.id.to_string();
    let title = format!("Edit {}", detail.summary.name);
    let problem = match (detail.schedule, detail.live) {
        (Some(schedule), _) => format!(
            "It belongs to the schedule “{schedule}” of a runbook: change it under Runbooks, Schedules."
        ),
        (None, Err(problem)) => problem,
        (None, Ok(live)) => {
            let settings = live.state.settings.clone();
            let about = Some(About {
                id,
                state: live.state,
            });
            return view! {
                <PageHead title />
                <ChangeForm
                    what="edit"
                    about
                    title="Settings"
                    submit="Save changes"
                    has_preview=true
                    fields=Box::new(|error| view! { <SettingsFields settings error /> }.into_any())
                />
            }
            .into_any();
        }
    };
    view! {
        <PageHead title />
        <div class="card card-body">
            <p>{problem}</p>
            <a class="btn" href=edit_path(&id) rel="external">
                "Try again"
            </a>
        </div>
    }
    .into_any()
}

/// A window is given other settings.
#[component]
pub(crate) fn EditPage() -> impl IntoView {
    let params = use_params_map();
    let frame = use_frame();
    let id = Memo::new(move |_| params.with(|params| params.get("window_id").unwrap_or_default()));
    let detail = Resource::new(move || id.get(), |id| named(id, None));
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/windows">"Maintenance windows"</a>
            " / "
            <a href=move || view_path(&id.get()) data-escape="">
                {move || id.get()}
            </a>
            " / Edit"
        </nav>
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    if let Some(missing) = missing(frame, Action::WindowsChange).await {
                        return view! { <NotPermitted missing what=WHAT /> }.into_any();
                    }
                    match detail.await {
                        Ok(detail) => keeper.view(move || form(detail)),
                        Err(error) => {
                            set_page_status(&error);
                            let title = if error.is_not_found() {
                                "Maintenance window not found"
                            } else {
                                "Edit maintenance window"
                            };
                            view! {
                                <PageHead title />
                                <ErrorNotice error what="this maintenance window" />
                            }
                                .into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}
