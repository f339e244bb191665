//! The environments of an application: what runs in each, how its nodes are found, and what can be done there.

use super::matrix_page::Cell;
use super::url::{deploy_path, do_path};
use crate::components::{Empty, EmptyState, Fact, Glyph, Icon};
use leptos::prelude::*;
use muster_domain::deployments::{ApplicationDetail, DeploymentKind, EnvironmentRow, parameter_lines};

/// All of them.
#[component]
pub(super) fn EnvironmentsTab(detail: ApplicationDetail) -> impl IntoView {
    let id = detail.application_id.to_string();
    let may = (detail.may_deploy, detail.may_roll_back, detail.may_change);
    let has_release = detail.newest.is_some();
    let add = detail.may_change.then(|| {
        view! {
            <a class="btn" href=do_path(&id, "environment", "") data-noscroll="">
                <Icon glyph=Glyph::Plus />
                "Add environment"
            </a>
        }
    });
    if detail.environments.is_empty() {
        return view! {
            <section class="card">
                <EmptyState kind=Empty::NothingExists title="It has no environment">
                    <p>"An environment says on which nodes the application runs."</p>
                    {add}
                </EmptyState>
            </section>
        }
        .into_any();
    }
    view! {
        <div class="deployment-environments">
            {detail
                .environments
                .into_iter()
                .map(|row| view! { <Environment id=id.clone() row may has_release /> })
                .collect_view()}
        </div>
        <div class="row">{add}</div>
    }
    .into_any()
}

#[component]
fn Environment(id: String, row: EnvironmentRow, may: (bool, bool, bool), has_release: bool) -> impl IntoView {
    let (may_deploy, may_roll_back, may_change) = may;
    let name = row.environment.name.clone();
    let runs = row.current.is_some();
    let filter = row.filter.clone();
    let fleet = crate::url::address("/fleet", [("filter", filter.clone())]);
    let lines = parameter_lines(&row.environment.parameters);
    let title = format!("environment-{}", name.replace(' ', "-"));
    let labelled = title.clone();
    view! {
        <section class="card" aria-labelledby=labelled data-environment=name.clone()>
            <header>
                <h2 id=title>{name.clone()}</h2>
            </header>
            <div class="card-body stack">
                <Cell row />
                <dl class="facts">
                    <Fact label="Nodes">
                        <a class="mono break-anywhere" href=fleet>
                            {filter}
                        </a>
                    </Fact>
                    {(!lines.is_empty())
                        .then(|| {
                            view! {
                                <Fact label="Given here">
                                    <pre class="code" tabindex="0">{lines}</pre>
                                </Fact>
                            }
                        })}
                </dl>
                <div class="row">
                    {(may_deploy && has_release)
                        .then(|| {
                            view! {
                                <a class="btn primary" href=deploy_path(&id, DeploymentKind::Deploy, &name, "")>
                                    "Deploy…"
                                </a>
                            }
                        })}
                    {(may_roll_back && runs)
                        .then(|| {
                            view! {
                                <a class="btn" href=deploy_path(&id, DeploymentKind::RollBack, &name, "")>
                                    "Roll back…"
                                </a>
                            }
                        })}
                    {may_change
                        .then(|| {
                            view! {
                                <a class="btn quiet" href=do_path(&id, "environment", &name) data-noscroll="">
                                    "Edit"
                                    <span class="visually-hidden">{format!(" {name}")}</span>
                                </a>
                                <a class="btn quiet" href=do_path(&id, "remove", &name) data-noscroll="">
                                    "Remove"
                                    <span class="visually-hidden">{format!(" {name}")}</span>
                                </a>
                            }
                        })}
                </div>
            </div>
        </section>
    }
}
