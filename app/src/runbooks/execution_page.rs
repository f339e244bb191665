//! One execution: its head, its parts, and the live stream that keeps them fresh.

use super::acts::Acts;
use super::api::get_execution;
use super::catalogue_url::runbook_path;
use super::definition_tab::DefinitionTab;
use super::execution_url::{ExecutionUrl, TabName};
use super::graph_view::ExecutionGraph;
use super::live::LiveExecution;
use super::steps_tab::StepsTab;
use super::waiting::Waiting;
use crate::audit::ActsOf;
use crate::components::time_ago::{duration, running_for};
use crate::components::{
    ErrorNotice, Glyph, Icon, Keeper, PageHead, Skeleton, StatusBadge, Tab, Tabs, TimeAgo,
};
use crate::error::set_page_status;
use crate::live::clock::{use_clock, use_now};
use crate::live::event_source::{StreamState, listen};
use crate::url::use_query;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_params_map;
use muster_domain::runbooks::{ExecutionDetail, ExecutionEvent};
use std::time::Duration;

/// How long what only a snapshot tells may be stale while much happens.
const RENEW_AFTER: Duration = Duration::from_millis(700);

/// What the parts of the page share.
#[derive(Clone, Copy)]
pub(super) struct Live {
    pub(super) url: Memo<ExecutionUrl>,
    pub(super) detail: RwSignal<ExecutionDetail>,
    pub(super) live: RwSignal<LiveExecution>,
    pub(super) stream: RwSignal<StreamState>,
    renewing: StoredValue<Renewing>,
    /// Counts the snapshots taken.
    pub(super) renewed: RwSignal<u32>,
}

/// Whether a snapshot is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Renewing {
    No,
    /// In a moment: whatever happens until then is in it.
    Soon,
    /// It is on its way.
    Now,
    /// It is on its way, and something has happened since it was asked for.
    Again,
}

impl Live {
    /// Asks for the snapshot anew, once for many requests.
    pub(super) fn renew(self) {
        let begin = self.renewing.try_update_value(|renewing| match renewing {
            Renewing::No => {
                *renewing = Renewing::Soon;
                true
            }
            // What is on its way may not know of this yet.
            Renewing::Now => {
                *renewing = Renewing::Again;
                false
            }
            Renewing::Soon | Renewing::Again => false,
        });
        if begin == Some(true) {
            self.renew_soon();
        }
    }

    fn renew_soon(self) {
        set_timeout(
            move || {
                self.renewing
                    .try_update_value(|renewing| *renewing = Renewing::Now);
                let Some(id) = self.url.try_with_untracked(|url| url.id.clone()) else {
                    return;
                };
                spawn_local(async move {
                    let answer = get_execution(id).await;
                    let again = self.renewing.try_update_value(|renewing| {
                        let again = *renewing == Renewing::Again;
                        *renewing = if again { Renewing::Soon } else { Renewing::No };
                        again
                    });
                    if let Ok(detail) = answer {
                        let _ = self.live.try_update(|live| live.renew(&detail));
                        let _ = self.detail.try_set(detail);
                        let _ = self.renewed.try_update(|count| *count += 1);
                    }
                    if again == Some(true) {
                        self.renew_soon();
                    }
                });
            },
            RENEW_AFTER,
        );
    }

    fn hear(self, event: &ExecutionEvent) {
        let mut applied = false;
        let _ = self.live.try_update(|live| applied = live.apply(event));
        // What somebody may do, and what it has started, only a snapshot tells.
        if applied {
            self.renew();
        }
    }
}

/// The page.
#[component]
pub(crate) fn ExecutionPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query();
    let id = Memo::new(move |_| params.with(|params| params.get("execution_id").unwrap_or_default()));
    let url = Memo::new(move |_| query.with(|query| ExecutionUrl::read(id.get(), query)));
    let detail = Resource::new(move || id.get(), get_execution);
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/runbooks">"Runbooks"</a>
            " / "
            <a href="/executions">"Executions"</a>
            " / "
            <span class="mono">{move || id.get()}</span>
        </nav>
        <Transition fallback=|| view! { <Skeleton lines=10 /> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match detail.await {
                        Ok(detail) => keeper.view(move || view! { <Execution detail url /> }),
                        Err(error) => {
                            set_page_status(&error);
                            let title = if error.is_not_found() { "Execution not found" } else { "Execution" };
                            view! {
                                <PageHead title />
                                <ErrorNotice error what="this execution" />
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
fn Execution(detail: ExecutionDetail, url: Memo<ExecutionUrl>) -> impl IntoView {
    let finished = detail.summary.status.is_final();
    let id = detail.summary.execution_id.to_string();
    let cursor = detail.event_cursor;
    let title = detail.summary.document.clone();
    let clock = use_clock();
    let page = Live {
        url,
        live: RwSignal::new(LiveExecution::new(&detail)),
        detail: RwSignal::new(detail),
        stream: RwSignal::new(if finished {
            StreamState::Ended
        } else {
            StreamState::Connecting
        }),
        renewing: StoredValue::new(Renewing::No),
        renewed: RwSignal::new(0),
    };
    Effect::new(move |_| {
        if !finished {
            listen(
                format!("/events/executions/{id}"),
                Some(cursor.to_string()),
                &[],
                page.stream,
                move |event| {
                    match serde_json::from_str::<ExecutionEvent>(&event.data) {
                        Ok(event) => {
                            clock.heard(event.at);
                            page.hear(&event);
                        }
                        // Only the last event of a stream carries none.
                        Err(_) if event.name == "end" => page.renew(),
                        Err(_) => {}
                    }
                },
            );
        }
    });
    let tab = Memo::new(move |_| url.with(|url| url.tab));
    let tabs = Signal::derive(move || {
        url.with(|url| {
            TabName::ALL
                .into_iter()
                .map(|one| Tab {
                    label: one.label().to_owned(),
                    href: url.tab(one).address(),
                    active: one == url.tab,
                })
                .collect::<Vec<_>>()
        })
    });
    let audit_of = page.url.with_untracked(|url| format!("execution:{}", url.id));
    let audit_of = StoredValue::new(audit_of);
    view! {
        <PageHead title subtitle=move || view! { <Standing page /> }>
            <Acts page />
        </PageHead>
        <Why page />
        <Waiting page />
        <Tabs label="Parts of this execution" tabs />
        {move || match tab.get() {
            TabName::Steps => view! { <StepsTab page /> }.into_any(),
            TabName::Graph => view! { <ExecutionGraph page /> }.into_any(),
            TabName::Definition => view! { <DefinitionTab page /> }.into_any(),
            TabName::Audit => {
                view! { <ActsOf resource=audit_of.get_value() version=page.renewed /> }.into_any()
            }
        }}
    }
}

/// What it is for, and what went wrong.
#[component]
fn Why(page: Live) -> impl IntoView {
    let reason = page.detail.with_untracked(|detail| detail.summary.reason.clone());
    let message = Memo::new(move |_| page.live.with(|live| live.summary.failure_message.clone()));
    let unsent = Memo::new(move |_| page.detail.with(|detail| !detail.problem.is_empty()));
    let deployment = page.detail.with_untracked(|detail| detail.deployment.clone());
    view! {
        {deployment
            .map(|one| {
                let href = crate::deployments::run_path(one.application_id.as_str(), one.deployment_id.as_str());
                view! {
                    <p data-deployment="">
                        {format!("{} of ", one.kind.label())}
                        <a href=href>{format!("{} {} to {}", one.application, one.version, one.environment)}</a>
                    </p>
                }
            })}
        {(!reason.is_empty())
            .then(|| {
                view! {
                    <p class="execution-reason" data-reason="">
                        {reason}
                    </p>
                }
            })}
        {move || {
            let text = message.get();
            (!text.is_empty())
                .then(|| {
                    view! {
                        <div class="notice bad" role="status" data-failure="">
                            <Icon glyph=Glyph::Warning />
                            <div>
                                {unsent.get().then(|| view! { <strong>"Could not be sent. "</strong> })}
                                {text}
                            </div>
                        </div>
                    }
                })
        }}
    }
}

/// Status, who, when, how long, and whether the page is live.
#[component]
fn Standing(page: Live) -> impl IntoView {
    let now = use_now();
    let status = Memo::new(move |_| page.live.with(|live| live.summary.status));
    let elapsed = move || page.live.with(|live| live.elapsed_ms(now.get()));
    let usual = page
        .detail
        .with_untracked(|detail| detail.usual_duration_ms)
        .map(duration);
    let (document, version, by, at) = page.detail.with_untracked(|detail| {
        (
            detail.summary.document.clone(),
            detail.summary.document_version.clone(),
            detail.summary.requested_by.clone(),
            detail.summary.requested_at,
        )
    });
    let stream = move || match (page.stream.get(), status.get().is_final()) {
        (_, true) | (StreamState::Ended, _) => ("off", "Ended".to_owned()),
        (StreamState::Open, _) => ("ok", "Live".to_owned()),
        (StreamState::Connecting, _) => ("info", "Connecting".to_owned()),
        (StreamState::Reconnecting(attempt), _) => ("warn", format!("Reconnecting (try {attempt})")),
    };
    view! {
        <span class="row command-standing">
            <span data-status=move || status.get().as_str()>
                {move || view! { <StatusBadge badge=status.get() label=status.get().label() /> }}
            </span>
            <a href=runbook_path(&document)>{format!("version {version}")}</a>
            <span>"by " {by} " · " <TimeAgo at /></span>
            <span>
                // A text in any case: the clock may run already when this is hydrated.
                {move || match elapsed() {
                    Some(ms) if status.get().is_final() => format!("took {}", duration(ms)),
                    Some(ms) => running_for(ms),
                    None => String::new(),
                }}
                {usual.map(|text| format!(" (usually {text})"))}
            </span>
            <span class="needs-script" role="status" data-stream=move || stream().1>
                <span class="status-dot">
                    <span class=move || format!("dot {}", stream().0) aria-hidden="true"></span>
                    {move || stream().1}
                </span>
            </span>
        </span>
    }
}
