//! Run Command pages. Stand-ins until the feature lands.

use crate::components::PageHead;
use leptos::prelude::*;

/// Past commands.
#[component]
pub(crate) fn HistoryPage() -> impl IntoView {
    view! { <PageHead title="Commands" /> }
}

/// Run a document.
#[component]
pub(crate) fn RunPage() -> impl IntoView {
    view! { <PageHead title="Run command" /> }
}

/// One command.
#[component]
pub(crate) fn DetailPage() -> impl IntoView {
    view! { <PageHead title="Command" /> }
}
