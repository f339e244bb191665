//! Lists of parameters: by path, by every filter, page by page, past many that do not match.

use crate::world::World;
use muster_store::Sql;
use muster_store::test_database::on_both;
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl World {
    /// The names on all pages of a list.
    async fn names(&self, operation: &str, input: Value) -> Vec<String> {
        let (mut names, mut input, mut tokens) = (Vec::new(), input, BTreeSet::new());
        loop {
            let page = self.ok(operation, input.clone()).await;
            let rows = page["Parameters"].as_array().unwrap();
            names.extend(rows.iter().map(|row| row["Name"].as_str().unwrap().to_owned()));
            let Some(token) = page["NextToken"].as_str() else {
                return names;
            };
            assert!(tokens.insert(token.to_owned()), "the same token twice");
            input["NextToken"] = json!(token);
        }
    }
}

#[tokio::test]
async fn paths_list_what_lies_under_them() {
    on_both(|db| async move {
        let world = World::new(db).await;
        for name in [
            "/a/b/one",
            "/a/b/two",
            "/a/b/c/three",
            "/a/bc",
            "/a0",
            "/a",
            "root",
        ] {
            world.put(name, "v").await;
        }
        let list = async |path: &str, recursive: bool| {
            let input = json!({"Path": path, "Recursive": recursive, "MaxResults": 1});
            world.names("GetParametersByPath", input).await
        };
        assert_eq!(list("/a/b", false).await, ["/a/b/one", "/a/b/two"]);
        assert_eq!(
            list("/a/b/", true).await,
            ["/a/b/c/three", "/a/b/one", "/a/b/two"]
        );
        assert_eq!(list("/a", false).await, ["/a/bc"]);
        assert_eq!(
            list("/a", true).await,
            ["/a/b/c/three", "/a/b/one", "/a/b/two", "/a/bc"]
        );
        assert_eq!(list("/", false).await, ["/a", "/a0", "root"]);
        assert_eq!(list("/", true).await.len(), 7);
        assert!(list("/nothing", true).await.is_empty());
        world
            .refused("GetParametersByPath", json!({"Path": "a"}), "ValidationException")
            .await;
        let bad = json!({"Path": "/a", "ParameterFilters": [{"Key": "Name", "Values": ["x"]}]});
        let message = world
            .refused("GetParametersByPath", bad, "InvalidFilterKey")
            .await;
        assert!(
            message.contains("Valid filter keys include: [Type, KeyId"),
            "{message}"
        );
        world
            .refused(
                "GetParametersByPath",
                json!({"Path": "/a", "NextToken": "x"}),
                "InvalidNextToken",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn lists_are_filtered_by_everything_that_is_known() {
    on_both(|db| async move {
        let world = World::new(db).await;
        for n in 0..23 {
            world.put(&format!("/many/p{n:02}"), "v").await;
        }
        world
            .ok(
                "PutParameter",
                json!({"Name": "/one/secret", "Value": "v", "Type": "SecureString",
                "Tags": [{"Key": "Environment", "Value": "Production"}]}),
            )
            .await;
        world
            .ok(
                "PutParameter",
                json!({"Name": "/one/large", "Value": "v", "Type": "StringList", "Tier": "Advanced"}),
            )
            .await;
        let find = async |filters: Value, max: u32| {
            let input = json!({"ParameterFilters": filters, "MaxResults": max});
            world.names("DescribeParameters", input).await
        };
        let one = |key: &str, option: Value, values: Value| {
            let mut filter = json!({"Key": key});
            for (name, value) in [("Option", option), ("Values", values)] {
                if !value.is_null() {
                    filter[name] = value;
                }
            }
            json!([filter])
        };
        assert_eq!(find(json!([]), 7).await.len(), 25);
        assert_eq!(
            find(one("Type", Value::Null, json!(["String"])), 10).await.len(),
            23
        );
        assert_eq!(
            find(one("Type", json!("BeginsWith"), json!(["SecureString"])), 50).await,
            ["/one/secret"]
        );
        assert_eq!(
            find(one("Tier", Value::Null, json!(["Advanced"])), 50).await,
            ["/one/large"]
        );
        assert_eq!(
            find(one("KeyId", Value::Null, json!(["alias/aws/ssm"])), 50).await,
            ["/one/secret"]
        );
        assert_eq!(
            find(one("tag:Environment", Value::Null, json!(["Production"])), 50).await,
            ["/one/secret"]
        );
        assert_eq!(
            find(one("tag:Environment", Value::Null, Value::Null), 50).await,
            ["/one/secret"]
        );
        assert!(
            find(one("tag:Environment", Value::Null, json!(["Staging"])), 50)
                .await
                .is_empty()
        );
        assert_eq!(
            find(one("Name", json!("Contains"), json!(["p1"])), 50)
                .await
                .len(),
            10
        );
        assert_eq!(
            find(one("Name", json!("BeginsWith"), json!(["/many/p2"])), 50)
                .await
                .len(),
            3
        );
        assert_eq!(
            find(one("Name", Value::Null, json!(["many/p01", "/one/large"])), 50)
                .await
                .len(),
            2
        );
        assert_eq!(
            find(one("Path", json!("Recursive"), json!(["/one"])), 50)
                .await
                .len(),
            2
        );
        assert!(find(one("Path", Value::Null, json!(["/"])), 50).await.is_empty());
        let both =
            json!([{"Key": "Path", "Values": ["/one", "/many"]}, {"Key": "Type", "Values": ["StringList"]}]);
        assert_eq!(find(both, 50).await, ["/one/large"]);
        let old = json!({"Filters": [{"Key": "Name", "Values": ["/one"]}]});
        assert_eq!(world.names("DescribeParameters", old).await.len(), 2);
        let shared = world.ok("DescribeParameters", json!({"Shared": true})).await;
        assert_eq!(shared["Parameters"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_walk_past_many_that_do_not_match_ends_and_misses_nothing() {
    on_both(|db| async move {
        let world = World::new(db.clone()).await;
        world.put("/seed", "v").await;
        // Put there directly: through the API it would take long.
        let mut sql = Sql::new(
            "insert into ssm_parameters (region, name_key, parent, name, version, is_current, type, value, key_id, \
             description, allowed_pattern, tier, data_type, policies, modified_at, modified_by) values ",
        );
        for n in 0..2_500 {
            sql.push(if n == 0 { "('eu-west-1', " } else { ", ('eu-west-1', " });
            sql.text(format!("x/{n:05}")).push(", 'x', ").text(format!("/x/{n:05}"));
            sql.push(", 1, 1, ").text(if n == 2_400 { "StringList" } else { "String" });
            sql.push(", 'v', '', '', '', 'Standard', 'text', '', 0, 'me')");
        }
        sql.run(db.writer()).await.unwrap();
        let filter = json!({"ParameterFilters": [{"Key": "Type", "Values": ["StringList"]}]});
        let page = world.ok("DescribeParameters", filter.clone()).await;
        assert_eq!(page["Parameters"], json!([]), "the first page is empty");
        assert!(page["NextToken"].is_string());
        assert_eq!(world.names("DescribeParameters", filter).await, ["/x/02400"]);
        assert_eq!(
            world.names("GetParametersByPath", json!({"Path": "/", "Recursive": true})).await.len(),
            2_501
        );
    })
    .await;
}

#[tokio::test]
async fn versions_with_labels_are_listed_each_once() {
    on_both(|db| async move {
        let world = World::new(db).await;
        for name in ["/l/one", "/l/two"] {
            for (version, label) in [(1, "a"), (2, "b"), (3, "c")] {
                world.put(name, &format!("{name} {version}")).await;
                world
                    .ok(
                        "LabelParameterVersion",
                        json!({"Name": name, "ParameterVersion": version, "Labels": [label]}),
                    )
                    .await;
            }
        }
        world.put("/l/none", "without").await;
        let mut found = Vec::new();
        let mut input = json!({"Path": "/l", "MaxResults": 1,
            "ParameterFilters": [{"Key": "Label", "Values": ["a", "c", "other"]}]});
        loop {
            let page = world.ok("GetParametersByPath", input.clone()).await;
            let values = page["Parameters"].as_array().unwrap();
            assert!(values.len() <= 1);
            found.extend(values.iter().map(|row| row["Value"].as_str().unwrap().to_owned()));
            let Some(token) = page["NextToken"].as_str() else {
                break;
            };
            input["NextToken"] = json!(token);
        }
        assert_eq!(found, ["/l/one 1", "/l/one 3", "/l/two 1", "/l/two 3"]);
    })
    .await;
}
