//! Filters of lists of windows and of what belongs to them: a key, and values of which one has to fit.

use crate::errors::{ApiError, ApiResult};
use crate::validation::{Member, Shape, list, optional, text};
use serde::{Deserialize, Serialize};

pub(crate) const FILTERS: Member = optional(
    "Filters",
    list(
        0,
        5,
        &Shape::Record(&[
            optional("Key", text(1, 128)),
            optional("Values", list(0, usize::MAX, &text(1, 256))),
        ]),
    ),
);

/// One of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Filter {
    pub(crate) key: Option<String>,
    pub(crate) values: Option<Vec<String>>,
}

/// What a list may be asked for.
#[derive(Debug)]
pub(crate) struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    /// Those whose keys are known.
    pub(crate) fn read(given: Option<Vec<Filter>>, known: &[&str]) -> ApiResult<Self> {
        let mut all = Vec::new();
        for filter in given.unwrap_or_default() {
            let key = filter.key.unwrap_or_default();
            if !known.contains(&key.as_str()) {
                return Err(ApiError::validation(format!(
                    "The following filter key is not valid: {key}. Valid filter keys include: [{}].",
                    known.join(", ")
                )));
            }
            let values = filter.values.unwrap_or_default();
            if values.is_empty() {
                return Err(ApiError::validation(format!("The filter {key} has no values.")));
            }
            all.push((key, values));
        }
        Ok(Self(all))
    }

    /// Whether something fits, of which `value` tells what stands under a key.
    pub(crate) fn fit<'a>(&self, value: impl Fn(&str) -> &'a str) -> bool {
        self.0
            .iter()
            .all(|(key, values)| values.iter().any(|wanted| wanted == value(key)))
    }

    /// All of them, key by key.
    pub(crate) fn all(&self) -> &[(String, Vec<String>)] {
        &self.0
    }
}
