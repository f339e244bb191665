//! Running a document on nodes: targets, document, parameters, rates, on one page. The address
//! says targets and document, so that everything works without script.

use super::api::{RunCommandFn, get_document, list_documents, resolve_targets, run_again};
use super::run_form::RunForm;
use super::target_picker::TargetPicker;
use crate::components::{ErrorNotice, PageHead, SelectField, Skeleton, plural, text_parts};
use crate::error::AppError;
use crate::layout::{NotPermitted, missing, use_frame};
use crate::url::{Query, address, use_query};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::components::Form;
use leptos_router::hooks::use_navigate;
use muster_domain::action::Action;
use muster_domain::commands::{DocumentDetail, DocumentSummary, RunCommand};
use muster_domain::fleet::{NodeSelection, ResolvedTargets};
use serde::{Deserialize, Serialize};

/// What most people come to run; chosen when the address names no document.
const USUAL_DOCUMENT: &str = "AWS-RunShellScript";

/// Before the id of a kept list, in the place of node ids.
pub(crate) const LIST: &str = "list:";

/// Before the name of a parameter that the address fills in.
const PREFILLED: &str = "parameter.";

/// What the address chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chosen {
    /// The page that chooses; the one that runs a command when empty.
    pub(crate) page: String,
    /// What else that page's address says.
    pub(crate) carried: Vec<(String, String)>,
    /// Node ids, joined by commas, or a kept list of them.
    pub(crate) nodes: String,
    /// Whether the nodes are those of what is done again: then the address names that, and not them.
    #[serde(default)]
    pub(crate) inherited: bool,
    /// A fleet filter.
    pub(crate) filter: String,
    /// Every node, without a filter.
    pub(crate) all: bool,
    /// The document.
    pub(crate) document: String,
    /// The command to run again.
    pub(crate) from: String,
    /// Only where it failed.
    pub(crate) failed: bool,
}

impl Chosen {
    pub(crate) fn read(query: &Query) -> Self {
        let nodes: Vec<&str> = query
            .all("nodes")
            .flat_map(|text| text.split(','))
            .map(str::trim)
            .filter(|id| !id.is_empty())
            .collect();
        Self {
            page: "/commands/new".into(),
            carried: query
                .beginning(PREFILLED)
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            nodes: nodes.join(","),
            inherited: false,
            filter: query.text("filter").unwrap_or_default(),
            all: matches!(query.get("all"), Some("true" | "1")),
            document: query.text("document").unwrap_or_default(),
            from: query.text("from").unwrap_or_default(),
            failed: matches!(query.get("failed"), Some("1" | "true")),
        }
    }

    /// The address of the page with these beside what it says anyway.
    pub(crate) fn address<'a>(&'a self, pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
        address(&self.page, pairs.into_iter().chain(self.kept()))
    }

    /// What a form of the page sends along, whichever nodes it chooses.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (&str, String)> {
        let document = [("document", self.document.clone())];
        let carried = self
            .carried
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()));
        document
            .into_iter()
            .chain(carried)
            .filter(|(_, value)| !value.is_empty())
    }

    /// Parameters that the address fills in.
    pub(crate) fn prefilled(&self) -> std::collections::BTreeMap<String, Vec<String>> {
        let carried = self.carried.iter();
        carried
            .filter_map(|(name, value)| Some((name.strip_prefix(PREFILLED)?.to_owned(), vec![value.clone()])))
            .collect()
    }

    /// Takes over the nodes of what is done again, unless the address names others.
    pub(crate) fn inherit(&mut self, selection: &NodeSelection) {
        if !self.is_nothing() {
            return;
        }
        self.inherited = true;
        match selection {
            NodeSelection::Nothing => {}
            NodeSelection::Nodes { nodes } => {
                self.nodes = nodes.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(",");
            }
            NodeSelection::Matching { filter } => {
                self.filter = filter.to_string();
                self.all = filter.is_empty();
            }
        }
    }

    /// What an address says of the nodes.
    pub(crate) fn said(&self) -> impl Iterator<Item = (&'static str, String)> + use<> {
        let all = if self.all { "true".into() } else { String::new() };
        let said = [
            ("nodes", self.nodes.clone()),
            ("filter", self.filter.clone()),
            ("all", all),
        ];
        let inherited = self.inherited;
        said.into_iter()
            .filter(move |(_, value)| !inherited && !value.is_empty())
    }

    /// Whether there is no target yet.
    pub(crate) fn is_nothing(&self) -> bool {
        self.nodes.is_empty() && self.filter.is_empty() && !self.all
    }

    /// The targets in words.
    pub(crate) fn sentence(&self) -> String {
        if self.nodes.starts_with(LIST) {
            return "the nodes that were chosen on the Fleet page".into();
        }
        match self.nodes.split(',').filter(|id| !id.is_empty()).count() {
            0 if !self.filter.is_empty() => format!("all nodes that match {}", self.filter),
            0 if self.all => "all nodes".into(),
            0 => "none chosen yet".into(),
            count => plural(
                u64::try_from(count).unwrap_or(u64::MAX),
                "node chosen",
                "nodes chosen",
            ),
        }
    }
}

/// All that the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Plan {
    chosen: Chosen,
    documents: Vec<DocumentSummary>,
    document: Option<Result<DocumentDetail, AppError>>,
    resolved: Result<ResolvedTargets, AppError>,
    again: Option<RunCommand>,
}

async fn load(mut chosen: Chosen) -> Result<Plan, AppError> {
    let mut again = None;
    if !chosen.from.is_empty() {
        let input = run_again(chosen.from.clone(), Some(chosen.failed)).await?;
        chosen.inherit(&input.selection);
        if chosen.document.is_empty() {
            chosen.document.clone_from(&input.document);
        }
        again = Some(input);
    }
    let documents = list_documents().await?;
    if chosen.document.is_empty() && documents.iter().any(|one| one.name == USUAL_DOCUMENT) {
        USUAL_DOCUMENT.clone_into(&mut chosen.document);
    }
    let document = match chosen.document.as_str() {
        "" => None,
        name => Some(get_document(name.to_owned()).await),
    };
    let resolved = if chosen.is_nothing() {
        Ok(ResolvedTargets::default())
    } else {
        resolve_targets(
            Some(chosen.nodes.clone()),
            Some(chosen.filter.clone()),
            Some(chosen.all),
        )
        .await
    };
    Ok(Plan {
        chosen,
        documents,
        document,
        resolved,
        again,
    })
}

/// Run a document.
#[component]
pub(crate) fn RunPage() -> impl IntoView {
    let query = use_query();
    let asked = Memo::new(move |_| query.with(Chosen::read));
    let plan = Resource::new(move || asked.get(), load);
    let action = ServerAction::<RunCommandFn>::new();
    let frame = use_frame();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/commands">"Commands"</a>
            " / Run"
        </nav>
        <PageHead title="Run command" subtitle=|| "Run a document on nodes. Nothing is sent before you press Run." />
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || Suspend::new(async move {
                if let Some(missing) = missing(frame, Action::CommandsRun).await {
                    return view! { <NotPermitted missing what="run commands" /> }.into_any();
                }
                match plan.await {
                    Ok(plan) => view! { <Sections plan action /> }.into_any(),
                    Err(error) => {
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="what is needed to run a command" />
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
fn Sections(plan: Plan, action: ServerAction<RunCommandFn>) -> impl IntoView {
    let Plan {
        chosen,
        documents,
        document,
        resolved,
        again,
    } = plan;
    let targets = resolved.as_ref().ok().cloned().unwrap_or_default();
    view! {
        <div class="stack run-sections">
            <TargetPicker chosen=chosen.clone() resolved />
            <DocumentSection chosen=chosen.clone() documents document=document.clone() />
            {match document {
                Some(Ok(document)) => view! { <RunForm chosen document targets again action /> }.into_any(),
                Some(Err(error)) => view! { <ErrorNotice error what="this document" /> }.into_any(),
                None => ().into_any(),
            }}
        </div>
    }
}

#[component]
fn DocumentSection(
    chosen: Chosen,
    documents: Vec<DocumentSummary>,
    document: Option<Result<DocumentDetail, AppError>>,
) -> impl IntoView {
    let options: Vec<(String, String)> = [(String::new(), "Choose…".to_owned())]
        .into_iter()
        .chain(documents.into_iter().map(|one| (one.name.clone(), one.name)))
        .collect();
    let about = document.and_then(Result::ok);
    let again = [
        ("from", chosen.from.clone()),
        ("failed", if chosen.failed { "1".into() } else { String::new() }),
    ];
    let again = again.into_iter().filter(|(_, value)| !value.is_empty());
    let carried: Vec<(&'static str, String)> = chosen.said().chain(again).collect();
    let navigate = use_navigate();
    let pairs = carried.clone();
    let change = move |event: leptos::ev::Event| {
        let document = [("document", event_target_value(&event))];
        navigate(
            &address("/commands/new", pairs.iter().cloned().chain(document)),
            NavigateOptions {
                scroll: false,
                ..NavigateOptions::default()
            },
        );
    };
    view! {
        <section class="card" aria-labelledby="document-title">
            <header>
                <h2 id="document-title">"2. Document"</h2>
                <span class="aside">
                    {about.as_ref().map(|one| format!("version {}", one.summary.default_version))}
                </span>
            </header>
            <div class="card-body">
                <Form method="GET" action="/commands/new" attr:class="form-inline">
                    {carried
                        .into_iter()
                        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
                        .collect_view()}
                    <SelectField name="document" id="choose-document" label="Document" options selected=chosen.document on:change=change />
                    <button type="submit" class="btn without-script">
                        "Use document"
                    </button>
                </Form>
                {about
                    .map(|one| {
                        view! {
                            <p class="muted small-text">
                                {one.summary.description}
                                {(!one.summary.platform_types.is_empty())
                                    .then(|| format!(" Runs on {}.", one.summary.platform_types.join(", ")))}
                            </p>
                            <details>
                                <summary>"Show the document"</summary>
                                <pre class="code">{text_parts(one.content)}</pre>
                            </details>
                        }
                    })}
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_fills_in_parameters_and_keeps_them_while_nodes_are_chosen() {
        let query =
            Query::parse("document=AWS-RunPatchBaseline&nodes=mi-1&nodes=mi-2&parameter.Operation=Install");
        let chosen = Chosen::read(&query);
        assert_eq!(chosen.nodes, "mi-1,mi-2");
        assert_eq!(chosen.prefilled()["Operation"], ["Install"]);
        assert_eq!(
            chosen.address([("nodes", "mi-3".to_owned())]),
            "/commands/new?nodes=mi-3&document=AWS-RunPatchBaseline&parameter.Operation=Install"
        );
    }
}
