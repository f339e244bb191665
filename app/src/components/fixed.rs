//! Parts of a page that never change once they are there, written as text in one go. A table's cells are thousands
//! of elements: made one by one with their attributes they are most of what a page costs. Everything that is put in
//! is escaped here; nothing else in the pages writes markup.

use super::fixed_view::FixedView;

/// Bytes that most elements fit in, so that they are written without moving.
const ROOM: usize = 256;
/// The same for rows of tables.
const ROW_ROOM: usize = 2_560;

/// An element that is being written. Lives only until [`Fixed::view`].
pub(crate) struct Fixed {
    name: &'static str,
    text: String,
    // Whether attributes may still come.
    head: bool,
}

fn escape(from: &str, into: &mut String) {
    let mut plain = 0;
    // By bytes: what is special is one byte each, and never part of a longer character.
    for (at, byte) in from.bytes().enumerate() {
        let written = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => continue,
        };
        into.push_str(from.get(plain..at).unwrap_or_default());
        into.push_str(written);
        plain = at + 1;
    }
    into.push_str(from.get(plain..).unwrap_or_default());
}

impl Fixed {
    /// No element yet: the first that is added is the one.
    pub(crate) fn bare() -> Self {
        Self {
            name: "",
            text: String::with_capacity(ROOM),
            head: false,
        }
    }

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

    /// Adds an element, written by `fill`; `class` may be empty.
    pub(crate) fn inside(mut self, name: &'static str, class: &str, fill: impl FnOnce(Self) -> Self) -> Self {
        let body = self.body();
        body.push('<');
        body.push_str(name);
        let outer = std::mem::replace(&mut self.name, name);
        self.head = true;
        if !class.is_empty() {
            self = self.attribute("class", class);
        }
        let mut this = fill(self);
        this.end();
        this.name = outer;
        this
    }

    /// Adds an icon.
    pub(crate) fn icon(mut self, glyph: super::Glyph) -> Self {
        self.body().push_str(glyph.markup());
        self
    }

    fn end(&mut self) {
        let name = self.name;
        let text = self.body();
        if matches!(name, "" | "input") {
            return;
        }
        text.push_str("</");
        text.push_str(name);
        text.push('>');
    }

    fn finish(mut self) -> String {
        self.end();
        self.text
    }

    /// The element as part of a page.
    pub(crate) fn view(self) -> FixedView {
        FixedView::whole(self.finish())
    }
}

/// A row of a table, by its cells: when it is written again, only cells that have changed are put in anew, and what has
/// the focus keeps it.
pub(crate) struct FixedRow {
    row: Fixed,
    ends: Vec<usize>,
}

impl FixedRow {
    /// A row that the keyboard can mark; `class` may be empty.
    pub(crate) fn new(class: &str) -> Self {
        let mut row = Fixed::new("tr", class)
            .attribute("data-row", "")
            .attribute("tabindex", "-1");
        row.body().reserve(ROW_ROOM);
        let ends = vec![row.text.len()];
        Self { row, ends }
    }

    /// Adds a cell, written by `fill`; `class` may be empty.
    pub(crate) fn cell(mut self, class: &str, fill: impl FnOnce(Fixed) -> Fixed) -> Self {
        self.row = self.row.inside("td", class, fill);
        self.ends.push(self.row.text.len());
        self
    }

    /// The row as part of a page.
    pub(crate) fn view(self) -> FixedView {
        FixedView::with_parts(self.row.text, self.ends, "</tr>")
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
            .inside("b", "", |part| part.text(evil))
            .finish();
        let escaped = "&lt;/span&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;&#39;x";
        assert_eq!(
            written,
            format!("<span class=\"{escaped}\" title=\"{escaped}\">{escaped}<b>{escaped}</b></span>")
        );
    }

    #[test]
    fn elements_are_written_inside_one_another() {
        let part = |part: Fixed| part.attribute("title", "<t>").text("in");
        let written = Fixed::new("p", "").text("a").inside("b", "x", part).text("z");
        assert_eq!(
            written.finish(),
            "<p>a<b class=\"x\" title=\"&lt;t&gt;\">in</b>z</p>"
        );
        let empty = Fixed::new("p", "").inside("b", "", |part| part);
        assert_eq!(empty.finish(), "<p><b></b></p>");
        let void = Fixed::bare().inside("input", "", |input| input.attribute("name", "n"));
        assert_eq!(void.finish(), "<input name=\"n\">");
    }

    #[test]
    fn a_row_is_its_cells() {
        use leptos::prelude::RenderHtml as _;
        let row = FixedRow::new("previewed")
            .cell("", |cell| cell.text("<1>"))
            .cell("mono", |cell| cell);
        assert_eq!(
            row.view().to_html(),
            "<tr class=\"previewed\" data-row=\"\" tabindex=\"-1\"><td>&lt;1&gt;</td><td class=\"mono\"></td></tr>"
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
