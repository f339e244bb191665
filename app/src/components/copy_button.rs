//! Copies a text to the clipboard. Shown only where script runs.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;
use std::time::Duration;

/// A small button that copies `text` and says that it did.
#[component]
pub(crate) fn CopyButton(
    #[prop(into)] text: Signal<String>,
    #[prop(into, default = "Copy".into())] label: String,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move |_| {
        let _ = window().navigator().clipboard().write_text(&text.get_untracked());
        copied.set(true);
        set_timeout(move || copied.set(false), Duration::from_secs(2));
    };
    view! {
        <button type="button" class="btn quiet small needs-script" on:click=copy aria-label=label.clone() title=label>
            {move || {
                let glyph = if copied.get() { Glyph::Check } else { Glyph::Copy };
                view! { <Icon glyph /> }
            }}
            <span class="visually-hidden" role="status">{move || copied.get().then_some("Copied")}</span>
        </button>
    }
}
