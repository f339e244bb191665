//! One runbook: what it does step by step, its parameters, versions and last executions.

use super::api::get_runbook;
use super::content_tab::{ContentTab, VersionsTab};
use super::executions_table::ExecutionsTable;
use super::graph_view::{GraphCard, Standing, drawing};
use super::runbook_url::{RunbookUrl, TabName};
use super::template_list::Templates;
use crate::components::{ErrorNotice, Fact, Glyph, Icon, Keeper, PageHead, Skeleton, Tab, Tabs, TimeAgo};
use crate::error::set_page_status;
use crate::url::{address, use_query};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use muster_domain::commands::DocumentParameter;
use muster_domain::runbooks::{RunbookDetail, RunbookOwner, RunbookStep};

/// The page.
#[component]
pub(crate) fn RunbookPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query();
    let name = Memo::new(move |_| params.with(|params| params.get("name").unwrap_or_default()));
    let url = Memo::new(move |_| query.with(|query| RunbookUrl::read(name.get(), query)));
    let asked = Memo::new(move |_| url.with(|url| (url.name.clone(), url.version.clone())));
    let detail = Resource::new(move || asked.get(), |(name, version)| get_runbook(name, version));
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/runbooks">"Runbooks"</a>
            " / "
            <span>{move || name.get()}</span>
        </nav>
        <Transition fallback=|| view! { <Skeleton lines=10 /> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match detail.await {
                        Ok(detail) => keeper.view(move || view! { <Runbook detail url /> }),
                        Err(error) => {
                            set_page_status(&error);
                            let title = if error.is_not_found() { "Runbook not found" } else { "Runbook" };
                            view! {
                                <PageHead title />
                                <ErrorNotice error what="this runbook" />
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
fn Runbook(detail: RunbookDetail, url: Memo<RunbookUrl>) -> impl IntoView {
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
    let may_start = detail.may_start;
    let title = detail.summary.name.clone();
    let sub = StoredValue::new(detail.clone());
    let detail = StoredValue::new(detail);
    view! {
        <PageHead title subtitle=move || view! { <Sub detail=sub.get_value() /> }>
            {may_start
                .then(|| {
                    view! {
                        <a class="btn primary" href=move || url.with(RunbookUrl::start)>
                            <Icon glyph=Glyph::Runbook />
                            "Start"
                        </a>
                    }
                })}
        </PageHead>
        <Tabs label="Parts of this runbook" tabs />
        {move || match tab.get() {
            TabName::Overview => view! { <Overview detail=detail.get_value() /> }.into_any(),
            TabName::Versions => view! { <VersionsTab detail=detail.get_value() url /> }.into_any(),
            TabName::Content => view! { <ContentTab detail=detail.get_value() /> }.into_any(),
        }}
    }
}

#[component]
fn Sub(detail: RunbookDetail) -> impl IntoView {
    let owner = match detail.summary.owner {
        RunbookOwner::Shared => format!("shared by {}", detail.summary.owner_name),
        RunbookOwner::Amazon => "by Amazon".into(),
        RunbookOwner::Own => "your own".into(),
    };
    let is_default = detail.version == detail.summary.default_version;
    let version = format!(
        "version {}{}",
        detail.version,
        if is_default {
            " (default)"
        } else {
            ", not the default one"
        }
    );
    view! {
        <span class="row command-standing">
            <span>{version}</span>
            <span>{owner}</span>
            {(!detail.summary.category.is_empty()).then(|| view! { <span class="tag">{detail.summary.category}</span> })}
        </span>
    }
}

#[component]
fn Overview(detail: RunbookDetail) -> impl IntoView {
    let all = address("/executions", [("document", detail.summary.name.clone())]);
    let steps = detail.steps.clone();
    let outputs = detail.outputs.join(", ");
    let nodes = detail.node_parameter.as_ref().map_or_else(
        || "takes none".to_owned(),
        |(name, several)| {
            let count = if *several { "several" } else { "one" };
            format!("{name} takes {count}")
        },
    );
    let further = if detail.reaches_further.is_empty() {
        "Nothing but the nodes that it is given.".to_owned()
    } else {
        format!(
            "Maybe more than the nodes that it is given ({}): starting it takes a role for all of the fleet.",
            detail.reaches_further
        )
    };
    let (recent, none) = (detail.recent.clone(), detail.recent.is_empty());
    view! {
        <div class="stack">
            <div class="grid-main">
                <div class="stack">
                    <section class="card" aria-labelledby="about-title">
                        <header>
                            <h2 id="about-title">"What it does"</h2>
                        </header>
                        <div class="card-body">
                            <p class="runbook-description">
                                {if detail.description.is_empty() { "It says nothing about itself.".to_owned() } else { detail.description }}
                            </p>
                        </div>
                    </section>
                    <Parameters parameters=detail.parameters />
                    <Steps steps=detail.steps />
                </div>
                <div class="stack">
                    <section class="card" aria-labelledby="facts-title">
                        <header>
                            <h2 id="facts-title">"Facts"</h2>
                        </header>
                        <div class="card-body">
                            <dl class="facts">
                                <Fact label="Nodes">{nodes}</Fact>
                                <Fact label="Acts on">{further}</Fact>
                                <Fact label="Tells">{if outputs.is_empty() { "nothing".to_owned() } else { outputs }}</Fact>
                                <Fact label="Copied">
                                    <TimeAgo at=detail.summary.synced_at />
                                </Fact>
                            </dl>
                        </div>
                    </section>
                    {(!steps.is_empty())
                        .then(|| {
                            let drawn = drawing(&steps, |_| Standing { status: None, href: None });
                            view! { <GraphCard>{drawn.view()}</GraphCard> }
                        })}
                </div>
            </div>
            {detail.may_start.then(|| view! { <Templates document=detail.summary.name.clone() /> })}
            <h2 class="section-title">
                "Last executions " <a class="small-text" href=all>
                    "all →"
                </a>
            </h2>
            {if none {
                view! {
                    <section class="card card-body">
                        <p class="muted">"It was not started yet, as far as you may see."</p>
                    </section>
                }
                    .into_any()
            } else {
                view! { <ExecutionsTable label="Last executions" rows=recent /> }.into_any()
            }}
        </div>
    }
}

#[component]
fn Parameters(parameters: Vec<DocumentParameter>) -> impl IntoView {
    let none = parameters.is_empty();
    let kind = |one: &DocumentParameter| format!("{:?}", one.parameter_type);
    view! {
        <section class="card" aria-labelledby="parameters-title">
            <header>
                <h2 id="parameters-title">"Parameters"</h2>
            </header>
            {if none {
                view! { <p class="card-body muted small-text">"It takes none."</p> }.into_any()
            } else {
                view! {
                    <div class="table-scroll" role="region" aria-label="Table of parameters" tabindex="0">
                        <table>
                            <thead>
                                <tr>
                                    <th scope="col">"Name"</th>
                                    <th scope="col">"Type"</th>
                                    <th scope="col">"Default"</th>
                                </tr>
                            </thead>
                            <tbody>
                                {parameters
                                    .into_iter()
                                    .map(|one| {
                                        let default = one.default.as_ref().map(|values| values.join(", "));
                                        let allowed = (!one.allowed_values.is_empty())
                                            .then(|| format!("One of {}. ", one.allowed_values.join(", ")));
                                        let kind = kind(&one);
                                        view! {
                                            <tr>
                                                <td>
                                                    <div class="two-lines">
                                                        <span class="strong">{one.name}</span>
                                                        <small>{allowed} {one.description}</small>
                                                    </div>
                                                </td>
                                                <td>{kind}</td>
                                                <td>
                                                    {match default {
                                                        None => view! { <strong>"required"</strong> }.into_any(),
                                                        Some(text) if text.is_empty() => view! { <span class="muted">"empty"</span> }.into_any(),
                                                        Some(text) => view! { <span class="mono">{text}</span> }.into_any(),
                                                    }}
                                                </td>
                                            </tr>
                                        }
                                    })
                                    .collect_view()}
                            </tbody>
                        </table>
                    </div>
                }
                    .into_any()
            }}
        </section>
    }
}

#[component]
fn Steps(steps: Vec<RunbookStep>) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="steps-title">
            <header>
                <h2 id="steps-title">"Steps"</h2>
            </header>
            <ol class="runbook-steps">
                {steps
                    .into_iter()
                    .map(|step| {
                        let failure = match step.on_failure.as_str() {
                            "Abort" | "abort" => None,
                            other => Some(format!("on failure: {other}")),
                        };
                        view! {
                            <li>
                                <div class="row">
                                    <span class="strong">{step.name}</span>
                                    <span class="mono small-text muted">{step.action}</span>
                                    {failure.map(|text| view! { <span class="tag">{text}</span> })}
                                    {step.is_end.then(|| view! { <span class="tag">"end"</span> })}
                                </div>
                                {(!step.description.is_empty()).then(|| view! { <p class="small-text muted">{step.description}</p> })}
                                {(!step.inputs.is_empty())
                                    .then(|| {
                                        view! {
                                            <details>
                                                <summary class="small-text">"Inputs"</summary>
                                                <pre class="code">{step.inputs}</pre>
                                            </details>
                                        }
                                    })}
                            </li>
                        }
                    })
                    .collect_view()}
            </ol>
        </section>
    }
}
