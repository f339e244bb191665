//! What stands in for content that is on its way.

use leptos::prelude::*;

/// `lines` grey lines.
#[component]
pub(crate) fn Skeleton(#[prop(default = 4)] lines: usize) -> impl IntoView {
    view! {
        <div class="skeleton" role="status" aria-label="Loading">
            {(0..lines).map(|_| view! { <span></span> }).collect_view()}
        </div>
    }
}
