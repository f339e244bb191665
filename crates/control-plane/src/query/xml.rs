//! The Query protocol's answers: JSON written as XML. Pure.

use serde_json::{Map, Value};

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

/// How a service writes what JSON has brackets for.
#[derive(Debug)]
pub(crate) struct Style {
    /// What an item of a list is called.
    pub(crate) item: &'static str,
    /// Members that are maps: each of their entries becomes an element `entry` with `key` and `value`.
    pub(crate) maps: &'static [&'static str],
}

/// Members one after the other; an item of a list becomes an element of its own.
pub(crate) fn write(value: &Value, style: &Style, out: &mut String) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::Object(entries) if style.maps.contains(&name.as_str()) => {
                        map(name, entries, style, out)
                    }
                    value => element(name, value, style, out),
                }
            }
        }
        Value::Array(items) => {
            for value in items {
                element(style.item, value, style, out);
            }
        }
        Value::String(text) => out.push_str(&escaped(text)),
        Value::Null => {}
        other => out.push_str(&other.to_string()),
    }
}

fn element(name: &str, value: &Value, style: &Style, out: &mut String) {
    around(name, out, |out| write(value, style, out));
}

fn map(name: &str, entries: &Map<String, Value>, style: &Style, out: &mut String) {
    around(name, out, |out| {
        for (key, value) in entries {
            around("entry", out, |out| {
                around("key", out, |out| out.push_str(&escaped(key)));
                element("value", value, style, out);
            });
        }
    });
}

fn around(name: &str, out: &mut String, inside: impl FnOnce(&mut String)) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    inside(out);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const STYLE: Style = Style {
        item: "item",
        maps: &["Attributes"],
    };

    #[test]
    fn maps_become_entries() {
        let mut out = String::new();
        write(&json!({"Attributes": {"a": "<"}}), &STYLE, &mut out);
        assert_eq!(
            out,
            "<Attributes><entry><key>a</key><value>&lt;</value></entry></Attributes>"
        );
    }

    #[test]
    fn lists_and_records_become_elements() {
        let mut out = String::new();
        write(
            &json!({"set": [{"id": "a<b"}, {"id": "c"}], "n": 7, "empty": []}),
            &STYLE,
            &mut out,
        );
        assert_eq!(
            out,
            "<empty></empty><n>7</n><set><item><id>a&lt;b</id></item><item><id>c</id></item></set>"
        );
        assert_eq!(escaped("a\u{1}\n"), "a\u{fffd}\n");
    }
}
