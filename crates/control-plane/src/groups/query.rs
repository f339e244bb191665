//! The query that a group is: types of resources, and tags that all have to be there.

use super::bad;
use crate::errors::ApiResult;
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
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagFilter {
    key: String,
    #[serde(default)]
    values: Vec<String>,
}

/// What a query says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
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

/// The type as which nodes are listed, where these types hold nodes at all.
pub(crate) fn listed_as(types: &[String]) -> Option<&'static str> {
    let has = |name: &str| types.iter().any(|kind| kind == name);
    if types.is_empty() || has(ALL) || has(NODE_TYPE) {
        Some(NODE_TYPE)
    } else if has(INSTANCE_TYPE) {
        Some(INSTANCE_TYPE)
    } else {
        None
    }
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
        if query.tag_filters.len() > MOST_FILTERS
            || query
                .tag_filters
                .iter()
                .any(|tag| tag.key.is_empty() || tag.values.len() > 20)
        {
            return Err(bad(format!(
                "Query not valid: TagFilters has at most {MOST_FILTERS} entries, each with a Key and at most 20 Values."
            )));
        }
        Ok(query)
    }
}

impl TagQuery {
    /// The type as which its nodes are listed.
    pub(crate) fn listed_as(&self) -> Option<&'static str> {
        listed_as(&self.resource_type_filters)
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
        let query = read(r#"{"ResourceTypeFilters":["AWS::EC2::Instance"]}"#).unwrap();
        assert_eq!(query.listed_as(), Some(INSTANCE_TYPE));
        for text in [
            "",
            "{}",
            "[]",
            r#"{"ResourceTypeFilters":[]}"#,
            r#"{"ResourceTypeFilters":["AWS::AllSupported"],"TagFilters":[{"Key":""}]}"#,
            r#"{"ResourceTypeFilters":["AWS::AllSupported"],"TagFilters":[{"Values":["x"]}]}"#,
        ] {
            assert_eq!(read(text).unwrap_err().code, "BadRequestException", "{text}");
        }
    }
}
