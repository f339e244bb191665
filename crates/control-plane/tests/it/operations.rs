//! The list of operations against what really happens: every one is answered, guarded and audited.

use crate::world::World;
use muster_control_plane::{Access, OPERATIONS, Who};
use muster_domain::audit::Outcome;
use muster_store::test_database::on_both;
use serde_json::json;

#[tokio::test]
async fn every_operation_is_guarded() {
    on_both(|db| async {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let operator = world.plane.operator_credentials();
        for operation in OPERATIONS
            .iter()
            .filter(|o| matches!(o.service, "ssm" | "kms" | "ec2messages"))
        {
            let code = |(status, output): (u16, serde_json::Value)| {
                assert_eq!(status, 400, "{}: {output}", operation.name);
                output["__type"].as_str().unwrap_or_default().to_owned()
            };
            let name = operation.name;
            let unsigned = code(world.unsigned(name, json!({})).await);
            match operation.who {
                Who::Anonymous => assert_eq!(unsigned, "ValidationException", "{name}"),
                _ => assert_eq!(unsigned, "MissingAuthenticationTokenException", "{name}"),
            }
            let as_operator = world.call_as(&operator, name, json!({"x": 1})).await;
            match operation.who {
                Who::Node | Who::NodeKey => assert_eq!(code(as_operator), "AccessDeniedException", "{name}"),
                _ => assert_ne!(as_operator.1["__type"], "AccessDeniedException", "{name}"),
            }
            let as_node = world.call_as(&node.credentials, name, json!({"x": 1})).await;
            match operation.who {
                Who::Operator | Who::NodeKey => assert_eq!(code(as_node), "AccessDeniedException", "{name}"),
                _ => assert_ne!(as_node.1["__type"], "AccessDeniedException", "{name}"),
            }
        }
        world
            .refused("GetCalendarState", json!({}), "UnknownOperationException")
            .await;
        world
            .refused("GetObject", json!({}), "UnknownOperationException")
            .await;
    })
    .await;
}

#[tokio::test]
async fn what_changes_something_is_audited_before_and_after_unless_the_portal_does_it() {
    on_both(|db| async {
        let world = World::new(db).await;
        let operator = world.plane.operator_credentials();
        for operation in OPERATIONS
            .iter()
            .filter(|o| matches!(o.service, "ssm" | "kms") && o.who == Who::Operator)
        {
            let before = world.audit.0.lock().unwrap().len();
            world.call(operation.name, json!({"WithDecryption": true})).await;
            let added = world.audit.0.lock().unwrap().len() - before;
            let expected = match operation.access {
                Access::Write => 2,
                Access::Reveal => 1,
                Access::Read => 0,
            };
            assert_eq!(added, expected, "{}", operation.name);
            world
                .call_as(&world.plane.portal_credentials(), operation.name, json!({}))
                .await;
            assert_eq!(
                world.audit.0.lock().unwrap().len() - before,
                expected,
                "{}",
                operation.name
            );
        }
        let node = world.node("one").await;
        let command = world.run(&[&node], json!({})).await;
        let secret =
            json!({"Name": "/app/password", "Type": "SecureString", "Value": "v", "KeyId": "alias/none"});
        world.call("PutParameter", secret).await;
        let put = |name: &str, kind: &str| json!({"Name": name, "Type": kind, "Value": "v"});
        world.ok("PutParameter", put("/a", "SecureString")).await;
        world.ok("PutParameter", put("/c", "String")).await;
        world
            .ok("GetParameter", json!({"Name": "/c", "WithDecryption": true}))
            .await;
        let several = json!({"Names": ["/a", "/b"], "WithDecryption": true});
        world.ok("GetParameters", several).await;
        let log = world.audit.0.lock().unwrap();
        let of = |name: &str| {
            log.iter()
                .filter(|(_, i, _)| i.detail["operation"] == name)
                .collect::<Vec<_>>()
        };
        let sent = of("SendCommand");
        let (actor, intent, outcome) = sent.last().unwrap();
        assert_eq!(*actor, format!("key:{}", operator.access_key_id));
        assert_eq!(intent.resource, format!("command:{command}"));
        assert_eq!(intent.logged_as(), "ssm.SendCommand");
        assert_eq!(
            intent.detail["parameters"]["Parameters"]["commands"],
            json!(["echo hello"])
        );
        assert_eq!(*outcome, Some(Outcome::Success));
        let resources = |name: &str| {
            let found = of(name);
            found.last().unwrap().1.resource.clone()
        };
        assert!(
            of("GetParameter")
                .iter()
                .all(|(_, intent, _)| intent.resource.is_empty()),
            "a plain one is no secret"
        );
        let puts = of("PutParameter");
        assert!(
            puts.iter()
                .any(|(_, intent, _)| intent.resource == "parameter:/app/password")
        );
        assert_eq!(resources("GetParameters"), "parameter:/a and 1 more");
        let registered = of("RegisterManagedInstance");
        assert_eq!(registered.len(), 2);
        assert!(!format!("{:?}", registered[0].1).contains("ActivationCode"));
        assert!(of("UpdateInstanceInformation").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_refuses_what_is_new_and_keeps_what_is_there() {
    on_both(|db| async move {
        if db.dialect() != muster_store::Dialect::Sqlite {
            return;
        }
        use sqlx::{AssertSqlSafe, Executor as _, Row as _};
        let world = World::new(db.clone()).await;
        let node = world.node("one").await;
        let command = world.run(&[&node], json!({})).await;
        // The writer is one connection: its limit is the disk's end.
        let pages: i64 = sqlx::query("pragma page_count")
            .fetch_one(db.writer())
            .await
            .unwrap()
            .get(0);
        db.writer()
            .execute(AssertSqlSafe(format!("pragma max_page_count = {pages}")))
            .await
            .unwrap();
        let large = json!({"DocumentName": "AWS-RunShellScript", "InstanceIds": [node.id],
            "Parameters": {"commands": ["x".repeat(200_000)]}});
        let message = world.refused("SendCommand", large.clone(), "LimitExceeded").await;
        assert!(message.contains("No space is left"), "{message}");
        assert_eq!(world.detail(&command, &node).await, "Pending");
        db.writer()
            .execute(AssertSqlSafe("pragma max_page_count = 1000000".to_owned()))
            .await
            .unwrap();
        world.ok("SendCommand", large).await;
    })
    .await;
}
