//! The terminal on a page: xterm.js in an element, connected with a session, with its search, its pastes and what
//! stands over it. What the frame around it shows is told to the `Pane`.

use super::find_bar::FindBar;
use super::link::Tell;
use super::paste::Paste;
use super::socket::Wire;
use super::tools::use_looks;
use super::xterm::{Opened, open, pair};
use crate::components::dialog::{close_dialog, open_dialog};
use crate::components::{Glyph, Icon, use_toaster};
use crate::live::local::Local;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use web_sys::HtmlElement;

/// What a page has of a terminal that is open.
#[derive(Default)]
struct Held {
    opened: Option<Opened>,
    wire: Option<Rc<Wire>>,
    /// The text that is asked about. Not its bytes yet: while one thinks, another program may have the terminal, and
    /// only it decides whether they stand between brackets.
    asking: Option<String>,
}

/// A question about a paste.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    lines: usize,
    bytes: usize,
    beginning: String,
}

/// The terminal of `session`. `finding` opens its search.
#[component]
pub(crate) fn TerminalView(
    #[prop(into)] session: String,
    /// The node's name, for screen readers.
    #[prop(into)]
    node: String,
    watch: bool,
    finding: RwSignal<bool>,
    /// Hears what the connection has to say, and the shell's title.
    tell: Callback<Tell>,
    title: RwSignal<String>,
) -> impl IntoView {
    let looks = use_looks();
    let toaster = use_toaster();
    let element = NodeRef::<leptos::html::Div>::new();
    let held = Local::<Held>::new();
    let failed = RwSignal::new(false);
    let found = RwSignal::new(None::<(u16, u16)>);
    let pasted = RwSignal::new(None::<(usize, usize)>);
    let question = RwSignal::new(None::<Question>);
    let dialog = format!("paste-{session}");

    let wire = move || held.with(|held| held.wire.clone()).flatten();
    let screen = move || {
        held.with(|held| held.opened.as_ref().map(Opened::screen))
            .flatten()
    };
    let show_progress = move || {
        if let Some(wire) = wire() {
            let now = wire.pasted();
            if pasted.try_get_untracked().is_some_and(|before| before != now) {
                pasted.set(now);
            }
        }
    };
    let send = move |paste: Paste| {
        if let Some(wire) = wire()
            && !wire.paste(&paste)
        {
            toaster.complain("That is more than can be pasted at once: 8 MiB. Copy a file instead.");
        }
        show_progress();
        if let Some(screen) = screen() {
            screen.focus();
        }
    };
    let ask = {
        let dialog = dialog.clone();
        move |text: String| {
            let (Some(wire), Some(screen)) = (wire(), screen()) else {
                return;
            };
            if !wire.takes_input() {
                return;
            }
            let paste = Paste::new(&text, screen.brackets());
            if !paste.is_risky {
                return send(paste);
            }
            question.set(Some(Question {
                lines: paste.lines,
                bytes: paste.bytes.len(),
                beginning: paste.beginning.clone(),
            }));
            held.update(|held| held.asking = Some(text));
            open_dialog(&dialog);
        }
    };
    let hear = {
        move |what: String, text: String| match what.as_str() {
            "data" => {
                if let Some(wire) = wire() {
                    wire.said(&text);
                }
            }
            "binary" => {
                // One character for each byte, as old mouse reports have it.
                let bytes: Vec<u8> = text
                    .chars()
                    .filter_map(|c| u8::try_from(u32::from(c)).ok())
                    .collect();
                if let Some(wire) = wire() {
                    wire.typed(&bytes);
                }
            }
            "title" => {
                let _ = title.try_set(text.chars().take(80).collect());
            }
            "paste" => ask(text),
            "results" => {
                let _ = found.try_set(pair(&text));
            }
            "size" => {
                if let (false, Some(wire), Some((cols, rows))) =
                    (watch, wire(), screen().and_then(|screen| screen.space()))
                {
                    wire.fit(cols, rows);
                }
            }
            "key" => match text.as_str() {
                "find" => {
                    let _ = finding.try_set(true);
                }
                "larger" => looks.scale(1),
                "smaller" => looks.scale(-1),
                "plain" => looks.scale(0),
                _ => leave(element.get_untracked().as_deref()),
            },
            _ => {}
        }
    };
    let alive = Arc::new(AtomicBool::new(true));
    {
        let alive = alive.clone();
        on_cleanup(move || {
            alive.store(false, Ordering::Relaxed);
            held.update(|held| {
                if let Some(wire) = held.wire.take() {
                    wire.stop();
                }
                // Not at once: this may run inside one of its own ears.
                let opened = held.opened.take();
                set_timeout(move || drop(opened), std::time::Duration::ZERO);
            });
        });
    }
    let begin = {
        let session = session.clone();
        move |place: HtmlElement| {
            let (session, hear, alive) = (session.clone(), hear.clone(), alive.clone());
            let (font, spoken) = (looks.font.get_untracked(), looks.spoken.get_untracked());
            spawn_local(async move {
                let opened = open(&place, (80, 24), font, !watch, hear).await;
                if !alive.load(Ordering::Relaxed) {
                    return;
                }
                let Some(opened) = opened else {
                    return failed.set(true);
                };
                let screen = opened.screen();
                let size = screen.space().unwrap_or((80, 24));
                screen.resize(size.0, size.1);
                screen.spoken(looks.spoken.try_get_untracked().unwrap_or(spoken));
                let say = move |said: Tell| {
                    if matches!(said, Tell::Taken) {
                        show_progress();
                    } else {
                        tell.try_run(said);
                    }
                };
                let wire = Wire::start(&session, watch, size, screen.clone(), say);
                held.update(|held| {
                    held.opened = Some(opened);
                    held.wire = wire;
                });
                // Where somebody already works, the focus stays.
                let free = document()
                    .active_element()
                    .is_none_or(|active| matches!(active.tag_name().as_str(), "BODY" | "MAIN"));
                if free && !watch && place.client_height() > 0 {
                    screen.focus();
                }
            });
        }
    };
    let begin = StoredValue::new(begin);
    Effect::new(move |begun: Option<bool>| {
        let begun = begun.unwrap_or(false);
        if let (false, Some(place)) = (begun, element.get()) {
            begin.with_value(|begin| begin(place.unchecked_into()));
            return true;
        }
        begun
    });
    Effect::new(move |_| {
        let (font, spoken) = (looks.font.get(), looks.spoken.get());
        if let Some(screen) = screen() {
            screen.font_size(font);
            screen.spoken(looks.spoken.try_get_untracked().unwrap_or(spoken));
            if let (false, Some(wire), Some((cols, rows))) = (watch, wire(), screen.space()) {
                wire.fit(cols, rows);
            }
        }
    });
    let find = Callback::new(move |(text, back): (String, bool)| {
        if let Some(screen) = screen() {
            if text.is_empty() {
                screen.clear_find();
                found.set(None);
            } else {
                screen.find(&text, back);
            }
        }
    });
    let focus = Callback::new(move |()| {
        if let Some(screen) = screen() {
            screen.focus();
        }
    });
    let again = move |_| {
        failed.set(false);
        if let Some(place) = element.get_untracked() {
            begin.with_value(|begin| begin(place.unchecked_into()));
        }
    };
    view! {
        <div class="terminal-box">
            <FindBar open=finding found find on_close=focus />
            <PasteBar pasted cancel=Callback::new(move |()| {
                if let Some(wire) = wire() {
                    wire.cancel_paste();
                }
                show_progress();
                focus.run(());
            }) />
            <div
                class="shell"
                data-terminal=""
                role="group"
                aria-label=format!("Terminal of {node}. Control Shift Escape leaves it.")
                class:watching=watch
                node_ref=element
            ></div>
            {move || {
                failed
                    .get()
                    .then(|| {
                        view! {
                            <div class="terminal-over" role="alert">
                                <p>"The terminal could not be fetched from the portal."</p>
                                <button type="button" class="btn" on:click=again>
                                    "Try again"
                                </button>
                            </div>
                        }
                    })
            }}
            <PasteDialog id=dialog question answer=Callback::new(move |yes: bool| {
                let text = held.update(|held| held.asking.take()).flatten();
                question.set(None);
                match (text, screen()) {
                    (Some(text), Some(screen)) if yes => send(Paste::new(&text, screen.brackets())),
                    _ => focus.run(()),
                }
            }) />
        </div>
    }
}

/// The keyboard's way out: to the first thing of the frame around the terminal.
fn leave(place: Option<&HtmlElement>) {
    let target = place
        .and_then(|place| place.closest("[data-pane]").ok().flatten())
        .and_then(|pane| pane.query_selector("[data-way-out]").ok().flatten())
        .and_then(|target| target.dyn_into::<HtmlElement>().ok());
    if let Some(target) = target {
        let _ = target.focus();
    }
}

/// How far a large paste is.
#[component]
fn PasteBar(pasted: RwSignal<Option<(usize, usize)>>, cancel: Callback<()>) -> impl IntoView {
    let shown = Memo::new(move |_| pasted.with(Option::is_some));
    let share = move || {
        pasted.get().map_or(0, |(done, all)| {
            done.saturating_mul(100).checked_div(all).unwrap_or(0)
        })
    };
    move || {
        shown.get().then(|| {
            view! {
                <div class="paste-bar">
                    <span>
                        {move || pasted.get().map(|(done, all)| format!("Pasting {} of {} KiB", done / 1_024, all.div_ceil(1_024)))}
                    </span>
                    <progress max="100" value=move || share().to_string() aria-label="Pasting"></progress>
                    <button type="button" class="btn small" on:click=move |_| cancel.run(())>
                        "Cancel"
                    </button>
                </div>
            }
        })
    }
}

/// Asks before several lines are run one by one.
#[component]
fn PasteDialog(id: String, question: RwSignal<Option<Question>>, answer: Callback<bool>) -> impl IntoView {
    let title = format!("{id}-title");
    let say = {
        let id = id.clone();
        Callback::new(move |yes: bool| {
            close_dialog(&id);
            answer.run(yes);
        })
    };
    view! {
        <dialog
            id=id
            class="dialog wide"
            aria-labelledby=title.clone()
            on:cancel=move |_: leptos::ev::Event| answer.run(false)
        >
            <h2 id=title.clone()>
                {move || {
                    question.get().map(|asked| match asked.lines {
                        1 => "Paste a line that runs at once?".to_owned(),
                        lines => format!("Paste {lines} lines?"),
                    })
                }}
            </h2>
            <p class="row">
                <Icon glyph=Glyph::Warning />
                <span class="grow">
                    "The program on the node does not take this as one text: each line may run as soon as it arrives. "
                    {move || question.get().map(|asked| super::super::words::bytes(asked.bytes as u64))}
                    "."
                </span>
            </p>
            <pre class="code">{move || question.get().map(|asked| asked.beginning)}</pre>
            <div class="dialog-actions">
                <button type="button" class="btn" autofocus=true on:click=move |_| say.run(false)>
                    "Cancel"
                </button>
                <button type="button" class="btn primary" data-paste="" on:click=move |_| say.run(true)>
                    "Paste"
                </button>
            </div>
        </dialog>
    }
}
