//! The pages where a parameter is made and where it is changed.

use super::put_form::{Begin, PutForm};
use super::url::{edit_path, read_folder, read_kind, view_path};
use super::view_page::named;
use crate::components::{ErrorNotice, Keeper, PageHead, Skeleton};
use crate::error::set_page_status;
use crate::layout::{NotPermitted, missing, use_frame};
use crate::url::{address, use_query};
use leptos::prelude::*;
use muster_domain::action::Action;
use muster_domain::parameters::ParameterKind;

const WHAT: &str = "write parameters";

/// A new parameter. Its type is in the address, because it decides which fields there are.
#[component]
pub(crate) fn NewPage() -> impl IntoView {
    let query = use_query();
    let frame = use_frame();
    let state = Memo::new(move |_| {
        query.with(|query| {
            let kind = read_kind(query.get("type").unwrap_or_default()).ok().flatten();
            let folder = read_folder(query.get("path").unwrap_or_default()).unwrap_or_default();
            (kind.unwrap_or(ParameterKind::String), folder)
        })
    });
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/parameters" data-escape="">
                "Parameters"
            </a>
            " / New"
        </nav>
        <PageHead title="New parameter" subtitle=|| "Read by its name. What it holds cannot be changed later, its value can." />
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || {
                let (kind, folder) = state.get();
                let keeper = keeper.clone();
                Suspend::new(async move {
                    if let Some(missing) = missing(frame, Action::ParametersPut).await {
                        return view! { <NotPermitted missing what=WHAT /> }.into_any();
                    }
                    keeper
                        .view(move || {
                            view! {
                                <Kinds kind folder=folder.clone() />
                                <PutForm begin=Begin::new(kind, &folder) />
                            }
                        })
                })
            }}
        </Transition>
    }
}

/// The types as links: each has other fields.
#[component]
fn Kinds(kind: ParameterKind, folder: String) -> impl IntoView {
    view! {
        <nav class="tabs" aria-label="Type">
            {ParameterKind::ALL
                .iter()
                .map(|one| {
                    let href = address("/parameters/new", [("type", one.as_str().to_owned()), ("path", folder.clone())]);
                    view! {
                        <a href=href data-noscroll="" aria-current=(*one == kind).then_some("page")>
                            {one.label()}
                        </a>
                    }
                })
                .collect_view()}
        </nav>
    }
}

/// A parameter is changed: its next version is written.
#[component]
pub(crate) fn EditPage() -> impl IntoView {
    let query = use_query();
    let frame = use_frame();
    let name = Memo::new(move |_| query.with(|query| query.text("name").unwrap_or_default()));
    let detail = Resource::new(move || name.get(), named);
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/parameters">"Parameters"</a>
            " / "
            <a href=move || view_path(&name.get()) data-escape="">
                {move || name.get()}
            </a>
            " / Edit"
        </nav>
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    if let Some(missing) = missing(frame, Action::ParametersPut).await {
                        return view! { <NotPermitted missing what=WHAT /> }.into_any();
                    }
                    match detail.await {
                        Ok(detail) => {
                            keeper
                                .view(move || {
                                    let title = format!("Edit {}", detail.summary.name);
                                    let again = edit_path(&detail.summary.name);
                                    match Begin::of(detail) {
                                        Ok(begin) => view! {
                                            <PageHead title />
                                            <PutForm begin />
                                        }
                                        .into_any(),
                                        Err(problem) => view! {
                                            <PageHead title />
                                            <div class="card card-body">
                                                <p>{problem}</p>
                                                <a class="btn" href=again rel="external">
                                                    "Try again"
                                                </a>
                                            </div>
                                        }
                                        .into_any(),
                                    }
                                })
                        }
                        Err(error) => {
                            set_page_status(&error);
                            let title = if error.is_not_found() { "Parameter not found" } else { "Edit parameter" };
                            view! {
                                <PageHead title />
                                <ErrorNotice error what="this parameter" />
                            }
                                .into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}
