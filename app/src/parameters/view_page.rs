//! One parameter: its value, what it is, its versions, labels and tags.

use super::acts::Acts;
use super::api::{TagFn, UntagFn, get_parameter};
use super::compare_view::CompareView;
use super::reveal::RevealCard;
use super::rows::who;
use super::tags_card::TagsCard;
use super::url::{Doing, Labelled, ViewUrl, delete_path, edit_path, folder_path};
use super::versions_card::VersionsCard;
use crate::components::{
    CopyButton, ErrorNotice, Fact, Glyph, Icon, Keeper, PageHead, Skeleton, TimeAgo, use_toaster,
};
use crate::error::{AppError, set_page_status};
use crate::url::use_query;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use muster_domain::PortalError;
use muster_domain::parameters::{ParameterDetail, ParameterSummary, folder_of, name_key};

/// What the cards of the page do, and by which the page is read anew.
#[derive(Clone, Copy)]
pub(super) struct Changes {
    pub(super) tag: ServerAction<TagFn>,
    pub(super) untag: ServerAction<UntagFn>,
}

/// The parameter of that name. On the way to another page the address has no name any more, and nothing is asked for.
///
/// # Errors
/// As the portal says.
pub(super) async fn named(name: String) -> Result<ParameterDetail, AppError> {
    if name.is_empty() {
        return Err(AppError::Portal(PortalError::NotFound {
            what: "A parameter without a name".into(),
        }));
    }
    get_parameter(name).await
}

/// Says that an act worked, once for each time; what did not stands beside its form.
fn announce<S>(action: ServerAction<S>, said: &'static str)
where
    S: ServerFn<Output = (), Error = AppError> + Clone + Send + Sync + 'static,
{
    let toaster = use_toaster();
    Effect::new(move |before: Option<usize>| {
        let version = action.version().get();
        if before.is_some_and(|before| version > before) {
            match action.value().get_untracked() {
                Some(Ok(())) => toaster.say(said),
                Some(Err(error)) => toaster.complain(error.to_string()),
                None => {}
            }
        }
        version
    });
}

/// The page.
#[component]
pub(crate) fn ViewPage() -> impl IntoView {
    let query = use_query();
    let url = Memo::new(move |_| query.with(ViewUrl::read));
    let changes = Changes {
        tag: ServerAction::new(),
        untag: ServerAction::new(),
    };
    announce(changes.tag, "Tag set.");
    announce(changes.untag, "Tag removed.");
    let asked = Memo::new(move |_| url.with(|url| (url.name.clone(), url.saved, url.labelled)));
    let detail = Resource::new(
        move || {
            (
                asked.get(),
                changes.tag.version().get(),
                changes.untag.version().get(),
            )
        },
        |((name, ..), ..)| named(name),
    );
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            {move || {
                let name = url.with(|url| url.name.clone());
                let folder = folder_of(name_key(&name)).to_owned();
                view! {
                    <a href="/parameters">"Parameters"</a>
                    {(!folder.is_empty())
                        .then(|| {
                            view! {
                                " / "
                                <a href=folder_path(&folder)>{folder.clone()}</a>
                            }
                        })}
                    " / "
                    <span>{name_key(&name).rsplit('/').next().unwrap_or_default().to_owned()}</span>
                }
            }}
        </nav>
        <Transition fallback=|| view! { <Skeleton lines=10 /> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match detail.await {
                        Ok(detail) => keeper.view(move || view! { <Parameter detail url changes /> }),
                        Err(error) => {
                            set_page_status(&error);
                            let title = if error.is_not_found() { "Parameter not found" } else { "Parameter" };
                            view! {
                                <PageHead title />
                                <ErrorNotice error what="this parameter" />
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
fn Parameter(detail: ParameterDetail, url: Memo<ViewUrl>, changes: Changes) -> impl IntoView {
    let summary = detail.summary.clone();
    let sub = StoredValue::new(summary.clone());
    let acts = detail.clone();
    let name = summary.name.clone();
    let edit = detail.may_put.then(|| edit_path(&name));
    let delete = detail.may_delete.then(|| delete_path(&name));
    let doing = Memo::new(move |_| url.with(|url| url.doing.clone()));
    let compared = move || url.with(|url| url.compared);
    view! {
        <PageHead title=name.clone() subtitle=move || view! { <Sub summary=sub.get_value() /> }>
            {edit
                .map(|href| {
                    view! {
                        <a class="btn primary" href=href>
                            "Edit"
                        </a>
                    }
                })}
            {delete
                .map(|href| {
                    view! {
                        <a class="btn danger" href=href data-noscroll="">
                            "Delete"
                        </a>
                    }
                })}
        </PageHead>
        <Saved url />
        <div class="grid-main">
            <div class="stack">
                {
                    let detail = detail.clone();
                    move || match doing.get() {
                        // Only one form at a time can ask for approval.
                        Doing::Nothing => view! { <ValueCard detail=detail.clone() url /> }.into_any(),
                        doing => view! { <Acts detail=acts.clone() doing /> }.into_any(),
                    }
                }
                {
                    let name = name.clone();
                    move || {
                        compared()
                            .map(|(old, new)| {
                                view! { <CompareView name=name.clone() old new /> }
                            })
                    }
                }
                <VersionsCard detail=detail.clone() />
            </div>
            <div class="stack">
                <Facts summary />
                <TagsCard detail changes />
            </div>
        </div>
    }
}

#[component]
fn Sub(summary: ParameterSummary) -> impl IntoView {
    view! {
        <span class="row command-standing">
            <span>{summary.kind.label()}</span>
            <span>{format!("version {}", summary.version)}</span>
            <span>"written " <TimeAgo at=summary.modified_at /> {format!(" by {}", who(&summary.modified_by))}</span>
        </span>
    }
}

/// After writing: what there is now, and whether somebody else was overtaken.
#[component]
fn Saved(url: Memo<ViewUrl>) -> impl IntoView {
    move || {
        let ViewUrl {
            name,
            saved,
            unseen,
            labelled,
            ..
        } = url.get();
        if let Some(what) = labelled {
            let said = match what {
                Labelled::Set => "Labels set.",
                Labelled::Taken => "Label taken away.",
            };
            return Some(
                view! {
                    <div class="notice ok" role="status" data-labelled="">
                        <Icon glyph=Glyph::Check />
                        <div>{said}</div>
                    </div>
                }
                .into_any(),
            );
        }
        saved.map(|version| {
            let before = super::url::compare_path(&name, (version - 1).max(1), version);
            if unseen {
                view! {
                    <div class="notice warn" role="status" data-saved="unseen">
                        <Icon glyph=Glyph::Warning />
                        <div>
                            <strong>{format!("Written as version {version}. ")}</strong>
                            "Somebody wrote past the portal at the same moment, and that version was replaced unseen: "
                            <a href=before>"look at what is different"</a>
                            ", and restore it if it was right."
                        </div>
                    </div>
                }
                    .into_any()
            } else {
                view! {
                    <div class="notice ok" role="status" data-saved="">
                        <Icon glyph=Glyph::Check />
                        <div>
                            {if version == 1 {
                                "Made, as version 1.".to_owned()
                            } else {
                                format!("Written as version {version}. What was there before is under Versions.")
                            }}
                        </div>
                    </div>
                }
                    .into_any()
            }
        })
    }
}

#[component]
fn ValueCard(detail: ParameterDetail, url: Memo<ViewUrl>) -> impl IntoView {
    let live = match detail.live.clone() {
        Ok(live) => live,
        Err(problem) => {
            return view! {
                <section class="card" aria-labelledby="value-title">
                    <header>
                        <h2 id="value-title">"Value"</h2>
                    </header>
                    <div class="card-body">
                        <div class="notice bad" role="alert">
                            <Icon glyph=Glyph::Warning />
                            <div>
                                <strong>"Its value and versions cannot be read now. "</strong>
                                {problem}
                            </div>
                        </div>
                    </div>
                </section>
            }
            .into_any();
        }
    };
    match live.value {
        Some(value) => {
            let items: Vec<String> = if detail.summary.kind.as_str() == "StringList" {
                value.split(',').map(ToOwned::to_owned).collect()
            } else {
                Vec::new()
            };
            view! {
                <section class="card" aria-labelledby="value-title">
                    <header>
                        <h2 id="value-title">"Value"</h2>
                        <div class="row aside">
                            <CopyButton text=value.clone() label="Copy the value" />
                        </div>
                    </header>
                    <div class="card-body">
                        {if items.is_empty() {
                            view! { <pre class="code parameter-value" data-value="" tabindex="0">{value}</pre> }.into_any()
                        } else {
                            view! {
                                <ol class="parameter-items" data-value="">
                                    {items.into_iter().map(|item| view! { <li class="mono">{item}</li> }).collect_view()}
                                </ol>
                            }
                                .into_any()
                        }}
                    </div>
                </section>
            }
            .into_any()
        }
        None => view! {
            <RevealCard
                name=detail.summary.name
                versions=live.versions.iter().map(|one| one.version).collect()
                may=detail.may_reveal
                url
            />
        }
        .into_any(),
    }
}

#[component]
fn Facts(summary: ParameterSummary) -> impl IntoView {
    let or_none = |text: String| if text.is_empty() { "—".to_owned() } else { text };
    let reference = format!("{{{{ssm:{}}}}}", summary.name);
    let secret = summary.kind.is_secret();
    view! {
        <section class="card" aria-labelledby="facts-title">
            <header>
                <h2 id="facts-title">"Facts"</h2>
            </header>
            <div class="card-body">
                <dl class="facts">
                    <Fact label="Description">
                        <span class="runbook-description">{or_none(summary.description)}</span>
                    </Fact>
                    <Fact label="Tier">{summary.tier.as_str()}</Fact>
                    <Fact label="Data type">{summary.data_type}</Fact>
                    {secret
                        .then(|| view! { <Fact label="Key"><span class="mono break-anywhere">{or_none(summary.key_id)}</span></Fact> })}
                    <Fact label="Allowed pattern">
                        <span class="mono break-anywhere">{or_none(summary.allowed_pattern)}</span>
                    </Fact>
                    {(!summary.policies.is_empty())
                        .then(|| {
                            view! {
                                <Fact label="Policies">
                                    {summary
                                        .policies
                                        .into_iter()
                                        .map(|text| view! { <div class="mono small-text break-anywhere">{text}</div> })
                                        .collect_view()}
                                </Fact>
                            }
                        })}
                    {(!secret)
                        .then(|| {
                            view! {
                                <Fact label="In commands">
                                    <span class="mono break-anywhere">{reference}</span>
                                </Fact>
                            }
                        })}
                    <Fact label="Written by">
                        <span class="break-anywhere">{or_none(summary.modified_by)}</span>
                    </Fact>
                    <Fact label="Copied">
                        <TimeAgo at=summary.synced_at />
                    </Fact>
                </dl>
            </div>
        </section>
    }
}
