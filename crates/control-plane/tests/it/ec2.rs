//! EC2 beside Systems Manager: nodes as instances, their tags, both of their names, and the same door as everywhere.

use crate::forms::Service;
use crate::world::World;
use muster_control_plane::OPERATIONS;
use muster_store::test_database::on_both;
use serde_json::json;

const EC2: Service = Service {
    name: "ec2",
    version: "2016-11-15",
};

/// The ids in an answer.
fn ids(answer: &str) -> Vec<String> {
    answer
        .split("<instanceId>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn instances_are_found_by_tags_state_and_both_names() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let (one, two) = (world.node("one").await, world.node("two").await);
        let instance = |id: &str| id.replacen("mi-", "i-", 1);
        let tag = |id: &str, key: &str, value: &str| {
            format!("Action=CreateTags&ResourceId.1={id}&Tag.1.Key={key}&Tag.1.Value={value}")
        };
        EC2.ok(&world, &tag(&instance(&one.id), "Application", "Shop"))
            .await;
        EC2.ok(&world, &tag(&two.id, "Application", "Shop-Test%2F2"))
            .await;
        let filter = |name: &str, value: &str| {
            format!("Action=DescribeInstances&Filter.1.Name={name}&Filter.1.Value.1={value}")
        };
        for (name, value, found) in [
            ("tag%3AApplication", "Shop", vec![&one.id]),
            ("tag%3AApplication", "shop", vec![]),
            ("tag%3AApplication", "Shop%2A", vec![&one.id, &two.id]),
            ("tag%3AApplication", "shop%2A", vec![]),
            ("tag%3AApplication", "Shop-Test%3F2", vec![&two.id]),
            ("tag-key", "Application", vec![&one.id, &two.id]),
            ("instance-state-name", "running", vec![&one.id, &two.id]),
            ("instance-state-name", "stopped", vec![]),
            ("instance-id", &instance(&two.id), vec![&two.id]),
            ("private-ip-address", "10.0.0.%2A", vec![&one.id, &two.id]),
        ] {
            let mut wanted: Vec<String> = found.iter().map(|id| instance(id)).collect();
            wanted.sort();
            assert_eq!(
                ids(&EC2.ok(&world, &filter(name, value)).await),
                wanted,
                "{name}={value}"
            );
        }
        EC2.refused(&world, &filter("color", "red"), "InvalidParameterValue")
            .await;
        EC2.refused(
            &world,
            "Action=DescribeInstances&InstanceId.1=i-00000000000000000",
            "InvalidInstanceID.NotFound",
        )
        .await;
        let told = EC2
            .ok(
                &world,
                &format!("Action=DescribeInstances&InstanceId.1={}", instance(&one.id)),
            )
            .await;
        assert!(
            told.contains("<key>Application</key><value>Shop</value>"),
            "{told}"
        );
        // A script that has the one name gets on with it everywhere.
        let command = world
            .ok(
                "SendCommand",
                json!({"DocumentName": "AWS-RunShellScript", "InstanceIds": [instance(&one.id)],
                    "Parameters": {"commands": [instance(&one.id)]}}),
            )
            .await;
        let sent = &command["Command"];
        assert_eq!(sent["InstanceIds"], json!([one.id]));
        assert_eq!(sent["Parameters"]["commands"], json!([instance(&one.id)]));
        let looked = json!({"CommandId": sent["CommandId"], "InstanceId": instance(&one.id)});
        world.ok("GetCommandInvocation", looked).await;
        world.clock.advance(600_000);
        assert_eq!(
            ids(&EC2.ok(&world, &filter("instance-state-name", "stopped")).await).len(),
            2
        );
        EC2.ok(
            &world,
            &format!(
                "Action=DeleteTags&ResourceId.1={}&Tag.1.Key=Application&Tag.1.Value=other",
                one.id
            ),
        )
        .await;
        assert_eq!(
            ids(&EC2.ok(&world, &filter("tag-key", "Application")).await).len(),
            2
        );
        EC2.ok(&world, &format!("Action=DeleteTags&ResourceId.1={}", one.id))
            .await;
        assert_eq!(
            ids(&EC2.ok(&world, &filter("tag-key", "Application")).await).len(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn pages_go_on_where_they_ended() {
    on_both(|db| async move {
        let world = World::new(db).await;
        for at in 0..7 {
            world.node(&format!("n{at}")).await;
        }
        let first = EC2.ok(&world, "Action=DescribeInstances&MaxResults=5").await;
        let token = first
            .split("<nextToken>")
            .nth(1)
            .unwrap()
            .split('<')
            .next()
            .unwrap()
            .to_owned();
        let rest = EC2
            .ok(
                &world,
                &format!("Action=DescribeInstances&MaxResults=5&NextToken={token}"),
            )
            .await;
        let mut all = ids(&first);
        all.extend(ids(&rest));
        all.dedup();
        assert_eq!(all.len(), 7);
        assert!(!rest.contains("<nextToken>"));
    })
    .await;
}

#[tokio::test]
async fn it_is_the_same_door() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let node = world.node("one").await;
        for operation in OPERATIONS.iter().filter(|o| o.service == "ec2") {
            let body = format!("Action={}", operation.name);
            let (status, answer) = EC2.call_as(&world, &node.credentials, &body).await;
            assert_eq!(status, 400, "{}", operation.name);
            assert!(answer.contains("<Code>AccessDeniedException</Code>"), "{answer}");
            let mut forged = world.plane.operator_credentials();
            forged.secret_access_key.push('x');
            let (_, answer) = EC2.call_as(&world, &forged, &body).await;
            assert!(
                answer.contains("<Code>InvalidSignatureException</Code>"),
                "{answer}"
            );
            let before = world.audit.0.lock().unwrap().len();
            EC2.call_as(&world, &world.plane.operator_credentials(), &body)
                .await;
            let added = world.audit.0.lock().unwrap().len() - before;
            let expected = usize::from(operation.access == muster_control_plane::Access::Write) * 2;
            assert_eq!(added, expected, "{}", operation.name);
        }
        let log = world.audit.0.lock().unwrap().clone();
        assert!(
            log.iter()
                .any(|(_, intent, _)| intent.logged_as() == "ec2.CreateTags")
        );
        EC2.refused(&world, "Action=RunInstances", "InvalidAction").await;
        EC2.refused(&world, "Action=", "InvalidAction").await;
        EC2.refused(&world, "Action=CreateTags", "ValidationException")
            .await;
        EC2.refused(
            &world,
            "Action=CreateSnapshot&VolumeId=vol-1",
            "InvalidVolume.NotFound",
        )
        .await;
        EC2.refused(&world, "Action=DescribeInstances&DryRun=true", "DryRunOperation")
            .await;
        EC2.refused(
            &world,
            "Action=DescribeInstances&MaxResults=many",
            "SerializationException",
        )
        .await;
        assert!(
            EC2.ok(&world, "Action=DescribeSnapshots")
                .await
                .contains("snapshotSet")
        );
        let tag = format!(
            "Action=CreateTags&ResourceId.1={}&Tag.1.Key=aws%3Ax&Tag.1.Value=v",
            node.id
        );
        EC2.refused(&world, &tag, "InvalidParameterValue").await;
        // Things that are no form, and very long ones.
        for bad in ["%", "Action=%ff", &"a.".repeat(500_000)] {
            let (status, answer) = EC2
                .call_as(&world, &world.plane.operator_credentials(), bad)
                .await;
            assert_eq!(status, 400, "{answer}");
        }
    })
    .await;
}
