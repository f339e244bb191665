//! Filters of lists of parameters. Which keys an operation knows is said by the operation.

use super::SECURE;
use super::name;
use super::queries::{ParameterRow, Range};
use crate::errors::{ApiError, ApiResult};
use crate::validation::{Member, Pattern, Shape, list, matching, optional, required, text};
use serde::Deserialize;

const VALUE: Shape = text(1, 1024);
const KEY: Pattern = Pattern {
    text: "^(tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType)$",
    holds: |text| {
        text.strip_prefix("tag:").map_or_else(
            || {
                matches!(
                    text,
                    "Name" | "Type" | "KeyId" | "Path" | "Label" | "Tier" | "DataType"
                )
            },
            |key| !key.is_empty(),
        )
    },
};
/// The member of both operations that filter.
pub(crate) const FILTERS: Member = optional(
    "ParameterFilters",
    list(
        0,
        usize::MAX,
        &Shape::Record(&[
            required("Key", matching(1, 132, KEY)),
            optional("Option", text(1, 10)),
            optional("Values", list(1, 50, &VALUE)),
        ]),
    ),
);

/// A filter as it is sent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FilterInput {
    pub(crate) key: String,
    pub(crate) option: Option<String>,
    #[serde(default)]
    pub(crate) values: Vec<String>,
}

/// How a filter's values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Equals,
    BeginsWith,
    Contains,
    /// Directly under a path.
    OneLevel,
    /// At any depth under it.
    Recursive,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) key: String,
    compare: Compare,
    pub(super) values: Vec<String>,
}

/// All filters of a request; every one has to hold, of its values one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Question(pub(super) Vec<Condition>);

fn options(key: &str) -> &'static [(&'static str, Compare)] {
    const EQUALS: (&str, Compare) = ("Equals", Compare::Equals);
    const BEGINS: (&str, Compare) = ("BeginsWith", Compare::BeginsWith);
    match key {
        "Path" => &[("OneLevel", Compare::OneLevel), ("Recursive", Compare::Recursive)],
        "Name" => &[EQUALS, BEGINS, ("Contains", Compare::Contains)],
        "Label" | "Tier" | "DataType" => &[EQUALS],
        key if key.starts_with("tag:") => &[EQUALS],
        _ => &[EQUALS, BEGINS],
    }
}

/// Values that a key knows; none where any value is one.
fn known(key: &str) -> &'static [&'static str] {
    match key {
        "Type" => &["String", "StringList", SECURE],
        "Tier" => &["Standard", "Advanced", "Intelligent-Tiering"],
        _ => &[],
    }
}

/// Checks the filters of an operation that knows those keys; `tag:` stands for every tag.
pub(crate) fn read(filters: Vec<FilterInput>, keys: &[&str]) -> ApiResult<Question> {
    let mut question = Question::default();
    for filter in filters {
        let FilterInput { key, option, values } = filter;
        let family = if key.starts_with("tag:") {
            "tag:"
        } else {
            key.as_str()
        };
        if !keys.contains(&family) {
            return Err(ApiError::new(
                "InvalidFilterKey",
                format!(
                    "The following filter key is not valid: {key}. Valid filter keys include: [{}].",
                    keys.join(", ")
                ),
            ));
        }
        if question.0.iter().any(|condition| condition.key == key) {
            return Err(ApiError::new(
                "InvalidFilterKey",
                format!(
                    "The following filter is duplicated in the request: {key}. A request can contain only one occurrence \
                     of a specific filter."
                ),
            ));
        }
        let options = options(&key);
        let compare = match &option {
            None => options.first(),
            Some(option) => options.iter().find(|(name, _)| name == option),
        };
        let Some((_, compare)) = compare else {
            let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
            return Err(ApiError::new(
                "InvalidFilterOption",
                format!(
                    "The following filter option is not valid: {}. Valid options include: [{}].",
                    option.unwrap_or_default(),
                    names.join(", ")
                ),
            ));
        };
        if values.is_empty() && family != "tag:" {
            return Err(ApiError::new(
                "InvalidFilterValue",
                format!("The following filter values are missing : null for filter key {key}."),
            ));
        }
        question.0.push(Condition {
            values: checked(&key, values)?,
            compare: *compare,
            key,
        });
    }
    Ok(question)
}

fn checked(key: &str, values: Vec<String>) -> ApiResult<Vec<String>> {
    let known = known(key);
    if let Some(bad) = values
        .iter()
        .find(|value| !known.is_empty() && !known.contains(&value.as_str()))
    {
        return Err(ApiError::new(
            "InvalidFilterValue",
            format!(
                "The following filter value is not valid: {bad}. Valid values include: [{}].",
                known.join(", ")
            ),
        ));
    }
    match key {
        "Path" => values.iter().map(|value| name::path(value)).collect(),
        _ => Ok(values),
    }
}

fn bare(name: &str) -> &str {
    name.strip_prefix('/').unwrap_or(name)
}

/// What is known of a parameter beside its row.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) tags: Vec<(String, String)>,
}

impl Condition {
    fn compares(&self, actual: &str) -> bool {
        self.values.iter().any(|value| match self.compare {
            Compare::Equals => actual == value,
            Compare::BeginsWith => actual.starts_with(value.as_str()),
            Compare::Contains => actual.contains(value.as_str()),
            Compare::OneLevel | Compare::Recursive => false,
        })
    }

    pub(super) fn holds(&self, row: &ParameterRow, beside: &Beside) -> bool {
        match self.key.as_str() {
            "Name" if self.compare == Compare::Equals => {
                self.values.iter().any(|value| bare(value) == row.key)
            }
            // A parameter is found under both of its spellings.
            "Name" => self.compares(&row.key) || self.compares(&format!("/{}", row.key)),
            "Path" => self.values.iter().any(|path| {
                let parent = row.key.rsplit_once('/').map_or("", |(parent, _)| parent);
                let under = parent
                    .strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.is_empty() || path.is_empty() || rest.starts_with('/'));
                under && (self.compare == Compare::Recursive || parent == path)
            }),
            "Type" => self.compares(&row.kind),
            "KeyId" => self.compares(&row.key_id),
            "Tier" => self.compares(&row.tier),
            "DataType" => self.compares(&row.data_type),
            // Of labels, the version that has one is read instead.
            "Label" => true,
            tag => {
                let key = tag.strip_prefix("tag:").unwrap_or(tag);
                let has = |(name, value): &(String, String)| {
                    name == key && (self.values.is_empty() || self.compares(value))
                };
                beside.tags.iter().any(has)
            }
        }
    }
}

impl Question {
    /// What ties a page's token to this question.
    pub(crate) fn scope(&self) -> String {
        format!("{:?}", self.0)
    }

    /// The narrowest range that holds everything that is asked for.
    pub(crate) fn range(&self) -> Range {
        for condition in &self.0 {
            let one = match condition.values.as_slice() {
                [one] => Some(one.as_str()),
                _ => None,
            };
            match (condition.key.as_str(), condition.compare, one) {
                ("Name", Compare::Equals, _) => {
                    return Range::Keys(
                        condition
                            .values
                            .iter()
                            .map(|name| bare(name).to_owned())
                            .collect(),
                    );
                }
                ("Name", Compare::BeginsWith, Some(name))
                    if bare(name).is_ascii() && !bare(name).is_empty() =>
                {
                    return Range::Prefix(bare(name).to_owned());
                }
                ("Path", Compare::OneLevel, Some(path)) => return Range::Parent(path.to_owned()),
                ("Path", Compare::Recursive, Some(path)) if !path.is_empty() => {
                    return Range::Prefix(format!("{path}/"));
                }
                _ => {}
            }
        }
        Range::All
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(key: &str, option: Option<&str>, values: &[&str]) -> FilterInput {
        FilterInput {
            key: key.to_owned(),
            option: option.map(str::to_owned),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }
    }

    const ALL: &[&str] = &["Path", "Name", "Tier", "Type", "KeyId", "DataType", "tag:"];

    #[test]
    fn filters_that_are_none_are_refused_by_name() {
        for (filter, code, says) in [
            (filter("Label", None, &["x"]), "InvalidFilterKey", "[Path, Name"),
            (
                filter("Type", None, &["Text"]),
                "InvalidFilterValue",
                "[String, StringList",
            ),
            (filter("Type", None, &[]), "InvalidFilterValue", "missing : null"),
            (
                filter("Path", Some("Equals"), &["/a"]),
                "InvalidFilterOption",
                "[OneLevel, Recursive]",
            ),
            (
                filter("tag:a", Some("Contains"), &["x"]),
                "InvalidFilterOption",
                "[Equals]",
            ),
            (
                filter("Path", None, &["a"]),
                "ValidationException",
                "forward slash",
            ),
        ] {
            let error = read(vec![filter], ALL).unwrap_err();
            assert_eq!(error.code, code);
            assert!(error.message.as_deref().unwrap().contains(says), "{error:?}");
        }
        let twice = read(
            vec![
                filter("Tier", None, &["Standard"]),
                filter("Tier", None, &["Advanced"]),
            ],
            ALL,
        );
        assert!(twice.unwrap_err().message.unwrap().contains("duplicated"));
        assert!(read(vec![filter("tag:a", None, &[])], ALL).is_ok());
    }

    #[test]
    fn a_list_reads_no_more_than_it_needs() {
        let range = |one: FilterInput| read(vec![one], ALL).unwrap().range();
        assert_eq!(range(filter("Type", None, &["String"])), Range::All);
        assert_eq!(
            range(filter("Name", None, &["/a", "b"])),
            Range::Keys(vec!["a".into(), "b".into()])
        );
        assert_eq!(
            range(filter("Name", Some("BeginsWith"), &["/a/b"])),
            Range::Prefix("a/b".into())
        );
        assert_eq!(range(filter("Name", Some("BeginsWith"), &["/"])), Range::All);
        assert_eq!(range(filter("Path", None, &["/"])), Range::Parent(String::new()));
        assert_eq!(
            range(filter("Path", Some("Recursive"), &["/a/"])),
            Range::Prefix("a/".into())
        );
        assert_eq!(
            range(filter("Path", Some("Recursive"), &["/a", "/b"])),
            Range::All
        );
    }
}
