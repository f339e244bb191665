//! Elements of the page, found by selector. Only in event handlers and effects: the server has no page.

use leptos::prelude::document;
use leptos::wasm_bindgen::JsCast;

/// All elements of one kind that a selector finds, in the order of the page.
pub(crate) fn elements<T: JsCast>(selector: &str) -> Vec<T> {
    let mut all = Vec::new();
    if let Ok(found) = document().query_selector_all(selector) {
        for at in 0..found.length() {
            all.extend(found.get(at).and_then(|node| node.dyn_into::<T>().ok()));
        }
    }
    all
}
