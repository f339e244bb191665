//! One window: what it is, when it opens next, its targets and tasks, and how it went.

use super::acts::Acts;
use super::api::get_window;
use super::executions::Executions;
use super::rows::{Outcome, Standing, hours};
use super::state_cards::{Definition, NextRuns, TargetsCard, TasksCard};
use super::url::{ViewUrl, do_path, edit_path};
use crate::audit::ActsOf;
use crate::components::{ErrorNotice, Glyph, Icon, Keeper, PageHead, Skeleton, TimeAgo};
use crate::error::{AppError, set_page_status};
use crate::layout::use_frame;
use crate::url::use_query;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use muster_domain::PortalError;
use muster_domain::action::Action;
use muster_domain::windows::{WindowDetail, WindowSummary};

/// The window of that id. On the way to another page the address has none any more, and nothing is asked for.
///
/// # Errors
/// As the portal says.
pub(super) async fn named(id: String, execution: Option<String>) -> Result<WindowDetail, AppError> {
    if id.is_empty() {
        return Err(AppError::Portal(PortalError::NotFound {
            what: "A maintenance window without an id".into(),
        }));
    }
    get_window(id, execution).await
}

/// The page.
#[component]
pub(crate) fn ViewPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query();
    let id = Memo::new(move |_| params.with(|params| params.get("window_id").unwrap_or_default()));
    let url = Memo::new(move |_| query.with(ViewUrl::read));
    // What is about to be done is done with what is there now, and after it was done there is something else.
    let detail = Resource::new(
        move || (id.get(), url.get()),
        |(id, url)| named(id, url.execution),
    );
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/windows">"Maintenance windows"</a>
            " / "
            <span>{move || id.get()}</span>
        </nav>
        <Transition fallback=|| view! { <Skeleton lines=10 /> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match detail.await {
                        Ok(detail) => keeper.view(move || view! { <Window detail url=url.get_untracked() /> }),
                        Err(error) => {
                            set_page_status(&error);
                            let title = if error.is_not_found() {
                                "Maintenance window not found"
                            } else {
                                "Maintenance window"
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

#[component]
fn Sub(summary: WindowSummary) -> impl IntoView {
    view! {
        <span class="row command-standing">
            <Standing enabled=summary.enabled />
            <span>{hours(summary.duration_hours, summary.cutoff_hours)}</span>
            {summary
                .last
                .map(|last| {
                    view! {
                        <span class="row">
                            "last run: " <Outcome status=last.status /> {last.at.map(|at| view! { <TimeAgo at /> })}
                        </span>
                    }
                })}
        </span>
    }
}

/// What was done a moment ago.
fn said(what: &str) -> Option<&'static str> {
    Some(match what {
        "create" => "The maintenance window is made. Register targets and tasks with it.",
        "edit" => "The settings are saved.",
        "enable" => "It is enabled: it opens by its schedule.",
        "disable" => "It is disabled: it does not open any more.",
        "add-target" => "The target is registered.",
        "edit-target" => "The target is changed.",
        "edit-task" => "The task is changed: it runs so when the window opens next.",
        "remove-target" => "The target is deregistered.",
        "add-task" => "The task is registered: it runs when the window opens next.",
        "remove-task" => "The task is deregistered.",
        _ => return None,
    })
}

#[component]
fn HeadActs(id: String, enabled: bool, may_change: bool, may_delete: bool) -> impl IntoView {
    let (word, what) = if enabled {
        ("Disable", "disable")
    } else {
        ("Enable", "enable")
    };
    let (edit, toggle, delete) = (edit_path(&id), do_path(&id, what, ""), do_path(&id, "delete", ""));
    view! {
        {may_change
            .then(|| {
                view! {
                    <a class="btn primary" href=edit>
                        "Edit"
                    </a>
                    <a class="btn" href=toggle data-noscroll="">
                        {word}
                    </a>
                }
            })}
        {may_delete
            .then(|| {
                view! {
                    <a class="btn danger" href=delete data-noscroll="">
                        "Delete"
                    </a>
                }
            })}
    }
}

#[component]
fn Window(detail: WindowDetail, url: ViewUrl) -> impl IntoView {
    let frame = use_frame();
    let summary = detail.summary.clone();
    let id = summary.id.to_string();
    let sub = StoredValue::new(summary.clone());
    let saved = url.saved.as_deref().and_then(said);
    let resource = StoredValue::new(format!("window:{id}"));
    let (may_change, may_delete) = (detail.may_change, detail.may_delete);
    let head_id = id.clone();
    let schedule = detail.schedule.clone();
    let acts = detail.clone();
    view! {
        <PageHead title=summary.name.clone() subtitle=move || view! { <Sub summary=sub.get_value() /> }>
            <HeadActs id=head_id enabled=summary.enabled may_change may_delete />
        </PageHead>
        {saved
            .map(|text| {
                view! {
                    <div class="notice ok" role="status" data-saved="">
                        <Icon glyph=Glyph::Check />
                        <div>{text}</div>
                    </div>
                }
            })}
        {schedule
            .map(|name| {
                view! {
                    <div class="notice" data-owned="">
                        <Icon glyph=Glyph::Runbook />
                        <div>
                            {format!("It belongs to the schedule “{name}” of a runbook, and is changed there: ")}
                            <a href="/schedules">"Schedules"</a>
                        </div>
                    </div>
                }
            })}
        <Acts detail=acts doing=url.doing />
        {match detail.live {
            Err(problem) => {
                view! {
                    <div class="notice bad" role="alert">
                        <Icon glyph=Glyph::Warning />
                        <div>
                            <strong>"Its targets, tasks and executions cannot be read now. "</strong>
                            {problem}
                        </div>
                    </div>
                }
                    .into_any()
            }
            Ok(live) => {
                view! {
                    <div class="grid-main">
                        <div class="stack">
                            <TargetsCard id=id.clone() state=live.state.clone() may_change />
                            <TasksCard id=id.clone() state=live.state.clone() may_change />
                            <Executions id=id.clone() live=live.clone() />
                        </div>
                        <div class="stack">
                            <NextRuns next=live.next.clone() enabled=live.state.settings.enabled />
                            <Definition summary live />
                        </div>
                    </div>
                }
                    .into_any()
            }
        }}
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                let may = frame.await.is_ok_and(|frame| frame.may(Action::AuditRead));
                may.then(|| {
                    view! {
                        <h2 class="section-title">"Audit log"</h2>
                        <ActsOf resource=resource.get_value() version=Signal::stored(0) />
                    }
                })
            })}
        </Suspense>
    }
}
