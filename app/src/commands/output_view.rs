//! The output of one node: what is there, and what comes while one looks.

use super::api::get_output;
use super::detail_page::{Live, Output};
use super::follow::use_follow;
use super::live::{Chunk, OutputBuffer};
use super::nodes_tab::size;
use crate::components::{ErrorNotice, Glyph, Icon, Keeper, Skeleton, StatusBadge, grouped, use_toaster};
use leptos::prelude::*;
use leptos::task::spawn_local;
use muster_domain::commands::{InvocationView, OutputPiece, OutputStream, details_label};
use serde::{Deserialize, Serialize};

/// A node and the end of its output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shown {
    pub(super) view: InvocationView,
    pub(super) piece: OutputPiece,
}

/// The stream to show: the one that was asked for, else the one that has text, output before errors.
pub(super) fn stream_of(asked: Option<OutputStream>, view: &InvocationView) -> OutputStream {
    asked.unwrap_or(if view.stdout_bytes == 0 && view.stderr_bytes > 0 {
        OutputStream::Stderr
    } else {
        OutputStream::Stdout
    })
}

/// The card around the output of the node chosen, or of the only one.
#[component]
pub(super) fn OutputPanel(page: Live, output: Output) -> impl IntoView {
    let keeper = Keeper::here();
    let wrap = RwSignal::new(true);
    view! {
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=6 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                match output.await {
                    Ok(Some(shown)) => keeper.view(move || view! { <OutputView page output shown wrap /> }),
                    Ok(None) => {
                        view! { <p class="muted small-text">"No output yet: the node has not been reached."</p> }
                            .into_any()
                    }
                    Err(error) => {
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="the output" />
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

#[component]
fn OutputView(page: Live, output: Output, shown: Shown, wrap: RwSignal<bool>) -> impl IntoView {
    let Shown { view, piece } = shown;
    let stream = piece.stream;
    let node = view.node_id.to_string();
    let key = (node.clone(), stream);
    let buffer = RwSignal::new(OutputBuffer::start(&piece));
    page.shown.set_value(Some((key.clone(), buffer)));
    on_cleanup(move || {
        page.shown.try_update_value(|shown| {
            if shown.as_ref().is_some_and(|(_, one)| *one == buffer) {
                *shown = None;
            }
        });
    });
    let id = page.url.with_untracked(|url| url.id.clone());
    let download = format!("/download/commands/{id}/{node}/{}", stream.as_str());
    let earlier = RwSignal::new(false);
    let (asked_id, asked_node) = (StoredValue::new(id.clone()), StoredValue::new(node.clone()));
    catch_up(page, id, key, buffer);
    turn_to_errors(page, output, (node.clone(), stream), buffer);
    let toaster = use_toaster();
    let followed = use_follow(Signal::derive(move || buffer.with(|buffer| buffer.end)));
    let frame = followed.frame;
    let load_earlier = move || {
        if earlier.get_untracked() {
            return;
        }
        earlier.set(true);
        followed.stop();
        let before = buffer.with_untracked(OutputBuffer::first);
        let (id, node) = (asked_id.get_value(), asked_node.get_value());
        spawn_local(async move {
            let answer = get_output(id, node, stream.as_str().to_owned(), 0, Some(before)).await;
            let _ = earlier.try_set(false);
            match answer {
                Ok(piece) => {
                    // The page may have been left while it was fetched.
                    let shown = move || frame.try_get_untracked().flatten();
                    let height = shown().map(|frame| frame.scroll_height());
                    let _ = buffer.try_update(|buffer| buffer.prepend(&piece));
                    // What was being read stays where it is.
                    request_animation_frame(move || {
                        if let Some((frame, height)) = shown().zip(height) {
                            frame.set_scroll_top(frame.scroll_top() + frame.scroll_height() - height);
                        }
                    });
                }
                Err(error) => toaster.complain(error.to_string()),
            }
        });
    };
    let name = if view.node_name.is_empty() {
        node
    } else {
        view.node_name.clone()
    };
    // Counted, not owned: the address changes what is read with it while this may be on its way out.
    let view = ArcMemo::new(move |_| page.live.with(|live| live.newest(&view)));
    let hidden = Memo::new(move |_| buffer.with(OutputBuffer::first));
    let nothing = Memo::new(move |_| buffer.with(|buffer| buffer.end == 0));
    let (of_status, of_code, of_details) = (view.clone(), view.clone(), view.clone());
    let streams = move || {
        [OutputStream::Stdout, OutputStream::Stderr]
            .into_iter()
            .map(|one| {
                let (label, bytes) = view.with(|view| match one {
                    OutputStream::Stdout => ("Output", view.stdout_bytes),
                    OutputStream::Stderr => ("Errors", view.stderr_bytes),
                });
                let href = page.url.with(|url| url.with_stream(one));
                view! {
                    <a class="btn small" class:primary=one == stream href=href data-noscroll="" aria-current=(one == stream).then_some("true")>
                        {format!("{label} {}", size(bytes))}
                    </a>
                }
            })
            .collect_view()
    };
    view! {
        <section class="card output-card" aria-labelledby="output-title">
            <header>
                <h2 id="output-title">{format!("Output of {name}")}</h2>
                {move || {
                    let status = of_status.with(|view| view.status);
                    view! { <StatusBadge badge=status label=status.label() /> }
                }}
                <span class="muted small-text">
                    {move || of_code.with(|view| (view.response_code != -1).then(|| format!("exit code {}", view.response_code)))}
                    {move || of_details.with(why)}
                </span>
                <div class="row aside">
                    {streams}
                    <label class="row needs-script">
                        <input
                            type="checkbox"
                            prop:checked=move || followed.on.get()
                            on:change=move |event| followed.on.set(event_target_checked(&event))
                        />
                        "Follow"
                    </label>
                    <label class="row needs-script">
                        <input
                            type="checkbox"
                            prop:checked=move || wrap.get()
                            on:change=move |event| wrap.set(event_target_checked(&event))
                        />
                        "Wrap"
                    </label>
                    <a class="btn small" href=download download="" rel="external">
                        <Icon glyph=Glyph::Download />
                        "Download"
                    </a>
                </div>
            </header>
            {move || {
                let bytes = hidden.get();
                (bytes > 0)
                    .then(|| {
                        view! {
                            <p class="output-cut">
                                {format!("The first {} are not shown here; the download has all. ", size(bytes))}
                                {move || {
                                    buffer
                                        .with(OutputBuffer::may_grow)
                                        .then(|| {
                                            view! {
                                                <button
                                                    type="button"
                                                    class="link-button needs-script"
                                                    aria-busy=move || earlier.get().then_some("true")
                                                    on:click=move |_| load_earlier()
                                                >
                                                    {move || if earlier.get() { "Loading…" } else { "Load earlier output" }}
                                                </button>
                                            }
                                        })
                                }}
                            </p>
                        }
                    })
            }}
            {move || {
                let limit = page.detail.with(|detail| detail.output_limit).map(i64::from);
                // A character takes a byte or more; the mark of what was cut off takes some of them.
                limit
                    .filter(|limit| buffer.with(|buffer| buffer.total) >= limit - 64)
                    .map(|limit| {
                        view! {
                            <p class="output-cut">
                                {format!(
                                    "Systems Manager itself keeps no more than {} characters. With an output bucket in its settings, Muster keeps all.",
                                    grouped(limit.unsigned_abs()),
                                )}
                            </p>
                        }
                    })
            }}
            <div class="output" node_ref=frame on:scroll=move |_| followed.scrolled() class:nowrap=move || !wrap.get() tabindex="0" role="log" aria-label="Output">
                <pre data-output=stream.as_str()>
                    <For each=move || buffer.with(|buffer| buffer.chunks.clone()) key=|chunk| (chunk.offset, chunk.version) let:chunk>
                        <Piece chunk />
                    </For>
                </pre>
                {move || nothing.get().then(|| view! { <p class="muted">"Nothing was written."</p> })}
            </div>
        </section>
    }
}

#[component]
fn Piece(chunk: Chunk) -> impl IntoView {
    chunk
        .spans
        .iter()
        .map(|span| {
            let class = (!span.class.is_empty()).then(|| span.class.clone());
            view! { <span class=class>{span.text.clone()}</span> }
        })
        .collect_view()
}

/// Why it ended as it did, where the status alone does not say: `Delivery timed out`.
fn why(view: &InvocationView) -> Option<String> {
    let says_more = view.status.is_final()
        && !matches!(
            view.status_details.as_str(),
            "Success" | "Failed" | "Cancelled" | ""
        );
    says_more.then(|| details_label(&view.status_details))
}

/// Turns to the errors of a node that wrote nothing else, unless a stream was asked for.
fn turn_to_errors(page: Live, output: Output, key: super::live::Key, buffer: RwSignal<OutputBuffer>) {
    Effect::new(move |_| {
        if key.1 == OutputStream::Stderr
            || page.url.with(|url| url.stream.is_some())
            || buffer.with(|buffer| buffer.end > 0)
        {
            return;
        }
        let errors = (key.0.clone(), OutputStream::Stderr);
        if page
            .live
            .with(|live| live.ends.get(&errors).is_some_and(|end| *end > 0))
        {
            output.refetch();
        }
    });
}

/// Asks for what events told of but the buffer does not have: after a gap, and for what came
/// between the snapshot and the first event.
fn catch_up(page: Live, id: String, key: super::live::Key, buffer: RwSignal<OutputBuffer>) {
    let asking = StoredValue::new(false);
    Effect::new(move |_| {
        let known = page.live.with(|live| live.ends.get(&key).copied().unwrap_or(0));
        let end = buffer.with(|buffer| buffer.end);
        if known <= end || asking.get_value() {
            return;
        }
        asking.set_value(true);
        let (id, node, stream) = (id.clone(), key.0.clone(), key.1);
        spawn_local(async move {
            let answer = get_output(id, node, stream.as_str().to_owned(), end, None).await;
            asking.try_update_value(|asking| *asking = false);
            if let Ok(piece) = answer
                && piece.end > piece.offset
            {
                let _ = buffer.try_update(|buffer| buffer.append(&piece));
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::commands::CommandStatus;

    #[test]
    fn the_stream_with_text_is_shown() {
        let mut view = InvocationView {
            node_id: "mi-1".into(),
            node_name: String::new(),
            status: CommandStatus::Failed,
            status_details: "Failed".into(),
            response_code: 7,
            started_at: None,
            ended_at: None,
            stdout_bytes: 0,
            stderr_bytes: 0,
            output_hash: String::new(),
        };
        assert_eq!(stream_of(None, &view), OutputStream::Stdout);
        view.stderr_bytes = 9;
        assert_eq!(stream_of(None, &view), OutputStream::Stderr);
        assert_eq!(
            stream_of(Some(OutputStream::Stdout), &view),
            OutputStream::Stdout,
            "as asked"
        );
        view.stdout_bytes = 1;
        assert_eq!(stream_of(None, &view), OutputStream::Stdout);
        assert_eq!(why(&view), None);
        view.status_details = "ExecutionTimedOut".into();
        assert_eq!(why(&view), Some("Execution timed out".into()));
    }
}
