//! What the browser keeps: choices for good, selections for the tab. Browser only; everything
//! read from here is treated as a stranger's text.

use leptos::prelude::window;

/// A choice kept for good.
pub(crate) fn read_choice(name: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(name).ok()?
}

/// Keeps a choice for good.
pub(crate) fn keep_choice(name: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(name, value);
    }
}

/// Something kept while the tab is open.
pub(crate) fn read_for_tab(name: &str) -> Option<String> {
    window().session_storage().ok()??.get_item(name).ok()?
}

/// Keeps something while the tab is open.
pub(crate) fn keep_for_tab(name: &str, value: &str) {
    if let Ok(Some(storage)) = window().session_storage() {
        let _ = storage.set_item(name, value);
    }
}
