//! The parts that tables share: the scrolling card, headers that order, and pairs of facts.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// Which side a column leans to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words.
    #[default]
    Left,
    /// Numbers.
    Right,
}

/// A card whose table scrolls inside it, so that the page never scrolls sideways.
#[component]
pub(crate) fn TableCard(
    /// What the table shows, for screen readers.
    #[prop(into)]
    label: String,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="card table-card">
            <div class="table-scroll" role="region" aria-label=label tabindex="0">
                {children()}
            </div>
        </div>
    }
}

/// A header that orders the table by its column. `href` is the same page, ordered so.
#[component]
pub(crate) fn SortHeader(
    #[prop(into)] label: String,
    #[prop(into)] href: String,
    /// `Some(true)` when ordered by this column, largest first; `None` when by another.
    descending: Option<bool>,
    #[prop(optional)] align: Align,
) -> impl IntoView {
    let (order, glyph) = match descending {
        Some(true) => ("descending", Some(Glyph::Down)),
        Some(false) => ("ascending", Some(Glyph::Up)),
        None => ("none", None),
    };
    view! {
        <th scope="col" aria-sort=order class=(align == Align::Right).then_some("right")>
            <a href=href class="sort" data-noscroll="">
                {label}
                {glyph.map(|glyph| view! { <Icon glyph /> })}
            </a>
        </th>
    }
}

/// One line of a list of facts (inside `<dl class="facts">`).
#[component]
pub(crate) fn Fact(#[prop(into)] label: String, children: Children) -> impl IntoView {
    view! {
        <div class="fact">
            <dt>{label}</dt>
            <dd>{children()}</dd>
        </div>
    }
}
