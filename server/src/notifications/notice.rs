//! A notice: what is told, and what is made of it before it is kept: cut to length, without characters that mean something
//! to a terminal, a header or the direction of writing. Pure.

use muster_domain::Timestamp;
use ring::digest::{SHA256, digest};

/// The most characters of a title.
const TITLE: usize = 200;
/// The most characters of a text.
const TEXT: usize = 2_000;
/// The most characters of a word or a name.
const WORD: usize = 200;
/// The most bytes of a path.
const PATH: usize = 1_000;
/// The most names that one notice is for.
const NAMES: usize = 200;

/// What somebody is told. Nothing secret may be in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What has happened: `approval.waiting`.
    pub kind: String,
    /// To what: `CR-1042`.
    pub about: String,
    /// One line; at most 200 characters are kept.
    pub title: String,
    /// The rest; at most 2,000 characters are kept.
    pub text: String,
    /// Where to read on: a path of the portal, `/approvals/CR-1042`.
    pub href: String,
    /// When it happened. For a day from then on it is tried to be delivered.
    pub at: Timestamp,
    /// Who is meant: `group:sre`, `user:bob`, `role:approver`.
    pub to: Vec<String>,
    /// Whether it cannot wait.
    pub urgent: bool,
}

/// Characters that change the direction of what is written, by which one text can look like another.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_break(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

fn cut(text: &str, most: usize) -> String {
    let text = text.trim();
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// One line of readable characters.
fn line(text: &str, most: usize) -> String {
    let plain: String = text
        .chars()
        .map(|c| if is_break(c) || c == '\t' { ' ' } else { c })
        .filter(|c| !c.is_control() && !turns_text(*c))
        .collect();
    cut(&plain, most)
}

/// Lines of readable characters.
fn lines(text: &str, most: usize) -> String {
    let plain: String = text
        .replace("\r\n", "\n")
        .chars()
        .map(|c| match c {
            '\t' => ' ',
            c if is_break(c) => '\n',
            c => c,
        })
        .filter(|c| (*c == '\n' || !c.is_control()) && !turns_text(*c))
        .collect();
    cut(&plain, most)
}

/// A path of the portal, and nothing that could lead elsewhere or end a link early.
fn path(href: &str) -> String {
    let href = href.trim();
    if !href.starts_with('/') || href.starts_with("//") || href.starts_with("/\\") {
        return "/".to_owned();
    }
    let mut out = String::with_capacity(href.len());
    for byte in href.bytes() {
        let is_plain = byte.is_ascii_graphic()
            && !matches!(
                byte,
                b'<' | b'>' | b'"' | b'|' | b'\\' | b'^' | b'`' | b'{' | b'}'
            );
        let next = if is_plain {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        };
        if out.len() + next.len() > PATH {
            return "/".to_owned();
        }
        out.push_str(&next);
    }
    out
}

impl Notice {
    /// As it is kept and sent.
    pub(super) fn cleaned(&self) -> Self {
        Self {
            kind: line(&self.kind, WORD),
            about: line(&self.about, WORD),
            title: line(&self.title, TITLE),
            text: lines(&self.text, TEXT),
            href: path(&self.href),
            at: self.at,
            to: self.to.iter().take(NAMES).map(|name| line(name, WORD)).collect(),
            urgent: self.urgent,
        }
    }

    /// What tells it from others, the same whenever it is asked for: a digest of all that it says.
    pub(super) fn id(&self) -> String {
        let said = serde_json::json!([
            self.kind,
            self.about,
            self.title,
            self.text,
            self.href,
            self.at.0,
            self.to,
            self.urgent
        ]);
        let digest = hex::encode(digest(&SHA256, said.to_string().as_bytes()));
        digest.chars().take(32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice() -> Notice {
        Notice {
            kind: "approval.waiting".into(),
            about: "CR-1042".into(),
            title: "alice asks".into(),
            text: "Restart web\non 12 nodes".into(),
            href: "/approvals/CR-1042".into(),
            at: Timestamp(1_795_000_000_000),
            to: vec!["group:sre".into()],
            urgent: false,
        }
    }

    #[test]
    fn what_is_plain_stays_as_it_is() {
        assert_eq!(notice().cleaned(), notice());
        assert_eq!(line("Größe 3 µs, 東京 🙂", 99), "Größe 3 µs, 東京 🙂");
    }

    #[test]
    fn nothing_that_is_no_text_is_kept() {
        let bad = "a\r\nBcc: eve@example.com\u{0}\u{1b}[31m\u{202e}b\u{2028}c\td";
        assert_eq!(line(bad, 99), "a  Bcc: eve@example.com[31mb c d");
        assert_eq!(lines(bad, 99), "a\nBcc: eve@example.com[31mb\nc d");
        assert_eq!(lines("  \r\n x \r y \r\n", 99), "x \n y");
    }

    #[test]
    fn lengths_are_cut_at_characters() {
        assert_eq!(line(&"ü".repeat(200), TITLE).chars().count(), 200);
        assert!(!line(&"ü".repeat(200), TITLE).ends_with('…'));
        let cut = line(&"ü".repeat(201), TITLE);
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (200, true));
        assert_eq!(lines(&"x\n".repeat(5_000), TEXT).chars().count(), 2_000);
        let many = Notice {
            to: vec!["user:x".into(); 1_000],
            ..notice()
        };
        assert_eq!(many.cleaned().to.len(), NAMES);
    }

    #[test]
    fn a_path_leads_into_the_portal_alone() {
        for outside in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "javascript:x",
            "",
        ] {
            assert_eq!(path(outside), "/", "{outside}");
        }
        assert_eq!(path("/a?b=c&d=%20#e"), "/a?b=c&d=%20#e");
        assert_eq!(path("/a|b> ü\n"), "/a%7Cb%3E%20%C3%BC");
        assert_eq!(path(&format!("/{}", "ü".repeat(400))), "/");
    }

    #[test]
    fn the_same_has_the_same_id_and_anything_else_another() {
        let one = notice();
        assert_eq!(one.id(), notice().id());
        assert_eq!(one.id().len(), 32);
        let later = Notice {
            at: one.at.plus_ms(1),
            ..notice()
        };
        let other = Notice {
            about: "CR-1043".into(),
            ..notice()
        };
        assert!(one.id() != later.id() && one.id() != other.id() && later.id() != other.id());
    }
}
