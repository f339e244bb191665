//! The only place with a text area: Leptos 0.8 does not escape a text area's content on the
//! server, so the escaping is done here.

use super::form_field::FormField;
use crate::forms::typed;
use leptos::prelude::*;

/// Text that is safe between `<textarea>` and `</textarea>`.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    // A first line break is swallowed by the HTML parser; one more keeps the text as it is.
    if text.starts_with('\n') {
        out.push('\n');
    }
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\0' => {}
            other => out.push(other),
        }
    }
    out
}

/// Several lines of text. Its id is its name, unless `id` says otherwise.
#[component]
pub(crate) fn TextArea(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional, into)] hint: String,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional, into)] value: String,
    #[prop(default = 4)] rows: u32,
    #[prop(optional)] required: bool,
    /// Code rather than prose.
    #[prop(optional)]
    mono: bool,
    #[prop(optional, into)] placeholder: String,
    /// The key that leads there.
    #[prop(optional, into)]
    key: Option<String>,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| name.clone());
    let value = typed(&name).unwrap_or(value);
    view! {
        <FormField id=id.clone() label hint error>
            <textarea
                id=id.clone()
                name=name
                rows=rows.to_string()
                required=required
                placeholder=placeholder
                data-key=key
                spellcheck=if mono { "false" } else { "true" }
                class=mono.then_some("mono")
                aria-describedby=format!("{id}-hint {id}-error")
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                inner_html=escape(&value)
            ></textarea>
        </FormField>
    }
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_gets_out_of_a_text_area() {
        assert_eq!(escape("</textarea><script>"), "&lt;/textarea&gt;&lt;script&gt;");
        assert_eq!(escape("a && b"), "a &amp;&amp; b");
        assert_eq!(escape("\nfirst"), "\n\nfirst");
    }
}
