//! The bar that finds text on a terminal's screen and above it.

use crate::components::{Glyph, Icon};
use leptos::ev;
use leptos::prelude::*;

/// Shown while `open`. `find` looks for a text, backwards or not; an empty text forgets the last.
#[component]
pub(crate) fn FindBar(
    open: RwSignal<bool>,
    /// Which hit is marked (from 1) and how many there are.
    #[prop(into)]
    found: Signal<Option<(u16, u16)>>,
    find: Callback<(String, bool)>,
    /// Called when the bar is closed.
    on_close: Callback<()>,
) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let input = NodeRef::<leptos::html::Input>::new();
    Effect::new(move |_| {
        if open.get()
            && let Some(input) = input.get()
        {
            let _ = input.focus();
            input.select();
        }
    });
    let close = move || {
        open.set(false);
        find.run((String::new(), false));
        on_close.run(());
    };
    let keydown = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "Enter" => {
            event.prevent_default();
            find.run((text.get_untracked(), !event.shift_key()));
        }
        "Escape" => {
            event.prevent_default();
            event.stop_propagation();
            close();
        }
        _ => {}
    };
    view! {
        <div class="find-bar" role="search" aria-label="Find in the terminal" hidden=move || !open.get()>
            <input
                node_ref=input
                type="text"
                aria-label="Find in the terminal"
                placeholder="Find"
                autocomplete="off"
                spellcheck="false"
                on:input=move |event| {
                    text.set(event_target_value(&event));
                    find.run((text.get_untracked(), true));
                }
                on:keydown=keydown
            />
            <span class="find-count" role="status">
                {move || {
                    (open.get() && !text.with(String::is_empty))
                        .then(|| match found.get() {
                            Some((at, all)) if all > 0 => format!("{at} of {all}"),
                            _ => "nothing found".to_owned(),
                        })
                }}
            </span>
            <button type="button" class="btn quiet small" aria-label="Hit before" on:click=move |_| find.run((text.get_untracked(), true))>
                <Icon glyph=Glyph::Up />
            </button>
            <button type="button" class="btn quiet small" aria-label="Next hit" on:click=move |_| find.run((text.get_untracked(), false))>
                <Icon glyph=Glyph::Down />
            </button>
            <button type="button" class="btn quiet small" aria-label="Close the search" on:click=move |_| close()>
                <Icon glyph=Glyph::Cross />
            </button>
        </div>
    }
}
