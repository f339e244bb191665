//! Agents that send all output as it comes: it is there while the step runs, whole and raw afterwards,
//! and survives a restart in the middle.

use crate::agent::{Agent, serve};
use crate::world::{Node, REGION, World};
use http::HeaderMap;
use muster_store::test_database::on_both;
use serde_json::json;

const STREAM: &[&str] = &["output-stream-1"];

/// Gets an object of the built-in bucket.
async fn get(world: &World, url: &str, range: Option<&'static str>) -> (u16, HeaderMap, Vec<u8>) {
    let path = url.strip_prefix("http://cp.test:4580").unwrap();
    let mut headers = vec![("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
    headers.extend(range.map(|range| ("range", range)));
    let keys = world.plane.portal_credentials();
    let signed = signed_unsigned_body(world, &keys, path, &headers);
    world.send("GET", path, signed, Vec::new()).await
}

fn signed_unsigned_body(
    world: &World,
    keys: &muster_agent_protocol::signing::Credentials,
    path: &str,
    headers: &[(&'static str, &str)],
) -> HeaderMap {
    use muster_agent_protocol::signing::{SignedRequest, sign};
    use muster_domain::time::Clock as _;
    let mut map = HeaderMap::new();
    map.insert("host", crate::world::HOST.parse().unwrap());
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    let request = SignedRequest {
        method: "GET",
        path,
        query: "",
        headers: &map,
        body_hash: "UNSIGNED-PAYLOAD",
    };
    let date = crate::world::amz_date(world.clock.now());
    for (name, value) in sign(&request, keys, REGION, "s3", &date) {
        map.insert(name, value.parse().unwrap());
    }
    map
}

async fn started(world: &World, node: &Node, agent: &mut Agent) -> String {
    let more = json!({"OutputS3BucketName": "muster-command-output", "OutputS3KeyPrefix": "muster/a b/1"});
    let id = world.run(&[node], more).await;
    world.plane.tick().await;
    assert_eq!(agent.take().await, id);
    world
        .until("it runs", async || world.detail(&id, node).await == "InProgress")
        .await;
    id
}

#[tokio::test]
async fn output_is_there_while_the_step_runs_and_whole_afterwards() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, STREAM).await;
        agent.receive("muster_hello").await;
        let id = started(&world, &node, &mut agent).await;
        let url = world.invocation(&id, &node).await["StandardOutputUrl"].as_str().unwrap().to_owned();
        let expected = format!(
            "http://cp.test:4580/muster-command-output/muster/a%20b/1/{id}/{}/awsrunShellScript/0.runShellScript/stdout",
            node.id
        );
        assert_eq!(url, expected);
        assert_eq!(get(&world, &url, None).await.0, 200);
        assert_eq!(get(&world, &url, Some("bytes=0-9")).await.0, 416);

        assert_eq!(agent.output(&id, "stdout", 0, b"one\n").await, 4);
        assert_eq!(agent.output(&id, "stderr", 0, b"oops\n").await, 5);
        let partial = world.invocation(&id, &node).await;
        assert_eq!((partial["Status"].as_str(), partial["ResponseCode"].as_i64()), (Some("InProgress"), Some(-1)));
        assert_eq!(partial["StandardOutputContent"], "one\n");
        assert_eq!(partial["StandardErrorContent"], "oops\n");
        let details = world.ok("ListCommandInvocations", json!({"CommandId": id, "Details": true})).await;
        let plugin = &details["CommandInvocations"][0]["CommandPlugins"][0];
        assert_eq!(plugin["Output"], "one\n\n----------ERROR-------\noops\n");
        assert_eq!(plugin["Status"], "InProgress");
        // Twice, overlapping, with a gap, not UTF-8.
        assert_eq!(agent.output(&id, "stdout", 0, b"one\n").await, 4);
        assert_eq!(agent.output(&id, "stdout", 2, b"e\ntwo\n").await, 8);
        assert_eq!(agent.output(&id, "stdout", 99, b"lost").await, 8);
        assert_eq!(agent.output(&id, "stdout", 8, b"\xff\0\n").await, 11);
        let (status, headers, body) = get(&world, &url, Some("bytes=4-99")).await;
        assert_eq!((status, &body[..]), (206, &b"two\n\xff\0\n"[..]));
        assert_eq!(headers["content-range"], "bytes 4-10/11");

        agent.end(&id, "Success", 0, "", "").await;
        let done = world.invocation(&id, &node).await;
        assert_eq!(done["StandardOutputContent"], "one\ntwo\n\u{fffd}\0\n");
        assert_eq!(done["Status"], "Success");
        // What comes too late is acknowledged, so that the agent can drop it, and not kept.
        assert_eq!(agent.output(&id, "stdout", 11, b"late").await, 15);
        assert_eq!(get(&world, &url, None).await.2, b"one\ntwo\n\xff\0\n");
    })
    .await;
}

#[tokio::test]
async fn ten_megabytes_are_kept_and_the_api_shows_the_beginning() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, STREAM).await;
        let id = started(&world, &node, &mut agent).await;
        let whole: Vec<u8> = (0..10_u32 << 20).map(|n| (n % 251) as u8).collect();
        let mut offset = 0;
        for chunk in whole.chunks(64 * 1024) {
            offset = agent.output(&id, "stdout", offset, chunk).await;
        }
        assert_eq!(offset, 10 << 20);
        agent.end(&id, "Success", 0, "", "").await;
        let done = world.invocation(&id, &node).await;
        let text = done["StandardOutputContent"].as_str().unwrap();
        assert_eq!(text.chars().count(), 24_000);
        let url = done["StandardOutputUrl"].as_str().unwrap();
        let (status, headers, body) = get(&world, url, None).await;
        assert_eq!((status, body == whole), (200, true));
        assert_eq!(headers["content-length"], (10 << 20).to_string());
        assert_eq!(
            get(&world, url, Some("bytes=-3")).await.2,
            whole[whole.len() - 3..]
        );
    })
    .await;
}

#[tokio::test]
async fn a_restart_in_the_middle_loses_and_doubles_nothing() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, STREAM).await;
        let id = started(&world, &node, &mut agent).await;
        assert_eq!(agent.output(&id, "stdout", 0, b"before ").await, 7);
        drop(agent);
        let world = world.restarted().await;
        let address = serve(&world).await;
        let mut agent = Agent::connect(&world, &node, address, STREAM).await;
        world.plane.tick().await;
        // The agent saw no acknowledgement and begins at the last one it knows.
        assert_eq!(agent.output(&id, "stdout", 0, b"before after").await, 12);
        agent.end(&id, "Success", 0, "", "").await;
        assert_eq!(
            world.invocation(&id, &node).await["StandardOutputContent"],
            "before after"
        );
        assert_eq!(world.details(&id).await, "Success");
    })
    .await;
}

#[tokio::test]
async fn an_agent_that_announces_nothing_is_served_as_amazons() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, &["something-else"]).await;
        let id = started(&world, &node, &mut agent).await;
        agent.end(&id, "Success", 0, "from the reply", "").await;
        let done = world.invocation(&id, &node).await;
        assert_eq!(done["StandardOutputContent"], "from the reply");
    })
    .await;
}
