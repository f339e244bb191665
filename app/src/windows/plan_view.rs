//! What a request about a window would do, for those who decide on it: all that it is and would be, line by line.

use super::url::view_path;
use crate::approvals::TextDiff;
use crate::components::Fact;
use leptos::prelude::*;
use muster_domain::approvals::PlannedWindow;
use muster_domain::windows::WindowState;

/// The facts.
#[component]
pub(crate) fn WillChangeWindow(window: PlannedWindow) -> impl IntoView {
    let PlannedWindow {
        id,
        name,
        title: _,
        now,
        becomes,
    } = window;
    let afterwards = match (&now, &becomes) {
        (None, _) => "It is made.",
        (_, None) => "It is gone, with its targets and tasks, and nothing of it happens any more.",
        _ => "It is changed.",
    };
    let text = |state: Option<&WindowState>| state.map(WindowState::text).unwrap_or_default();
    let (old, new) = (text(now.as_ref()), text(becomes.as_ref()));
    view! {
        <Fact label="Maintenance window">
            {if id.is_empty() {
                view! { <span class="break-anywhere">{name}</span> }.into_any()
            } else {
                view! {
                    <a class="break-anywhere" href=view_path(&id)>
                        {name}
                    </a>
                }
                    .into_any()
            }}
        </Fact>
        <Fact label="Afterwards">
            <span data-afterwards="">{afterwards}</span>
        </Fact>
        <Fact label="Changes">
            <TextDiff old new label="What would change" />
        </Fact>
    }
}
