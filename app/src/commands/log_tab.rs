//! The output of all nodes as it came, line by line. Hears the stream from its beginning.

use super::detail_page::Live;
use super::live::{LINES_KEPT, Log};
use crate::components::grouped;
use crate::live::event_source::{StreamState, listen};
use leptos::html;
use leptos::prelude::*;
use muster_domain::commands::{CommandEvent, OutputStream};

/// The part.
#[component]
pub(super) fn LogTab(page: Live) -> impl IntoView {
    let log = RwSignal::new(Log::default());
    let stream = RwSignal::new(StreamState::Connecting);
    let follow = RwSignal::new(true);
    let frame = NodeRef::<html::Div>::new();
    let id = page.url.with_untracked(|url| url.id.clone());
    Effect::new(move |_| {
        // A stream of its own: the page's began at the snapshot, the log begins at the beginning.
        listen(
            format!("/events/commands/{id}"),
            Some("0".into()),
            &[],
            stream,
            move |event| {
                if let Ok(event) = serde_json::from_str::<CommandEvent>(&event.data) {
                    let _ = log.try_maybe_update(|log| (log.apply(&event), ()));
                }
            },
        );
    });
    Effect::new(move |_| {
        log.track();
        if follow.get()
            && let Some(frame) = frame.get()
        {
            request_animation_frame(move || frame.set_scroll_top(frame.scroll_height()));
        }
    });
    let state = move || match stream.get() {
        StreamState::Connecting => "Loading…".to_owned(),
        StreamState::Open => "Live".to_owned(),
        StreamState::Reconnecting(attempt) => format!("Reconnecting (try {attempt})"),
        StreamState::Ended => "Ended".to_owned(),
    };
    let count = Memo::new(move |_| log.with(|log| log.lines.len()));
    view! {
        <section class="card output-card" aria-labelledby="log-title">
            <header>
                <h2 id="log-title">"Log of all nodes"</h2>
                <div class="row aside needs-script">
                    <span role="status">{state}</span>
                    <label class="row">
                        <input
                            type="checkbox"
                            prop:checked=move || follow.get()
                            on:change=move |event| follow.set(event_target_checked(&event))
                        />
                        "Follow"
                    </label>
                </div>
            </header>
            <p class="output-cut without-script">
                "The log needs script. Without it, look at the output of each node under Nodes."
            </p>
            {move || {
                (count.get() >= LINES_KEPT)
                    .then(|| view! { <p class="output-cut">{format!("Only the last {} lines are shown.", grouped(LINES_KEPT as u64))}</p> })
            }}
            <div class="output log" node_ref=frame tabindex="0" role="log" aria-label="Log">
                <For each=move || log.with(|log| log.lines.clone()) key=|line| line.number let:line>
                    <div class="log-line" class:log-error=line.stream == OutputStream::Stderr>
                        <span class="log-node">{line.node}</span>
                        <span class="log-text">{line.text}</span>
                    </div>
                </For>
                {move || {
                    (count.get() == 0 && stream.get() == StreamState::Ended)
                        .then(|| view! { <p class="muted">"Nothing was written."</p> })
                }}
            </div>
        </section>
    }
}
