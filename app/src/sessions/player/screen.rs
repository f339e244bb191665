//! The terminal in which a recording is played, its letters as large as its width allows.

use super::super::terminal::xterm::{Opened, Screen, open};
use super::machine::{Controls, Machine};
use crate::live::local::Local;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast;
use muster_domain::sessions::RecordingView;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use web_sys::HtmlElement;

/// Milliseconds between two steps of the player.
const STEP: u64 = 40;
const SMALLEST: u8 = 6;
const LARGEST: u8 = 15;

/// The machine, once the terminal is there.
pub(super) type Player = Local<Option<(Rc<Machine>, Opened)>>;

/// The machine of a player.
pub(super) fn machine(player: Player) -> Option<Rc<Machine>> {
    player
        .with(|player| player.as_ref().map(|(machine, _)| machine.clone()))
        .flatten()
}

/// The terminal of a player.
pub(super) fn terminal(player: Player) -> Option<Screen> {
    player
        .with(|player| player.as_ref().map(|(_, opened)| opened.screen()))
        .flatten()
}

/// Letters for which `cols` columns have room, when `fitting` have room with letters of `font` pixels.
fn font_for(cols: u16, fitting: u16, font: u8) -> u8 {
    let scaled = u32::from(font) * u32::from(fitting) / u32::from(cols.max(1));
    u8::try_from(scaled).unwrap_or(LARGEST).clamp(SMALLEST, LARGEST)
}

/// The terminal. Seeks to where the controls stand as soon as it is open.
#[component]
pub(super) fn PlayerScreen(view: RecordingView, controls: Controls, player: Player) -> impl IntoView {
    let element = NodeRef::<leptos::html::Div>::new();
    let failed = RwSignal::new(false);
    let font = StoredValue::new(13_u8);
    let alive = Arc::new(AtomicBool::new(true));
    let fit = move || {
        let (Some(screen), (cols, _)) = (terminal(player), controls.size.get_untracked()) else {
            return;
        };
        if let Some((fitting, _)) = screen.space() {
            let next = font_for(cols, fitting, font.get_value());
            if next != font.get_value() {
                font.set_value(next);
                screen.font_size(next);
            }
        }
    };
    let begin = {
        let alive = alive.clone();
        let view = view.clone();
        move |place: HtmlElement| {
            let (alive, view) = (alive.clone(), view.clone());
            let hear = move |what: String, _text: String| {
                if what == "size" {
                    fit();
                }
            };
            spawn_local(async move {
                let opened = open(&place, (80, 24), 13, false, hear).await;
                if !alive.load(Ordering::Relaxed) {
                    return;
                }
                let Some(opened) = opened else {
                    return failed.set(true);
                };
                let machine = Machine::new(&view, opened.screen(), controls);
                machine.seek(controls.now.get_untracked());
                player.update(|player| *player = Some((machine, opened)));
            });
        }
    };
    let begin = StoredValue::new(begin);
    Effect::new(move |begun: Option<bool>| {
        if let (None | Some(false), Some(place)) = (begun, element.get()) {
            begin.with_value(|begin| begin(place.unchecked_into()));
            return true;
        }
        begun.unwrap_or(false)
    });
    Effect::new(move |_| {
        controls.size.track();
        // After the terminal has taken the new size.
        set_timeout(fit, Duration::ZERO);
    });
    Effect::new(move |_| {
        let last = StoredValue::new(js_sys::Date::now());
        let step = move || {
            let now = js_sys::Date::now();
            let passed = now - last.get_value();
            last.set_value(now);
            if let Some(machine) = machine(player) {
                machine.tick(passed.min(1_000.0));
            }
        };
        let steps = set_interval_with_handle(step, Duration::from_millis(STEP));
        on_cleanup(move || {
            if let Ok(steps) = steps {
                steps.clear();
            }
        });
    });
    on_cleanup(move || {
        alive.store(false, Ordering::Relaxed);
        let held = player.update(Option::take).flatten();
        if let Some((machine, opened)) = held {
            machine.stop();
            set_timeout(move || drop(opened), Duration::ZERO);
        }
    });
    let label = format!("Recording of the terminal on {}", view.session.node_name);
    view! {
        <div class="shell player-screen" role="group" aria-label=label node_ref=element></div>
        {move || {
            failed
                .get()
                .then(|| {
                    view! {
                        <p class="terminal-over" role="alert">
                            "The player could not be fetched from the portal. Load the page again."
                        </p>
                    }
                })
        }}
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::terminal::xterm::pair;
    use super::*;

    #[test]
    fn letters_shrink_for_wide_terminals_and_never_grow_huge() {
        assert_eq!(font_for(100, 100, 13), 13);
        assert_eq!(font_for(200, 100, 13), 6);
        assert_eq!(font_for(20, 100, 13), LARGEST);
        assert_eq!(font_for(0, 100, 13), LARGEST);
        assert_eq!(pair("120 40"), Some((120, 40)));
        assert_eq!(pair(""), None);
    }
}
