//! The head of a page: its name, one sentence, and its acts.

use leptos::prelude::*;
use leptos_meta::Title;

/// Title and subtitle; `children` are the buttons on the right.
#[component]
pub(crate) fn PageHead(
    #[prop(into)] title: String,
    #[prop(optional, into)] subtitle: ViewFn,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <Title text=title.clone() />
        <header class="page-head">
            <div class="page-title">
                <h1>{title}</h1>
                <div class="page-sub">{subtitle.run()}</div>
            </div>
            <div class="page-actions">{children.map(|children| children())}</div>
        </header>
    }
}
