//! Texts of any length as what an index takes: PostgreSQL's holds about a third of a page in an entry, and refuses the
//! row that has more.

use ring::digest::{SHA256, digest};

/// Longest text that is kept as it is, in bytes.
const LONGEST: usize = 512;

/// The digest of a text that is only ever compared.
pub(crate) fn digest_of(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

/// A text that is also read and ordered by: as it is, or its beginning and its digest when it is long.
pub(crate) fn bounded(text: String) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    let beginning: String = text.chars().take(100).collect();
    format!("{beginning}/{}", digest_of(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_stay_apart_and_short_ones_as_they_are() {
        assert_eq!(bounded("a".repeat(LONGEST)), "a".repeat(LONGEST));
        let (one, two) = ("ä".repeat(4_000), format!("{}x", "ä".repeat(4_000)));
        assert!(bounded(one.clone()).len() <= LONGEST);
        assert_ne!(bounded(one), bounded(two));
    }
}
