//! What a request about a window would do, for those who decide on it: all that it is and would be, line by line.

use super::url::view_path;
use crate::approvals::TextDiff;
use crate::components::Fact;
use leptos::prelude::*;
use muster_domain::approvals::{PlannedDocument, PlannedWindow};
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
        documents,
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
        {(!documents.is_empty())
            .then(|| {
                view! {
                    <Fact label="It would run">
                        <ul class="window-documents" data-documents="">
                            {documents.into_iter().map(|document| view! { <Document document /> }).collect_view()}
                        </ul>
                    </Fact>
                }
            })}
        <Fact label="Changes">
            <TextDiff old new label="What would change" />
        </Fact>
    }
}

/// A document of a task, with what its content was frozen by.
#[component]
fn Document(document: PlannedDocument) -> impl IntoView {
    let PlannedDocument {
        task: _,
        document,
        version,
        sha256,
    } = document;
    let version = if version == "$DEFAULT" {
        "its default version".to_owned()
    } else {
        format!("version {version}")
    };
    view! {
        <li>
            <strong class="break-anywhere">{document}</strong>
            {format!(", {version}")}
            {if sha256.is_empty() {
                view! { <small class="muted">" cannot be read"</small> }.into_any()
            } else {
                view! {
                    <small class="muted">
                        ", SHA-256 " <code class="mono break-anywhere">{sha256}</code>
                    </small>
                }
                    .into_any()
            }}
        </li>
    }
}
