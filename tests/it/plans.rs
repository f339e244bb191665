//! No query grows with a whole table: every statement that the portal and the embedded endpoint run while somebody
//! walks through all pages is explained by SQLite, and one that reads a growing table from end to end fails.

use crate::plan_walks::{walk_operations, walk_runbooks, walk_topics};
use crate::support::{online_node, run_script};
use muster_store::Db;
use muster_store::db::Address;
use muster_tests::api::Api;
use muster_tests::portal::program;
use muster_tests::{Client, Portal};
use serde_json::json;
use sqlx::Row as _;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

/// Tables that stay small, whatever happens: people, what they saved, and one row for each of a few things.
const SMALL: [&str; 21] = [
    // No tables: the two halves of what waits for somebody, each no longer than a page, and both together.
    "open",
    "reviewed",
    "of_both",
    "connections",
    "patch_baselines",
    "patch_copies",
    "maintenance_windows",
    "maintenance_window_copies",
    "applications",
    "application_environments",
    "parameter_copies",
    "saved_views",
    "runbook_templates",
    "runbook_schedules",
    "user_grants",
    "users",
    "schema_version",
    "audit_head",
    "approval_delegations",
    "approval_numbers",
    "approval_policies",
];

/// Statements that have to read all of something, and why nobody waits for them.
const ALLOWED: [(&str, &str); 15] = [
    (
        "select n.node_id from nodes n",
        "a file of the fleet: who is in it is settled once, when somebody asks for the file",
    ),
    (
        "select count(*) as nodes, coalesce(sum(case when n.ping_status",
        "counted once in five seconds for everybody (`fleet/figures.rs`)",
    ),
    (
        "select count(*) as nodes, coalesce(sum(case when p.node_id is null",
        "how nodes stand against their baselines, counted just so",
    ),
    (
        "select n.ping_status, n.sort_platform as platform",
        "the same: values to filter by",
    ),
    (
        "select g.tag_key, g.tag_value, count(*)",
        "the same: tags to filter by",
    ),
    (
        "update session_participants set left_at",
        "once, when the server starts",
    ),
    ("select count(*) as users from users", "people are few"),
    (
        "select category, count(*) as runbooks",
        "runbooks of an account are some hundreds, and each is in one category",
    ),
    (
        "select name, default_version from documents where document_type = 'Session'",
        "documents of an account are some hundreds",
    ),
    (
        "select name, owner, description, platform_types, document_type, default_version from documents",
        "the same",
    ),
    (
        "update nodes set ping_status = 'Inactive'",
        "at the end of a sweep, which has written each of them",
    ),
    (
        "select e.* from ssm_association_executions e where e.finished = 0",
        "along an index of those that have not ended alone",
    ),
    (
        "select e.* from ssm_window_executions e where e.finished = 0",
        "the same",
    ),
    ("select s.* from ssm_data_syncs s", "five of a region at most"),
    (
        "select count(*) as n from (select 1 as one from ssm_parameters",
        "along an index, and no further than the tier's limit",
    ),
];

/// The table behind a name in a plan, which may be an alias.
fn table<'a>(statement: &'a str, name: &'a str) -> &'a str {
    let words: Vec<&str> = statement
        .split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ','))
        .collect();
    words
        .windows(3)
        .find(|three| matches!(three[0], "from" | "join" | "update") && three[2] == name)
        .map_or(name, |three| three[1])
}

/// Steps of a plan that read a growing table from end to end. Going along an index is no such thing when a limit
/// ends the walk.
fn endless(statement: &str, plan: &[String]) -> Vec<String> {
    let limited =
        statement.contains(" limit ") && !plan.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY"));
    plan.iter()
        .filter(|step| {
            // All rows of a connection are no fewer than all rows.
            let whole = step.strip_prefix("SCAN ").or_else(|| {
                step.strip_prefix("SEARCH ")
                    .filter(|_| step.ends_with("(connection_id=?)"))
            });
            let Some(name) = whole.and_then(|rest| rest.split(' ').next()) else {
                return false;
            };
            let in_order = limited && step.contains("INDEX");
            !in_order && !SMALL.contains(&table(statement, name))
        })
        .cloned()
        .collect()
}

async fn plan(db: &Db, statement: &str) -> Vec<String> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("explain query plan {statement}")))
        .fetch_all(db.reader())
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
    rows.iter()
        .map(|row| row.try_get::<String, _>("detail").unwrap())
        .collect()
}

/// The statements of a log, each once. Lists of values differ in length alone.
fn statements(log: &str) -> BTreeSet<String> {
    log.lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|line| line["target"] == "muster_store::sql")
        .filter_map(|line| line["fields"]["message"].as_str().map(str::to_owned))
        .filter(|text| {
            ["select ", "update ", "delete ", "with "]
                .iter()
                .any(|word| text.starts_with(word))
        })
        .collect()
}

/// The program with its log in a file, every statement in it.
fn logging_program(folder: &Path) -> std::path::PathBuf {
    let script = folder.join("muster");
    let text = format!(
        "#!/bin/sh\nMUSTER_LOG=muster_store::sql=trace exec '{}' \"$@\" 2>'{}'\n",
        program().unwrap().display(),
        folder.join("log").display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    script
}

/// Looks at everything that there is to see, in every order and with filters.
async fn walk(client: &Client, node: &str, command: &str) {
    let mut paths: Vec<String> = [
        "/",
        "/commands",
        "/commands?status=Failed",
        "/commands?text=x&period=day",
        "/commands/new",
        "/runbooks",
        "/runbooks?text=x&owner=own",
        "/runbooks?category=x",
        "/parameters",
        "/parameters?path=walk",
        "/parameters?path=walk&text=x&tier=Standard",
        "/parameters?type=String&label=live",
        "/parameters/view?name=/walk/a",
        "/parameters/view?name=/walk/a&old=1&new=2",
        "/parameters/edit?name=/walk/a",
        "/parameters/new",
        "/patching",
        "/patching?state=missing&tag=Walk%3Dyes&text=a",
        "/patching?state=never",
        "/patching/baselines?text=a",
        "/patching/exceptions",
        "/patching/exceptions?state=holding",
        "/patching/exceptions?end=none",
        "/approvals/calendar",
        "/patching/baselines/new",
        "/windows",
        "/windows?text=x&enabled=yes&last=success",
        "/windows/new",
        "/deployments",
        "/deployments?text=x",
        "/deployments/new",
        "/export/parameters.csv?path=walk",
        "/executions",
        "/executions?status=Failed",
        "/executions?text=x&document=y&period=all",
        "/approvals",
        "/approvals?tab=mine",
        "/approvals?tab=all&q=x",
        "/approvals?tab=history&state=rejected",
        "/approvals/role",
        "/approvals/policies",
        "/approvals/delegations",
        "/audit",
        "/audit?actor=admin&outcome=Succeeded",
        "/audit?action=commands.run",
        "/terminals",
        "/terminals?text=x&period=all",
        "/terminals?status=Ended&owner=x&period=24h",
        "/terminals/new",
        "/settings/profile",
        "/settings/sessions",
        "/settings/users",
        "/settings/roles",
        "/fleet/add",
        "/fleet?filter=tag:Environment%3DProduction",
        "/fleet?filter=status%3DOnline",
        "/fleet?filter=web",
    ]
    .map(str::to_owned)
    .to_vec();
    // A place in the list that is after "a" of the node "b".
    let cursor = muster_server::fleet::queries::encode_cursor("1", "b").0;
    for tab in ["waiting", "mine", "all", "history"] {
        paths.push(format!("/approvals?tab={tab}&cursor={cursor}"));
    }
    for sort in ["name", "status", "platform", "agent", "address", "ping"] {
        paths.push(format!("/fleet?sort={sort}"));
        paths.push(format!("/fleet?sort={sort}&desc=1&cursor={cursor}"));
    }
    for tab in ["summary", "nodes", "log", "definition", "audit"] {
        paths.push(format!("/commands/{command}?tab={tab}"));
    }
    paths.push(format!("/fleet/{node}"));
    paths.push(format!("/commands?node={node}"));
    paths.push(format!("/executions?node={node}"));
    paths.push(format!("/terminals?node={node}"));
    paths.push(format!("/commands/new?nodes={node}"));
    for path in paths {
        let (status, _, body) = client.get(&path).await.unwrap();
        assert_eq!(status, 200, "{path}: {body:.200}");
    }
}

/// Asks for approval, looks at the request in every way, and takes it back.
async fn walk_approvals(client: &Client) {
    let (_, policies) = client.call("approvals/policies", &[]).await.unwrap();
    let text = "[[policy]]\nname = \"Roles\"\nacts = [\"access.hold_role\"]\n\n[[policy.levels]]\nof = [\"role:approver\"]\n";
    let change = [("text", text), ("was", policies["sha256"].as_str().unwrap())];
    let (status, answer) = client.call("approvals/change_policies", &change).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    let wish = [
        ("role", "operator"),
        ("scope", "*"),
        ("minutes", "60"),
        ("why", "plans"),
    ];
    let (status, answer) = client.call("approvals/ask_role", &wish).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    let id = answer.as_str().unwrap().to_owned();
    for path in [format!("/approvals/{id}"), format!("/export/requests/{id}")] {
        let (status, _, body) = client.get(&path).await.unwrap();
        assert_eq!(status, 200, "{path}: {body:.200}");
    }
    for act in ["remind", "extend", "withdraw"] {
        let path = format!("approvals/{act}");
        client.call(&path, &[("request_id", id.as_str())]).await.unwrap();
    }
}

/// Asks the embedded endpoint for everything that it keeps in tables which grow.
async fn walk_api(api: &Api) {
    let document =
        json!({"schemaVersion": "2.2", "mainSteps": [{"action": "aws:runShellScript", "name": "x"}]});
    let filter = |key: &str, value: &str| json!([{"Key": key, "Values": [value]}]);
    let parameter = json!({"ResourceType": "Parameter", "ResourceId": "/a/b"});
    for (operation, input) in [
        (
            "PutParameter",
            json!({"Name": "/a/b", "Value": "v", "Type": "SecureString", "Tags": [{"Key": "k", "Value": "v"}]}),
        ),
        (
            "PutParameter",
            json!({"Name": "/a/b", "Value": "w", "Overwrite": true}),
        ),
        (
            "PutParameter",
            json!({"Name": "/a/c", "Value": "v", "Type": "String"}),
        ),
        (
            "LabelParameterVersion",
            json!({"Name": "/a/b", "ParameterVersion": 1, "Labels": ["live"]}),
        ),
        ("GetParameter", json!({"Name": "/a/b", "WithDecryption": true})),
        ("GetParameter", json!({"Name": "/a/b:1"})),
        ("GetParameter", json!({"Name": "/a/b:live"})),
        ("GetParameterHistory", json!({"Name": "/a/b"})),
        ("GetParametersByPath", json!({"Path": "/a"})),
        ("GetParametersByPath", json!({"Path": "/a", "Recursive": true})),
        (
            "GetParametersByPath",
            json!({"Path": "/a", "ParameterFilters": filter("Label", "live")}),
        ),
        ("DescribeParameters", json!({})),
        (
            "DescribeParameters",
            json!({"ParameterFilters": filter("Name", "/a/b")}),
        ),
        (
            "DescribeParameters",
            json!({"ParameterFilters": filter("Path", "/a")}),
        ),
        (
            "DescribeParameters",
            json!({"ParameterFilters": filter("tag:k", "v")}),
        ),
        ("ListTagsForResource", parameter),
        (
            "UnlabelParameterVersion",
            json!({"Name": "/a/b", "ParameterVersion": 1, "Labels": ["live"]}),
        ),
        ("DeleteParameter", json!({"Name": "/a/b"})),
        (
            "CreateDocument",
            json!({"Name": "Mine", "Content": document.to_string(), "Tags": [{"Key": "k", "Value": "v"}]}),
        ),
        ("DescribeDocument", json!({"Name": "Mine"})),
        ("ListDocuments", json!({"Filters": filter("tag:k", "v")})),
        ("ListDocumentVersions", json!({"Name": "Mine"})),
        (
            "ModifyDocumentPermission",
            json!({"Name": "Mine", "PermissionType": "Share", "AccountIdsToRemove": ["all"]}),
        ),
        (
            "DescribeDocumentPermission",
            json!({"Name": "Mine", "PermissionType": "Share"}),
        ),
        ("DeleteDocument", json!({"Name": "Mine"})),
        (
            "GetServiceSetting",
            json!({"SettingId": "/ssm/parameter-store/default-parameter-tier"}),
        ),
        ("DescribeInstanceInformation", json!({})),
        ("ListCommands", json!({})),
        ("ListCommandInvocations", json!({})),
        ("DescribeActivations", json!({})),
        ("DescribeSessions", json!({"State": "History"})),
    ] {
        api.call(operation, input).await.unwrap();
    }
}

#[tokio::test]
async fn no_query_reads_a_growing_table_from_end_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let program = logging_program(folder.path());
    let portal = Portal::start_program(&program, &data, &["--log-format", "json"]).unwrap();
    let client = Client::first_administrator(&portal).await.unwrap();
    let node = online_node(&client).await;
    let command = run_script(&client, &node, "echo seen").await;
    client
        .until("the command's end", Duration::from_secs(60), async |client| {
            let (_, _, page) = client.get(&format!("/commands/{command}?tab=nodes")).await?;
            Ok(page.contains("Success").then_some(()))
        })
        .await
        .unwrap();
    walk_runbooks(&client, &Api::of(&portal).unwrap(), &node).await;
    walk_approvals(&client).await;
    for (name, replaces) in [("/walk/a", ""), ("/walk/a", "1"), ("/walk/b", "")] {
        let fields = [
            ("name", name),
            ("kind", "String"),
            ("value", "v"),
            ("replaces", replaces),
        ];
        let (status, answer) = client.call("parameters/put", &fields).await.unwrap();
        assert_eq!(status / 100, 2, "{answer}");
    }
    let window = crate::windows::make(&client, "walk").await;
    for address in [format!("/windows/{window}"), format!("/windows/{window}/edit")] {
        assert_eq!(client.get(&address).await.unwrap().0, 200, "{address}");
    }
    assert_eq!(
        crate::windows::change_now(&client, "delete", &window, &[("confirmation", "walk")])
            .await
            .0
            / 100,
        2
    );
    let application = crate::deployments::walked(&client, &folder.path().join("application"), &node).await;
    for tail in [
        "",
        "?tab=releases",
        "?tab=releases&text=x",
        "?tab=history",
        "?tab=history&environment=Staging&state=succeeded&text=x",
        "/edit",
        "/new-release",
        "/roll-back?environment=Staging",
    ] {
        let address = format!("/deployments/{application}{tail}");
        assert_eq!(client.get(&address).await.unwrap().0, 200, "{address}");
    }
    walk(&client, &node, &command).await;
    let delete = [("name", "/walk/b"), ("version", "1"), ("confirmation", "/walk/b")];
    assert_eq!(
        client.call("parameters/delete", &delete).await.unwrap().0 / 100,
        2
    );
    let api = Api::of(&portal).unwrap();
    walk_api(&api).await;
    walk_operations(&api, &node).await;
    walk_topics(&api, &node).await;
    drop(portal);

    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    let seen = statements(&log);
    assert!(seen.len() > 80, "only {} statements were seen", seen.len());
    let db = Db::open(&Address::File(data.join("muster.db"))).await.unwrap();
    let bad = "select tag_key from node_tags where node_id = $1";
    assert!(!endless(bad, &plan(&db, bad).await).is_empty(), "it is found");
    let mut found = Vec::new();
    for statement in &seen {
        if ALLOWED.iter().any(|(start, _)| statement.starts_with(start)) {
            continue;
        }
        for step in endless(statement, &plan(&db, statement).await) {
            found.push(format!("{step}: {statement}"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
