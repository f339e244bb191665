//! Keyboard shortcuts. Single keys can be switched off (WCAG 2.1.4); keys never reach text
//! fields, terminals or open dialogs, and never with Ctrl, Alt or ⌘ except for the palette.

use super::storage::{keep_choice, read_choice};
use crate::components::dialog::open_dialog;
use crate::dom::elements;
use crate::url::Query;
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
        "p" => "/approvals",
        "r" => "/runbooks",
        "e" => "/executions",
        "w" => "/windows",
        "d" => "/deployments",
        "a" => "/audit",
        "s" => "/settings/profile",
        _ => return None,
    })
}

fn is_text_field(element: &HtmlElement) -> bool {
    matches!(element.tag_name().as_str(), "TEXTAREA" | "SELECT")
        || element.is_content_editable()
        || (element.tag_name() == "INPUT"
            && !matches!(
                element.get_attribute("type").as_deref(),
                Some("checkbox" | "radio" | "button" | "submit")
            ))
}

fn is_typing(event: &ev::KeyboardEvent) -> bool {
    let element = event
        .target()
        .and_then(|target| target.dyn_into::<HtmlElement>().ok());
    element.is_some_and(|element| {
        is_text_field(&element) || document().query_selector("dialog[open]").ok().flatten().is_some()
    })
}

/// The field in which somebody types, where Esc leaves that field only: a filter, or part of a form that acts.
fn field_to_leave() -> Option<HtmlElement> {
    let active = document().active_element()?.dyn_into::<HtmlElement>().ok()?;
    let is_part_of_act =
        || is_text_field(&active) && active.closest("form[method=post]").ok().flatten().is_some();
    (active.has_attribute("data-filter") || is_part_of_act()).then_some(active)
}

/// Whether a key was pressed on a row as such.
fn is_row(event: &ev::KeyboardEvent) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .is_some_and(|element| element.has_attribute("data-row"))
}

/// Whether the keys are a terminal's: then all of them are, also those with Ctrl.
fn is_in_terminal(event: &ev::KeyboardEvent) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .is_some_and(|element| element.closest("[data-terminal]").ok().flatten().is_some())
}

fn row_elements() -> Vec<HtmlElement> {
    elements("[data-row]")
}

/// What a row is known by, also after the table was drawn anew: where it leads.
fn key_of(row: &web_sys::Element) -> Option<String> {
    let open = row.query_selector("[data-act=open]").ok().flatten()?;
    let href = open.get_attribute("href")?;
    Some(row_key(&href))
}

/// An address without what changes while one looks at a table; of an address that names a node, the node counts.
fn row_key(href: &str) -> String {
    let (path, query) = href.split_once('?').unwrap_or((href, ""));
    match Query::parse(query).text("node") {
        Some(node) => format!("{path} {node}"),
        None => href.to_owned(),
    }
}

/// The row in which the focus is. Where the focus is nowhere (a dialog or a panel that had it is gone, or the table was
/// drawn anew), the row that had it last.
fn marked_row(rows: &[HtmlElement], last: Option<&str>) -> Option<usize> {
    let active = document().active_element();
    let focused = rows
        .iter()
        .position(|row| active.as_ref().is_some_and(|active| row.contains(Some(active))));
    let nowhere = active.is_none_or(|active| matches!(active.tag_name().as_str(), "BODY" | "MAIN"));
    focused.or_else(|| {
        let last = last.filter(|_| nowhere)?;
        rows.iter().position(|row| key_of(row).as_deref() == Some(last))
    })
}

/// Gives the focus back to the row that had it last, unless something else has it.
fn return_to_row(last: Option<&str>) {
    let rows = row_elements();
    if let Some(row) = marked_row(&rows, last).and_then(|at| rows.get(at))
        && document()
            .active_element()
            .is_none_or(|active| !row.contains(Some(&active)))
    {
        let _ = row.focus();
    }
}

/// Moves the mark by one row and scrolls it into view. The marked row has the focus.
fn move_row(by: isize, last: Option<&str>) {
    let rows = row_elements();
    let now = marked_row(&rows, last);
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
fn act_on_row(act: &str, last: Option<&str>) -> bool {
    let rows = row_elements();
    let Some(row) = marked_row(&rows, last).and_then(|at| rows.get(at)) else {
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

/// Gives the focus to what the page offers under that key (`data-key="…"`).
fn focus_on(key: &str) -> bool {
    let found = elements::<HtmlElement>(&format!("[data-key={key}]"));
    found.first().is_some_and(|element| element.focus().is_ok())
}

/// Closes menus that are open; says whether there were any.
fn close_menus() -> bool {
    let open = elements::<web_sys::Element>("details.menu[open]");
    for menu in &open {
        let _ = menu.remove_attribute("open");
    }
    !open.is_empty()
}

/// Listens while the frame is there.
pub(super) fn listen_for_shortcuts(palette_open: RwSignal<bool>) {
    let navigate = use_navigate();
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let after_g = StoredValue::new(false);
        let last_row = StoredValue::new(None::<String>);
        let marks = window_event_listener(ev::focusin, move |event| {
            let row = event
                .target()
                .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
                .and_then(|element| element.closest("[data-row]").ok().flatten());
            if let Some(key) = row.as_ref().and_then(key_of) {
                last_row.set_value(Some(key));
            }
        });
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
                if let Some(field) = field_to_leave() {
                    // Out of the field, back to the rows.
                    let _ = field.blur();
                } else if !close_menus()
                    && let Some(close) = document().query_selector("[data-escape]").ok().flatten()
                    && document().query_selector("dialog[open]").ok().flatten().is_none()
                    && let Ok(close) = close.dyn_into::<HtmlElement>()
                {
                    close.click();
                }
                // Once what was closed is gone: at once, or when the page without it has arrived.
                for wait in [0, 250] {
                    set_timeout(
                        move || {
                            let last = last_row.try_get_value().flatten();
                            return_to_row(last.as_deref());
                        },
                        std::time::Duration::from_millis(wait),
                    );
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
            let last = last_row.get_value();
            let last = last.as_deref();
            let done = match key.as_str() {
                // On the row itself only: links and buttons in it have their own Enter.
                "Enter" if is_row(&event) => act_on_row("open", last),
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
                    move_row(1, last);
                    true
                }
                "k" => {
                    move_row(-1, last);
                    true
                }
                "x" => act_on_row("select", last),
                "o" => act_on_row("open", last),
                "e" => act_on_row("preview", last),
                "a" | "r" => focus_on(&key),
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
            for menu in elements::<web_sys::Element>("details.menu[open]") {
                if inside.as_ref() != Some(&menu) {
                    let _ = menu.remove_attribute("open");
                }
            }
        });
        on_cleanup(move || {
            marks.remove();
            keys.remove();
            clicks.remove();
        });
    });
}

#[cfg(test)]
mod tests {
    use super::row_key;

    #[test]
    fn a_row_is_known_again() {
        let before = row_key("/commands/c?tab=nodes&node=mi-1");
        assert_eq!(row_key("/commands/c?tab=nodes&status=Failed&node=mi-1"), before);
        assert_ne!(row_key("/commands/c?tab=nodes&node=mi-2"), before);
        assert_ne!(
            row_key("/commands/c?tab=nodes&same=a"),
            row_key("/commands/c?tab=nodes&same=b")
        );
        assert_eq!(row_key("/fleet/mi-1"), "/fleet/mi-1");
    }
}
