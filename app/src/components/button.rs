//! The button that sends a form. Plain buttons and links use the classes `btn`, `primary`,
//! `danger`, `quiet` and `small` directly.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// How weighty a button looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Ordinary.
    #[default]
    Plain,
    /// The one main act of a page.
    Primary,
    /// Destroys or stops something.
    Danger,
    /// Without frame.
    Quiet,
}

impl Tone {
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Plain => "btn",
            Self::Primary => "btn primary",
            Self::Danger => "btn danger",
            Self::Quiet => "btn quiet",
        }
    }
}

/// Sends the form around it; says so while the answer is awaited, and ignores second clicks.
#[component]
pub(crate) fn SubmitButton(
    #[prop(optional)] tone: Tone,
    #[prop(optional, into)] pending: Signal<bool>,
    children: Children,
) -> impl IntoView {
    view! {
        // Not `disabled` while pending: that would throw the keyboard's focus away.
        <button
            type="submit"
            class=tone.class()
            aria-disabled=move || pending.get().then_some("true")
            aria-busy=move || pending.get().then_some("true")
            on:click=move |event| if pending.get_untracked() { event.prevent_default() }
        >
            {children()}
            <span class="spin" class:on=move || pending.get()>
                <Icon glyph=Glyph::Spin />
            </span>
        </button>
    }
}
