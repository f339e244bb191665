//! One application: its environments with what runs there, its releases, and its history.

use super::change_form::{ChangeForm, EnvironmentFields};
use super::edit_page::{NotShown, named};
use super::environments_tab::EnvironmentsTab;
use super::lists::{HistoryTab, ReleasesTab};
use super::url::{ApplicationUrl, Doing, Shown, application_path, do_path};
use crate::audit::ActsOf;
use crate::components::{Glyph, Icon, Keeper, PageHead, Skeleton, Tab, Tabs, TextField, TimeAgo};
use crate::error::{AppError, field_error};
use crate::layout::use_frame;
use crate::url::use_query;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use muster_domain::action::Action;
use muster_domain::deployments::{ApplicationDetail, Environment};

/// The page.
#[component]
pub(crate) fn ApplicationPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query();
    let id = Memo::new(move |_| params.with(|params| params.get("application_id").unwrap_or_default()));
    let url = Memo::new(move |_| query.with(|query| ApplicationUrl::read(id.get(), query)));
    // What was done a moment ago has made another application of it.
    let detail = Resource::new(
        move || (id.get(), url.with(|url| (url.saved.clone(), url.doing.clone()))),
        |(id, _)| named(id),
    );
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/deployments">"Deployments"</a>
            " / Application"
        </nav>
        <Transition fallback=|| view! { <Skeleton lines=10 /> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match detail.await {
                        Ok(detail) => keeper.view(move || view! { <Application detail url /> }),
                        Err(error) => {
                            view! { <NotShown error title="Application" what="application" /> }.into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}

/// What was done a moment ago.
fn said(what: &str) -> Option<&'static str> {
    Some(match what {
        "create" => "The application is made. Write down its first release.",
        "edit" => "The settings are saved: releases that are made from now on have them.",
        "put-environment" => "The environment is saved.",
        "remove-environment" => "The environment is gone. What was deployed there stays in the history.",
        _ => return None,
    })
}

#[component]
fn Application(detail: ApplicationDetail, url: Memo<ApplicationUrl>) -> impl IntoView {
    let frame = use_frame();
    let id = detail.application_id.to_string();
    let resource = StoredValue::new(format!("application:{id}"));
    let sub = StoredValue::new(detail.clone());
    let shown = Memo::new(move |_| url.with(|url| url.shown));
    let tabs = Signal::derive(move || {
        url.with(|url| {
            Shown::ALL
                .into_iter()
                .map(|one| Tab {
                    label: one.label().to_owned(),
                    href: url.tab(one),
                    active: one == url.shown,
                })
                .collect::<Vec<_>>()
        })
    });
    let saved = url.with_untracked(|url| said(&url.saved));
    let doing = url.with_untracked(|url| url.doing.clone());
    let acts = detail.clone();
    let kept = StoredValue::new(detail.clone());
    let (may_change, may_delete, may_release) = (detail.may_change, detail.may_delete, detail.may_release);
    view! {
        <PageHead title=detail.settings.name.clone() subtitle=move || view! { <Sub detail=sub.get_value() /> }>
            {may_release
                .then(|| {
                    view! {
                        <a class="btn primary" href=format!("{}/new-release", application_path(&id))>
                            <Icon glyph=Glyph::Plus />
                            "New release"
                        </a>
                    }
                })}
            {may_change
                .then(|| {
                    view! {
                        <a class="btn" href=format!("{}/edit", application_path(&id))>
                            "Edit"
                        </a>
                    }
                })}
            {may_delete
                .then(|| {
                    view! {
                        <a class="btn danger" href=do_path(&id, "delete", "") data-noscroll="">
                            "Delete"
                        </a>
                    }
                })}
        </PageHead>
        {saved
            .map(|text| {
                view! {
                    <div class="notice ok" role="status" data-saved="">
                        <Icon glyph=Glyph::Check />
                        <div>{text}</div>
                    </div>
                }
            })}
        {detail
            .deleted_at
            .map(|at| {
                view! {
                    <div class="notice" role="status" data-deleted="">
                        <Icon glyph=Glyph::Info />
                        <div>{format!("{} deleted this application ", detail.changed_by)} <TimeAgo at /> ". Its releases and its history stay."</div>
                    </div>
                }
            })}
        <Acts detail=acts doing />
        <Tabs label="Parts of this application" tabs />
        {move || match shown.get() {
            Shown::Environments => view! { <EnvironmentsTab detail=kept.get_value() /> }.into_any(),
            Shown::Releases => view! { <ReleasesTab url may_release /> }.into_any(),
            Shown::History => view! { <HistoryTab url environments=kept.with_value(names) /> }.into_any(),
        }}
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                let may = frame.await.is_ok_and(|frame| frame.may(Action::AuditRead));
                may.then(|| {
                    view! {
                        <h2 class="section-title">"Audit log"</h2>
                        <ActsOf resource=resource.get_value() version=Signal::stored(0) />
                    }
                })
            })}
        </Suspense>
    }
}

fn names(detail: &ApplicationDetail) -> Vec<String> {
    detail
        .environments
        .iter()
        .map(|row| row.environment.name.clone())
        .collect()
}

#[component]
fn Sub(detail: ApplicationDetail) -> impl IntoView {
    view! {
        <span class="row command-standing">
            {(!detail.settings.description.is_empty()).then(|| view! { <span>{detail.settings.description}</span> })}
            <span>
                "deployed by " <a class="mono" href=format!("/runbooks/{}", detail.settings.document)>{detail.settings.document.clone()}</a>
            </span>
            <span>{format!("changed by {} ", detail.changed_by)} <TimeAgo at=detail.changed_at /></span>
        </span>
    }
}

/// The card for what the address says; nothing where there is nothing to do, or the actor may not.
#[component]
fn Acts(detail: ApplicationDetail, doing: Doing) -> impl IntoView {
    let about = Some((detail.application_id.to_string(), detail.revision));
    let name = detail.settings.name.clone();
    match doing {
        Doing::Delete if detail.may_delete => {
            let runs: Vec<String> = detail
                .environments
                .iter()
                .filter_map(|row| {
                    let current = row.current.as_ref()?;
                    Some(format!("{} in {}", current.version, row.environment.name))
                })
                .collect();
            let runs = if runs.is_empty() {
                "Nothing of it runs anywhere that Muster knows of.".to_owned()
            } else {
                format!("What runs stays as it is: {}.", runs.join(", "))
            };
            view! {
                <ChangeForm
                    what="delete"
                    about
                    title=format!("Delete {name}?")
                    submit="Delete it"
                    is_danger=true
                    fields=Box::new(move |error: Signal<Option<AppError>>| {
                        view! {
                            <p>"No release of it can be deployed or rolled back any more, and nothing brings it back. Its releases and its history stay to be read."</p>
                            <p class="muted">{runs}</p>
                            <TextField
                                name="confirmation"
                                label="Type its name"
                                placeholder=name
                                required=true
                                error=field_error(error, "confirmation")
                            />
                        }
                            .into_any()
                    })
                />
            }
            .into_any()
        }
        Doing::Remove(environment) if detail.may_change => {
            view! {
                <ChangeForm
                    what="remove-environment"
                    about
                    title=format!("Remove {environment} from {name}?")
                    submit="Remove environment"
                    is_danger=true
                    fields=Box::new(move |_: Signal<Option<AppError>>| {
                        view! {
                            <p>"Nothing can be deployed there any more. What runs there goes on, and what was deployed there stays in the history."</p>
                            <input type="hidden" name="environment" value=environment />
                        }
                            .into_any()
                    })
                />
            }
            .into_any()
        }
        Doing::Put(environment) if detail.may_change => {
            let at = detail.environments.iter().position(|row| row.environment.name == environment);
            let (title, submit) = match at {
                Some(_) => (format!("Edit {environment}"), "Save environment"),
                None => ("Add an environment".to_owned(), "Add environment"),
            };
            let place = at.unwrap_or(detail.environments.len()) + 1;
            let known = at.and_then(|at| detail.environments.into_iter().nth(at));
            let environment = known.map_or_else(Environment::default, |row| row.environment);
            view! {
                <ChangeForm
                    what="put-environment"
                    about
                    title
                    submit
                    fields=Box::new(move |error: Signal<Option<AppError>>| {
                        view! { <EnvironmentFields environment place error /> }.into_any()
                    })
                />
            }
            .into_any()
        }
        _ => ().into_any(),
    }
}
