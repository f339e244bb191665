//! How terminals look to this person, kept in the browser: size of letters, and words for screen readers; and the
//! menu in which both are chosen.

use crate::components::{Glyph, Icon};
use crate::layout::storage::{keep_choice, read_choice};
use leptos::prelude::*;

const FONT: &str = "muster.terminal.font";
const SPOKEN: &str = "muster.terminal.spoken";
const PLAIN: u8 = 13;
const SMALLEST: u8 = 8;
const LARGEST: u8 = 32;

/// The choices; one for all terminals of a page.
#[derive(Clone, Copy)]
pub(crate) struct Looks {
    /// Height of letters in pixels.
    pub(crate) font: RwSignal<u8>,
    /// Whether a screen reader is to be told what appears.
    pub(crate) spoken: RwSignal<bool>,
}

/// Reads what was chosen, once the page is there.
pub(crate) fn use_looks() -> Looks {
    if let Some(looks) = use_context::<Looks>() {
        return looks;
    }
    let looks = Looks {
        font: RwSignal::new(PLAIN),
        spoken: RwSignal::new(false),
    };
    provide_context(looks);
    Effect::new(move |_| {
        let font = read_choice(FONT).and_then(|text| text.parse().ok());
        if let Some(font) = font.filter(|font| (SMALLEST..=LARGEST).contains(font)) {
            looks.font.set(font);
        }
        looks.spoken.set(read_choice(SPOKEN).as_deref() == Some("on"));
    });
    looks
}

impl Looks {
    /// Letters larger (1), smaller (-1) or plain (0).
    pub(crate) fn scale(self, by: i8) {
        let font = match by {
            0 => PLAIN,
            by => self
                .font
                .get_untracked()
                .saturating_add_signed(by)
                .clamp(SMALLEST, LARGEST),
        };
        self.font.set(font);
        keep_choice(FONT, &font.to_string());
    }

    fn speak(self, on: bool) {
        self.spoken.set(on);
        keep_choice(SPOKEN, if on { "on" } else { "off" });
    }
}

/// The menu of a terminal.
#[component]
pub(crate) fn Tools(
    /// Opens the search.
    on_find: Callback<()>,
    /// More lines of the menu.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let looks = use_looks();
    view! {
        <details class="menu terminal-menu needs-script">
            <summary class="btn small" aria-label="Terminal options" title="Terminal options">
                <Icon glyph=Glyph::Settings />
            </summary>
            <div class="menu-body">
                <button type="button" on:click=move |_| on_find.run(())>
                    <Icon glyph=Glyph::Search />
                    "Find"
                    <kbd>"Ctrl Shift F"</kbd>
                </button>
                <div class="menu-row">
                    <button type="button" class="btn small" aria-label="Smaller letters" on:click=move |_| looks.scale(-1)>
                        "A−"
                    </button>
                    <button type="button" class="btn small" on:click=move |_| looks.scale(0)>
                        {move || format!("{} px", looks.font.get())}
                        <span class="visually-hidden">": back to plain letters"</span>
                    </button>
                    <button type="button" class="btn small" aria-label="Larger letters" on:click=move |_| looks.scale(1)>
                        "A+"
                    </button>
                </div>
                <label class="menu-check">
                    <input
                        type="checkbox"
                        prop:checked=move || looks.spoken.get()
                        on:change=move |event| looks.speak(event_target_checked(&event))
                    />
                    "Screen reader mode"
                </label>
                {children.map(|children| children())}
                <dl class="menu-keys">
                    <div>
                        <dt>
                            <kbd>"Ctrl Shift C"</kbd>
                            " "
                            <kbd>"Ctrl Shift V"</kbd>
                        </dt>
                        <dd>"copy, paste"</dd>
                    </div>
                    <div>
                        <dt>
                            <kbd>"Ctrl Shift +"</kbd>
                            " "
                            <kbd>"−"</kbd>
                            " "
                            <kbd>"0"</kbd>
                        </dt>
                        <dd>"letters"</dd>
                    </div>
                    <div>
                        <dt>
                            <kbd>"Ctrl Shift Esc"</kbd>
                        </dt>
                        <dd>"leave the terminal by keyboard"</dd>
                    </div>
                </dl>
            </div>
        </details>
    }
}
