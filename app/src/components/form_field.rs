//! Fields of forms: label, hint and error tied to the control, so that screen readers say all
//! three. `FormField` wraps any control; the others bring their own.

use crate::forms::{ticked, typed};
use leptos::prelude::*;

/// What a filter offers: anything, or one of these (word, label).
pub(crate) fn any_or<'a>(choices: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    std::iter::once(("", "Any"))
        .chain(choices)
        .map(|(word, label)| (word.to_owned(), label.to_owned()))
        .collect()
}

/// Label, hint and error around a control that has the id `id` and
/// `aria-describedby="{id}-hint {id}-error"`.
#[component]
pub(crate) fn FormField(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] hint: String,
    #[prop(optional, into)] error: Signal<Option<String>>,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="field" class:invalid=move || error.with(Option::is_some)>
            <label for=id.clone()>{label}</label>
            {children()}
            // Kept when there is nothing to say: the control names it.
            <div class="hint" id=format!("{id}-hint")>
                {(!hint.is_empty()).then_some(hint)}
            </div>
            <div class="field-error" id=format!("{id}-error")>
                {move || error.get()}
            </div>
        </div>
    }
}

/// A line of text. Its id is its name, unless `id` says otherwise.
#[component]
pub(crate) fn TextField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional, into)] hint: String,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional, into)] value: String,
    /// `text`, `password`, `number`, `datetime-local` …
    #[prop(default = "text")]
    kind: &'static str,
    #[prop(optional)] required: bool,
    #[prop(optional, into)] placeholder: String,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional, into)] list: Option<String>,
    #[prop(optional, into)] min: Option<String>,
    #[prop(optional, into)] max: Option<String>,
    /// Where the page begins. At most one field of a page.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| name.clone());
    let value = typed(&name).unwrap_or(value);
    view! {
        <FormField id=id.clone() label hint error>
            <input
                id=id.clone()
                name=name
                type=kind
                value=value
                required=required
                autofocus=autofocus
                placeholder=placeholder
                autocomplete=autocomplete
                spellcheck="false"
                list=list
                min=min
                max=max
                aria-describedby=format!("{id}-hint {id}-error")
                aria-invalid=move || error.with(Option::is_some).then_some("true")
            />
        </FormField>
    }
}

/// One of several: `(value, text)`.
#[component]
pub(crate) fn SelectField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    options: Vec<(String, String)>,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional, into)] hint: String,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional, into)] selected: String,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| name.clone());
    let selected = typed(&name).unwrap_or(selected);
    view! {
        <FormField id=id.clone() label hint error>
            <select id=id.clone() name=name aria-describedby=format!("{id}-hint {id}-error")>
                {options
                    .into_iter()
                    .map(|(value, text)| {
                        let chosen = value == selected;
                        view! {
                            <option value=value selected=chosen>
                                {text}
                            </option>
                        }
                    })
                    .collect_view()}
            </select>
        </FormField>
    }
}

/// Yes or no. Sends `true` when ticked and nothing when not.
#[component]
pub(crate) fn CheckField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional)] checked: bool,
    #[prop(optional, into)] hint: String,
) -> impl IntoView {
    let checked = ticked(&name).unwrap_or(checked);
    view! {
        <div class="field check">
            <label>
                <input type="checkbox" name=name value="true" checked=checked />
                <span>{label}</span>
            </label>
            {(!hint.is_empty()).then(|| view! { <div class="hint">{hint}</div> })}
        </div>
    }
}
