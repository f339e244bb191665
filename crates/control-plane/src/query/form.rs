//! The Query protocol's requests: a form whose names are paths, as `Filter.1.Value.2=web`, read into the same JSON that
//! other protocols send, by the shape of the operation's input. Pure.

use crate::errors::ApiResult;
use crate::validation::{Member, Shape, serialization};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Parts of a path at most; no input is that deep.
const MAX_DEPTH: usize = 16;

/// Values of a form at most, and names with all parts of theirs: a form that anybody may send takes little memory.
const MAX_PAIRS: usize = 4_096;
const MAX_PARTS: usize = 16_384;

/// A form as a tree.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    text: Option<String>,
    below: BTreeMap<String, Tree>,
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// `a%20b+c` is `a b c`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next()?)? * 16 + hex(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

impl Tree {
    /// Reads a form.
    pub(crate) fn read(body: &[u8]) -> ApiResult<Self> {
        let bad = || serialization("The body is not a form of the kind application/x-www-form-urlencoded.");
        let text = std::str::from_utf8(body).map_err(|_| bad())?;
        let mut tree = Self::default();
        let (mut pairs, mut parts) = (0, 0);
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name).ok_or_else(bad)?, decoded(value).ok_or_else(bad)?);
            let depth = name.split('.').count();
            (pairs, parts) = (pairs + 1, parts + depth);
            if depth > MAX_DEPTH || parts > MAX_PARTS || pairs > MAX_PAIRS {
                return Err(serialization(
                    "The form has too many names, or one of too many parts.",
                ));
            }
            let mut at = &mut tree;
            for part in name.split('.') {
                at = at.below.entry(part.to_owned()).or_default();
            }
            at.text = Some(value);
        }
        Ok(tree)
    }

    /// What a form asks for, without reading all of it.
    pub(crate) fn action(body: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(body).ok()?;
        text.split('&')
            .find_map(|pair| decoded(pair.strip_prefix("Action=")?))
    }

    /// The text of a member at the top.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.below.get(name)?.text.as_deref()
    }

    /// As the JSON of a record of these members; what no member has is left out.
    pub(crate) fn record(&self, members: &[Member]) -> Value {
        let mut all = Map::new();
        for member in members {
            let found = self
                .below
                .get(member.name)
                .or_else(|| self.below.get(short(member.name)));
            if let Some(found) = found {
                all.insert(member.name.to_owned(), found.value(&member.shape));
            }
        }
        Value::Object(all)
    }

    /// What stands in `entry.1.key` and `entry.1.value`; some maps call them `Name` and `Value`.
    fn entries(&self, of: &Shape) -> Map<String, Value> {
        let entry = |entry: &Self| {
            let part = |names: [&str; 2]| names.into_iter().find_map(|name| entry.below.get(name));
            let key = part(["key", "Name"])?.text.clone()?;
            Some((key, part(["value", "Value"])?.value(of)))
        };
        let entries = self.below.get("entry").unwrap_or(self);
        entries.below.values().filter_map(entry).collect()
    }

    fn value(&self, shape: &Shape) -> Value {
        let text = self.text.clone().unwrap_or_default();
        match shape {
            Shape::Record(members) => self.record(members),
            Shape::List { of, .. } => {
                // Some services put a level between a list and its items.
                let items = self.below.get("member").unwrap_or(self);
                let mut numbered: Vec<(u64, &Self)> = items
                    .below
                    .iter()
                    .filter_map(|(number, item)| Some((number.parse().ok()?, item)))
                    .collect();
                numbered.sort_by_key(|(number, _)| *number);
                Value::Array(numbered.into_iter().map(|(_, item)| item.value(of)).collect())
            }
            Shape::Whole { .. } | Shape::Long => text.parse::<i64>().map_or(Value::String(text), Value::from),
            Shape::Number => text.parse::<f64>().map_or(Value::String(text), Value::from),
            Shape::Flag => match text.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => Value::String(text),
            },
            Shape::Text { .. } | Shape::Blob { .. } => Value::String(text),
            Shape::Map(of) => Value::Object(self.entries(of)),
        }
    }
}

/// What EC2 calls lists in requests: without the plural.
fn short(name: &str) -> &str {
    match name {
        "Resources" => "ResourceId",
        other => other.strip_suffix('s').unwrap_or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validation::{ANY_TEXT, list, optional, whole};
    use proptest::prelude::*;
    use serde_json::json;

    const INPUT: &[Member] = &[
        optional(
            "Filters",
            list(
                0,
                5,
                &Shape::Record(&[
                    optional("Name", ANY_TEXT),
                    optional("Values", list(0, 5, &ANY_TEXT)),
                ]),
            ),
        ),
        optional("InstanceIds", list(0, 5, &ANY_TEXT)),
        optional("MaxResults", whole(1, 5)),
        optional("DryRun", Shape::Flag),
        optional("Attributes", Shape::Map(&ANY_TEXT)),
    ];

    fn read(body: &str) -> Value {
        Tree::read(body.as_bytes()).unwrap().record(INPUT)
    }

    #[test]
    fn paths_become_lists_and_records() {
        assert_eq!(
            read(
                "Action=X&Filter.1.Name=tag%3AEnv&Filter.1.Value.2=b+c&Filter.1.Value.1=a&InstanceId.10=j&InstanceId.9=i\
                 &MaxResults=7&DryRun=false&Other.1=x"
            ),
            json!({"Filters": [{"Name": "tag:Env", "Values": ["a", "b c"]}], "InstanceIds": ["i", "j"],
                "MaxResults": 7, "DryRun": false})
        );
        assert_eq!(read("InstanceIds.member.1=i"), json!({"InstanceIds": ["i"]}));
        assert_eq!(
            read(
                "Attributes.entry.1.key=a&Attributes.entry.1.value=b&Attributes.entry.2.Name=c&Attributes.entry.2.Value=\
                 &Attributes.entry.3.key=alone"
            ),
            json!({"Attributes": {"a": "b", "c": ""}})
        );
        assert_eq!(
            Tree::action(b"Version=1&Action=Get%43aller&x").as_deref(),
            Some("GetCaller")
        );
        assert_eq!(Tree::action(b"NoAction=x"), None);
        assert_eq!(read("MaxResults=many"), json!({"MaxResults": "many"}));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        let many = "a=b&".repeat(5_000);
        let deep: String = (0..2_000)
            .map(|at| format!("a{at}{}=x&", ".".repeat(12)))
            .collect();
        for bad in [
            "%",
            "a=%zz",
            "a=%ff",
            &format!("{}=x", "a.".repeat(40)),
            &many,
            &deep,
        ] {
            assert!(
                Tree::read(bad.as_bytes()).is_err(),
                "{}",
                bad.get(..40).unwrap_or(bad)
            );
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(tree) = Tree::read(&body) {
                let _ = tree.record(INPUT);
            }
        }
    }
}
