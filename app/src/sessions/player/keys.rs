//! The player's keys. They never reach text fields; single keys can be switched off as everywhere.

use super::bar::Wish;
use crate::layout::shortcuts_on;
use leptos::ev;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;

/// What a key asks for. `shift` is for the arrows; letters and signs already are what was typed.
fn wish(key: &str, shift: bool) -> Option<Wish> {
    let step = if shift { 30_000.0 } else { 5_000.0 };
    Some(match key {
        " " => Wish::Toggle,
        "ArrowLeft" => Wish::By(-step),
        "ArrowRight" => Wish::By(step),
        "<" => Wish::Speed(-1),
        ">" => Wish::Speed(1),
        "." => Wish::Frame,
        "Home" => Wish::To(0.0),
        "End" => Wish::End,
        "f" => Wish::Full,
        "l" => Wish::Live,
        "/" => Wish::Search,
        "n" => Wish::Hit(1),
        "N" => Wish::Hit(-1),
        "m" => Wish::Mark,
        _ => return None,
    })
}

/// Whether an element has a use of its own for the key.
fn keeps(element: &web_sys::Element, key: &str) -> bool {
    let kind = element.get_attribute("type");
    match element.tag_name().as_str() {
        "TEXTAREA" | "SELECT" => {
            element.closest("[data-player]").ok().flatten().is_none() || element.tag_name() == "SELECT"
        }
        "INPUT" => match kind.as_deref() {
            Some("range") => false,
            Some("checkbox" | "radio") => key == " ",
            _ => true,
        },
        "BUTTON" | "A" | "SUMMARY" => key == " ",
        // Lists and tables that scroll.
        _ => matches!(key, "Home" | "End") && element.closest("[data-scrolls]").ok().flatten().is_some(),
    }
}

/// Listens while the component is there.
pub(super) fn listen(act: Callback<Wish>) {
    Effect::new(move |_| {
        let keys = window_event_listener(ev::keydown, move |event| {
            if event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() {
                return;
            }
            let key = event.key();
            let Some(wished) = wish(&key, event.shift_key()) else {
                return;
            };
            let target = event
                .target()
                .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
            let in_player = target
                .as_ref()
                .is_some_and(|target| target.closest("[data-player]").ok().flatten().is_some());
            let kept = target.as_ref().is_some_and(|target| keeps(target, &key));
            let asked = document().query_selector("dialog[open]").ok().flatten().is_some();
            if kept || asked || (!in_player && !shortcuts_on()) {
                return;
            }
            event.prevent_default();
            act.run(wished);
        });
        on_cleanup(move || keys.remove());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_step_and_shift_makes_it_more() {
        assert_eq!(wish("ArrowLeft", false), Some(Wish::By(-5_000.0)));
        assert_eq!(wish("ArrowRight", true), Some(Wish::By(30_000.0)));
        assert_eq!(wish("N", true), Some(Wish::Hit(-1)));
        assert_eq!(wish("q", false), None);
    }
}
