//! Short messages about what has just been done, in a corner. Announced politely; they go by
//! themselves, except those about failures.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;
use std::time::Duration;

const SHOWN_FOR: Duration = Duration::from_secs(6);

#[derive(Clone, Debug, PartialEq)]
struct Toast {
    id: u64,
    text: String,
    bad: bool,
}

/// Where messages are handed in. Copied freely; only to be used in event handlers and effects.
#[derive(Clone, Copy)]
pub(crate) struct Toaster {
    shown: RwSignal<Vec<Toast>>,
    last: StoredValue<u64>,
}

impl Toaster {
    /// Says that something worked.
    pub(crate) fn say(self, text: impl Into<String>) {
        let id = self.add(text.into(), false);
        set_timeout(move || self.remove(id), SHOWN_FOR);
    }

    /// Says that something did not work; stays until it is dismissed.
    pub(crate) fn complain(self, text: impl Into<String>) {
        self.add(text.into(), true);
    }

    fn add(self, text: String, bad: bool) -> u64 {
        self.last.update_value(|last| *last += 1);
        let id = self.last.get_value();
        self.shown.update(|shown| shown.push(Toast { id, text, bad }));
        id
    }

    fn remove(self, id: u64) {
        self.shown.update(|shown| shown.retain(|toast| toast.id != id));
    }
}

/// Makes the place for messages. Once, at the root.
pub(crate) fn provide_toaster() {
    provide_context(Toaster {
        shown: RwSignal::new(Vec::new()),
        last: StoredValue::new(0),
    });
}

/// Where to hand messages in.
pub(crate) fn use_toaster() -> Toaster {
    use_context::<Toaster>().unwrap_or_else(|| Toaster {
        shown: RwSignal::new(Vec::new()),
        last: StoredValue::new(0),
    })
}

/// The corner itself.
#[component]
pub(crate) fn Toasts() -> impl IntoView {
    let toaster = use_toaster();
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For each=move || toaster.shown.get() key=|toast| toast.id let:toast>
                <div class="toast" class:bad=toast.bad>
                    <Icon glyph=if toast.bad { Glyph::Warning } else { Glyph::Check } />
                    <span>{toast.text.clone()}</span>
                    <button
                        type="button"
                        class="btn quiet small"
                        aria-label="Dismiss"
                        on:click=move |_| toaster.remove(toast.id)
                    >
                        <Icon glyph=Glyph::Cross />
                    </button>
                </div>
            </For>
        </div>
    }
}
