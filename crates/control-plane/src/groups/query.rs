//! The query that a group is: types of resources, and tags that all have to be there.

use super::bad;
use crate::errors::ApiResult;
use crate::validation::is_tag_text;
use muster_store::Sql;
use serde::{Deserialize, Serialize};

/// A query as it is sent and answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResourceQuery {
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    /// JSON within JSON.
    pub(crate) query: String,
}

/// A tag: of the values one, or any where none is named.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct TagFilter {
    key: String,
    #[serde(default)]
    values: Vec<String>,
}

/// What a query says.
// A member that is misspelt must not make a group of all nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct TagQuery {
    #[serde(default)]
    resource_type_filters: Vec<String>,
    #[serde(default)]
    tag_filters: Vec<TagFilter>,
}

/// Types that nodes are.
pub(crate) const NODE_TYPE: &str = "AWS::SSM::ManagedInstance";
/// The other one: they are the instances that EC2's calls know.
pub(crate) const INSTANCE_TYPE: &str = "AWS::EC2::Instance";
const ALL: &str = "AWS::AllSupported";
const MOST_FILTERS: usize = 50;

/// Whether these types hold nodes of that type. The service's own examples differ in case.
fn holds(types: &[String], wanted: &str) -> bool {
    types
        .iter()
        .any(|kind| kind.eq_ignore_ascii_case(ALL) || kind.eq_ignore_ascii_case(wanted))
}

/// The type as which nodes are listed, where all of these lists of types hold nodes.
pub(crate) fn listed_as(all: &[&[String]]) -> Option<&'static str> {
    [NODE_TYPE, INSTANCE_TYPE]
        .into_iter()
        .find(|wanted| all.iter().all(|types| holds(types, wanted)))
}

impl ResourceQuery {
    /// Reads it.
    pub(crate) fn read(&self) -> ApiResult<TagQuery> {
        if self.kind != "TAG_FILTERS_1_0" {
            return Err(bad(
                "Query not valid: there are no CloudFormation stacks here; use TAG_FILTERS_1_0.",
            ));
        }
        let query: TagQuery = serde_json::from_str(&self.query).map_err(|error| {
            bad(format!(
                "Query not valid: it has to be JSON like {{\"ResourceTypeFilters\":[\"AWS::AllSupported\"],\
                 \"TagFilters\":[{{\"Key\":\"Stage\",\"Values\":[\"Test\"]}}]}}: {error}"
            ))
        })?;
        if query.resource_type_filters.is_empty() {
            return Err(bad(
                "Query not valid: ResourceTypeFilters has to name at least one type.",
            ));
        }
        let is_key = |key: &str| (1..=128).contains(&key.chars().count()) && is_tag_text(key);
        let is_value = |value: &String| value.chars().count() <= 256 && is_tag_text(value);
        if query.tag_filters.len() > MOST_FILTERS
            || query
                .tag_filters
                .iter()
                .any(|tag| !is_key(&tag.key) || tag.values.len() > 20 || !tag.values.iter().all(is_value))
        {
            return Err(bad(format!(
                "Query not valid: TagFilters has at most {MOST_FILTERS} entries, each with the Key of a tag and at most 20 \
                 Values of one."
            )));
        }
        Ok(query)
    }
}

impl TagQuery {
    /// The type as which its nodes are listed.
    pub(crate) fn listed_as(&self) -> Option<&'static str> {
        listed_as(&[&self.resource_type_filters])
    }

    /// The types that it names.
    pub(crate) fn types(&self) -> &[String] {
        &self.resource_type_filters
    }

    /// Adds the condition that a node, called `n`, is in it.
    pub(crate) fn push(&self, sql: &mut Sql) {
        if self.listed_as().is_none() {
            sql.push("1 = 0");
            return;
        }
        sql.push("1 = 1");
        for tag in &self.tag_filters {
            sql.push(" and exists (select 1 from ssm_tags t where t.resource_type = 'ManagedInstance'");
            sql.push(" and t.resource_id = n.node_id and t.tag_key = ")
                .text(&tag.key);
            if !tag.values.is_empty() {
                sql.push(" and t.tag_value in (").texts(&tag.values).push(")");
            }
            sql.push(")");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ApiResult<TagQuery> {
        ResourceQuery {
            kind: "TAG_FILTERS_1_0".into(),
            query: text.into(),
        }
        .read()
    }

    #[test]
    fn queries_are_read_and_refused() {
        let query =
            read(r#"{"ResourceTypeFilters":["AWS::S3::Bucket"],"TagFilters":[{"Key":"a"}]}"#).unwrap();
        assert_eq!(query.listed_as(), None);
        for types in [
            r#"["AWS::AllSupported"]"#,
            r#"["AWS::X::Y","AWS::SSM::ManagedInstance"]"#,
        ] {
            let query = read(&format!(r#"{{"ResourceTypeFilters":{types}}}"#)).unwrap();
            assert_eq!(query.listed_as(), Some(NODE_TYPE));
        }
        let query = read(r#"{"ResourceTypeFilters":["AWS::EC2::INSTANCE"]}"#).unwrap();
        assert_eq!(query.listed_as(), Some(INSTANCE_TYPE));
        for text in [
            "",
            "{}",
            "[]",
            r#"{"ResourceTypeFilters":[]}"#,
            r#"{"ResourceTypeFilters":["AWS::AllSupported"],"TagFilters":[{"Key":""}]}"#,
            r#"{"ResourceTypeFilters":["AWS::AllSupported"],"TagFilters":[{"Values":["x"]}]}"#,
            r#"{"ResourceTypeFilters":["AWS::AllSupported"],"TagFilter":[{"Key":"a"}]}"#,
            r#"{"ResourceTypeFilters":["AWS::AllSupported"],"TagFilters":[{"Key":"a","Value":["x"]}]}"#,
            r#"{"ResourceTypeFilters":["AWS::AllSupported"],"TagFilters":[{"Key":"a\u0000"}]}"#,
            r#"{"ResourceTypeFilters":["AWS::AllSupported"],"TagFilters":[{"Key":"a","Values":["\u0000"]}]}"#,
        ] {
            assert_eq!(read(text).unwrap_err().code, "BadRequestException", "{text}");
        }
    }
}
