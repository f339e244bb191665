//! The output of all nodes as it came, line by line: to follow, to search, to keep. Hears the stream from its beginning.

use super::detail_page::Live;
use super::detail_url::LogView;
use super::follow::{Followed, use_follow};
use super::log::{Hits, LINES_KEPT, LINES_SHOWN, Log, LogLine, next_hit};
use crate::components::{Glyph, Icon, grouped};
use crate::live::event_source::{StreamState, listen};
use leptos::ev;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use muster_domain::commands::{CommandEvent, OutputStream};

/// What the parts of the log share.
#[derive(Clone, Copy)]
struct Desk {
    log: RwSignal<Log>,
    followed: Followed,
    /// What is looked for, as typed.
    find: RwSignal<String>,
    times: RwSignal<bool>,
    wrap: RwSignal<bool>,
    /// The line that was gone to.
    here: RwSignal<Option<u64>>,
    /// The first line on show, unless the newest are.
    from: RwSignal<Option<u64>>,
}

/// Half of what is shown lies before a line that is gone to; so many lines come with one step, too.
const HALF: u64 = LINES_SHOWN as u64 / 2;

fn line_id(number: u64) -> String {
    format!("log-line-{number}")
}

impl Desk {
    /// Goes to a line. From then on the end is not followed.
    fn go(self, line: u64) {
        self.stay();
        self.here.set(Some(line));
        self.bring(line);
    }

    /// What is on show stays there, whatever comes.
    fn stay(self) {
        self.followed.stop();
        if self.from.get_untracked().is_none() {
            self.from.set(self.shown().map(|(first, _)| first));
        }
    }

    /// Follows the end.
    fn follow(self) {
        self.from.set(None);
        self.followed.begin();
    }

    /// Numbers of the first and the last line on show.
    fn shown(self) -> Option<(u64, u64)> {
        let lines = self
            .log
            .with_untracked(|log| log.window(self.from.get_untracked()));
        Some((lines.first()?.number, lines.last()?.number))
    }

    /// Brings a line into the page, if it is kept, and into view.
    fn bring(self, line: u64) {
        if self
            .shown()
            .is_none_or(|(first, last)| line < first || last < line)
        {
            self.from.set(Some(line.saturating_sub(HALF).max(1)));
        }
        // After the lines were put into the page.
        request_animation_frame(move || {
            if let Some(line) = document().get_element_by_id(&line_id(line)) {
                let options = web_sys::ScrollIntoViewOptions::new();
                options.set_block(web_sys::ScrollLogicalPosition::Center);
                line.scroll_into_view_with_scroll_into_view_options(&options);
            }
        });
    }

    /// Whether the newest lines are on show.
    fn is_at_the_end(self) -> bool {
        self.from.get().is_none_or(|from| {
            self.log
                .with(|log| log.ends())
                .is_none_or(|(_, last)| last < from + LINES_SHOWN as u64)
        })
    }

    fn view(self) -> LogView {
        LogView {
            find: self.find.get_untracked().trim().to_owned(),
            times: self.times.get_untracked(),
            nowrap: !self.wrap.get_untracked(),
        }
    }
}

/// The part.
#[component]
pub(super) fn LogTab(page: Live) -> impl IntoView {
    let log = RwSignal::new(Log::default());
    let stream = RwSignal::new(StreamState::Connecting);
    let (id, begin) = page.url.with_untracked(|url| (url.id.clone(), url.log.clone()));
    let download = format!("/download/commands/{id}/log");
    let desk = Desk {
        log,
        followed: use_follow(Signal::derive(move || {
            log.with(|log| log.ends().map(|(_, last)| last))
        })),
        find: RwSignal::new(begin.find),
        times: RwSignal::new(begin.times),
        wrap: RwSignal::new(!begin.nowrap),
        here: RwSignal::new(None),
        from: RwSignal::new(None),
    };
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
    let state = move || match stream.get() {
        StreamState::Connecting => "Loading…".to_owned(),
        StreamState::Open => "Live".to_owned(),
        StreamState::Reconnecting(attempt) => format!("Reconnecting (try {attempt})"),
        StreamState::Ended => "Ended".to_owned(),
    };
    let is_empty = Memo::new(move |_| log.with(|log| log.ends().is_none()));
    let cut = Memo::new(move |_| log.with(Log::is_cut));
    let wanted = Memo::new(move |_| desk.find.with(|find| find.trim().to_lowercase()));
    view! {
        <section class="card output-card" aria-labelledby="log-title">
            <header>
                <h2 id="log-title">"Log of all nodes"</h2>
                <span class="muted small-text needs-script" role="status" data-log-state="">
                    {state}
                </span>
                <div class="row aside">
                    <Toggles page desk />
                    <a class="btn small" href=download download="" rel="external">
                        <Icon glyph=Glyph::Download />
                        "Download log"
                    </a>
                </div>
            </header>
            <FindLine page desk wanted />
            <p class="output-cut without-script">
                "The log needs script. Without it, download it, or look at the output of each node under Nodes."
            </p>
            {move || {
                cut.get()
                    .then(|| {
                        view! {
                            <p class="output-cut">
                                {format!(
                                    "Only the last {} lines (32 MB at most) are here and searched; the download has all.",
                                    grouped(LINES_KEPT as u64),
                                )}
                            </p>
                        }
                    })
            }}
            <LostError desk />
            <div class="output-frame">
                <div
                    class="output log"
                    class:nowrap=move || !desk.wrap.get()
                    class:with-times=move || desk.times.get()
                    node_ref=desk.followed.frame
                    on:scroll=move |_| {
                        if untrack(|| desk.is_at_the_end()) {
                            desk.followed.scrolled();
                            if !desk.followed.on.get_untracked() {
                                desk.stay();
                            }
                        }
                    }
                    tabindex="0"
                    role="log"
                    aria-label="Log"
                >
                    <MoreLines desk later=false />
                    <For each=move || log.with(|log| log.window(desk.from.get())) key=|line| line.number let:line>
                        <Line line wanted here=desk.here />
                    </For>
                    <MoreLines desk later=true />
                    {move || {
                        (is_empty.get() && stream.get() == StreamState::Ended)
                            .then(|| view! { <p class="muted">"Nothing was written."</p> })
                    }}
                </div>
                {move || {
                    (!desk.followed.on.get() && !is_empty.get())
                        .then(|| {
                            view! {
                                <button type="button" class="btn small follow-button" on:click=move |_| desk.follow()>
                                    <Icon glyph=Glyph::Down />
                                    "Follow"
                                </button>
                            }
                        })
                }}
            </div>
        </section>
    }
}

/// Shows the lines before or behind those on show, where there are any.
#[component]
fn MoreLines(desk: Desk, later: bool) -> impl IntoView {
    let there = Memo::new(move |_| {
        let from = desk.from.get();
        let ends = desk.log.with(Log::ends);
        ends.is_some_and(|(first, last)| match (from, later) {
            (None, true) => false,
            (None, false) => last - first >= LINES_SHOWN as u64,
            (Some(_), true) => !desk.is_at_the_end(),
            (Some(from), false) => first < from,
        })
    });
    let step = move |_| {
        desk.stay();
        let Some((first, last)) = desk.shown() else { return };
        let (from, keep) = if later {
            (first + HALF, last)
        } else {
            (first.saturating_sub(HALF).max(1), first)
        };
        desk.from.set(Some(from));
        // What was read last stays in view.
        desk.bring(keep);
    };
    move || {
        there.get().then(|| {
            view! {
                <p class="log-more">
                    <button type="button" class="btn small" on:click=step>
                        {if later { "Later lines" } else { "Earlier lines" }}
                    </button>
                </p>
            }
        })
    }
}

/// The first line of errors, where it is so far back that it is not among the lines any more.
#[component]
fn LostError(desk: Desk) -> impl IntoView {
    let lost = Memo::new(move |_| {
        desk.log.with(|log| {
            let (first, _) = log.ends()?;
            log.first_error().filter(|line| line.number < first).cloned()
        })
    });
    move || {
        lost.get().map(|line| {
            view! {
                <p class="output-cut" data-first-error="">
                    {format!("The first error was line {}, of {}: ", grouped(line.number), line.node)}
                    <code>{line.text.to_string()}</code>
                </p>
            }
        })
    }
}

/// How the log looks. Kept in the address, so that it can be handed on.
#[component]
fn Toggles(page: Live, desk: Desk) -> impl IntoView {
    let keep = use_keep(page, desk);
    view! {
        <label class="row needs-script">
            <input
                type="checkbox"
                prop:checked=move || desk.times.get()
                on:change=move |event| {
                    desk.times.set(event_target_checked(&event));
                    keep.run(());
                }
            />
            "Times (UTC)"
        </label>
        <label class="row needs-script">
            <input
                type="checkbox"
                prop:checked=move || desk.wrap.get()
                on:change=move |event| {
                    desk.wrap.set(event_target_checked(&event));
                    keep.run(());
                }
            />
            "Wrap"
        </label>
    }
}

/// Writes how the log looks into the address, without a step of history for each.
fn use_keep(page: Live, desk: Desk) -> Callback<()> {
    let navigate = use_navigate();
    Callback::new(move |()| {
        let address = page.url.with_untracked(|url| url.with_log(desk.view()));
        navigate(
            &address,
            NavigateOptions {
                replace: true,
                scroll: false,
                ..NavigateOptions::default()
            },
        );
    })
}

/// Finding text, and the first error.
#[component]
fn FindLine(page: Live, desk: Desk, wanted: Memo<String>) -> impl IntoView {
    let keep = use_keep(page, desk);
    let hits = Memo::new(move |before: Option<&Hits>| {
        wanted.with(|wanted| desk.log.with(|log| log.hits(wanted, before)))
    });
    let first_error = Memo::new(move |_| desk.log.with(|log| log.first_error().map(|line| line.number)));
    let step = move |back: bool| {
        if let Some(line) = hits.with_untracked(|hits| next_hit(&hits.lines, desk.here.get_untracked(), back))
        {
            desk.go(line);
        }
    };
    let keydown = move |event: ev::KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
            keep.run(());
            step(event.shift_key());
        }
    };
    let count = move || {
        if wanted.with(String::is_empty) {
            return String::new();
        }
        let here = desk.here.get();
        hits.with(|hits| {
            match (
                hits.lines.len(),
                hits.lines.iter().position(|hit| Some(*hit) == here),
            ) {
                (0, _) => "No line holds it".into(),
                (1, None) => "1 line".into(),
                (all, None) => format!("{} lines", grouped(all as u64)),
                (all, Some(at)) => format!("{} of {}", grouped(at as u64 + 1), grouped(all as u64)),
            }
        })
    };
    let none = move || hits.with(|hits| hits.lines.is_empty()).then_some("true");
    view! {
        <div class="log-find needs-script" role="search" aria-label="Search the log">
            <input
                type="search"
                aria-label="Search the log"
                placeholder="Search the log"
                autocomplete="off"
                spellcheck="false"
                data-filter=""
                prop:value=move || desk.find.get()
                on:input=move |event| {
                    desk.here.set(None);
                    desk.find.set(event_target_value(&event));
                }
                on:change=move |_| keep.run(())
                on:keydown=keydown
            />
            <button type="button" class="btn small" aria-label="Previous line that holds it" aria-disabled=none on:click=move |_| step(true)>
                <Icon glyph=Glyph::Up />
            </button>
            <button type="button" class="btn small" aria-label="Next line that holds it" aria-disabled=none on:click=move |_| step(false)>
                <Icon glyph=Glyph::Down />
            </button>
            <span class="muted small-text" role="status" data-log-hits="">
                {count}
            </span>
            <button
                type="button"
                class="btn small aside"
                aria-disabled=move || first_error.get().is_none().then_some("true")
                on:click=move |_| if let Some(line) = first_error.get_untracked() { desk.go(line) }
            >
                {move || if first_error.get().is_some() { "Jump to first error" } else { "No errors written" }}
            </button>
        </div>
    }
}

#[component]
fn Line(line: LogLine, wanted: Memo<String>, here: RwSignal<Option<u64>>) -> impl IntoView {
    let number = line.number;
    let held = line.clone();
    view! {
        <div
            class="log-line"
            id=line_id(number)
            class:log-error=line.stream == OutputStream::Stderr
            class:log-hit=move || wanted.with(|wanted| held.holds(wanted))
            class:log-here=move || here.get() == Some(number)
        >
            <span class="log-time">{line.time()}</span>
            <span class="log-node" title=line.node.to_string()>
                {line.node.to_string()}
            </span>
            <span class="log-text">{line.text.to_string()}</span>
        </div>
    }
}
