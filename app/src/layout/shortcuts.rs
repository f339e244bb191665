//! Keyboard shortcuts. Single keys can be switched off (WCAG 2.1.4); keys never reach text
//! fields, terminals or open dialogs, and never with Ctrl, Alt or ⌘ except for the palette.

use super::storage::{keep_choice, read_choice};
use crate::components::dialog::open_dialog;
use leptos::ev;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use web_sys::HtmlElement;

const CHOICE: &str = "muster.shortcuts";

/// Whether single keys act. Browser only.
pub(crate) fn shortcuts_on() -> bool {
    read_choice(CHOICE).as_deref() != Some("off")
}

/// Switches single keys on or off. Browser only.
pub(crate) fn set_shortcuts_on(on: bool) {
    keep_choice(CHOICE, if on { "on" } else { "off" });
}

/// Where `g` and a letter lead.
fn goal(letter: &str) -> Option<&'static str> {
    Some(match letter {
        "o" => "/",
        "f" => "/fleet",
        "t" => "/terminals",
        "c" => "/commands",
        "a" => "/audit",
        "s" => "/settings/profile",
        _ => return None,
    })
}

fn is_typing(event: &ev::KeyboardEvent) -> bool {
    let Some(element) = event
        .target()
        .and_then(|target| target.dyn_into::<HtmlElement>().ok())
    else {
        return false;
    };
    let text_field = matches!(element.tag_name().as_str(), "TEXTAREA" | "SELECT")
        || element.is_content_editable()
        || (element.tag_name() == "INPUT"
            && !matches!(
                element.get_attribute("type").as_deref(),
                Some("checkbox" | "radio" | "button" | "submit")
            ));
    text_field || document().query_selector("dialog[open]").ok().flatten().is_some()
}

/// Whether the keys are a terminal's: then all of them are, also those with Ctrl.
fn is_in_terminal(event: &ev::KeyboardEvent) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .is_some_and(|element| element.closest("[data-terminal]").ok().flatten().is_some())
}

fn row_elements() -> Vec<HtmlElement> {
    let mut rows = Vec::new();
    if let Ok(found) = document().query_selector_all("[data-row]") {
        for at in 0..found.length() {
            rows.extend(found.get(at).and_then(|node| node.dyn_into::<HtmlElement>().ok()));
        }
    }
    rows
}

/// Moves the mark by one row and scrolls it into view. The marked row has the focus.
fn move_row(by: isize) {
    let rows = row_elements();
    let active = document().active_element();
    let now = rows
        .iter()
        .position(|row| active.as_ref().is_some_and(|active| row.contains(Some(active))));
    let next = match now {
        Some(now) => now.saturating_add_signed(by).min(rows.len().saturating_sub(1)),
        None => 0,
    };
    if let Some(row) = rows.get(next) {
        let _ = row.focus();
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        row.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Clicks what the marked row offers under that name (`data-act="…"`).
fn act_on_row(act: &str) -> bool {
    let Some(row) = document()
        .active_element()
        .and_then(|active| active.closest("[data-row]").ok().flatten())
    else {
        return false;
    };
    let Some(found) = row.query_selector(&format!("[data-act={act}]")).ok().flatten() else {
        return false;
    };
    if let Ok(found) = found.dyn_into::<HtmlElement>() {
        found.click();
    }
    true
}

/// Closes menus that are open; says whether there were any.
fn close_menus() -> bool {
    let mut any = false;
    if let Ok(found) = document().query_selector_all("details.menu[open]") {
        for at in 0..found.length() {
            if let Some(menu) = found.get(at).and_then(|node| node.dyn_into::<HtmlElement>().ok()) {
                let _ = menu.remove_attribute("open");
                any = true;
            }
        }
    }
    any
}

/// Listens while the frame is there.
pub(super) fn listen_for_shortcuts(palette_open: RwSignal<bool>) {
    let navigate = use_navigate();
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let after_g = StoredValue::new(false);
        let keys = window_event_listener(ev::keydown, move |event| {
            if is_in_terminal(&event) {
                return;
            }
            let key = event.key();
            if (event.ctrl_key() || event.meta_key()) && key.eq_ignore_ascii_case("k") {
                event.prevent_default();
                palette_open.set(true);
                return;
            }
            if key == "Escape" {
                if !close_menus()
                    && let Some(close) = document().query_selector("[data-escape]").ok().flatten()
                    && document().query_selector("dialog[open]").ok().flatten().is_none()
                    && let Ok(close) = close.dyn_into::<HtmlElement>()
                {
                    close.click();
                }
                return;
            }
            if event.ctrl_key() || event.meta_key() || event.alt_key() || is_typing(&event) || !shortcuts_on()
            {
                return;
            }
            if after_g.get_value() {
                after_g.set_value(false);
                if let Some(path) = goal(&key) {
                    event.prevent_default();
                    navigate(path, NavigateOptions::default());
                }
                return;
            }
            let done = match key.as_str() {
                "g" => {
                    after_g.set_value(true);
                    set_timeout(
                        move || {
                            after_g.try_set_value(false);
                        },
                        std::time::Duration::from_millis(1_500),
                    );
                    true
                }
                "?" => {
                    open_dialog("help");
                    true
                }
                "/" => {
                    if let Some(filter) = document().query_selector("[data-filter]").ok().flatten()
                        && let Ok(filter) = filter.dyn_into::<HtmlElement>()
                    {
                        let _ = filter.focus();
                    } else {
                        palette_open.set(true);
                    }
                    true
                }
                "j" => {
                    move_row(1);
                    true
                }
                "k" => {
                    move_row(-1);
                    true
                }
                "x" => act_on_row("select"),
                "o" => act_on_row("open"),
                "e" => act_on_row("preview"),
                _ => false,
            };
            if done {
                event.prevent_default();
            }
        });
        // A click elsewhere closes open menus.
        let clicks = window_event_listener(ev::click, move |event| {
            let inside = event
                .target()
                .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
                .and_then(|element| element.closest("details.menu").ok().flatten());
            if let Ok(found) = document().query_selector_all("details.menu[open]") {
                for at in 0..found.length() {
                    if let Some(menu) = found
                        .get(at)
                        .and_then(|node| node.dyn_into::<web_sys::Element>().ok())
                        && inside.as_ref() != Some(&menu)
                    {
                        let _ = menu.remove_attribute("open");
                    }
                }
            }
        });
        on_cleanup(move || {
            keys.remove();
            clicks.remove();
        });
    });
}
