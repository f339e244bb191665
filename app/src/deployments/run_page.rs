//! One deployment: what went where, what it replaced, how it stands, and where to look further.

use super::api::get_deployment;
use super::edit_page::NotShown;
use super::plan_view::Changes;
use super::url::{application_path, deploy_path, release_path};
use super::words::{Kind, State};
use crate::audit::ActsOf;
use crate::components::{
    Fact, Fresh, Glyph, Icon, Keeper, PageHead, Skeleton, StaleNotice, TimeAgo, plural, renewed,
};
use crate::error::AppError;
use crate::layout::use_frame;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use muster_domain::PortalError;
use muster_domain::action::Action;
use muster_domain::deployments::{DeploymentDetail, DeploymentKind, DeploymentState, rolled_back_words};
use std::sync::Arc;
use std::time::Duration;

/// How often it is asked for again while it runs.
const EVERY: Duration = Duration::from_secs(2);

/// On the way to another page the address has no id any more, and nothing is asked for.
async fn named(id: String) -> Result<DeploymentDetail, AppError> {
    if id.is_empty() {
        return Err(AppError::Portal(PortalError::NotFound {
            what: "A deployment without an id".into(),
        }));
    }
    get_deployment(id).await
}

/// The page.
#[component]
pub(crate) fn RunPage() -> impl IntoView {
    let params = use_params_map();
    let application =
        Memo::new(move |_| params.with(|params| params.get("application_id").unwrap_or_default()));
    let id = Memo::new(move |_| params.with(|params| params.get("deployment_id").unwrap_or_default()));
    let detail = renewed(move || id.get(), named);
    // In an effect: a resource is not read outside of a `Suspense` while the page is hydrated.
    let runs = RwSignal::new(false);
    Effect::new(move |_| {
        let now =
            detail.with(|one| matches!(one, Some(Ok(one)) if one.summary.state == DeploymentState::Running));
        if runs.get_untracked() != now {
            runs.set(now);
        }
    });
    Effect::new(move |_| {
        if !runs.get() {
            return;
        }
        let renewing = set_interval_with_handle(
            move || {
                if !document().hidden() {
                    detail.refetch();
                }
            },
            EVERY,
        );
        on_cleanup(move || {
            if let Ok(renewing) = renewing {
                renewing.clear();
            }
        });
    });
    let frame = use_frame();
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/deployments">"Deployments"</a>
            " / "
            <a href=move || application_path(&application.get())>"Application"</a>
            " / Deployment"
        </nav>
        <Transition fallback=|| view! { <Skeleton lines=10 /> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match detail.await {
                        Ok(Fresh { value: detail, stale }) => {
                            let detail = Arc::unwrap_or_clone(detail);
                            keeper.view(move || view! { <StaleNotice stale /> <Deployment detail /> })
                        }
                        Err(error) => {
                            view! { <NotShown error title="Deployment" what="deployment" /> }.into_any()
                        }
                    }
                })
            }}
        </Transition>
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                let may = frame.await.is_ok_and(|frame| frame.may(Action::AuditRead));
                may.then(|| {
                    view! {
                        <h2 class="section-title">"Audit log"</h2>
                        <ActsOf resource=format!("deployment:{}", id.get_untracked()) version=Signal::stored(0) />
                    }
                })
            })}
        </Suspense>
    }
}

#[component]
fn Deployment(detail: DeploymentDetail) -> impl IntoView {
    let row = detail.summary;
    let title = row.kind.title(&row.application, &row.version, &row.environment);
    let application = row.application_id.to_string();
    let sub = StoredValue::new(row.clone());
    let is_over = row.state != DeploymentState::Running;
    let failed = (!detail.problem.is_empty() && is_over).then(|| {
        let back = rolled_back_words(&row.rolled_back).map_or_else(
            || " No step that rolls back was run.".to_owned(),
            |words| format!(" And {words}."),
        );
        view! {
            <div class="notice bad" role="status" data-failure="">
                <Icon glyph=Glyph::Warning />
                <div>
                    {detail.problem}
                    {back}
                </div>
            </div>
        }
    });
    let back = deploy_path(&application, DeploymentKind::RollBack, &row.environment, "");
    let release = release_path(&application, row.release_id.as_str());
    let about = application_path(&application);
    let execution = format!("/executions/{}", row.execution_id);
    let otherwise = if row.replaces.is_empty() {
        "Nothing was deployed there before."
    } else {
        "Nothing but the version."
    };
    view! {
        <PageHead
            title
            subtitle=move || {
                let row = sub.get_value();
                view! {
                    <span class="row command-standing">
                        <Kind kind=row.kind />
                        <State state=row.state rolled_back=row.rolled_back />
                        <span>"by " {row.requested_by} " · " <TimeAgo at=row.requested_at /></span>
                    </span>
                }
            }
        >
            <a class="btn primary" href=execution>
                <Icon glyph=Glyph::Runbook />
                "Execution"
            </a>
            {is_over
                .then(|| {
                    view! {
                        <a class="btn" href=back>
                            "Roll back…"
                        </a>
                    }
                })}
        </PageHead>
        <div class="stack">
            {failed}
            <section class="card card-body">
                <dl class="facts">
                    <Fact label="Application">
                        <a href=about>{row.application}</a>
                    </Fact>
                    <Fact label="Environment">
                        {row.environment}
                        {detail.is_current.then(|| view! { <strong data-is-current="">" – this runs there now"</strong> })}
                    </Fact>
                    <Fact label="Release">
                        <a href=release>{row.version}</a>
                    </Fact>
                    <Fact label="Replaced">{if row.replaces.is_empty() { "nothing".to_owned() } else { row.replaces }}</Fact>
                    <Fact label="Release differed in">
                        <Changes changes=detail.changes otherwise />
                    </Fact>
                    <Fact label="What for">
                        <span class="prose break-anywhere">{row.reason}</span>
                    </Fact>
                    {(!row.ticket.is_empty()).then(|| view! { <Fact label="Ticket">{row.ticket}</Fact> })}
                    <Fact label="Nodes">{plural(u64::from(row.nodes), "node", "nodes")}</Fact>
                    {row
                        .request_id
                        .map(|id| {
                            view! {
                                <Fact label="Approved on">
                                    <a href=format!("/approvals/{id}")>{id.to_string()}</a>
                                </Fact>
                            }
                        })}
                    {row.ended_at.map(|at| view! { <Fact label="Ended"><TimeAgo at /></Fact> })}
                </dl>
            </section>
        </div>
    }
}
