//! One patch baseline: what it says in words, for what it holds, and what it said before.

use super::baseline_acts::Acts;
use super::baseline_api::get_baseline;
use super::baseline_url::{Doing, ViewUrl, copy_path, do_path, edit_path};
use super::baseline_versions::{Compared, Versions};
use crate::components::{
    Badge, ErrorNotice, Fact, Glyph, Icon, Keeper, PageHead, Skeleton, StatusBadge, TimeAgo, plural,
};
use crate::error::{AppError, set_page_status};
use crate::url::use_query;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use muster_domain::PortalError;
use muster_domain::patching::{BaselineContent, BaselineDetail, PatchFilter, REJECTED_ACTIONS, system_label};

/// The baseline of that id. On the way to another page the address has none any more, and nothing is asked for.
///
/// # Errors
/// As the portal says.
pub(super) async fn named(id: String) -> Result<BaselineDetail, AppError> {
    if id.is_empty() {
        return Err(AppError::Portal(PortalError::NotFound {
            what: "A patch baseline without an id".into(),
        }));
    }
    get_baseline(id).await
}

/// The page.
#[component]
pub(crate) fn BaselinePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("baseline_id").unwrap_or_default()));
    let query = use_query();
    let url = Memo::new(move |_| query.with(ViewUrl::read));
    let saved = Memo::new(move |_| url.with(|url| url.saved));
    let detail = Resource::new(
        // Not by what is about to be done: on the way out of a baseline that was deleted that changes, too.
        move || (id.get(), saved.get()),
        |(id, _)| named(id),
    );
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/patching">"Patching"</a>
            " / "
            <a href="/patching/baselines">"Baselines"</a>
            " / "
            <span class="mono">{move || id.get()}</span>
        </nav>
        <Transition fallback=|| view! { <Skeleton lines=10 /> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match detail.await {
                        Ok(detail) => keeper.view(move || view! { <Baseline detail url /> }),
                        Err(error) => {
                            set_page_status(&error);
                            let title = if error.is_not_found() { "Baseline not found" } else { "Baseline" };
                            view! {
                                <PageHead title />
                                <ErrorNotice error what="this patch baseline" />
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
fn Baseline(detail: BaselineDetail, url: Memo<ViewUrl>) -> impl IntoView {
    let summary = detail.summary.clone();
    let id = summary.baseline_id.clone();
    let system = system_label(&summary.operating_system).to_owned();
    let (is_given, is_default) = (summary.is_given, summary.is_default);
    let may = detail.may_change;
    let doing = Memo::new(move |_| url.with(|url| url.doing.clone()));
    let acts = detail.clone();
    let of = id.clone();
    view! {
        <PageHead
            title=summary.name.clone()
            subtitle=move || {
                view! {
                    <span class="row">
                        <span>{system.clone()}</span>
                        {is_default.then(|| view! { <StatusBadge badge=Badge::Info label="Default" /> })}
                        {is_given.then(|| view! { <StatusBadge badge=Badge::Off label="Comes with Systems Manager" /> })}
                    </span>
                }
            }
        >
            {(may && !is_given).then(|| view! { <a class="btn primary" href=edit_path(&id)>"Edit"</a> })}
            {may.then(|| view! { <a class="btn" href=copy_path(&id)>"Copy to a baseline of your own"</a> })}
            {(may && !is_given)
                .then(|| view! { <a class="btn" href=do_path(&id, "except", "") data-noscroll="">"Except a patch"</a> })}
            {(may && !is_default)
                .then(|| view! { <a class="btn" href=do_path(&id, "default", "") data-noscroll="">"Set as default"</a> })}
            {(detail.may_delete && !is_given)
                .then(|| view! { <a class="btn danger" href=do_path(&id, "delete", "") data-noscroll="">"Delete"</a> })}
        </PageHead>
        {move || {
            url.with(|url| url.saved)
                .then(|| {
                    view! {
                        <div class="notice ok" role="status" data-saved="">
                            <Icon glyph=Glyph::Check />
                            <div>"Changed. What it said before is under Versions."</div>
                        </div>
                    }
                })
        }}
        {is_given
            .then(|| {
                view! {
                    <p class="notice info" data-given="">
                        <Icon glyph=Glyph::Lock />
                        <span>
                            "This baseline comes with Systems Manager and cannot be changed. To have other rules, copy it to a baseline of your own."
                        </span>
                    </p>
                }
            })}
        <div class="grid-main">
            <div class="stack">
                {move || match doing.get() {
                    Doing::Nothing => ().into_any(),
                    doing => view! { <Acts detail=acts.clone() doing /> }.into_any(),
                }}
                {move || {
                    url.with(|url| url.compared)
                        .map(|(old, new)| view! { <Compared id=of.clone() old new /> })
                }}
                <Says content=summary.content.clone() />
                <Versions id=summary.baseline_id.clone() versions=detail.versions.clone() />
            </div>
            <div class="stack">
                <Holds detail=detail.clone() />
                <Facts detail />
            </div>
        </div>
    }
}

/// What it says, in words.
#[component]
fn Says(content: BaselineContent) -> impl IntoView {
    let list = |title: &'static str, patches: &[String], none: &'static str| {
        let items = patches.to_vec();
        view! {
            <h3>{title}</h3>
            {if items.is_empty() {
                view! { <p class="muted">{none}</p> }.into_any()
            } else {
                view! {
                    <ul class="baseline-patches">
                        {items.into_iter().map(|patch| view! { <li class="mono break-anywhere">{patch}</li> }).collect_view()}
                    </ul>
                }
                    .into_any()
            }}
        }
    };
    let action = REJECTED_ACTIONS
        .iter()
        .find(|(word, _)| *word == content.rejected_action)
        .map_or(content.rejected_action.clone(), |(_, label)| (*label).to_owned());
    let rules = content.rules.clone();
    view! {
        <section class="card" aria-labelledby="says-title">
            <header>
                <h2 id="says-title">"What it says"</h2>
            </header>
            <div class="card-body baseline-words" data-says="">
                {(!content.description.is_empty()).then(|| view! { <p>{content.description.clone()}</p> })}
                {(!content.global_filters.is_empty())
                    .then(|| view! { <p>{format!("It is only about {}.", PatchFilter::words(&content.global_filters))}</p> })}
                <h3>"Rules"</h3>
                {if rules.is_empty() {
                    view! { <p class="muted">"No rule approves anything: only patches that are named below are."</p> }.into_any()
                } else {
                    view! {
                        <ol>
                            {rules
                                .into_iter()
                                .map(|rule| {
                                    view! {
                                        <li>
                                            {rule.words()}
                                            <pre class="code small-text">{PatchFilter::write(&rule.filters)}</pre>
                                        </li>
                                    }
                                })
                                .collect_view()}
                        </ol>
                    }
                        .into_any()
                }}
                {list("Approved by name", &content.approved_patches, "None.")}
                {(!content.approved_patches.is_empty())
                    .then(|| {
                        view! {
                            <p class="muted">
                                {format!("Missing ones count as {}.", content.approved_level)}
                                {content.approved_non_security.then_some(" They may be other than security updates.")}
                            </p>
                        }
                    })}
                {list("Rejected by name", &content.rejected_patches, "None.")}
                {(!content.rejected_patches.is_empty()).then(|| view! { <p class="muted">{format!("{action}.")}</p> })}
                {(!content.sources.is_empty())
                    .then(|| {
                        view! {
                            <h3>"Other repositories"</h3>
                            <ul>
                                {content
                                    .sources
                                    .iter()
                                    .map(|source| view! { <li>{format!("{} for {}", source.name, source.products.join(", "))}</li> })
                                    .collect_view()}
                            </ul>
                        }
                    })}
            </div>
        </section>
    }
}

/// For what it holds.
#[component]
fn Holds(detail: BaselineDetail) -> impl IntoView {
    let summary = detail.summary;
    let id = summary.baseline_id.clone();
    let system = system_label(&summary.operating_system).to_owned();
    let may = detail.may_change;
    let groups = summary.groups.clone();
    view! {
        <section class="card" aria-labelledby="holds-title">
            <header>
                <h2 id="holds-title">"Holds for"</h2>
            </header>
            <div class="card-body">
                <p>
                    {if summary.is_default {
                        format!("All nodes with {system} whose patch group has no baseline of its own: it is the default.")
                    } else if groups.is_empty() {
                        "No node: it is not the default, and no patch group has it.".to_owned()
                    } else {
                        format!("Nodes with {system} in these patch groups:")
                    }}
                </p>
                {(!groups.is_empty())
                    .then(|| {
                        view! {
                            <ul class="baseline-groups">
                                {groups
                                    .into_iter()
                                    .map(|group| {
                                        let remove = do_path(&id, "ungroup", &group);
                                        let says = format!("Take the patch group {group} from this baseline");
                                        view! {
                                            <li data-group=group.clone()>
                                                <span class="tag">{group.clone()}</span>
                                                {may
                                                    .then(|| {
                                                        view! {
                                                            <a class="btn small quiet" href=remove aria-label=says data-noscroll="">
                                                                "Take away"
                                                            </a>
                                                        }
                                                    })}
                                            </li>
                                        }
                                    })
                                    .collect_view()}
                            </ul>
                        }
                    })}
                {may
                    .then(|| {
                        view! {
                            <a class="btn" href=do_path(&summary.baseline_id, "group", "") data-noscroll="">
                                "Add a patch group"
                            </a>
                        }
                    })}
                <p class="muted small-text">
                    "A node is in the patch group that its tag “Patch Group” names. "
                    {format!(
                        "{} held against it by the last scan.",
                        plural(detail.nodes, "node was", "nodes were"),
                    )}
                </p>
            </div>
        </section>
    }
}

#[component]
fn Facts(detail: BaselineDetail) -> impl IntoView {
    let summary = detail.summary;
    let short = summary.sha256.get(..12).unwrap_or_default().to_owned();
    view! {
        <section class="card" aria-labelledby="facts-title">
            <header>
                <h2 id="facts-title">"Identity"</h2>
            </header>
            <div class="card-body">
                <dl class="facts">
                    <Fact label="Id">
                        <span class="mono break-anywhere">{summary.baseline_id.clone()}</span>
                    </Fact>
                    <Fact label="Operating system">{system_label(&summary.operating_system).to_owned()}</Fact>
                    {(!summary.is_given).then(|| view! { <Fact label="Changed"><TimeAgo at=summary.modified_at /></Fact> })}
                    <Fact label="Content">
                        <span class="mono" title=summary.sha256.clone()>{short}</span>
                    </Fact>
                    <Fact label="Copied">
                        <TimeAgo at=summary.synced_at />
                    </Fact>
                </dl>
            </div>
        </section>
    }
}
