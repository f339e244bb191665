//! Sessions on nodes: those that go on, and below them all of the past.

use super::acts::announce_end;
use super::api::{EndSessionFn, find_sessions, live_sessions};
use super::history_table::{HistoryRows, ListFilter};
use super::list_url::ListUrl;
use super::live_table::{LiveRights, LiveTable};
use super::words::how_many;
use crate::components::{ErrorNotice, Fresh, Glyph, Icon, Keeper, PageHead, Skeleton, StaleNotice, renewed};
use crate::layout::use_frame;
use crate::url::use_query;
use leptos::prelude::*;
use muster_domain::action::Action;
use std::sync::Arc;
use std::time::Duration;

const RENEWED_EVERY: Duration = Duration::from_secs(3);

/// The page.
#[component]
pub(crate) fn ListPage() -> impl IntoView {
    let query = use_query();
    let frame = use_frame();
    let state = Memo::new(move |_| query.with(ListUrl::read));
    let end = ServerAction::<EndSessionFn>::new();
    announce_end(end);
    let live = renewed(
        move || (end.version().get(), state.get()),
        // What cannot be read of the address is about the history alone.
        |(_, state)| async move {
            live_sessions(Some(state.text), state.node, Some(state.owner), state.open, None).await
        },
    );
    let rows = renewed(
        move || state.get(),
        |state| async move {
            let state = state.readable()?;
            find_sessions(
                Some(state.text),
                state.node,
                Some(state.owner),
                state.status.map(|status| status.as_str().to_owned()),
                Some(state.period.word().to_owned()),
                state.cursor,
                None,
            )
            .await
        },
    );
    // Rows with an open question, or with the keyboard in them, stay as they are.
    let asking = || {
        ["dialog[open]", ".sessions :focus"]
            .into_iter()
            .any(|what| document().query_selector(what).ok().flatten().is_some())
    };
    Effect::new(move |_| {
        let renewing = set_interval_with_handle(
            move || {
                if !document().hidden() && !asking() {
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
    // One that ended belongs into the history at once.
    let going_on = RwSignal::new(Vec::new());
    Effect::new(move |before: Option<()>| {
        let ids = live.with(|live| match live {
            Some(Ok(live)) => Some(
                live.sessions
                    .iter()
                    .map(|one| one.session_id.clone())
                    .collect::<Vec<_>>(),
            ),
            _ => None,
        });
        if let Some(ids) = ids
            && going_on.get_untracked() != ids
        {
            going_on.set(ids);
            if before.is_some() {
                rows.refetch();
            }
        }
    });
    let keeper = Keeper::here();
    let history_keeper = Keeper::here();
    let counts = move || {
        view! {
            <Transition fallback=|| "Shells on nodes, recorded">
                {move || Suspend::new(async move {
                    match live.await {
                        Ok(live) => how_many(&live),
                        Err(_) => "Shells on nodes, recorded".to_owned(),
                    }
                })}
            </Transition>
        }
    };
    view! {
        <PageHead title="Terminals" subtitle=counts>
            <Transition fallback=|| ()>
                {move || Suspend::new(async move {
                    frame.await.is_ok_and(|frame| frame.may(Action::SessionsStart)).then(|| {
                        view! {
                            <a class="btn primary" href="/terminals/new">
                                <Icon glyph=Glyph::Plus />
                                "New terminal"
                            </a>
                        }
                    })
                })}
            </Transition>
        </PageHead>
        <div class="stack">
            {move || view! { <ListFilter state=state.get() /> }}
            <section aria-labelledby="live-title" class="stack-tight">
                <h2 id="live-title">"Open now"</h2>
                <Transition fallback=|| view! { <div class="card"><Skeleton lines=3 /></div> }>
                    {move || {
                        let keeper = keeper.clone();
                        Suspend::new(async move {
                            let rights = frame
                                .await
                                .map(|frame| LiveRights::of(|action| frame.may(action)))
                                .unwrap_or_default();
                            match live.await {
                                Ok(Fresh { value: live, stale }) => keeper.view(move || view! {
                                    <StaleNotice stale />
                                    <LiveTable live=Arc::unwrap_or_clone(live) state=state.get_untracked() end rights />
                                }),
                                Err(error) => view! {
                                    <div class="card card-body">
                                        <ErrorNotice error what="the open terminals" clear=state.get_untracked().open_page(None) />
                                    </div>
                                }
                                .into_any(),
                            }
                        })
                    }}
                </Transition>
            </section>
            <section aria-labelledby="history-title" class="stack-tight">
                <h2 id="history-title">"History"</h2>
                <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
                    {move || {
                        let keeper = history_keeper.clone();
                        Suspend::new(async move {
                            match rows.await {
                                Ok(Fresh { value: page, stale }) => keeper.view(move || view! {
                                    <StaleNotice stale />
                                    <HistoryRows state=state.get_untracked() page=Arc::unwrap_or_clone(page) />
                                }),
                                Err(error) => view! {
                                    <div class="card card-body">
                                        <ErrorNotice error what="the history of terminals" clear=state.get_untracked().page(None) />
                                    </div>
                                }
                                .into_any(),
                            }
                        })
                    }}
                </Transition>
            </section>
        </div>
    }
}
