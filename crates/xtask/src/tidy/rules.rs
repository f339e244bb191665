//! The rules for Rust files: each a small function from a file's text to findings.

use super::{Finding, Source};

/// Longer than this wants a reason.
const LONG: usize = 400;
/// Longer than this is not let in.
const TOO_LONG: usize = 600;
/// The one component that knows how to escape what stands in a text area.
const TEXT_AREA: &str = "app/src/components/text_area.rs";
/// Where what `components/fixed.rs` has escaped becomes an element.
const FIXED_VIEW: &str = "app/src/components/fixed_view.rs";
/// Where markup is written.
const PAGES: &str = "app/";
/// These name the forbidden words to forbid them.
const RULE_BOOK: &str = "crates/xtask/src/tidy/";

pub(super) fn error(file: &str, line: usize, text: impl Into<String>) -> Finding {
    Finding {
        file: file.to_owned(),
        line,
        text: text.into(),
        is_warning: false,
    }
}

/// All rules for one Rust file.
pub(super) fn rust(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(opening(source));
    found.extend(length(source));
    if !source.file.starts_with(RULE_BOOK) {
        found.extend(words(source));
    }
    found
}

/// Says in its first lines what lives there. An attribute may stand before.
fn opening(source: &Source) -> Option<Finding> {
    let first = source
        .text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with("#!["));
    if first.is_some_and(|line| {
        line.strip_prefix("//!")
            .is_some_and(|rest| !rest.trim().is_empty())
    }) {
        return None;
    }
    Some(error(
        &source.file,
        1,
        "has to open with `//!`: what lives here, and what does not",
    ))
}

fn length(source: &Source) -> Option<Finding> {
    let lines = source.text.lines().count();
    if lines > TOO_LONG {
        return Some(error(
            &source.file,
            0,
            format!("{lines} lines: split it along a seam (at most {TOO_LONG})"),
        ));
    }
    (lines > LONG).then(|| Finding {
        file: source.file.clone(),
        line: 0,
        text: format!("{lines} lines: over {LONG} wants a reason in the first comment"),
        is_warning: true,
    })
}

/// Words that must not be there. Comments may speak of them.
fn words(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let mut say = |text: &str| found.push(error(&source.file, index + 1, text));
        if code.contains("#[allow(") || code.contains("#![allow(") {
            say(
                "`#[expect(lint, reason = \"…\")]` instead of `#[allow(…)]`: it goes away when it is not needed",
            );
        }
        if code.contains("todo!(") || code.contains("unimplemented!(") {
            say("unfinished: do it, or return an error that says so");
        }
        if source.file.starts_with(PAGES) && source.file != TEXT_AREA {
            if code.contains("<textarea") {
                say("use `components/text_area.rs`: a plain one is not escaped on the server");
            }
            if code.contains("inner_html") && source.file != FIXED_VIEW {
                say("`inner_html` is only for components that escape: write with `components/fixed.rs`");
            }
            if code.contains("InertElement") {
                say("use `components/fixed.rs`: the browser never forgets an inert element's text");
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Source, rust};

    fn texts(file: &str, text: &str) -> Vec<(usize, bool)> {
        let source = Source {
            file: file.to_owned(),
            text: text.to_owned(),
        };
        rust(&source)
            .into_iter()
            .map(|finding| (finding.line, finding.is_warning))
            .collect()
    }

    #[test]
    fn a_file_opens_with_what_it_is_for() {
        assert!(texts("a.rs", "//! Words.\n").is_empty());
        assert!(texts("a.rs", "#![recursion_limit = \"512\"]\n//! Words.\n").is_empty());
        assert_eq!(texts("a.rs", "use std::fmt;\n//! Words.\n"), [(1, false)]);
        assert_eq!(texts("a.rs", "//!\n"), [(1, false)]);
        assert_eq!(texts("a.rs", ""), [(1, false)]);
    }

    #[test]
    fn length_warns_at_first_and_fails_later() {
        let of = |lines: usize| format!("//! Words.\n{}", "\n".repeat(lines - 1));
        assert!(texts("a.rs", &of(400)).is_empty());
        assert_eq!(texts("a.rs", &of(401)), [(0, true)]);
        assert_eq!(texts("a.rs", &of(600)), [(0, true)]);
        assert_eq!(texts("a.rs", &of(601)), [(0, false)]);
    }

    #[test]
    fn forbidden_words_are_found_in_code_and_not_in_comments() {
        assert_eq!(texts("a.rs", "//! W.\n#[allow(dead_code)]\n"), [(2, false)]);
        assert_eq!(texts("a.rs", "//! W.\nfn a() { todo!() }\n"), [(2, false)]);
        assert_eq!(texts("a.rs", "//! W.\n// not a todo!() at all\n"), []);
        assert_eq!(
            texts("app/src/x.rs", "//! W.\n<textarea name=a>\ninner_html=b\n"),
            [(2, false), (3, false)]
        );
        assert_eq!(texts(super::FIXED_VIEW, "//! W.\nset_inner_html(text);\n"), []);
        assert_eq!(
            texts("app/src/x.rs", "//! W.\nInertElement::new(text)\n"),
            [(2, false)]
        );
        assert_eq!(texts(super::TEXT_AREA, "//! W.\n<textarea inner_html=b>\n"), []);
    }
}
