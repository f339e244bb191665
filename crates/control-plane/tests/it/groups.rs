//! Resource groups: saved queries that commands, windows and associations name, and how calls of them come over the wire.

use crate::world::{REGION, World};
use muster_agent_protocol::signing::Credentials;
use muster_control_plane::{Access, OPERATIONS};
use muster_store::test_database::on_both;
use serde_json::{Value, json};

/// A call as somebody; status, kind of error and answer.
async fn call_as(
    world: &World,
    keys: &Credentials,
    (method, path, query): (&str, &str, &str),
    input: &Value,
) -> (u16, String, Value) {
    let body = if method == "GET" {
        Vec::new()
    } else {
        serde_json::to_vec(input).unwrap()
    };
    let headers = [("content-type", "application/json")];
    let signed = world.signed(
        keys,
        "resource-groups",
        REGION,
        (method, path, query),
        &headers,
        &body,
    );
    let address = if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    };
    let (status, headers, answer) = world.send(method, &address, signed, body).await;
    let kind = headers
        .get("x-amzn-errortype")
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default();
    (status, kind, serde_json::from_slice(&answer).unwrap_or_default())
}

pub(crate) async fn ok(world: &World, path: &str, input: Value) -> Value {
    let keys = world.plane.operator_credentials();
    let (status, kind, answer) = call_as(world, &keys, ("POST", path, ""), &input).await;
    assert_eq!(status, 200, "{path} {kind} {answer}");
    answer
}

async fn refused(world: &World, path: &str, input: Value, kind: &str) -> String {
    let keys = world.plane.operator_credentials();
    let (status, found, answer) = call_as(world, &keys, ("POST", path, ""), &input).await;
    let expected = if kind == "NotFoundException" { 404 } else { 400 };
    assert_eq!((status, found.as_str()), (expected, kind), "{path} {answer}");
    answer["Message"].as_str().unwrap().to_owned()
}

pub(crate) fn query(types: &[&str], tags: Value) -> Value {
    let text = json!({"ResourceTypeFilters": types, "TagFilters": tags}).to_string();
    json!({"Type": "TAG_FILTERS_1_0", "Query": text})
}

async fn tagged(world: &World, name: &str, stage: &str) -> String {
    let id = world.node(name).await.id;
    let tags = json!([{"Key": "Stage", "Value": stage}, {"Key": "App", "Value": "shop"}]);
    let input = json!({"ResourceType": "ManagedInstance", "ResourceId": id, "Tags": tags});
    world.ok("AddTagsToResource", input).await;
    id
}

async fn sent_to(world: &World, targets: Value) -> i64 {
    let input = json!({"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}, "Targets": targets});
    let sent = world.ok("SendCommand", input).await;
    sent["Command"]["TargetCount"].as_i64().unwrap()
}

#[tokio::test]
async fn a_group_is_a_query_that_targets_name() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let first = tagged(&world, "one", "production").await;
        let second = tagged(&world, "two", "production").await;
        tagged(&world, "three", "test").await;
        let production = json!([{"Key": "Stage", "Values": ["production"]}, {"Key": "App"}]);
        let input = json!({"Name": "web-production", "Description": "All of it", "Owner": "ops", "Criticality": 1,
            "ResourceQuery": query(&["AWS::AllSupported"], production.clone()), "Tags": {"Team": "web"}});
        let made = ok(&world, "/groups", input.clone()).await;
        let arn = "arn:aws:resource-groups:eu-west-1:123456789012:group/web-production";
        assert_eq!(made["Group"]["GroupArn"], arn);
        assert_eq!(made["Tags"]["Team"], "web");
        let twice = refused(&world, "/groups", input, "BadRequestException").await;
        assert!(twice.contains("already exists"), "{twice}");

        let by_arn = ok(&world, "/get-group", json!({"Group": arn})).await;
        assert_eq!(by_arn["Group"]["Description"], "All of it");
        let listed = ok(&world, "/list-group-resources", json!({"Group": "web-production", "MaxResults": 1})).await;
        let page = |answer: &Value| answer["ResourceIdentifiers"][0]["ResourceArn"].as_str().unwrap().to_owned();
        let mut found = vec![page(&listed)];
        let more = json!({"Group": "web-production", "MaxResults": 1, "NextToken": listed["NextToken"]});
        let rest = ok(&world, "/list-group-resources", more).await;
        assert!(rest.get("NextToken").is_none(), "{rest}");
        found.push(page(&rest));
        let arns = |ids: &[&String]| -> Vec<String> {
            let mut all: Vec<String> = ids
                .iter()
                .map(|id| format!("arn:aws:ssm:eu-west-1:123456789012:managed-instance/{id}"))
                .collect();
            all.sort();
            all
        };
        assert_eq!(found, arns(&[&first, &second]));
        let instances = json!({"ResourceQuery": query(&["AWS::EC2::Instance"], json!([]))});
        let searched = ok(&world, "/resources/search", instances).await;
        assert_eq!(searched["ResourceIdentifiers"].as_array().unwrap().len(), 3);
        assert_eq!(searched["ResourceIdentifiers"][0]["ResourceType"], "AWS::EC2::Instance");
        let buckets = json!({"ResourceQuery": query(&["AWS::S3::Bucket"], json!([]))});
        let searched = ok(&world, "/resources/search", buckets).await;
        assert_eq!(searched["ResourceIdentifiers"], json!([]));

        let named = |name: &str| json!([{"Key": "resource-groups:Name", "Values": [name]}]);
        assert_eq!(sent_to(&world, named("web-production")).await, 2);
        assert_eq!(sent_to(&world, named(arn)).await, 2);
        assert_eq!(sent_to(&world, named("none")).await, 0);
        let of_type = |kind: &str| {
            json!([{"Key": "resource-groups:Name", "Values": ["web-production"]},
                {"Key": "resource-groups:ResourceTypeFilters", "Values": [kind]}])
        };
        assert_eq!(sent_to(&world, of_type("AWS::EC2::Instance")).await, 2);
        assert_eq!(sent_to(&world, of_type("AWS::S3::Bucket")).await, 0);
        let window = json!({"Name": "web", "Schedule": "rate(1 day)", "Duration": 2, "Cutoff": 1, "AllowUnassociatedTargets": false});
        let window = world.ok("CreateMaintenanceWindow", window).await["WindowId"].clone();
        let target = json!({"WindowId": window, "ResourceType": "RESOURCE_GROUP", "Targets": named("web-production")});
        world.ok("RegisterTargetWithMaintenanceWindow", target).await;

        let test = query(&["AWS::SSM::ManagedInstance"], json!([{"Key": "Stage", "Values": ["test"]}]));
        let changed = json!({"GroupName": "web-production", "ResourceQuery": test});
        ok(&world, "/update-group-query", changed).await;
        assert_eq!(sent_to(&world, named("web-production")).await, 1);
        let told = ok(&world, "/get-group-query", json!({"Group": "web-production"})).await;
        assert_eq!(told["GroupQuery"]["ResourceQuery"], test);
        ok(&world, "/update-group", json!({"Group": "web-production", "DisplayName": "Web"})).await;
        let found = ok(&world, "/get-group", json!({"GroupName": "web-production"})).await;
        assert_eq!((&found["Group"]["DisplayName"], &found["Group"]["Owner"]), (&json!("Web"), &json!("ops")));
        ok(&world, "/delete-group", json!({"Group": "web-production"})).await;
        assert_eq!(sent_to(&world, named("web-production")).await, 0);
        refused(&world, "/get-group", json!({"Group": "web-production"}), "NotFoundException").await;
    })
    .await;
}

#[tokio::test]
async fn groups_are_listed_page_by_page_and_tagged() {
    on_both(|db| async move {
        let world = World::new(db).await;
        for n in 0..7 {
            let owner = if n % 2 == 0 { "even" } else { "odd" };
            let input = json!({"Name": format!("g{n}"), "Owner": owner,
                "ResourceQuery": query(&["AWS::AllSupported"], json!([]))});
            ok(&world, "/groups", input).await;
        }
        let keys = world.plane.operator_credentials();
        let (mut names, mut token) = (Vec::new(), String::new());
        loop {
            let asked = if token.is_empty() {
                "maxResults=3".to_owned()
            } else {
                let escaped = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
                format!("maxResults=3&nextToken={escaped}")
            };
            let (status, _, answer) =
                call_as(&world, &keys, ("POST", "/groups-list", &asked), &json!({})).await;
            assert_eq!(status, 200, "{answer}");
            for group in answer["GroupIdentifiers"].as_array().unwrap() {
                names.push(group["GroupName"].as_str().unwrap().to_owned());
            }
            match answer["NextToken"].as_str() {
                Some(next) => token = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(names, ["g0", "g1", "g2", "g3", "g4", "g5", "g6"]);
        let odd = ok(
            &world,
            "/groups-list",
            json!({"Filters": [{"Name": "owner", "Values": ["odd"]}]}),
        )
        .await;
        assert_eq!(odd["Groups"].as_array().unwrap().len(), 3);

        let tags = "/resources/arn%3Aaws%3Aresource-groups%3Aeu-west-1%3A123456789012%3Agroup%2Fg1/tags";
        let (status, _, answer) = call_as(
            &world,
            &keys,
            ("PUT", tags, ""),
            &json!({"Tags": {"a": "1", "b": "2"}}),
        )
        .await;
        assert_eq!(status, 200, "{answer}");
        call_as(&world, &keys, ("PATCH", tags, ""), &json!({"Keys": ["a"]})).await;
        let (_, _, answer) = call_as(&world, &keys, ("GET", tags, ""), &json!({})).await;
        assert_eq!(answer["Tags"], json!({"b": "2"}));
        let (status, kind, _) =
            call_as(&world, &keys, ("PUT", tags, ""), &json!({"Tags": {"aws:a": "1"}})).await;
        assert_eq!((status, kind.as_str()), (400, "BadRequestException"));
    })
    .await;
}

#[tokio::test]
async fn it_is_the_same_door_and_bad_input_says_what_to_do() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let keys = world.plane.operator_credentials();
        let mut forged = world.plane.operator_credentials();
        forged.secret_access_key.push('x');
        let paths = [
            ("POST", "/groups", "CreateGroup"),
            ("POST", "/delete-group", "DeleteGroup"),
            ("POST", "/get-group", "GetGroup"),
            ("POST", "/get-group-query", "GetGroupQuery"),
            ("GET", "/resources/x/tags", "GetTags"),
            ("POST", "/list-group-resources", "ListGroupResources"),
            ("POST", "/groups-list", "ListGroups"),
            ("POST", "/resources/search", "SearchResources"),
            ("PUT", "/resources/x/tags", "Tag"),
            ("PATCH", "/resources/x/tags", "Untag"),
            ("POST", "/update-group", "UpdateGroup"),
            ("POST", "/update-group-query", "UpdateGroupQuery"),
        ];
        let all: Vec<&str> = OPERATIONS
            .iter()
            .filter(|o| o.service == "resource-groups")
            .map(|o| o.name)
            .collect();
        assert_eq!(all, paths.map(|(_, _, name)| name));
        for (method, path, name) in paths {
            let (_, kind, _) = call_as(&world, &node.credentials, (method, path, ""), &json!({})).await;
            assert_eq!(kind, "AccessDeniedException", "{name}");
            let (_, kind, _) = call_as(&world, &forged, (method, path, ""), &json!({})).await;
            assert_eq!(kind, "InvalidSignatureException", "{name}");
            let before = world.audit.0.lock().unwrap().len();
            let (status, kind, answer) = call_as(&world, &keys, (method, path, ""), &json!({})).await;
            assert!(
                status == 200 || kind == "BadRequestException",
                "{name} {kind} {answer}"
            );
            let operation = OPERATIONS.iter().find(|o| o.name == name).unwrap();
            let added = world.audit.0.lock().unwrap().len() - before;
            assert_eq!(
                added,
                usize::from(operation.access == Access::Write) * 2,
                "{name}"
            );
        }
        let fine = query(&["AWS::AllSupported"], json!([]));
        for (path, input, says) in [
            ("/groups", json!({"Name": "a b", "ResourceQuery": fine}), "name"),
            ("/groups", json!({"Name": "g"}), "ResourceQuery"),
            (
                "/groups",
                json!({"Name": "aws-g", "ResourceQuery": fine}),
                "do not begin with AWS",
            ),
            (
                "/groups",
                json!({"Name": "g", "ResourceQuery": {"Type": "TAG_FILTERS_1_0", "Query": "x"}}),
                "has to be JSON",
            ),
            (
                "/groups",
                json!({"Name": "g", "ResourceQuery": {"Type": "CLOUDFORMATION_STACK_1_0", "Query": "{}"}}),
                "no CloudFormation",
            ),
            (
                "/groups",
                json!({"Name": "g", "ResourceQuery": fine, "Configuration": [{"Type": "AWS::X::Y"}]}),
                "Configuration",
            ),
            ("/get-group", json!({}), "has to name a group"),
            ("/get-group", json!({"Group": "a", "GroupName": "a"}), "together"),
            ("/groups-list", json!({"MaxResults": 51}), "maxResults"),
            ("/groups-list", json!({"NextToken": "abc"}), "not valid"),
            ("/resources/search", json!({"ResourceQuery": 1}), ""),
        ] {
            let message = refused(&world, path, input, "BadRequestException").await;
            assert!(message.contains(says), "{path}: {message}");
        }
    })
    .await;
}
