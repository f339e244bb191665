//! One command: its head, its parts, and the live stream that keeps them fresh.

use super::acts::Acts;
use super::api::{get_command, get_output, list_invocations};
use super::definition_tab::DefinitionTab;
use super::detail_url::{DetailUrl, TabName};
use super::live::{Key, LiveCommand, OutputBuffer};
use super::log_tab::LogTab;
use super::nodes_tab::NodesTab;
use super::output_view::{Shown, stream_of};
use super::summary_tab::SummaryTab;
use crate::audit::ActsOf;
use crate::components::time_ago::{duration, running_for};
use crate::components::{
    ErrorNotice, Keeper, PageHead, Renewed, Skeleton, StatusBadge, Tab, Tabs, TimeAgo, plural, renewed,
};
use crate::error::{AppError, set_page_status};
use crate::live::clock::{use_clock, use_now};
use crate::live::event_source::{StreamState, listen};
use crate::url::use_query;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_params_map;
use muster_domain::PortalError;
use muster_domain::commands::{
    CommandChange, CommandDetail, CommandEvent, CommandStatus, InvocationView, OutputStream,
};
use muster_domain::paging::Page;
use std::time::Duration;

/// Bytes of output that a page begins with.
const FIRST_LOOK: i64 = -65_536;
/// How long counts may be stale while many nodes report at once.
const RENEW_AFTER: Duration = Duration::from_secs(1);

/// Which nodes: of which command, in which state, with which text or output, from where on.
type Asked = (
    String,
    Option<CommandStatus>,
    (String, Option<String>),
    Option<String>,
    Result<(), PortalError>,
);
/// The nodes on show.
pub(super) type Nodes = Renewed<Page<InvocationView>>;
/// The output on show.
pub(super) type Output = Resource<Result<Option<Shown>, AppError>>;

/// What the parts of the page share.
#[derive(Clone, Copy)]
pub(super) struct Live {
    pub(super) url: Memo<DetailUrl>,
    pub(super) detail: RwSignal<CommandDetail>,
    pub(super) live: RwSignal<LiveCommand>,
    pub(super) stream: RwSignal<StreamState>,
    /// The buffer on show, to which pieces are appended as they come.
    pub(super) shown: StoredValue<Option<(Key, RwSignal<OutputBuffer>)>>,
    renewing: StoredValue<bool>,
    /// Counts the snapshots taken.
    pub(super) renewed: RwSignal<u32>,
}

impl Live {
    /// Asks for the snapshot anew, once for many requests.
    pub(super) fn renew(self) {
        if self
            .renewing
            .try_update_value(|renewing| std::mem::replace(renewing, true))
            != Some(false)
        {
            return;
        }
        set_timeout(
            move || {
                let Some(id) = self.url.try_with_untracked(|url| url.id.clone()) else {
                    return;
                };
                spawn_local(async move {
                    let answer = get_command(id).await;
                    self.renewing.try_update_value(|renewing| *renewing = false);
                    if let Ok(detail) = answer {
                        let _ = self.live.try_update(|live| live.renew(&detail));
                        let _ = self.detail.try_set(detail);
                        let _ = self.renewed.try_update(|count| *count += 1);
                    }
                });
            },
            RENEW_AFTER,
        );
    }

    fn hear(self, event: &CommandEvent) {
        let mut stale = false;
        let mut applied = false;
        let _ = self.live.try_update(|live| {
            applied = live.apply(event);
            stale = live.stale || live.summary.status.is_final();
        });
        if !applied {
            return;
        }
        if stale {
            self.renew();
        }
        if let CommandChange::Output { node_id, piece, .. } = &event.change {
            let shown = self.shown.try_get_value().flatten();
            if let Some(((node, stream), buffer)) = shown
                && node == node_id.as_str()
                && stream == piece.stream
            {
                let _ = buffer.try_update(|buffer| buffer.append(piece));
            }
        }
    }
}

async fn load_output(
    id: String,
    node: Option<String>,
    asked: Option<OutputStream>,
) -> Result<Option<Shown>, AppError> {
    let found = list_invocations(id.clone(), None, node.clone(), None, None).await?;
    let only = found.items.len() == 1;
    let view = found.items.into_iter().find(|view| match &node {
        Some(node) => view.node_id.as_str() == node,
        None => only,
    });
    let Some(view) = view else { return Ok(None) };
    let stream = stream_of(asked, &view).as_str().to_owned();
    let piece = get_output(id, view.node_id.to_string(), stream, FIRST_LOOK, None).await?;
    Ok(Some(Shown { view, piece }))
}

/// The page.
#[component]
pub(crate) fn DetailPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query();
    let id = Memo::new(move |_| params.with(|params| params.get("command_id").unwrap_or_default()));
    let url = Memo::new(move |_| query.with(|query| DetailUrl::read(id.get(), query)));
    let version = RwSignal::new(0_u32);
    let detail = Resource::new(move || id.get(), get_command);
    let asked = Memo::new(move |_| {
        url.with(|url| {
            (url.tab == TabName::Nodes && !url.grouped).then(|| {
                let narrowed = (url.text.clone(), url.same.clone());
                let readable = url.readable();
                (url.id.clone(), url.status, narrowed, url.cursor.clone(), readable)
            })
        })
    });
    let nodes = renewed(
        move || asked.get(),
        |asked: Option<Asked>| async move {
            let Some((id, status, (text, same), cursor, readable)) = asked else {
                return Ok(Page::default());
            };
            readable?;
            list_invocations(
                id,
                status.map(|status| status.as_str().to_owned()),
                Some(text),
                same,
                cursor,
            )
            .await
        },
    );
    Effect::new(move |before: Option<u32>| {
        let now = version.get();
        if before.is_some_and(|before| before != now) {
            nodes.refetch();
        }
        now
    });
    let keeper = Keeper::here();
    let looked_at = Memo::new(move |_| {
        url.with(|url| {
            let wanted = url.tab == TabName::Summary
                || (url.tab == TabName::Nodes && url.node.is_some() && url.with.is_none());
            wanted.then(|| (url.id.clone(), url.node.clone(), url.stream))
        })
    });
    let output = Resource::new(
        move || looked_at.get(),
        |asked| async move {
            match asked {
                Some((id, node, stream)) => load_output(id, node, stream).await,
                None => Ok(None),
            }
        },
    );
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/commands">"Commands"</a>
            " / "
            <span class="mono">{move || id.get()}</span>
        </nav>
        <Transition fallback=|| view! { <Skeleton lines=10 /> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                match detail.await {
                    Ok(detail) => keeper.view(move || view! { <Command detail url nodes output renewed=version /> }),
                    Err(error) => {
                        set_page_status(&error);
                        let title = if error.is_not_found() { "Command not found" } else { "Command" };
                        view! {
                            <PageHead title />
                            <ErrorNotice error what="this command" />
                        }
                            .into_any()
                    }
                }
            })}}
        </Transition>
    }
}

#[component]
fn Command(
    detail: CommandDetail,
    url: Memo<DetailUrl>,
    nodes: Nodes,
    output: Output,
    renewed: RwSignal<u32>,
) -> impl IntoView {
    let finished = detail.summary.status.is_final();
    let id = detail.summary.command_id.to_string();
    let cursor = detail.event_cursor;
    let title = detail.summary.title().to_owned();
    let clock = use_clock();
    let page = Live {
        url,
        live: RwSignal::new(LiveCommand::new(&detail)),
        detail: RwSignal::new(detail),
        stream: RwSignal::new(if finished {
            StreamState::Ended
        } else {
            StreamState::Connecting
        }),
        shown: StoredValue::new(None),
        renewing: StoredValue::new(false),
        renewed,
    };
    Effect::new(move |_| {
        if !finished {
            listen(
                format!("/events/commands/{id}"),
                Some(cursor.to_string()),
                &[],
                page.stream,
                move |event| {
                    match serde_json::from_str::<CommandEvent>(&event.data) {
                        Ok(event) => {
                            if let Some(at) = event.at {
                                clock.heard(at);
                            }
                            page.hear(&event);
                        }
                        // Only the last event of a stream carries none.
                        Err(_) if event.name == "end" => page.renew(),
                        Err(_) => {}
                    }
                },
            );
        }
    });
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
    view! {
        <PageHead title subtitle=move || view! { <Standing page /> }>
            <Acts page />
        </PageHead>
        <Tabs label="Parts of this command" tabs />
        {move || match tab.get() {
            TabName::Summary => view! { <SummaryTab page output /> }.into_any(),
            TabName::Nodes => view! { <NodesTab page nodes output /> }.into_any(),
            TabName::Log => view! { <LogTab page /> }.into_any(),
            TabName::Definition => view! { <DefinitionTab page /> }.into_any(),
            TabName::Audit => {
                let id = page.url.with_untracked(|url| url.id.clone());
                view! { <ActsOf resource=format!("command:{id}") version=page.renewed /> }.into_any()
            }
        }}
    }
}

/// Status, who, when, how long, and whether the page is live.
#[component]
fn Standing(page: Live) -> impl IntoView {
    let now = use_now();
    let status = Memo::new(move |_| page.live.with(|live| live.summary.status));
    let elapsed = move || page.live.with(|live| live.elapsed_ms(now.get()));
    let usual = page
        .detail
        .with_untracked(|detail| detail.usual_duration_ms)
        .map(duration);
    let (document, by, at, targets) = page.detail.with_untracked(|detail| {
        let summary = &detail.summary;
        (
            // Where it is the title already, it is not said twice.
            (summary.title() != summary.document).then(|| summary.document.clone()),
            detail.summary.requested_by.clone(),
            detail.summary.requested_at,
            detail.summary.targets,
        )
    });
    let stream = move || match (page.stream.get(), status.get().is_final()) {
        (_, true) | (StreamState::Ended, _) => ("off", "Ended".to_owned()),
        (StreamState::Open, _) => ("ok", "Live".to_owned()),
        (StreamState::Connecting, _) => ("info", "Connecting".to_owned()),
        (StreamState::Reconnecting(attempt), _) => ("warn", format!("Reconnecting (try {attempt})")),
    };
    view! {
        <span class="row command-standing">
            <span data-status=move || status.get().as_str()>
                {move || view! { <StatusBadge badge=status.get() label=status.get().label() /> }}
            </span>
            {document.map(|document| view! { <span class="mono">{document}</span> })}
            <span>{plural(targets.into(), "node", "nodes")}</span>
            <span>"by " {by} " · " <TimeAgo at /></span>
            <span>
                // A text in any case: the clock may run already when this is hydrated.
                {move || match elapsed() {
                    Some(ms) if status.get().is_final() => format!("took {}", duration(ms)),
                    Some(ms) => running_for(ms),
                    None => String::new(),
                }}
                {usual.map(|text| format!(" (usually {text})"))}
            </span>
            <span class="needs-script" role="status" data-stream=move || stream().1>
                <span class="status-dot">
                    <span class=move || format!("dot {}", stream().0) aria-hidden="true"></span>
                    {move || stream().1}
                </span>
            </span>
        </span>
    }
}
