//! Three kinds of nothing, told apart: nothing exists, nothing matches, not permitted.

use super::icon::{Glyph, Icon};
use super::page_head::PageHead;
use leptos::prelude::*;
use muster_domain::PortalError;

/// Why there is nothing to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Empty {
    /// There is none yet: say how to get one.
    NothingExists,
    /// There are some, but the filter leaves none: offer to clear it.
    NothingMatches,
    /// There may be some, but not for this person: say whom to ask.
    NotPermitted,
}

/// What stands where rows would be.
#[component]
pub(crate) fn EmptyState(
    kind: Empty,
    #[prop(into)] title: String,
    /// The explanation and the way on.
    children: Children,
) -> impl IntoView {
    let (glyph, name) = match kind {
        Empty::NothingExists => (Glyph::Plus, "exists"),
        Empty::NothingMatches => (Glyph::Search, "matches"),
        Empty::NotPermitted => (Glyph::Lock, "permitted"),
    };
    view! {
        <div class="empty" data-empty=name>
            <span class="empty-icon">
                <Icon glyph />
            </span>
            <h2>{title}</h2>
            <div class="empty-text">{children()}</div>
        </div>
    }
}

/// The page for an address that leads nowhere.
#[component]
pub(crate) fn NotFound() -> impl IntoView {
    crate::error::set_page_status(
        &PortalError::NotFound {
            what: "This page".into(),
        }
        .into(),
    );
    view! {
        <PageHead title="Page not found" />
        <section class="card">
            <EmptyState kind=Empty::NothingMatches title="Nothing is at this address">
                <p>"The address may be mistyped, or what it showed is gone."</p>
                <p>
                    <a class="btn primary" href="/">
                        "Go to the Overview"
                    </a>
                </p>
            </EmptyState>
        </section>
    }
}
