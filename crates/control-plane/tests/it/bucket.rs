//! The built-in bucket to those who have no business there, and to names that lead nowhere; output in buckets of somebody's
//! own.

use crate::agent::{Agent, serve};
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

#[tokio::test]
async fn output_is_copied_to_a_bucket_of_ones_own() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, &["output-stream-1"]).await;
        let id = world
            .run(
                &[&node],
                json!({"OutputS3BucketName": "our-output", "OutputS3KeyPrefix": "a b"}),
            )
            .await;
        let other = world.run(&[&node], json!({})).await;
        for _ in 0..2 {
            world
                .until("it is sent", || async {
                    world.plane.tick().await;
                    world.invocation(&id, &node).await["Status"] != "Delayed"
                })
                .await;
            let message = agent.receive_long("agent_job").await;
            let job: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
            agent.ack(&message, job["JobId"].as_str().unwrap(), "200").await;
        }
        let text: String = (1..=30_000).map(|n| format!("line {n}\n")).collect();
        let mut offset = 0;
        for chunk in text.as_bytes().chunks(60_000) {
            offset = agent.output(&id, "stdout", offset, chunk).await;
        }
        // It can be read before it is copied, in parts too, as the portal and larger downloads do it.
        let early = format!(
            "/our-output/a%20b/{id}/{}/awsrunShellScript/0.runShellScript/stdout",
            node.id
        );
        let keys = world.plane.operator_credentials();
        let signed = world.signed(
            &keys,
            "s3",
            REGION,
            ("GET", &early, ""),
            &[("range", "bytes=5-9")],
            b"",
        );
        let (code, headers, body) = world.send("GET", &early, signed, Vec::new()).await;
        assert_eq!((code, &body[..]), (206, &text.as_bytes()[5..10]));
        assert!(
            headers["content-range"]
                .to_str()
                .unwrap()
                .starts_with("bytes 5-9/")
        );
        // The bucket cannot be written to yet.
        let bucket = world.folder.path().join("buckets/our-output");
        std::fs::create_dir_all(bucket.parent().unwrap()).unwrap();
        std::fs::write(&bucket, "in the way").unwrap();
        for command in [&id, &other] {
            agent.end(command, "Success", 0, "short", "").await;
            world
                .until("it has ended", || async {
                    world.details(command).await == "Success"
                })
                .await;
        }
        world.plane.copy_output().await;
        std::fs::remove_file(&bucket).unwrap();
        world.plane.copy_output().await;
        assert!(!bucket.exists(), "it waits before it tries again");
        world.clock.advance(5_000);
        let world = world.restarted().await;
        world.plane.copy_output().await;
        let copied = bucket.join(format!(
            "a b/{id}/{}/awsrunShellScript/0.runShellScript/stdout",
            node.id
        ));
        assert_eq!(std::fs::read_to_string(&copied).unwrap(), text);
        // Other objects are told from the folder.
        std::fs::write(bucket.join("note.txt"), "hello").unwrap();
        let signed = world.signed(&keys, "s3", REGION, ("GET", "/our-output/note.txt", ""), &[], b"");
        assert_eq!(
            world
                .send("GET", "/our-output/note.txt", signed, Vec::new())
                .await
                .2,
            b"hello"
        );
        let told = world.invocation(&id, &node).await;
        let url = told["StandardOutputUrl"].as_str().unwrap();
        let path = url.strip_prefix("http://cp.test:4580").unwrap();
        assert!(
            path.starts_with(&format!("/our-output/a%20b/{id}/{}/awsrunShellScript/", node.id)),
            "{url}"
        );
        let keys = world.plane.operator_credentials();
        for (method, length) in [("GET", text.len()), ("HEAD", 0)] {
            let signed = world.signed(&keys, "s3", REGION, (method, path, ""), &[], b"");
            let (status, headers, body) = world.send(method, path, signed, Vec::new()).await;
            assert_eq!((status, body.len()), (200, length));
            assert_eq!(headers["content-length"], text.len().to_string().as_str());
        }
        let path = path.to_owned();
        assert_eq!(status(&world, &node.credentials, "s3", REGION, &path).await, 403);
        let (unsigned, _, _) = world.send("GET", &path, http::HeaderMap::new(), Vec::new()).await;
        assert_eq!(unsigned, 403);
        for none in [
            "/our-output/x",
            "/no-bucket/x",
            "/..%2f/ssm-keys.json",
            "/our-output/note.txt/x",
            "/our-output/..%2f..%2fssm-keys.json",
            "/Up/x",
        ] {
            assert_eq!(status(&world, &keys, "s3", REGION, none).await, 404, "{none}");
        }
        assert_eq!(
            std::fs::read_dir(world.folder.path().join("buckets"))
                .unwrap()
                .count(),
            1
        );
    })
    .await;
}
