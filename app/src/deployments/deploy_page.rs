//! Deploying a release to an environment, and rolling back to one: chosen first, by the address, so that what would happen is
//! shown before anything does; then the reason.

use super::api::{earlier_releases, list_releases, preview_deployment};
use super::deploy_form::DeployForm;
use super::edit_page::{NotShown, named};
use super::url::{application_path, deploy_path};
use crate::components::{
    Empty, EmptyState, ErrorNotice, Keeper, PageHead, SelectField, Skeleton, TableCard, TimeAgo,
};
use crate::error::AppError;
use crate::layout::{NotPermitted, missing, use_frame};
use crate::url::use_query;
use leptos::prelude::*;
use leptos_router::components::Form;
use leptos_router::hooks::use_params_map;
use muster_domain::action::Action;
use muster_domain::deployments::{ApplicationDetail, DeployPreview, DeploymentKind, ReleaseSummary};
use serde::{Deserialize, Serialize};

/// What the address chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) application: String,
    pub(super) kind: DeploymentKind,
    pub(super) environment: String,
    pub(super) release: String,
}

impl Asked {
    /// The address of this choice.
    pub(super) fn address(&self) -> String {
        deploy_path(&self.application, self.kind, &self.environment, &self.release)
    }
}

/// All that the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Plan {
    asked: Asked,
    application: ApplicationDetail,
    releases: Vec<ReleaseSummary>,
    preview: Option<Result<DeployPreview, AppError>>,
}

async fn load(asked: Asked) -> Result<Plan, AppError> {
    let application = named(asked.application.clone()).await?;
    let releases = match asked.kind {
        DeploymentKind::Deploy => list_releases(asked.application.clone(), None, None).await?.items,
        DeploymentKind::RollBack if asked.environment.is_empty() => Vec::new(),
        DeploymentKind::RollBack => {
            earlier_releases(asked.application.clone(), asked.environment.clone()).await?
        }
    };
    let preview = if asked.environment.is_empty() || asked.release.is_empty() {
        None
    } else {
        let (environment, release) = (asked.environment.clone(), asked.release.clone());
        let kind = asked.kind.as_str().to_owned();
        Some(
            preview_deployment(
                asked.application.clone(),
                Some(environment),
                Some(release),
                Some(kind),
            )
            .await,
        )
    };
    Ok(Plan {
        asked,
        application,
        releases,
        preview,
    })
}

/// Deploy a release.
#[component]
pub(crate) fn DeployPage() -> impl IntoView {
    page(DeploymentKind::Deploy)
}

/// Roll back to one.
#[component]
pub(crate) fn RollBackPage() -> impl IntoView {
    page(DeploymentKind::RollBack)
}

fn page(kind: DeploymentKind) -> impl IntoView {
    let params = use_params_map();
    let query = use_query();
    let frame = use_frame();
    let id = Memo::new(move |_| params.with(|params| params.get("application_id").unwrap_or_default()));
    let asked = Memo::new(move |_| {
        query.with(|query| Asked {
            application: id.get(),
            kind,
            environment: query.text("environment").unwrap_or_default(),
            release: query.text("release").unwrap_or_default(),
        })
    });
    let plan = Resource::new(move || asked.get(), load);
    let keeper = Keeper::here();
    let (word, action, what) = match kind {
        DeploymentKind::Deploy => ("Deploy", Action::DeploymentsDeploy, "deploy"),
        DeploymentKind::RollBack => ("Roll back", Action::DeploymentsRollBack, "roll back"),
    };
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/deployments">"Deployments"</a>
            " / "
            <a href=move || application_path(&id.get()) data-escape="">
                "Application"
            </a>
            {format!(" / {word}")}
        </nav>
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    if let Some(missing) = missing(frame, action).await {
                        return view! { <NotPermitted missing what=what /> }.into_any();
                    }
                    match plan.await {
                        Ok(plan) => keeper.view(move || view! { <Sections plan /> }),
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
fn Sections(plan: Plan) -> impl IntoView {
    let Plan {
        asked,
        application,
        releases,
        preview,
    } = plan;
    let name = application.settings.name.clone();
    let title = match asked.kind {
        DeploymentKind::Deploy => format!("Deploy {name}"),
        DeploymentKind::RollBack => format!("Roll back {name}"),
    };
    let environments: Vec<String> = application
        .environments
        .iter()
        .map(|row| row.environment.name.clone())
        .collect();
    let shown = asked.clone();
    view! {
        <PageHead title subtitle=|| "Nothing is started before you press the last button." />
        <div class="stack run-sections">
            {match asked.kind {
                DeploymentKind::Deploy => view! { <Choose asked=asked.clone() environments releases /> }.into_any(),
                DeploymentKind::RollBack => view! { <ChooseEarlier asked=asked.clone() environments releases /> }.into_any(),
            }}
            {match preview {
                None => ().into_any(),
                Some(Ok(preview)) => view! { <DeployForm asked=shown application=name preview /> }.into_any(),
                Some(Err(error)) => {
                    view! {
                        <div class="card card-body" data-refused="">
                            <ErrorNotice error what="what this would do" />
                        </div>
                    }
                        .into_any()
                }
            }}
        </div>
    }
}

/// Which release, and where.
#[component]
fn Choose(asked: Asked, environments: Vec<String>, releases: Vec<ReleaseSummary>) -> impl IntoView {
    let same = |name: String| (name.clone(), name);
    let options: Vec<(String, String)> = std::iter::once((String::new(), "Choose one".to_owned()))
        .chain(releases.into_iter().map(|one| {
            let runs = if one.runs_in.is_empty() {
                String::new()
            } else {
                format!(" – runs in {}", one.runs_in.join(", "))
            };
            (one.release_id.to_string(), format!("{}{runs}", one.version))
        }))
        .collect();
    let places: Vec<(String, String)> = std::iter::once((String::new(), "Choose one".to_owned()))
        .chain(environments.into_iter().map(same))
        .collect();
    let action = format!("{}/deploy", application_path(&asked.application));
    view! {
        <section class="card" aria-labelledby="choose-title">
            <header>
                <h2 id="choose-title">"1. What, and where"</h2>
            </header>
            <div class="card-body">
                <Form method="GET" action attr:class="form-inline">
                    <SelectField name="release" label="Release" options selected=asked.release />
                    <SelectField name="environment" label="Environment" options=places selected=asked.environment />
                    <button type="submit" class="btn">
                        "Show what it would do"
                    </button>
                </Form>
            </div>
        </section>
    }
}

/// Which earlier release: those that succeeded in this environment. None is chosen before somebody chooses one.
#[component]
fn ChooseEarlier(asked: Asked, environments: Vec<String>, releases: Vec<ReleaseSummary>) -> impl IntoView {
    let action = format!("{}/roll-back", application_path(&asked.application));
    if asked.environment.is_empty() {
        let places: Vec<(String, String)> = environments
            .into_iter()
            .map(|name| (name.clone(), name))
            .collect();
        return view! {
            <section class="card card-body">
                <Form method="GET" action attr:class="form-inline">
                    <SelectField name="environment" label="Environment" options=places />
                    <button type="submit" class="btn">
                        "Show earlier releases"
                    </button>
                </Form>
            </section>
        }
        .into_any();
    }
    if releases.is_empty() {
        return view! {
            <section class="card">
                <EmptyState kind=Empty::NothingExists title=format!("Nothing to go back to in {}", asked.environment)>
                    <p>"No other release has succeeded there. Deploy another one instead."</p>
                    <a class="btn" href=application_path(&asked.application)>
                        "Back to the application"
                    </a>
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let chosen = asked.release.clone();
    view! {
        <section class="stack" aria-labelledby="choose-title">
            <h2 id="choose-title" class="section-title">{format!("1. A release that succeeded in {}", asked.environment)}</h2>
            <TableCard label="Earlier releases">
                <table class="deployments-list">
                    <thead>
                        <tr>
                            <th scope="col">"Release"</th>
                            <th scope="col">"What is in it"</th>
                            <th scope="col">"Made"</th>
                            <th scope="col">
                                <span class="visually-hidden">"Choose"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>
                        {releases
                            .into_iter()
                            .map(|one| {
                                let is_chosen = one.release_id.as_str() == chosen;
                                let href = Asked { release: one.release_id.to_string(), ..asked.clone() }.address();
                                view! {
                                    <tr data-row="" data-earlier=one.version.clone() tabindex="-1">
                                        <td class="strong break-anywhere">{one.version.clone()}</td>
                                        <td class="wraps">{one.notes}</td>
                                        <td>
                                            <TimeAgo at=one.created_at />
                                        </td>
                                        <td>
                                            {if is_chosen {
                                                view! { <strong data-chosen="">"Chosen"</strong> }.into_any()
                                            } else {
                                                view! {
                                                    <a class="btn small" data-act="open" href=href>
                                                        "Choose"
                                                        <span class="visually-hidden">{format!(" {}", one.version)}</span>
                                                    </a>
                                                }
                                                    .into_any()
                                            }}
                                        </td>
                                    </tr>
                                }
                            })
                            .collect_view()}
                    </tbody>
                </table>
            </TableCard>
        </section>
    }
    .into_any()
}
