//! A runbook's JSON laid out in lines, so that people can read it and versions can be held against each other. The order
//! of its members stays the author's, which a JSON library would not keep.

/// `json` in lines; anything that is no JSON stays as it is.
#[must_use]
pub fn in_lines(json: &str) -> String {
    if serde_json::from_str::<serde::de::IgnoredAny>(json).is_err() {
        return json.to_owned();
    }
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut chars = json.chars().filter(|c| !c.is_control()).peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                out.push(c);
                let mut is_escaped = false;
                for inner in chars.by_ref() {
                    out.push(inner);
                    if inner == '"' && !is_escaped {
                        break;
                    }
                    is_escaped = inner == '\\' && !is_escaped;
                }
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|next| next.is_whitespace()).is_some() {}
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::in_lines;

    #[test]
    fn members_keep_their_order_and_texts_stay_as_they_are() {
        let text = r#"{"b": 1,"a":[{"x":"a, b: {\"q\\"}, {}],"n":[ ] }"#;
        let lines = in_lines(text);
        assert_eq!(
            lines,
            "{\n  \"b\": 1,\n  \"a\": [\n    {\n      \"x\": \"a, b: {\\\"q\\\\\"\n    },\n    {}\n  ],\n  \"n\": []\n}"
        );
        assert_eq!(in_lines(&lines), lines, "once is enough");
        let same = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(same(&lines), same(text));
        assert_eq!(in_lines("schemaVersion: '0.3'"), "schemaVersion: '0.3'");
    }
}
