//! Where shell output may be cut so that no character is torn (session protocol, payload size).
//! Invalid bytes are none of its business: they pass.

/// How many bytes at the end begin a character that is not complete: 0 to 3.
pub(crate) fn incomplete_tail(bytes: &[u8]) -> usize {
    for (back, byte) in bytes.iter().rev().take(3).enumerate() {
        let needs = match byte {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        return if needs > back + 1 { back + 1 } else { 0 };
    }
    0
}

/// How much of a full chunk to send.
pub(crate) fn cut(chunk: &[u8]) -> usize {
    chunk.len() - incomplete_tail(chunk)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_the_beginning_of_a_character() {
        assert_eq!(incomplete_tail(b""), 0);
        assert_eq!(incomplete_tail(b"abc"), 0);
        assert_eq!(incomplete_tail("aä".as_bytes()), 0);
        assert_eq!(incomplete_tail(&"aä".as_bytes()[..2]), 1);
        assert_eq!(incomplete_tail(&"€".as_bytes()[..2]), 2);
        assert_eq!(incomplete_tail(&"😀".as_bytes()[..3]), 3);
        assert_eq!(incomplete_tail("😀".as_bytes()), 0);
        assert_eq!(incomplete_tail(&[0xff]), 0);
        assert_eq!(incomplete_tail(&[0x80; 9]), 0);
    }

    proptest! {
        #[test]
        fn a_cut_text_is_text(text in "\\PC{0,40}", at in 0_usize..200) {
            let bytes = &text.as_bytes()[..at.min(text.len())];
            prop_assert!(std::str::from_utf8(&bytes[..cut(bytes)]).is_ok());
            prop_assert!(incomplete_tail(bytes) <= 3);
        }
    }
}
