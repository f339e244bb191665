//! The list of keyboard shortcuts.

use crate::components::{DialogCancel, Fixed};
use leptos::prelude::*;

const KEYS: &[(&str, &[(&str, &str)])] = &[
    (
        "Anywhere",
        &[
            ("Ctrl K", "Search and go to"),
            ("?", "This list"),
            ("/", "To the filter of the page"),
            ("Esc", "One level back"),
        ],
    ),
    (
        "Go to",
        &[
            ("g o", "Overview"),
            ("g f", "Fleet"),
            ("g t", "Terminals"),
            ("g c", "Commands"),
            ("g p", "Approvals"),
            ("g r", "Runbooks"),
            ("g e", "Executions"),
            ("g w", "Maintenance windows"),
            ("g d", "Deployments"),
            ("g a", "Audit log"),
            ("g s", "Settings"),
        ],
    ),
    (
        "In tables",
        &[
            ("j", "Next row"),
            ("k", "Row before"),
            ("x", "Select the row"),
            ("o or Enter", "Open the row"),
            ("e", "Preview the row beside the table"),
        ],
    ),
    (
        "On a request",
        &[
            ("a", "To the comment, to approve"),
            ("r", "To the button that rejects"),
            ("x", "In the list: tick it, to approve several"),
            ("Esc", "Back to the list"),
        ],
    ),
    (
        "In a terminal",
        &[
            ("Ctrl Shift C", "Copy"),
            ("Ctrl Shift V", "Paste"),
            ("Ctrl Shift F", "Find"),
            ("Ctrl Shift +", "Larger letters; - and 0 too"),
            ("Ctrl Shift Esc", "Leave it by keyboard"),
        ],
    ),
    (
        "In a recording",
        &[
            ("Space", "Play or pause"),
            ("← →", "5 seconds; with Shift 30"),
            ("< >", "Slower, faster"),
            (".", "Next frame"),
            ("Home End", "Begin, end"),
            ("/", "Search"),
            ("n N", "Next hit, hit before"),
            ("m", "Set or remove a mark"),
            ("f", "Full screen"),
            ("l", "Watch live"),
        ],
    ),
];

/// The keys, as text: every page has them, and they never change.
fn columns() -> Fixed {
    let key = |row: Fixed, key: &str, what: &str| {
        row.inside("div", "", |line| {
            line.inside("dt", "", |keys| {
                key.split(' ')
                    .fold(keys, |keys, one| keys.inside("kbd", "", |kbd| kbd.text(one)))
            })
            .inside("dd", "", |dd| dd.text(what))
        })
    };
    let part = |columns: Fixed, (title, keys): &(&str, &[(&str, &str)])| {
        columns.inside("section", "", |part| {
            part.inside("h3", "", |head| head.text(title))
                .inside("dl", "", |list| {
                    keys.iter().fold(list, |list, (name, what)| key(list, name, what))
                })
        })
    };
    KEYS.iter().fold(Fixed::new("div", "help-columns"), part)
}

/// The dialog `help`.
#[component]
pub(super) fn HelpDialog() -> impl IntoView {
    view! {
        <dialog id="help" class="dialog wide" aria-labelledby="help-title">
            <h2 id="help-title">"Keyboard shortcuts"</h2>
            {columns().view()}
            <p class="muted">"Single keys can be switched off under Settings, Profile."</p>
            <div class="dialog-actions">
                <DialogCancel id="help" label="Close" />
            </div>
        </dialog>
    }
}
