//! The built-in bucket to those who have no business there, and to names that lead nowhere.

use crate::world::{REGION, World};
use muster_agent_protocol::signing::Credentials;
use muster_store::test_database::on_both;
use serde_json::json;

async fn status(world: &World, keys: &Credentials, service: &str, region: &str, path: &str) -> u16 {
    let signed = world.signed(keys, service, region, ("GET", path, ""), &[], b"");
    world.send("GET", path, signed, Vec::new()).await.0
}

#[tokio::test]
async fn only_keys_of_people_and_the_portal_read_output() {
    on_both(|db| async {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let id = world
            .run(&[&node], json!({"OutputS3BucketName": "muster-command-output"}))
            .await;
        let path = format!(
            "/muster-command-output/{id}/{}/awsrunShellScript/0.runShellScript/stdout",
            node.id
        );
        let keys = world.plane.operator_credentials();
        assert_eq!(status(&world, &keys, "s3", REGION, &path).await, 200);
        assert_eq!(
            status(&world, &world.plane.portal_credentials(), "s3", REGION, &path).await,
            200
        );
        assert_eq!(status(&world, &node.credentials, "s3", REGION, &path).await, 403);
        assert_eq!(status(&world, &keys, "ssm", REGION, &path).await, 403);
        assert_eq!(status(&world, &keys, "s3", "us-east-2", &path).await, 404);
        let (status_unsigned, _, _) = world.send("GET", &path, http::HeaderMap::new(), Vec::new()).await;
        assert_eq!(status_unsigned, 403);
        let signed = world.signed(&keys, "s3", REGION, ("HEAD", &path, ""), &[], b"");
        let (head, headers, body) = world.send("HEAD", &path, signed, Vec::new()).await;
        assert_eq!(
            (head, headers["content-length"].to_str().unwrap(), body.len()),
            (200, "0", 0)
        );
    })
    .await;
}

#[tokio::test]
async fn no_name_leads_out_of_the_bucket() {
    on_both(|db| async {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let id = world
            .run(
                &[&node],
                json!({"OutputS3BucketName": "muster-command-output", "OutputS3KeyPrefix": "p"}),
            )
            .await;
        let other = world.run(&[&node], json!({})).await;
        let keys = world.plane.operator_credentials();
        let step = "awsrunShellScript/0.runShellScript";
        for key in [
            "x".to_owned(),
            format!("{id}/{}/{step}/stdout", node.id),
            format!("p/{id}/{}/{step}/other", node.id),
            format!("p/{id}/{}/{step}", node.id),
            format!("p/{id}/mi-00000000000000000/{step}/stdout",),
            format!("p/{id}/{}/awsrunShellScript/0.other/stdout", node.id),
            format!(
                "p/{id}/{}/awsrunShellScript/0...%2f..%2f..%2fssm-keys.json/stdout",
                node.id
            ),
            format!("p/{id}/..%2f..%2f{}/{step}/stdout", node.id),
            format!("p/..%2f..%2fssm-keys.json/{}/{step}/stdout", node.id),
            format!("{other}/{}/{step}/stdout", node.id),
            "..%2f..%2fssm-keys.json".to_owned(),
            "%00/%ff".to_owned(),
        ] {
            let path = format!("/muster-command-output/{key}");
            let found = status(&world, &keys, "s3", REGION, &path).await;
            assert!(matches!(found, 400 | 403 | 404), "{path}: {found}");
        }
        let good = format!("/muster-command-output/p/{id}/{}/{step}/stdout", node.id);
        assert_eq!(status(&world, &keys, "s3", REGION, &good).await, 200);
    })
    .await;
}
