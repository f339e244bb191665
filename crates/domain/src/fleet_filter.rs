//! The property filter of the Fleet page: text in the URL, tokens in the code.
//!
//! Written form: tokens joined by `;`, each `property operator values`, values joined by `,`
//! (any of them). Examples: `status=Online`, `tag:Environment=Production,Staging`, `name~web`,
//! `tag:Team!=web`, `ping>2d`, and a bare word, which is looked for in name, id and address.
//! `\` before `;`, `,` or `\` takes it literally.

use crate::error::PortalError;
use serde::{Deserialize, Serialize};

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Property {
    /// Name, id or address.
    Text,
    /// Ping status: `Online`, `ConnectionLost`, `Inactive`.
    Status,
    /// The node's name.
    Name,
    /// The node's id.
    Id,
    /// Platform name and version.
    Platform,
    /// Agent version.
    Agent,
    /// Address.
    Address,
    /// Time since the last report.
    LastPing,
    /// The value of a tag.
    Tag(String),
}

impl Property {
    /// The word in a filter.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Status => "status".into(),
            Self::Name => "name".into(),
            Self::Id => "id".into(),
            Self::Platform => "platform".into(),
            Self::Agent => "agent".into(),
            Self::Address => "address".into(),
            Self::LastPing => "ping".into(),
            Self::Tag(key) => format!("tag:{key}"),
        }
    }

    /// As people read it.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Text => "Text".into(),
            Self::Status => "Status".into(),
            Self::Name => "Name".into(),
            Self::Id => "Node id".into(),
            Self::Platform => "Platform".into(),
            Self::Agent => "Agent".into(),
            Self::Address => "Address".into(),
            Self::LastPing => "Last ping".into(),
            Self::Tag(key) => key.clone(),
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "text" => Self::Text,
            "status" => Self::Status,
            "name" => Self::Name,
            "id" => Self::Id,
            "platform" => Self::Platform,
            "agent" => Self::Agent,
            "address" => Self::Address,
            "ping" => Self::LastPing,
            _ => Self::Tag(
                word.strip_prefix("tag:")
                    .filter(|key| !key.is_empty())?
                    .to_owned(),
            ),
        })
    }
}

/// How it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operator {
    /// Is one of.
    Is,
    /// Is none of.
    IsNot,
    /// Contains one of, whatever the case.
    Contains,
    /// Longer ago than (last ping only).
    LongerAgo,
    /// Less long ago than (last ping only).
    LessLongAgo,
}

impl Operator {
    const fn symbol(self) -> &'static str {
        match self {
            Self::Is => "=",
            Self::IsNot => "!=",
            Self::Contains => "~",
            Self::LongerAgo => ">",
            Self::LessLongAgo => "<",
        }
    }

    /// As people read it between property and value.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::IsNot => "is not",
            Self::Contains => "contains",
            Self::LongerAgo => "longer ago than",
            Self::LessLongAgo => "less long ago than",
        }
    }
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Token {
    /// Of what.
    pub property: Property,
    /// How.
    pub operator: Operator,
    /// Any of these.
    pub values: Vec<String>,
}

/// All of its tokens must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FleetFilter {
    /// The conditions.
    pub tokens: Vec<Token>,
}

/// Conditions in one filter at most.
pub const MAX_TOKENS: usize = 20;
/// Values in one condition at most.
pub const MAX_VALUES: usize = 50;

fn split(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let Some(last) = parts.last_mut() else { break };
        if c == '\\' {
            last.push('\\');
            last.extend(chars.next());
        } else if c == at {
            parts.push(String::new());
        } else {
            last.push(c);
        }
    }
    parts
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            out.extend(chars.next())
        } else {
            out.push(c)
        }
    }
    out
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | ';' | ',') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Reads `90s`, `15m`, `2h`, `3d` as milliseconds.
#[must_use]
pub fn parse_age_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit = text.chars().last()?;
    let number: i64 = text.get(..text.len() - unit.len_utf8())?.trim().parse().ok()?;
    let ms = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return None,
    };
    (number > 0).then(|| number.checked_mul(ms)).flatten()
}

impl Token {
    /// Reads one condition.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let found = text.char_indices().find_map(|(at, c)| match c {
            '!' if text[at + 1..].starts_with('=') => Some((at, 2, Operator::IsNot)),
            '=' => Some((at, 1, Operator::Is)),
            '~' => Some((at, 1, Operator::Contains)),
            '>' => Some((at, 1, Operator::LongerAgo)),
            '<' => Some((at, 1, Operator::LessLongAgo)),
            _ => None,
        });
        let Some((at, length, operator)) = found else {
            return Ok(Self {
                property: Property::Text,
                operator: Operator::Contains,
                values: vec![unescape(text)],
            });
        };
        let word = text[..at].trim();
        let property = Property::parse(word).ok_or_else(|| {
            format!(
                "“{word}” is not a property: use status, name, id, platform, agent, address, ping or tag:Key."
            )
        })?;
        let values: Vec<String> = split(&text[at + length..], ',')
            .iter()
            .map(|value| unescape(value.trim()))
            .collect();
        if values.len() > MAX_VALUES {
            return Err(format!("A condition takes at most {MAX_VALUES} values."));
        }
        let needs_value = !matches!(property, Property::Tag(_));
        if needs_value && values.iter().any(String::is_empty) {
            return Err(format!(
                "{} needs a value after {}.",
                property.label(),
                operator.symbol()
            ));
        }
        let by_age = matches!(operator, Operator::LongerAgo | Operator::LessLongAgo);
        if by_age != (property == Property::LastPing) {
            return Err("Only ping is compared by age, as in ping>2d or ping<15m.".into());
        }
        if by_age && (values.len() != 1 || parse_age_ms(&values[0]).is_none()) {
            return Err("Write an age as 90s, 15m, 2h or 3d.".into());
        }
        if property == Property::Status && operator != Operator::Contains {
            for value in &values {
                if !["Online", "ConnectionLost", "Inactive"].contains(&value.as_str()) {
                    return Err(format!(
                        "“{value}” is not a status: use Online, ConnectionLost or Inactive."
                    ));
                }
            }
        }
        Ok(Self {
            property,
            operator,
            values,
        })
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let values: Vec<String> = self.values.iter().map(|value| escape(value)).collect();
        // A bare word stays a bare word, unless it would be read as something else.
        if self.property == Property::Text && !values.iter().any(|v| v.contains(['=', '~', '<', '>'])) {
            return f.write_str(&values.join(","));
        }
        write!(
            f,
            "{}{}{}",
            self.property.word(),
            self.operator.symbol(),
            values.join(",")
        )
    }
}

impl FleetFilter {
    /// Reads the written form; empty text is the filter that everything matches.
    ///
    /// # Errors
    /// [`PortalError::Invalid`] for the field `filter`.
    pub fn parse(text: &str) -> Result<Self, PortalError> {
        let mut tokens = Vec::new();
        for part in split(text, ';') {
            if !part.trim().is_empty() {
                tokens.push(Token::parse(&part).map_err(|m| PortalError::invalid("filter", m))?);
            }
        }
        if tokens.len() > MAX_TOKENS {
            return Err(PortalError::invalid(
                "filter",
                format!("A filter takes at most {MAX_TOKENS} conditions."),
            ));
        }
        Ok(Self { tokens })
    }

    /// Whether everything matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The same as targets of a Systems Manager command, when only tag conditions of the
    /// kind "is" are used (at most 5 keys of 50 values): `tag:Key` with its values.
    #[must_use]
    pub fn as_targets(&self) -> Option<Vec<(String, Vec<String>)>> {
        if self.tokens.is_empty() || self.tokens.len() > 5 {
            return None;
        }
        self.tokens
            .iter()
            .map(|token| match (&token.property, token.operator) {
                (Property::Tag(key), Operator::Is) => Some((format!("tag:{key}"), token.values.clone())),
                _ => None,
            })
            .collect()
    }
}

impl std::fmt::Display for FleetFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = self.tokens.iter().map(ToString::to_string).collect();
        f.write_str(&parts.join(";"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_survives_the_way_through_the_url() {
        for text in [
            "",
            "web",
            "status=Online",
            "tag:Environment=Production,Staging;name~web",
            "ping>2d",
            r"tag:Note=a\,b\;c\\d",
            "tag:Team!=web",
            "tag:Empty=",
        ] {
            let filter = FleetFilter::parse(text).unwrap();
            assert_eq!(filter.to_string(), text);
            assert_eq!(FleetFilter::parse(&filter.to_string()), Ok(filter));
        }
    }

    #[test]
    fn bad_filters_say_what_to_do() {
        for (text, part) in [
            ("colour=red", "not a property"),
            ("ping>soon", "90s"),
            ("name>2d", "Only ping"),
            ("status=Up", "Online"),
            ("name=", "needs a value"),
        ] {
            let error = FleetFilter::parse(text).unwrap_err();
            assert!(error.about("filter").unwrap().contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn only_plain_tag_conditions_become_targets() {
        let targets = FleetFilter::parse("tag:Environment=Production;tag:Role=web,api")
            .unwrap()
            .as_targets();
        assert_eq!(
            targets.unwrap()[1],
            ("tag:Role".into(), vec!["web".into(), "api".into()])
        );
        assert_eq!(
            FleetFilter::parse("tag:Role=web;status=Online")
                .unwrap()
                .as_targets(),
            None
        );
        assert_eq!(FleetFilter::default().as_targets(), None);
    }
}
