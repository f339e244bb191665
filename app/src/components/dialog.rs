//! Dialogs on the native `<dialog>`: focus stays inside, Esc closes, the focus goes back.
//! Opened by invoker attributes, which need no script in current browsers, and by script in others.

use super::button::Tone;
use crate::dom::elements;
use leptos::attr::custom::custom_attribute;
use leptos::ev;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::HtmlDialogElement;

fn dialog_of(id: &str) -> Option<HtmlDialogElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Opens the dialog with that id.
pub(crate) fn open_dialog(id: &str) {
    if let Some(dialog) = dialog_of(id)
        && !dialog.open()
    {
        let _ = dialog.show_modal();
    }
}

/// Closes the dialog with that id.
pub(crate) fn close_dialog(id: &str) {
    if let Some(dialog) = dialog_of(id) {
        dialog.close();
    }
}

/// Closes whatever dialog is open. For use after an act succeeded.
pub(crate) fn close_dialogs() {
    for dialog in elements::<HtmlDialogElement>("dialog[open]") {
        dialog.close();
    }
}

/// A button, and the dialog that it opens. `children` hold the body and its form, which ends in
/// `<div class="dialog-actions"><DialogCancel id=…/> <SubmitButton…/></div>`; the focus starts on Cancel.
#[component]
pub(crate) fn ConfirmDialog(
    /// Unique on the page.
    #[prop(into)]
    id: String,
    /// The text of the button.
    #[prop(into)]
    trigger: String,
    /// The question, naming the object.
    #[prop(into)]
    title: String,
    /// How the button looks.
    #[prop(optional)]
    tone: Tone,
    /// Whether the button is small, as in table rows.
    #[prop(optional)]
    small: bool,
    children: Children,
) -> impl IntoView {
    let title_id = format!("{id}-title");
    let open = {
        let id = id.clone();
        move |event: ev::MouseEvent| {
            // The invoker attributes would try the same once more.
            event.prevent_default();
            open_dialog(&id);
        }
    };
    view! {
        <button
            type="button"
            class=if small { format!("{} small", tone.class()) } else { tone.class().to_owned() }
            aria-haspopup="dialog"
            {..custom_attribute("command", "show-modal")}
            {..custom_attribute("commandfor", id.clone())}
            on:click=open
        >
            {trigger}
        </button>
        <dialog id=id class="dialog" aria-labelledby=title_id.clone()>
            <h2 id=title_id.clone()>{title}</h2>
            {children()}
        </dialog>
    }
}

/// Leaves the dialog without doing anything. Has the focus when the dialog opens.
#[component]
pub(crate) fn DialogCancel(
    /// The dialog's id.
    #[prop(into)]
    id: String,
    #[prop(into, default = "Cancel".into())] label: String,
) -> impl IntoView {
    let close = {
        let id = id.clone();
        move |event: ev::MouseEvent| {
            event.prevent_default();
            close_dialog(&id);
        }
    };
    view! {
        <button type="button" class="btn" autofocus=true {..custom_attribute("command", "close")} {..custom_attribute("commandfor", id)} on:click=close>
            {label}
        </button>
    }
}
