//! The wasm entry point: brings the pages that the server rendered to life.

use leptos::mount::hydrate_from_async;
use leptos::prelude::document;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::HtmlElement;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// Called by the page's start script once the module is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    // Kept in production too: without it a fault is only the word `unreachable`.
    std::panic::set_hook(Box::new(|fault| {
        console_error_panic_hook::hook(fault);
        // After a fault nothing answers any more (a part of the pages that could not be fetched is one, too):
        // the document holds a line that says so and offers to load the page again.
        mark("data-broken");
    }));
    let Some(body) = document().body() else { return };
    // Not Leptos's own: its executor is only started by what is called inside.
    spawn_local(async move {
        let body: HtmlElement = body.unchecked_into();
        // Waits for the code of the page's own feature, which is a file of its own.
        hydrate_from_async(body, muster_app::App).await.forget();
        // Browser tests and styles wait for this mark: from now on the page answers to script.
        mark("data-hydrated");
    });
}

fn mark(name: &str) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute(name, "");
    }
}
