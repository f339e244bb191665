//! Starting a runbook: the nodes for it, its parameters, what it is for, on one page. The address says runbook, version and
//! nodes, so that everything works without script.

use super::api::{StartRunbookFn, get_runbook, resolve_for, start_again};
use super::catalogue_url::runbook_path;
use super::start_form::StartForm;
use super::template_api::open_template;
use super::template_list::TemplateNotice;
use crate::commands::{Chosen, TargetPicker};
use crate::components::{ErrorNotice, Glyph, Icon, PageHead, SelectField, Skeleton};
use crate::error::{AppError, set_page_status};
use crate::layout::{NotPermitted, missing, use_frame};
use crate::url::{Query, use_query};
use leptos::prelude::*;
use leptos_router::components::Form;
use leptos_router::hooks::use_params_map;
use muster_domain::action::Action;
use muster_domain::fleet::ResolvedTargets;
use muster_domain::runbooks::{RunbookDetail, SavedTemplate, StartRunbook, TemplateState};
use serde::{Deserialize, Serialize};

/// What the address chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// The runbook.
    pub(super) name: String,
    /// Its version; the default one when empty.
    pub(super) version: String,
    /// The execution to start again.
    pub(super) from: String,
    /// The template that fills the form.
    pub(super) template: String,
    /// Whether it is to be kept as a template.
    pub(super) saving: bool,
    /// Whether it is to be started on a schedule.
    pub(super) scheduling: bool,
    /// The nodes.
    pub(super) chosen: Chosen,
}

impl Asked {
    fn read(name: String, query: &Query) -> Self {
        let version = query.text("version").unwrap_or_default();
        let from = query.text("from").unwrap_or_default();
        let template = query.text("template").unwrap_or_default();
        let carried = [("version", &version), ("from", &from), ("template", &template)]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect();
        let chosen = Chosen {
            page: format!("{}/start", runbook_path(&name)),
            carried,
            document: String::new(),
            ..Chosen::read(query)
        };
        Self {
            name,
            version,
            from,
            template,
            saving: query.get("save") == Some("template"),
            scheduling: query.get("on") == Some("schedule"),
            chosen,
        }
    }
}

/// All that the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) asked: Asked,
    pub(super) runbook: RunbookDetail,
    pub(super) resolved: Result<ResolvedTargets, AppError>,
    pub(super) again: Option<StartRunbook>,
    pub(super) template: Option<SavedTemplate>,
}

async fn load(mut asked: Asked) -> Result<Plan, AppError> {
    let mut again = None;
    if !asked.from.is_empty() {
        let input = start_again(asked.from.clone()).await?;
        asked.chosen.inherit(&input.selection);
        again = Some(input).filter(|input| input.document == asked.name);
    }
    let mut template = None;
    if !asked.template.is_empty() {
        let saved = open_template(asked.template.clone()).await?;
        // One of another runbook fills in nothing here.
        if saved.input.document == asked.name {
            asked.chosen.inherit(&saved.input.selection);
            if asked.version.is_empty() && !matches!(saved.state, TemplateState::Gone { .. }) {
                asked.version.clone_from(&saved.input.version);
            }
            again = Some(saved.input.clone());
            template = Some(saved);
        }
    }
    let runbook = get_runbook(asked.name.clone(), Some(asked.version.clone())).await?;
    let resolved = if asked.chosen.is_nothing() || runbook.node_parameter.is_none() {
        Ok(ResolvedTargets::default())
    } else {
        resolve_for(
            asked.name.clone(),
            Some(asked.version.clone()),
            Some(asked.chosen.nodes.clone()),
            Some(asked.chosen.filter.clone()),
            Some(asked.chosen.all),
        )
        .await
    };
    Ok(Plan {
        asked,
        runbook,
        resolved,
        again,
        template,
    })
}

/// Start a runbook.
#[component]
pub(crate) fn StartPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query();
    let name = Memo::new(move |_| params.with(|params| params.get("name").unwrap_or_default()));
    let asked = Memo::new(move |_| query.with(|query| Asked::read(name.get(), query)));
    let plan = Resource::new(move || asked.get(), load);
    let action = ServerAction::<StartRunbookFn>::new();
    let frame = use_frame();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/runbooks">"Runbooks"</a>
            " / "
            <a href=move || runbook_path(&name.get())>{move || name.get()}</a>
            " / Start"
        </nav>
        <PageHead title="Start runbook" subtitle=|| "Nothing is started before you press Start." />
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || Suspend::new(async move {
                if let Some(missing) = missing(frame, Action::RunbooksStart).await {
                    return view! { <NotPermitted missing what="start runbooks" /> }.into_any();
                }
                match plan.await {
                    Ok(plan) => view! { <Sections plan action /> }.into_any(),
                    Err(error) => {
                        set_page_status(&error);
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="what is needed to start this runbook" />
                            </div>
                        }
                            .into_any()
                    }
                }
            })}
        </Transition>
    }
}

#[component]
fn Sections(plan: Plan, action: ServerAction<StartRunbookFn>) -> impl IntoView {
    let takes_nodes = plan.runbook.node_parameter.is_some();
    let chosen = plan.asked.chosen.clone();
    let resolved = plan.resolved.clone();
    let template = plan.template.clone();
    view! {
        <div class="stack run-sections">
            {template.map(|template| view! { <TemplateNotice template /> })}
            <What runbook=plan.runbook.clone() asked=plan.asked.clone() />
            {takes_nodes.then(|| view! { <TargetPicker chosen resolved /> })}
            <StartForm plan action />
        </div>
    }
}

/// The runbook, and in which version.
#[component]
fn What(runbook: RunbookDetail, asked: Asked) -> impl IntoView {
    let options: Vec<(String, String)> = runbook
        .versions
        .iter()
        .map(|one| {
            let name = if one.version_name.is_empty() {
                String::new()
            } else {
                format!(" ({})", one.version_name)
            };
            let default = if one.is_default { ", default" } else { "" };
            (one.version.clone(), format!("{}{name}{default}", one.version))
        })
        .collect();
    let steps: Vec<String> = runbook.steps.iter().map(|step| step.name.clone()).collect();
    let further = runbook.reaches_further.clone();
    let again = [("from", asked.from.clone()), ("template", asked.template.clone())];
    let again = again.into_iter().filter(|(_, value)| !value.is_empty());
    let kept: Vec<(&'static str, String)> = asked.chosen.said().chain(again).collect();
    view! {
        <section class="card" aria-labelledby="runbook-title">
            <header>
                <h2 id="runbook-title">{runbook.summary.name.clone()}</h2>
                <span class="aside">{format!("version {}", runbook.version)}</span>
            </header>
            <div class="card-body">
                {(!runbook.description.is_empty())
                    .then(|| view! { <p class="muted small-text runbook-description">{runbook.description.clone()}</p> })}
                <Form method="GET" action=asked.chosen.page.clone() attr:class="form-inline">
                    {kept.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view()}
                    <SelectField name="version" id="choose-version" label="Version" options selected=runbook.version.clone() />
                    <button type="submit" class="btn">
                        "Use version"
                    </button>
                </Form>
                <p class="small-text">
                    <span class="muted">"Steps: "</span>
                    {steps.join(" → ")}
                </p>
                {(!further.is_empty())
                    .then(|| {
                        view! {
                            <div class="notice warn">
                                <Icon glyph=Glyph::Warning />
                                <div>
                                    {format!(
                                        "It may act on more than the nodes that it is given ({further}): it takes a role that holds for all of the fleet.",
                                    )}
                                </div>
                            </div>
                        }
                    })}
            </div>
        </section>
    }
}
