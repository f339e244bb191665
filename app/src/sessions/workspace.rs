//! The page of a terminal: tabs of all that one has open, one or two of them on show, and what can be done with
//! the session.

use super::acts::{EndButton, MoreTimeButton, ShareButton, announce_end};
use super::api::{EndSessionFn, live_sessions};
use super::desk::{Desk, Pane};
use super::pane::PaneView;
use super::tab_bar::TabBar;
use super::words::how_many;
use super::workspace_url::WorkspaceUrl;
use crate::components::{ErrorNotice, Glyph, Icon, Keeper, Skeleton, renewed};
use crate::error::set_page_status;
use crate::live::clock::use_now;
use crate::url::use_query;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use muster_domain::sessions::SessionDetail;
use std::time::Duration;

/// Sessions that are looked at for tabs: one's own come first.
const MOST_TABS: u32 = 200;
const RENEWED_EVERY: Duration = Duration::from_secs(5);
/// With less left than this, more time can be asked for.
const SOON: i64 = 600_000;

/// The page.
#[component]
pub(crate) fn WorkspacePage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query();
    let id = Memo::new(move |_| params.with(|params| params.get("session_id").unwrap_or_default()));
    let url = Memo::new(move |_| query.with(|query| WorkspaceUrl::read(id.get(), query)));
    let desk = Desk::new();
    let end = ServerAction::<EndSessionFn>::new();
    announce_end(end);
    super::terminal::use_looks();
    for session in url.with_untracked(WorkspaceUrl::on_show) {
        desk.pane(&session);
    }
    Effect::new(move |_| {
        let on_show = url.with(WorkspaceUrl::on_show);
        for session in &on_show {
            desk.pane(session);
        }
        desk.tidy(&on_show);
    });
    let live = renewed(|| (), |()| live_sessions(None, None, None, None, Some(MOST_TABS)));
    Effect::new(move |_| {
        let renewing = set_interval_with_handle(
            move || {
                if !document().hidden() {
                    live.refetch();
                }
            },
            RENEWED_EVERY,
        );
        on_cleanup(move || {
            if let Ok(renewing) = renewing {
                renewing.clear();
            }
        });
    });
    let counts = move || live.get().and_then(Result::ok).map(|live| how_many(&live));
    let current = Memo::new(move |_| url.with(|url| url.id.clone()));
    view! {
        <Title text=move || match desk.title_of(&current.get()) {
            Some(title) => format!("{title} · Terminals"),
            None => "Terminals".into(),
        } />
        <header class="page-head terminal-head">
            <div class="page-title">
                <h1>"Terminals"</h1>
                <div class="page-sub">
                    <Transition fallback=|| "…">{counts}</Transition>
                </div>
            </div>
            <div class="page-actions">
                {move || view! { <Acts pane=desk.pane(&current.get()) end /> }}
                <a class="btn primary" href="/terminals/new">
                    <Icon glyph=Glyph::Plus />
                    "New terminal"
                </a>
            </div>
        </header>
        <TabBar desk url live />
        <div class="workspace" class:split=move || url.with(|url| url.beside.is_some())>
            <For each=move || desk.opened() key=Clone::clone let:session>
                <Slot session desk url />
            </For>
        </div>
    }
}

/// The place of one pane, on show or not.
#[component]
fn Slot(session: String, desk: Desk, url: Memo<WorkspaceUrl>) -> impl IntoView {
    let pane = desk.pane(&session);
    let watch = url.with_untracked(|url| url.watch && url.id == session);
    // Counted: on the way out the address changes before the panes go.
    let place = {
        let session = session.clone();
        ArcMemo::new(move |_| {
            url.with(|url| match (&url.id, &url.beside) {
                (id, _) if *id == session => "main",
                (_, Some(beside)) if *beside == session => "beside",
                _ => "hidden",
            })
        })
    };
    let is_hidden = {
        let place = place.clone();
        move || place.get() == "hidden"
    };
    let keeper = Keeper::here();
    view! {
        <div class="slot" data-pane="" data-place=move || place.get() hidden=is_hidden>
            <Transition fallback=|| view! { <div class="card"><Skeleton lines=12 /></div> }>
                {move || {
                    let keeper = keeper.clone();
                    Suspend::new(async move {
                        match pane.detail.await {
                            Ok(detail) => keeper.view(move || view! { <PaneView pane detail url watch /> }),
                            Err(error) => {
                                set_page_status(&error);
                                view! {
                                    <div class="card card-body">
                                        <ErrorNotice error what="this terminal" />
                                        <a class="btn" href="/terminals">
                                            "All terminals"
                                        </a>
                                    </div>
                                }
                                .into_any()
                            }
                        }
                    })
                }}
            </Transition>
        </div>
    }
}

/// What can be done with the session on show.
#[component]
fn Acts(pane: Pane, end: ServerAction<EndSessionFn>) -> impl IntoView {
    let keeper = Keeper::here();
    view! {
        <Transition fallback=|| ()>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    let detail = pane.detail.await.ok()?;
                    Some(keeper.view(move || view! { <OfSession pane detail end /> }))
                })
            }}
        </Transition>
    }
}

#[component]
fn OfSession(pane: Pane, detail: SessionDetail, end: ServerAction<EndSessionFn>) -> impl IntoView {
    let now = use_now();
    let session = StoredValue::new(detail.summary);
    let over = Memo::new(move |_| pane.is_over() || session.with_value(|session| session.status.is_over()));
    let due = Memo::new(move |_| {
        let session = session.with_value(|session| pane.standing(session));
        let short = match (now.get(), session.ends_at) {
            (Some(now), Some(ends)) => ends.since_ms(now) < SOON,
            _ => false,
        };
        session.is_own && (short || pane.warned.with(|warned| matches!(warned, Some((_, _, true)))))
    });
    // Set by an effect: the clock may already run when this is hydrated.
    let soon = RwSignal::new(false);
    Effect::new(move |_| soon.set(due.get()));
    // The link works for whoever may look on; for the owner it opens the terminal itself.
    let link = Signal::derive(move || {
        let origin = window().location().origin().unwrap_or_default();
        let id = session.with_value(|session| session.session_id.to_string());
        format!("{origin}/terminals/{id}?watch=1")
    });
    let may_end = detail.may_end;
    move || {
        if over.get() {
            return None;
        }
        let (id, summary) = session.with_value(|session| (session.session_id.to_string(), session.clone()));
        Some(view! {
            <ShareButton link what="a link to watch this terminal" />
            {move || soon.get().then(|| view! { <MoreTimeButton session=id.clone() /> })}
            {may_end.then(|| view! { <EndButton session=summary end trigger="Terminate" prefix="terminate" /> })}
        })
    }
}
