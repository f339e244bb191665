//! Values of EC2's filters: `*` stands for any characters and `?` for one.

use muster_store::{Dialect, Sql};

/// What a filter's value says: `*` stands for any characters and `?` for one, as everywhere in EC2's filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Any,
    One,
    Just(char),
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '*' => Part::Any,
            '?' => Part::One,
            '\\' => Part::Just(chars.next().unwrap_or('\\')),
            c => Part::Just(c),
        });
    }
    parts
}

/// The same as a pattern of each engine. SQLite's `like` takes no notice of case, so it gets its own `glob`.
fn pattern(parts: &[Part], dialect: Dialect) -> String {
    let mut pattern = String::new();
    for part in parts {
        match (part, dialect) {
            (Part::Any, Dialect::Sqlite) => pattern.push('*'),
            (Part::One, Dialect::Sqlite) => pattern.push('?'),
            (Part::Any, Dialect::Postgres) => pattern.push('%'),
            (Part::One, Dialect::Postgres) => pattern.push('_'),
            (Part::Just(c @ ('*' | '?' | '[')), Dialect::Sqlite) => pattern.extend(['[', *c, ']']),
            (Part::Just(c @ ('%' | '_' | '\\')), Dialect::Postgres) => pattern.extend(['\\', *c]),
            (Part::Just(c), _) => pattern.push(*c),
        }
    }
    pattern
}

/// Adds `(column fits one value or column fits another …)`.
pub(crate) fn any_of(sql: &mut Sql, dialect: Dialect, column: &'static str, values: &[String]) {
    for (at, value) in values.iter().enumerate() {
        let parts = parts(value);
        sql.push(if at == 0 { "(" } else { " or " }).push(column);
        if parts.iter().all(|part| matches!(part, Part::Just(_))) {
            let text: String = parts
                .iter()
                .filter_map(|part| match part {
                    Part::Just(c) => Some(*c),
                    _ => None,
                })
                .collect();
            sql.push(" = ").text(text);
        } else {
            match dialect {
                Dialect::Sqlite => sql.push(" glob ").text(pattern(&parts, dialect)),
                Dialect::Postgres => sql
                    .push(" like ")
                    .text(pattern(&parts, dialect))
                    .push(" escape '\\'"),
            };
        }
    }
    sql.push(")");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_ec2s() {
        for (text, sqlite, postgres) in [
            ("web*", "web*", "web%"),
            ("a?c", "a?c", "a_c"),
            ("100%_", "100%_", "100\\%\\_"),
            ("a\\*[b", "a[*][[]b", "a*[b"),
        ] {
            let parts = parts(text);
            assert_eq!(pattern(&parts, Dialect::Sqlite), sqlite, "{text}");
            assert_eq!(pattern(&parts, Dialect::Postgres), postgres, "{text}");
        }
    }
}
