//! Reading and writing the query part of addresses. The address is the single source of truth
//! for filters, order, columns and pages, so one reader serves the server and the browser.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use muster_domain::error::FieldError;

/// The decoded pairs of a query, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=1&b=2`, with or without a leading `?`. Broken escapes are taken literally.
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.strip_prefix('?').unwrap_or(text);
        Self(
            text.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// Whether an address with these pairs says literally the same.
    pub(crate) fn is_said_by(&self, address: &str) -> bool {
        *self == Self::parse(address.split_once('?').map_or("", |(_, query)| query))
    }

    /// All pairs, in order.
    #[cfg(feature = "ssr")]
    pub(crate) fn into_pairs(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter()
    }

    /// The last value of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The last value of that name, unless it is missing or blank.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name)
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .map(ToOwned::to_owned)
    }

    /// The pairs whose name begins so, in order.
    pub(crate) fn beginning<'a>(&'a self, with: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .iter()
            .filter(move |(key, _)| key.starts_with(with))
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// All values of that name, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The query of the page on show.
pub(crate) fn use_query() -> Memo<Query> {
    let search = use_location().search;
    Memo::new(move |_| search.with(|search| Query::parse(search)))
}

/// What was read, or the usual; what could not be read is added to `problems`.
pub(crate) fn keep<T: Default>(read: Result<T, FieldError>, problems: &mut Vec<FieldError>) -> T {
    read.unwrap_or_else(|problem| {
        problems.push(problem);
        T::default()
    })
}

/// What is wrong with `field`, for the field of a filter's form.
pub(crate) fn problem_of(problems: &[FieldError], field: &str) -> Signal<Option<String>> {
    let found = problems
        .iter()
        .find(|problem| problem.field == field)
        .map(|problem| problem.message.clone());
    Signal::derive(move || found.clone())
}

/// `path?a=1&b=2` from the pairs whose value is not empty.
pub(crate) fn address<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut out = path.to_owned();
    let mut glue = '?';
    for (name, value) in pairs {
        if !value.is_empty() {
            out.push(glue);
            glue = '&';
            out.push_str(name);
            out.push('=');
            out.push_str(&encode(&value));
        }
    }
    out
}

/// Percent-encodes everything that is not plainly harmless in a query; keeps filters readable.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'_'
            | b'.'
            | b'~'
            | b':'
            | b','
            | b'/'
            | b'*'
            | b'!' => out.push(char::from(byte)),
            _ => {
                out.push('%');
                for digit in [byte >> 4, byte & 15] {
                    out.extend(char::from_digit(u32::from(digit), 16).map(|c| c.to_ascii_uppercase()));
                }
            }
        }
    }
    out
}

fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let escaped = (byte == b'%')
            .then(|| {
                let mut ahead = bytes.clone();
                let high = char::from(ahead.next()?).to_digit(16)?;
                let low = char::from(ahead.next()?).to_digit(16)?;
                bytes = ahead;
                u8::try_from(high * 16 + low).ok()
            })
            .flatten();
        out.push(escaped.unwrap_or(if byte == b'+' { b' ' } else { byte }));
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_and_written_without_loss() {
        let value = "tag:Note=50% & “more”;name~a+b,c";
        let text = address("/fleet", [("filter", value.to_owned()), ("sort", String::new())]);
        assert!(text.starts_with("/fleet?filter=tag:Note%3D50%25"));
        let query = Query::parse(text.split_once('?').unwrap().1);
        assert_eq!(query.get("filter"), Some(value));
        assert_eq!(query.get("sort"), None);
    }

    #[test]
    fn plus_is_a_space_and_broken_escapes_stay() {
        let query = Query::parse("?a=x+y&b=100%&a=second&c");
        assert_eq!(query.get("a"), Some("second"));
        assert_eq!(query.all("a").collect::<Vec<_>>(), ["x y", "second"]);
        assert_eq!(query.get("b"), Some("100%"));
        assert_eq!(query.text("c"), None);
    }
}
