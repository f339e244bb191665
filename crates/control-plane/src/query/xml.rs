//! The Query protocol's answers: JSON written as XML. Pure.

use serde_json::Value;

/// Text inside XML; what XML cannot hold is replaced.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' | '\r' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Members one after the other; an item of a list becomes an element `item`.
pub(crate) fn write(value: &Value, item: &str, out: &mut String) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                element(name, value, item, out);
            }
        }
        Value::Array(items) => {
            for value in items {
                element(item, value, item, out);
            }
        }
        Value::String(text) => out.push_str(&escaped(text)),
        Value::Null => {}
        other => out.push_str(&other.to_string()),
    }
}

fn element(name: &str, value: &Value, item: &str, out: &mut String) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    write(value, item, out);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_and_records_become_elements() {
        let mut out = String::new();
        write(
            &json!({"set": [{"id": "a<b"}, {"id": "c"}], "n": 7, "empty": []}),
            "item",
            &mut out,
        );
        assert_eq!(
            out,
            "<empty></empty><n>7</n><set><item><id>a&lt;b</id></item><item><id>c</id></item></set>"
        );
        assert_eq!(escaped("a\u{1}\n"), "a\u{fffd}\n");
    }
}
