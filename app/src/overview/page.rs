//! The Overview page. Renews itself every half minute while it is open and in sight.

use super::api::get_overview;
use super::panels::{ActivityPanel, FailedPanel, FirstSteps, NotReportingPanel, RunningPanel};
use crate::approvals::{NeedsDecisionPanel, get_waiting, use_heard};
use crate::components::{
    ErrorNotice, Fresh, Glyph, Icon, PageHead, Skeleton, StaleNotice, StatCard, TimeAgo, grouped, plural,
    renewed,
};
use crate::layout::{AuditWarning, use_frame};
use leptos::prelude::*;
use muster_domain::action::Action;
use muster_domain::approvals::WaitingCount;
use muster_domain::overview::OverviewView;
use std::sync::Arc;
use std::time::Duration;

const RENEWED_EVERY: Duration = Duration::from_secs(30);

/// What needs attention now.
#[component]
pub(crate) fn OverviewPage() -> impl IntoView {
    let overview = renewed(|| (), |()| get_overview());
    let frame = use_frame();
    let heard = use_heard();
    let waiting = Resource::new(move || heard.get(), |_| get_waiting());
    Effect::new(move |_| {
        let renewing = set_interval_with_handle(
            move || {
                if !document().hidden() {
                    overview.refetch();
                }
            },
            RENEWED_EVERY,
        );
        on_cleanup(move || {
            if let Ok(renewing) = renewing {
                renewing.clear();
            }
        });
    });
    let subtitle = move || {
        view! {
            <Transition fallback=|| "What needs you now">
                {move || Suspend::new(async move {
                    match overview.await {
                        Ok(view) => {
                            view! { <span>"What needs you now · nodes as of "<TimeAgo at=view.synced_at.unwrap_or(view.as_of) /></span> }.into_any()
                        }
                        Err(_) => "What needs you now".into_any(),
                    }
                })}
            </Transition>
        }
    };
    view! {
        <PageHead title="Overview" subtitle=subtitle>
            <a class="btn" href="/fleet">
                "Open fleet"
            </a>
            <Transition fallback=|| ()>
                {move || Suspend::new(async move {
                    frame
                        .await
                        .is_ok_and(|frame| frame.may(Action::SessionsStart))
                        .then(|| {
                            view! {
                                <a class="btn" href="/terminals/new">
                                    <Icon glyph=Glyph::Terminal />
                                    "Open terminal"
                                </a>
                            }
                        })
                })}
            </Transition>
            <Transition fallback=|| ()>
                {move || Suspend::new(async move {
                    frame
                        .await
                        .is_ok_and(|frame| frame.may(Action::CommandsRun))
                        .then(|| {
                            view! {
                                <a class="btn primary" href="/commands/new">
                                    <Icon glyph=Glyph::Command />
                                    "Run command"
                                </a>
                            }
                        })
                })}
            </Transition>
        </PageHead>
        <AuditWarning />
        <Transition fallback=|| view! { <Skeleton lines=9 /> }>
            {move || Suspend::new(async move {
                match overview.await {
                    Ok(Fresh { value: view, .. }) if view.nodes_total == 0 => {
                        let may_add = frame.await.is_ok_and(|frame| frame.may(Action::FleetCreateActivation));
                        view! { <FirstSteps may_add /> }.into_any()
                    }
                    Ok(Fresh { value: view, stale }) => {
                        let view = Arc::unwrap_or_clone(view);
                        view! {
                            <StaleNotice stale />
                            <Figures view=view.clone() />
                            <Panels view waiting=waiting.await.ok() />
                        }
                            .into_any()
                    }
                    Err(error) => view! { <ErrorNotice error what="the Overview" /> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Figures(view: OverviewView) -> impl IntoView {
    let lost = view.nodes_total.saturating_sub(view.nodes_online);
    view! {
        <div class="stats">
            <StatCard
                label="Nodes online"
                value=grouped(view.nodes_online)
                unit=format!("/ {}", grouped(view.nodes_total))
                href="/fleet"
            >
                {if lost == 0 {
                    view! { <span class="dot ok"></span> "all report" }.into_any()
                } else {
                    view! { <span class="dot warn"></span> {format!("{} not reporting", grouped(lost))} }.into_any()
                }}
            </StatCard>
            <StatCard label="Running now" value=grouped(view.commands_running) href="/commands">
                {if view.commands_running == 1 { "command" } else { "commands" }}
            </StatCard>
            <StatCard
                label="Failed in 24 h"
                value=grouped(view.failed_24h)
                unit=format!("/ {}", grouped(view.commands_24h))
                href="/commands?status=Failed"
            >
                {format!("of {} started in 24 h", plural(view.commands_24h, "command", "commands"))}
            </StatCard>
            <StatCard label="People signed in" value=grouped(view.people_signed_in)>
                "with a session now"
            </StatCard>
        </div>
    }
}

#[component]
fn Panels(view: OverviewView, waiting: Option<WaitingCount>) -> impl IntoView {
    let may_see_acts = view.recent.is_some();
    let waiting = waiting.filter(|waiting| waiting.count > 0);
    view! {
        <div class="overview-grid">
            <div class="stack">
                {waiting.map(|waiting| view! { <NeedsDecisionPanel waiting /> })}
                <RunningPanel running=view.running />
                <FailedPanel failed=view.failed />
            </div>
            <div class="stack">
                <NotReportingPanel
                    nodes=view.not_reporting
                    total=view.nodes_total.saturating_sub(view.nodes_online)
                />
                {may_see_acts.then(|| view! { <ActivityPanel recent=view.recent.unwrap_or_default() /> })}
            </div>
        </div>
    }
}
