//! Filters of compliance lists: conditions on resources as a whole.

use crate::errors::{ApiError, ApiResult};
use crate::validation::{ANY_TEXT, Member, Shape, list, one_of, optional, text};
use muster_store::Sql;
use serde::Deserialize;

pub(crate) const FILTERS: Member = optional(
    "Filters",
    list(
        0,
        usize::MAX,
        &Shape::Record(&[
            optional("Key", text(1, 200)),
            optional("Values", list(1, 20, &ANY_TEXT)),
            optional(
                "Type",
                one_of(&["EQUAL", "NOT_EQUAL", "BEGIN_WITH", "LESS_THAN", "GREATER_THAN"]),
            ),
        ]),
    ),
);

/// One of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Filter {
    key: Option<String>,
    values: Option<Vec<String>>,
    #[serde(rename = "Type")]
    kind: Option<String>,
}

impl Filter {
    /// Whether a text fits, for what is not in the database.
    pub(crate) fn holds(&self, value: &str) -> bool {
        let values = self.values.as_deref().unwrap_or_default();
        match self.kind.as_deref() {
            Some("NOT_EQUAL") => values.iter().all(|wanted| wanted != value),
            Some("BEGIN_WITH") => values.iter().any(|wanted| value.starts_with(wanted.as_str())),
            Some("LESS_THAN") => values.iter().any(|wanted| value < wanted.as_str()),
            Some("GREATER_THAN") => values.iter().any(|wanted| value > wanted.as_str()),
            _ => values.iter().any(|wanted| wanted == value),
        }
    }

    pub(crate) fn key(&self) -> &str {
        self.key.as_deref().unwrap_or_default()
    }
}

/// Adds the conditions on resources (`r`); gives those that speak of items.
pub(crate) fn add(sql: &mut Sql, filters: &[Filter], of_items: &[&str]) -> ApiResult<Vec<Filter>> {
    const COLUMNS: [(&str, &str); 6] = [
        ("ComplianceType", " and r.compliance_type"),
        ("Status", " and r.status"),
        ("OverallSeverity", " and r.severity"),
        ("ResourceType", " and r.resource_type"),
        ("ResourceId", " and r.resource_id"),
        ("ExecutionId", " and r.execution_id"),
    ];
    let mut left = Vec::new();
    for filter in filters {
        let values = filter.values.as_deref().unwrap_or_default();
        if of_items.contains(&filter.key()) {
            left.push(filter.clone());
            continue;
        }
        let column = COLUMNS.iter().find(|(key, _)| *key == filter.key());
        let Some((_, column)) = column else {
            let known: Vec<&str> = COLUMNS
                .iter()
                .map(|(key, _)| *key)
                .chain(of_items.iter().copied())
                .collect();
            return Err(ApiError::new(
                "InvalidFilter",
                format!(
                    "The filter key {} is not one of {}.",
                    filter.key(),
                    known.join(", ")
                ),
            ));
        };
        if values.is_empty() {
            return Err(ApiError::new(
                "InvalidFilter",
                format!("The filter {} has no values.", filter.key()),
            ));
        }
        match filter.kind.as_deref() {
            None | Some("EQUAL") => sql.push(column).push(" in (").texts(values).push(")"),
            Some("NOT_EQUAL") => sql.push(column).push(" not in (").texts(values).push(")"),
            _ => {
                return Err(ApiError::new(
                    "InvalidFilter",
                    format!("The filter {} knows the types EQUAL and NOT_EQUAL.", filter.key()),
                ));
            }
        };
    }
    Ok(left)
}
