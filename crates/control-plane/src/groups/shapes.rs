//! What the inputs of operations on groups are made of, in the service's own model.

use crate::validation::{
    Member, Pattern, Shape, is_tag_text, list, matching, one_of, optional, required, whole,
};

fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

fn is_name(text: &str) -> bool {
    let within = |text: &str, most: usize| (1..=most).contains(&text.len()) && is_plain(text);
    match text.split_once('/') {
        None => within(text, 300),
        Some((name, id)) => {
            within(name, 150)
                && id.len() == 26
                && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        }
    }
}

fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, rest] = parts.as_slice() else {
        return false;
    };
    *arn == "arn"
        && partition.starts_with("aws")
        && *service == "resource-groups"
        && region.contains('-')
        && account.len() == 12
        && rest.strip_prefix("group/").is_some_and(is_name)
}

pub(crate) fn is_free(text: &str) -> bool {
    is_tag_text(text)
}

pub(crate) const NEW_NAME: Shape = matching(
    1,
    300,
    Pattern {
        text: "[a-zA-Z0-9_\\.-]+",
        holds: |text| !text.is_empty() && is_plain(text),
    },
);
pub(crate) const GROUP_NAME: Member = optional(
    "GroupName",
    matching(
        1,
        300,
        Pattern {
            text: "[a-zA-Z0-9_\\.-]{1,300}|[a-zA-Z0-9_\\.-]{1,150}/[a-z0-9]{26}",
            holds: is_name,
        },
    ),
);
pub(crate) const GROUP: Member = optional(
    "Group",
    matching(
        1,
        1600,
        Pattern {
            text: "[a-zA-Z0-9_\\.-]{1,300}|[a-zA-Z0-9_\\.-]{1,150}/[a-z0-9]{26}|arn:aws(-[a-z]+)*:resource-groups:\
                   [a-z]{2}(-[a-z]+)+-\\d{1}:[0-9]{12}:group/([a-zA-Z0-9_\\.-]{1,300}|[a-zA-Z0-9_\\.-]{1,150}/[a-z0-9]{26})",
            holds: |text| is_name(text) || is_arn(text),
        },
    ),
);
pub(crate) const ARN: Member = required(
    "Arn",
    matching(
        12,
        1600,
        Pattern {
            text: "arn:aws(-[a-z]+)*:resource-groups:[a-z]{2}(-[a-z]+)+-\\d{1}:[0-9]{12}:group/\
                   ([a-zA-Z0-9_\\.-]{1,300}|[a-zA-Z0-9_\\.-]{1,150}/[a-z0-9]{26})",
            holds: is_arn,
        },
    ),
);
pub(crate) const DESCRIPTION: Member = optional(
    "Description",
    matching(
        0,
        1024,
        Pattern {
            text: "[\\sa-zA-Z0-9_\\.-]*",
            holds: |text| {
                text.chars()
                    .all(|c| c.is_whitespace() || c.is_ascii_alphanumeric() || "_.-".contains(c))
            },
        },
    ),
);
const FREE: Shape = matching(
    0,
    300,
    Pattern {
        text: "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$",
        holds: is_free,
    },
);
pub(crate) const OWNER: Member = optional("Owner", FREE);
pub(crate) const DISPLAY_NAME: Member = optional("DisplayName", FREE);
pub(crate) const CRITICALITY: Member = optional("Criticality", whole(1, 10));
pub(crate) const RESOURCE_QUERY: Shape = Shape::Record(&[
    required(
        "Type",
        Shape::Text {
            min: 1,
            max: 128,
            pattern: Some(Pattern {
                text: "^\\w+$",
                holds: |text| {
                    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                },
            }),
            one_of: &["TAG_FILTERS_1_0", "CLOUDFORMATION_STACK_1_0"],
        },
    ),
    required(
        "Query",
        matching(
            0,
            4096,
            Pattern {
                text: "[\\s\\S]*",
                holds: |_| true,
            },
        ),
    ),
]);
const TAG_VALUE: Shape = matching(
    0,
    256,
    Pattern {
        text: "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$",
        holds: is_free,
    },
);
pub(crate) const TAGS: Shape = Shape::Map(&TAG_VALUE);
pub(crate) const CONFIGURATION: Member = optional(
    "Configuration",
    list(
        0,
        2,
        &Shape::Record(&[
            required(
                "Type",
                matching(
                    0,
                    40,
                    Pattern {
                        text: "AWS::[a-zA-Z0-9]+::[a-zA-Z0-9]+",
                        holds: |text| text.starts_with("AWS::"),
                    },
                ),
            ),
            optional(
                "Parameters",
                list(
                    0,
                    usize::MAX,
                    &Shape::Record(&[
                        required(
                            "Name",
                            matching(
                                1,
                                80,
                                Pattern {
                                    text: "[a-z-]+",
                                    holds: |text| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                                },
                            ),
                        ),
                        optional("Values", list(0, usize::MAX, &PARAMETER_VALUE)),
                    ]),
                ),
            ),
        ]),
    ),
);
const PARAMETER_VALUE: Shape = matching(
    1,
    256,
    Pattern {
        text: "[a-zA-Z0-9:\\/\\._-]+",
        holds: |text| {
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b":/._-".contains(&b))
        },
    },
);
pub(crate) const MAX_RESULTS: Member = optional("MaxResults", whole(1, 50));
pub(crate) const NEXT_TOKEN: Member = optional(
    "NextToken",
    matching(
        0,
        8192,
        Pattern {
            text: "^[a-zA-Z0-9+/]*={0,2}$",
            holds: |text| {
                let bare = text.trim_end_matches('=');
                text.len() - bare.len() <= 2
                    && bare
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
            },
        },
    ),
);
const TYPE_VALUE: Shape = matching(
    1,
    128,
    Pattern {
        text: "AWS::[a-zA-Z0-9]+::[a-zA-Z0-9]+",
        holds: |text| {
            let mut parts = text.split("::");
            let is_word = |part: Option<&str>| {
                part.is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
            };
            parts.next() == Some("AWS")
                && is_word(parts.next())
                && is_word(parts.next())
                && parts.next().is_none()
        },
    },
);
const GROUP_VALUE: Shape = matching(
    1,
    300,
    Pattern {
        text: "AWS::(AllSupported|[a-zA-Z0-9]+::[a-zA-Z0-9]+)|[\\s\\p{L}0-9_\\.-]*",
        holds: |text| {
            text.starts_with("AWS::")
                || text
                    .chars()
                    .all(|c| c.is_alphanumeric() || c.is_whitespace() || "_.-".contains(c))
        },
    },
);

/// Filters of lists, by the names that the model has for them.
pub(crate) const RESOURCE_FILTERS: Member = optional(
    "Filters",
    list(
        0,
        usize::MAX,
        &Shape::Record(&[
            required("Name", one_of(&["resource-type"])),
            required("Values", list(1, 5, &TYPE_VALUE)),
        ]),
    ),
);
pub(crate) const GROUP_FILTERS: Member = optional(
    "Filters",
    list(
        0,
        usize::MAX,
        &Shape::Record(&[
            required(
                "Name",
                one_of(&[
                    "resource-type",
                    "configuration-type",
                    "owner",
                    "display-name",
                    "criticality",
                ]),
            ),
            required("Values", list(1, 5, &GROUP_VALUE)),
        ]),
    ),
);

/// Page tokens of this service hold what Base64 does; those of the control plane are made for addresses.
pub(crate) fn outward(token: Option<String>) -> Option<String> {
    token.map(|token| token.replace('-', "+").replace('_', "/"))
}

/// The other way.
pub(crate) fn inward(token: Option<String>) -> Option<String> {
    token.map(|token| token.trim_end_matches('=').replace('+', "-").replace('/', "_"))
}
