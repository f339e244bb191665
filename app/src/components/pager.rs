//! The way to the next page of a keyset-paged list, and back to its beginning.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// `count` says what is shown; `first` and `next` are addresses, when there is such a page.
#[component]
pub(crate) fn Pager(
    #[prop(into)] count: String,
    first: Option<String>,
    next: Option<String>,
    /// What the pages are of, where a page has more than one list.
    #[prop(default = "Pages")]
    label: &'static str,
) -> impl IntoView {
    view! {
        <nav class="pager" aria-label=label>
            <span class="pager-count">{count}</span>
            {first.map(|href| view! { <a class="btn small" href=href>"First page"</a> })}
            {next
                .map(|href| {
                    view! {
                        <a class="btn small" rel="next" href=href>
                            "Next page"
                            <Icon glyph=Glyph::Right />
                        </a>
                    }
                })}
        </nav>
    }
}
