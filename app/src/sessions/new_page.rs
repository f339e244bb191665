//! Opening a terminal: on which node, as whom, what for; and what policy says about it.

use super::api::{StartSessionFn, start_options};
use super::shell_documents::{DocumentField, DocumentsCard};
use crate::approvals::{AskPanel, AskTerminal, Asking, needs_of};
use crate::components::{
    Badge, Empty, EmptyState, ErrorNotice, FormError, Glyph, Icon, Keeper, PageHead, Skeleton, StatusBadge,
    SubmitButton, TagList, TextField, Tone,
};
use crate::error::{action_error, field_error, set_page_status};
use crate::fleet::list_nodes;
use crate::layout::Permitted;
use crate::url::{Query, use_query};
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::action::Action;
use muster_domain::fleet::NodeSummary;
use muster_domain::fleet_filter::{FleetFilter, Operator, Property, Token};
use muster_domain::sessions::StartOptions;
use std::sync::Arc;

/// The filter for nodes that report and have `text` in name, id or address.
fn reporting(text: &str) -> String {
    let online = Token {
        property: Property::Status,
        operator: Operator::Is,
        values: vec!["Online".into()],
    };
    let named = (!text.is_empty()).then(|| Token {
        property: Property::Text,
        operator: Operator::Contains,
        values: vec![text.to_owned()],
    });
    let tokens = [online].into_iter().chain(named).collect();
    FleetFilter { tokens }.to_string()
}

/// The page.
#[component]
pub(crate) fn NewPage() -> impl IntoView {
    let query = use_query();
    let node = Memo::new(move |_| query.with(|query| query.text("node")));
    let approved = Memo::new(move |_| query.with(Approved::read));
    let document = Memo::new(move |_| query.with(|query| query.text("document").unwrap_or_default()));
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/terminals">"Terminals"</a>
            " / New"
        </nav>
        <PageHead title="New terminal" subtitle=|| "A shell on a node, through Session Manager." />
        <Permitted action=Action::SessionsStart what="open terminals">
            {move || match node.get() {
                Some(node) => view! { <Chosen node document=document.get() approved=approved.get() /> }.into_any(),
                None => view! { <PickNode /> }.into_any(),
            }}
        </Permitted>
    }
}

/// Nodes to choose from: those that report, found by name, id or address.
#[component]
fn PickNode() -> impl IntoView {
    let query = use_query();
    let find = Memo::new(move |_| query.with(|query| query.text("find").unwrap_or_default()));
    let nodes = Resource::new(
        move || find.get(),
        |find| list_nodes(reporting(&find), "name".into(), false, None),
    );
    let keeper = Keeper::here();
    view! {
        <section class="card start-card" aria-labelledby="pick-title">
            <header>
                <h2 id="pick-title">"Choose a node"</h2>
            </header>
            <div class="card-body">
                <Form method="GET" action="/terminals/new" attr:class="form-inline" attr:role="search" attr:aria-label="Find a node">
                    <div class="field">
                        <label for="find">"Name, id or address"</label>
                        <input id="find" name="find" value=find.get_untracked() autocomplete="off" data-filter="" />
                    </div>
                    <button type="submit" class="btn">
                        "Find"
                    </button>
                </Form>
            </div>
            <Transition fallback=|| view! { <Skeleton lines=6 /> }>
                {move || {
                    let keeper = keeper.clone();
                    Suspend::new(async move {
                        match nodes.await {
                            Ok(page) => keeper.view(move || view! { <Found total=page.matching nodes=Arc::unwrap_or_clone(page.page).items /> }),
                            Err(error) => view! {
                                <div class="card-body">
                                    <ErrorNotice error what="the list of nodes" />
                                </div>
                            }
                            .into_any(),
                        }
                    })
                }}
            </Transition>
        </section>
    }
}

#[component]
fn Found(nodes: Vec<NodeSummary>, total: u64) -> impl IntoView {
    if nodes.is_empty() {
        return view! {
            <EmptyState kind=Empty::NothingMatches title="No node that reports matches">
                <p>"Only nodes that report can be reached."</p>
                <a class="btn" href="/fleet">
                    "Look in the fleet"
                </a>
            </EmptyState>
        }
        .into_any();
    }
    let more = total.saturating_sub(nodes.len() as u64);
    view! {
        <ul class="list">
            {nodes
                .into_iter()
                .map(|node| {
                    let href = super::words::new_address(node.node_id.as_str());
                    view! {
                        <li data-row="" tabindex="-1">
                            <span class="two-lines grow">
                                <a class="strong" data-act="open" href=href>
                                    {node.name.clone()}
                                </a>
                                <small class="mono">{node.node_id.to_string()}</small>
                            </span>
                            <TagList tags=node.tags most=2 />
                        </li>
                    }
                })
                .collect_view()}
        </ul>
        {(more > 0).then(|| view! { <p class="panel-none">{format!("{more} more: narrow the search.")}</p> })}
    }
    .into_any()
}

/// The approval that is used, as the address says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Approved {
    request: String,
    /// As whom it was approved; empty is the node's default.
    os_user: String,
    /// What for, as it was asked for.
    reason: String,
}

impl Approved {
    fn read(query: &Query) -> Option<Self> {
        Some(Self {
            request: query.text("request")?,
            os_user: query.text("os_user").unwrap_or_default(),
            reason: query.text("reason").unwrap_or_default(),
        })
    }
}

#[component]
fn Chosen(node: String, document: String, approved: Option<Approved>) -> impl IntoView {
    let options = Resource::new(move || node.clone(), start_options);
    let keeper = Keeper::here();
    view! {
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
            {move || {
                let (keeper, document, approved) = (keeper.clone(), document.clone(), approved.clone());
                Suspend::new(async move {
                    match options.await {
                        Ok(options) => keeper.view(move || view! { <StartForm options document approved /> }),
                        Err(error) => {
                            set_page_status(&error);
                            view! {
                                <div class="card card-body">
                                    <ErrorNotice error what="this node" />
                                    <a class="btn" href="/terminals/new">
                                        "Choose another node"
                                    </a>
                                </div>
                            }
                            .into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}

/// The id of the form.
const FORM_ID: &str = "start-session";

#[component]
fn StartForm(options: StartOptions, document: String, approved: Option<Approved>) -> impl IntoView {
    crate::forms::keep_fields::<StartSessionFn>();
    crate::forms::keep_fields::<AskTerminal>();
    let start = ServerAction::<StartSessionFn>::new();
    let ask = ServerAction::<AskTerminal>::new();
    let (refused, ask_error) = (action_error(start), action_error(ask));
    // Asking comes after opening was refused.
    let error = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    let needs = needs_of(refused, ask_error);
    let (as_whom, what_for) = approved
        .as_ref()
        .map(|approved| (approved.os_user.clone(), approved.reason.clone()))
        .unwrap_or_default();
    let users = options.recent_os_users.clone();
    let needs_reason = options.needs_reason;
    let online = options.is_online;
    let documents = options.documents.clone();
    let user_hint = if documents.iter().any(|document| document.takes_os_user) {
        "Who to be on the node, where the document lets you say so. Empty: as the document or the node says, usually ssm-user."
    } else {
        "No Session document here lets you say so: leave this empty."
    };
    let node_id = options.node_id.to_string();
    let policy = options.clone();
    view! {
        <div class="grid-main">
            <section class="card" class:production=options.is_production aria-labelledby="start-title">
                <header>
                    <h2 id="start-title">{options.node_name.clone()}</h2>
                    <span class="aside mono">{node_id.clone()}</span>
                </header>
                <div class="card-body">
                    {options
                        .is_production
                        .then(|| {
                            view! {
                                <div class="notice warn">
                                    <Icon glyph=Glyph::Warning />
                                    <div>
                                        <strong>"This node belongs to production."</strong>
                                        " What you type there acts at once."
                                    </div>
                                </div>
                            }
                        })}
                    {(!online)
                        .then(|| {
                            view! {
                                <div class="notice bad">
                                    <Icon glyph=Glyph::Warning />
                                    <div>"This node does not report. A terminal can be opened once it does."</div>
                                </div>
                            }
                        })}
                    <ActionForm action=start attr:id=FORM_ID attr:class="form">
                        <FormError error />
                        <input type="hidden" name="node_id" value=node_id />
                        {approved.as_ref().map(|approved| view! { <UsesApproval approved=approved.clone() /> })}
                        <DocumentField
                            documents=documents
                            wanted=document
                            error=field_error(error, "document")
                        />
                        <TextField
                            name="os_user"
                            value=as_whom
                            label="OS user"
                            hint=user_hint
                            placeholder="ssm-user"
                            list="os-users"
                            error=field_error(error, "os_user")
                        />
                        <datalist id="os-users">
                            {users.into_iter().map(|user| view! { <option value=user></option> }).collect_view()}
                        </datalist>
                        <TextField
                            name="reason"
                            value=what_for
                            label=if needs_reason { "Reason" } else { "Reason (optional)" }
                            hint="A ticket or a few words. It stands in the history and in the audit log."
                            placeholder="OPS-2214: disk full"
                            required=needs_reason
                            error=field_error(error, "reason")
                        />
                        {move || {
                            needs
                                .get()
                                .map(|refusal| {
                                    let asking = Asking { action: ask, form: FORM_ID, now: "Open it now, unapproved" };
                                    view! {
                                        <AskPanel refusal asking error=ask_error by_hand=true>
                                            <TextField
                                                name="minutes"
                                                label="For how many minutes"
                                                kind="number"
                                                min="5"
                                                max="10080"
                                                value="60"
                                                hint="The terminal ends then."
                                                error=field_error(ask_error, "minutes")
                                            />
                                        </AskPanel>
                                    }
                                })
                        }}
                        <div class="row" on:click=move |_| ask.clear()>
                            <SubmitButton tone=Tone::Primary pending=start.pending()>
                                <Icon glyph=Glyph::Terminal />
                                "Open terminal"
                            </SubmitButton>
                            <a class="btn quiet" href="/terminals/new">
                                "Another node"
                            </a>
                        </div>
                    </ActionForm>
                </div>
            </section>
            <div class="stack">
                <DocumentsCard documents=policy.documents.clone() />
                <Policy options=policy />
            </div>
        </div>
    }
}

/// Says which approval is used, and sends it along.
#[component]
fn UsesApproval(approved: Approved) -> impl IntoView {
    let href = format!("/approvals/{}", approved.request);
    view! {
        <div class="notice ok" data-request=approved.request.clone()>
            <Icon glyph=Glyph::Check />
            <div>
                "This terminal was approved: "
                <a href=href>{approved.request.clone()}</a>
                ". It is opened as it was approved, and ends when the approval ends."
            </div>
        </div>
        <input type="hidden" name="request" value=approved.request />
    }
}

/// What holds for a session on this node.
#[component]
fn Policy(options: StartOptions) -> impl IntoView {
    let minutes = |count: u32, none: &str| match count {
        0 => none.to_owned(),
        count if count % 60 == 0 && count >= 120 => format!("{} hours", count / 60),
        count => format!("{count} minutes"),
    };
    let recorded = match (options.is_recorded, options.keeps_input) {
        (true, true) => {
            "What the node shows and what you type is recorded. Type no secrets where they are not asked for hidden."
        }
        (true, false) => "What the node shows is recorded; what you type is only counted.",
        (false, _) => "Not recorded.",
    };
    let (badge, word) = if options.is_recorded {
        (Badge::Ok, "On")
    } else {
        (Badge::Off, "Off")
    };
    view! {
        <section class="card" aria-labelledby="policy-title">
            <header>
                <h2 id="policy-title">"What holds here"</h2>
            </header>
            <div class="card-body">
                <dl class="facts">
                    <crate::components::Fact label="Recording">
                        <StatusBadge badge label=word />
                        <p class="small-text muted">{recorded}</p>
                    </crate::components::Fact>
                    {options
                        .needs_watcher
                        .then(|| {
                            view! {
                                <crate::components::Fact label="Watched">
                                    "Somebody has to look on before anything that is typed reaches the node."
                                </crate::components::Fact>
                            }
                        })}
                    <crate::components::Fact label="Ends when idle">
                        {minutes(options.idle_minutes, "never")}
                    </crate::components::Fact>
                    <crate::components::Fact label="Ends at the latest">
                        {minutes(options.max_minutes, "never")}
                    </crate::components::Fact>
                    <crate::components::Fact label="Tags">
                        <TagList tags=options.tags />
                    </crate::components::Fact>
                </dl>
                <p class="small-text muted">
                    "Where the Session document is shorter, its times hold. The terminal goes on when you close its page; come back from Terminals on any computer."
                </p>
            </div>
        </section>
    }
}
