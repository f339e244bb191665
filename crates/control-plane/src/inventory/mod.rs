//! Inventory: what nodes have, by type, as they report it themselves or as somebody reports it for them.

pub(crate) mod aggregators;
pub(crate) mod delete_inventory;
pub(crate) mod describe_inventory_deletions;
pub(crate) mod get_inventory;
pub(crate) mod get_inventory_schema;
pub(crate) mod list_inventory_entries;
pub(crate) mod node_data;
pub(crate) mod put_inventory;
pub(crate) mod queries;
pub(crate) mod schemas;

use crate::validation::{Pattern, Shape, matching};

fn is_type_name(text: &str) -> bool {
    ["AWS", "Custom"].iter().any(|start| {
        text.strip_prefix(start)
            .and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|rest| !rest.contains('\n'))
    })
}

fn is_version(text: &str) -> bool {
    let is_number = |part: &str| (1..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    text.split_once('.')
        .is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}

/// `2026-11-26T12:00:00Z`, whole seconds.
fn is_capture_time(text: &str) -> bool {
    text.len() == 20
        && text.bytes().enumerate().all(|(at, b)| match at {
            4 | 7 => b == b'-',
            10 => b == b'T',
            13 | 16 => b == b':',
            19 => b == b'Z',
            _ => b.is_ascii_digit(),
        })
}

const TYPE_NAME_PATTERN: Pattern = Pattern {
    text: "^(AWS|Custom):.*$",
    holds: is_type_name,
};
pub(crate) const TYPE_NAME: Shape = matching(1, 100, TYPE_NAME_PATTERN);
pub(crate) const SCHEMA_VERSION: Shape = matching(
    0,
    usize::MAX,
    Pattern {
        text: "^([0-9]{1,6})(\\.[0-9]{1,6})$",
        holds: is_version,
    },
);
pub(crate) const CAPTURE_TIME: Shape = matching(
    0,
    usize::MAX,
    Pattern {
        text: "^(20)[0-9][0-9]-(0[1-9]|1[012])-([12][0-9]|3[01]|0[1-9])(T)(2[0-3]|[0-1][0-9])(:[0-5][0-9])(:[0-5][0-9])(Z)$",
        holds: |text| is_capture_time(text) && muster_domain::Timestamp::parse(text).is_some(),
    },
);
