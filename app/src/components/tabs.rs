//! Tabs that are links: every tab has an address of its own.

use leptos::prelude::*;

/// One tab.
#[derive(Clone, Debug)]
pub(crate) struct Tab {
    /// Its text.
    pub(crate) label: String,
    /// Where it leads.
    pub(crate) href: String,
    /// Whether it is the one on show.
    pub(crate) active: bool,
}

/// A row of tabs.
#[component]
pub(crate) fn Tabs(#[prop(into)] label: String, #[prop(into)] tabs: Signal<Vec<Tab>>) -> impl IntoView {
    view! {
        <nav class="tabs" aria-label=label>
            {move || {
                tabs.get()
                    .into_iter()
                    .map(|tab| {
                        view! {
                            <a href=tab.href data-noscroll="" aria-current=tab.active.then_some("page")>
                                {tab.label}
                            </a>
                        }
                    })
                    .collect_view()
            }}
        </nav>
    }
}
