//! The wasm entry point: brings the pages that the server rendered to life.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page's start script once the module is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    // Kept in production too: without it a fault is only the word `unreachable`.
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(muster_app::App);
}
