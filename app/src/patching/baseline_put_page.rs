//! The pages where a baseline is made, copied and changed.

use super::baseline_form::{BaselineForm, Begin};
use super::baseline_page::named;
use super::baseline_url::{copy_path, view_path};
use crate::components::{ErrorNotice, Keeper, PageHead, Skeleton};
use crate::error::set_page_status;
use crate::layout::{NotPermitted, missing, use_frame};
use crate::url::use_query;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use muster_domain::action::Action;

const WHAT: &str = "change patch baselines";

/// A new baseline; with `copy` in the address it begins with what another one says.
#[component]
pub(crate) fn NewBaselinePage() -> impl IntoView {
    let query = use_query();
    let frame = use_frame();
    let copied = Memo::new(move |_| query.with(|query| query.text("copy").unwrap_or_default()));
    let begin = Resource::new(
        move || copied.get(),
        |copied| async move {
            if copied.is_empty() {
                Ok(None)
            } else {
                named(copied).await.map(Some)
            }
        },
    );
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/patching/baselines" data-escape="">
                "Baselines"
            </a>
            " / New"
        </nav>
        <PageHead title="New patch baseline" subtitle=|| "It holds for no node before it is the default or has a patch group." />
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    if let Some(missing) = missing(frame, Action::BaselinesChange).await {
                        return view! { <NotPermitted missing what=WHAT /> }.into_any();
                    }
                    match begin.await {
                        Ok(None) => keeper.view(move || view! { <BaselineForm begin=Begin::new() /> }),
                        Ok(Some(detail)) => keeper.view(move || view! { <BaselineForm begin=Begin::copy(detail) /> }),
                        Err(error) => {
                            set_page_status(&error);
                            view! { <ErrorNotice error what="the baseline that is to be copied" /> }.into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}

/// A baseline is changed.
#[component]
pub(crate) fn EditBaselinePage() -> impl IntoView {
    let params = use_params_map();
    let frame = use_frame();
    let id = Memo::new(move |_| params.with(|params| params.get("baseline_id").unwrap_or_default()));
    let detail = Resource::new(move || id.get(), named);
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/patching/baselines">"Baselines"</a>
            " / "
            <a href=move || view_path(&id.get()) data-escape="" class="mono">
                {move || id.get()}
            </a>
            " / Edit"
        </nav>
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    if let Some(missing) = missing(frame, Action::BaselinesChange).await {
                        return view! { <NotPermitted missing what=WHAT /> }.into_any();
                    }
                    match detail.await {
                        Ok(detail) => {
                            keeper
                                .view(move || {
                                    let title = format!("Edit {}", detail.summary.name);
                                    let copy = copy_path(&detail.summary.baseline_id);
                                    if detail.summary.is_given {
                                        view! {
                                            <PageHead title />
                                            <div class="card card-body">
                                                <p>"This baseline comes with Systems Manager and cannot be changed."</p>
                                                <a class="btn" href=copy>
                                                    "Copy to a baseline of your own"
                                                </a>
                                            </div>
                                        }
                                            .into_any()
                                    } else {
                                        view! {
                                            <PageHead title />
                                            <BaselineForm begin=Begin::of(detail) />
                                        }
                                            .into_any()
                                    }
                                })
                        }
                        Err(error) => {
                            set_page_status(&error);
                            let title = if error.is_not_found() { "Baseline not found" } else { "Edit baseline" };
                            view! {
                                <PageHead title />
                                <ErrorNotice error what="this patch baseline" />
                            }
                                .into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}
