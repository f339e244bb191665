//! Long texts in parts. Browsers begin another text node after 65,536 characters of text that the server has sent, sometimes
//! and sometimes not where it is exactly that many; then the page does not find what it expects and stops working.

/// UTF-16 units of a part at most: far below what browsers make two nodes of.
const MOST: usize = 32_768;

/// The text in parts, each of which is one node in every browser.
pub(crate) fn text_parts(text: String) -> Vec<String> {
    if text.len() <= MOST {
        return vec![text];
    }
    let mut parts = Vec::new();
    let (mut part, mut units) = (String::new(), 0);
    for c in text.chars() {
        if units + c.len_utf16() > MOST {
            parts.push(std::mem::take(&mut part));
            units = 0;
        }
        part.push(c);
        units += c.len_utf16();
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_and_no_part_is_long() {
        for text in [
            String::new(),
            "a".repeat(MOST),
            "a".repeat(MOST + 1),
            "é🦀\n".repeat(50_000),
        ] {
            let parts = text_parts(text.clone());
            assert_eq!(parts.concat(), text);
            assert!(parts.iter().all(|part| part.encode_utf16().count() <= MOST));
            assert!(parts.len() == 1 || parts.iter().all(|part| !part.is_empty()));
        }
    }
}
