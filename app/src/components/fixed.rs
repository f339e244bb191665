//! Parts of a page that never change once they are there, written as text in one go. A table's cells are thousands
//! of elements: made one by one with their attributes they are most of what a page costs. Everything that is put in
//! is escaped here; nothing else in the pages writes markup.

use leptos::tachys::html::InertElement;

/// Bytes that most elements fit in, so that they are written without moving.
const ROOM: usize = 256;

/// An element that is being written. Lives only until [`Fixed::view`].
pub(crate) struct Fixed {
    name: &'static str,
    text: String,
    // Whether attributes may still come.
    head: bool,
}

fn escape(from: &str, into: &mut String) {
    let mut rest = from;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (plain, special) = rest.split_at(at);
        into.push_str(plain);
        into.push_str(match special.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&quot;",
            _ => "&#39;",
        });
        rest = special.get(1..).unwrap_or_default();
    }
    into.push_str(rest);
}

impl Fixed {
    /// An empty element; `class` may be empty.
    pub(crate) fn new(name: &'static str, class: &str) -> Self {
        let mut text = String::with_capacity(ROOM);
        text.push('<');
        text.push_str(name);
        let this = Self {
            name,
            text,
            head: true,
        };
        if class.is_empty() {
            this
        } else {
            this.attribute("class", class)
        }
    }

    /// Adds an attribute, before anything that is inside.
    pub(crate) fn attribute(mut self, name: &'static str, value: &str) -> Self {
        debug_assert!(self.head, "attributes come first");
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
        escape(value, &mut self.text);
        self.text.push('"');
        self
    }

    fn body(&mut self) -> &mut String {
        if std::mem::take(&mut self.head) {
            self.text.push('>');
        }
        &mut self.text
    }

    /// Adds words.
    pub(crate) fn text(mut self, words: &str) -> Self {
        escape(words, self.body());
        self
    }

    /// Adds an element.
    pub(crate) fn child(mut self, child: Self) -> Self {
        let child = child.finish();
        self.body().push_str(&child);
        self
    }

    /// Adds an icon.
    pub(crate) fn icon(mut self, glyph: super::Glyph) -> Self {
        self.body().push_str(glyph.markup());
        self
    }

    fn finish(mut self) -> String {
        let name = self.name;
        let text = self.body();
        text.push_str("</");
        text.push_str(name);
        text.push('>');
        self.text
    }

    /// The element as part of a page.
    pub(crate) fn view(self) -> InertElement {
        InertElement::new(self.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_put_in_becomes_markup() {
        let evil = "</span><script>alert(1)</script> & \"'x";
        let written = Fixed::new("span", evil)
            .attribute("title", evil)
            .text(evil)
            .child(Fixed::new("b", "").text(evil))
            .finish();
        let escaped = "&lt;/span&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;&#39;x";
        assert_eq!(
            written,
            format!("<span class=\"{escaped}\" title=\"{escaped}\">{escaped}<b>{escaped}</b></span>")
        );
    }

    #[test]
    fn elements_close_whatever_is_in_them() {
        assert_eq!(Fixed::new("td", "").finish(), "<td></td>");
        assert_eq!(
            Fixed::new("td", "a b").text("").finish(),
            "<td class=\"a b\"></td>"
        );
        let icon = Fixed::new("i", "").icon(crate::components::Glyph::Check).finish();
        assert!(
            icon.starts_with("<i><svg class=\"icon\"") && icon.ends_with("</svg></i>"),
            "{icon}"
        );
        assert_eq!(Fixed::new("p", "").text("wörld 🦀").finish(), "<p>wörld 🦀</p>");
    }
}
