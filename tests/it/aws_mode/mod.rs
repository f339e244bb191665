//! The portal against AWS, as far as that can be had without AWS: everything between them is real but the far
//! end, where a control plane of ours stands behind AWS's own wire (see `edge`).

mod channels;
mod edge;
mod sessions;

use crate::support::{self, Plane};
use edge::{ASSUMED, BUCKET, Edge, Fault};
use muster_agent::sim::{SimAnswer, SimBehaviour};
use muster_agent_protocol::signing::Credentials;
use muster_tests::portal::run;
use muster_tests::sim::{SimNodes, TAG};
use muster_tests::{Client, Portal};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
const ROLE: &str = "arn:aws:iam::123456789012:role/fleet";
/// More than Systems Manager keeps itself.
const OUTPUT: usize = 100_000;

/// A control plane, the edge before it, nodes, and how often a node ran anything.
struct Aws {
    edge: Edge,
    nodes: SimNodes,
    ran: Arc<AtomicUsize>,
    _plane: Plane,
    folder: tempfile::TempDir,
}

impl Aws {
    async fn with_nodes(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("plane");
        let plane = Plane::start(&data, "127.0.0.1:0").unwrap();
        let (_, keys) = run(&data, &["keys", "--portal"]).unwrap();
        let key = |name: &str| {
            let line = keys.lines().find(|line| line.contains(name)).unwrap();
            line.split_once('=').unwrap().1.to_owned()
        };
        let keys = Credentials {
            access_key_id: key("AWS_ACCESS_KEY_ID"),
            secret_access_key: key("AWS_SECRET_ACCESS_KEY"),
            session_token: None,
        };
        let address = format!("http://{}", plane.address);
        let edge = Edge::start(&address, keys).await;
        let ran = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&ran);
        let behaviour = SimBehaviour::Each(Arc::new(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            SimAnswer {
                stdout: "0123456789".repeat(OUTPUT / 10).into_bytes(),
                ..SimAnswer::default()
            }
        }));
        let nodes = SimNodes::start_at(&data, &address, count, behaviour)
            .await
            .unwrap();
        Self {
            edge,
            nodes,
            ran,
            _plane: plane,
            folder,
        }
    }

    /// A portal whose AWS is here.
    fn portal(&self, name: &str, arguments: &[&str]) -> Portal {
        self.portal_with(name, arguments, &[])
    }

    /// The same with other variables, the later of two counts.
    fn portal_with(&self, name: &str, arguments: &[&str], more: &[(&str, &str)]) -> Portal {
        let empty = self.folder.path().join("no-such-file").display().to_string();
        let variables = [
            ("AWS_ENDPOINT_URL", self.edge.address.as_str()),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIAPORTAL0000000000"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", empty.as_str()),
            ("AWS_SHARED_CREDENTIALS_FILE", empty.as_str()),
        ];
        let mut all = vec!["--ssm-mode", "aws"];
        all.extend(arguments);
        let variables: Vec<(&str, &str)> = variables.iter().chain(more).copied().collect();
        Portal::start(&self.folder.path().join(name), &all, &variables).unwrap()
    }

    /// The first node, once the portal shows it online.
    async fn node(&self, admin: &Client) -> String {
        support::online_node(admin).await
    }
}

async fn frame_says(admin: &Client, wanted: &str) {
    admin
        .until(wanted, PATIENCE * 2, async |client| {
            let (_, frame) = client.call("overview/frame", &[]).await?;
            Ok(frame.to_string().contains(wanted).then_some(()))
        })
        .await
        .unwrap();
}

async fn download(admin: &Client, id: &str, node: &str) -> usize {
    let path = format!("/download/commands/{id}/{node}/stdout");
    admin.open(&path).await.unwrap().bytes().await.unwrap().len()
}

#[tokio::test]
async fn a_role_is_assumed_and_a_command_runs_with_its_output_from_s3() {
    let aws = Aws::with_nodes(60).await;
    let s3 = aws.edge.address.clone();
    let settings = [
        "--role-arn",
        ROLE,
        "--output-bucket",
        BUCKET,
        "--s3-endpoint",
        &s3,
    ];
    let portal = aws.portal("portal", &settings);
    assert_eq!(portal.ssm, "", "no endpoint of its own");
    let admin = Client::first_administrator(&portal).await.unwrap();
    let shown = "/export/fleet.json";
    let rows = admin
        .until("both pages of nodes", PATIENCE, async |client| {
            let (_, _, body) = client.get(shown).await?;
            Ok((body.lines().count() == 60).then_some(body))
        })
        .await
        .unwrap();
    assert!(rows.lines().all(|row| row.contains("\"Online\"")));
    admin
        .until("the tags of the first nodes", PATIENCE, async |client| {
            let (_, _, body) = client
                .get(&format!("{shown}?filter=tag:{}", TAG.replace('=', "%3D")))
                .await?;
            Ok((body.lines().count() >= 20).then_some(()))
        })
        .await
        .unwrap();
    frame_says(&admin, "123456789012").await;
    let roles = aws.edge.calls("AssumeRole");
    assert!(
        roles
            .iter()
            .all(|call| call.detail == "muster" && call.key_id == "AKIAPORTAL0000000000")
    );
    assert!(!roles.is_empty());
    let all = aws.edge.calls("");
    let of_ssm: Vec<_> = all.iter().filter(|call| call.service == "ssm").collect();
    assert!(
        of_ssm
            .iter()
            .all(|call| call.key_id == ASSUMED && call.region == "eu-west-1")
    );

    // What is copied in the background goes on meanwhile, a few calls a second: far fewer than pages that would ask.
    let before = aws.edge.calls("").len();
    let pages = [
        "/",
        "/fleet",
        "/fleet?filter=status%3DOnline&sort=ping",
        "/commands",
        "/audit",
    ];
    const ROUNDS: usize = 10;
    for page in pages.iter().cycle().take(ROUNDS * pages.len()) {
        assert_eq!(admin.get(page).await.unwrap().0, 200, "{page}");
    }
    let asked = aws.edge.calls("").len() - before;
    assert!(
        asked < ROUNDS * pages.len() / 2,
        "no page asks AWS, but {asked} calls came"
    );

    let node = aws.node(&admin).await;
    let id = support::run_script(&admin, &node, "much").await;
    assert_eq!(support::status(&support::follow(&admin, &id, 0).await), "Success");
    assert_eq!(download(&admin, &id, &node).await, OUTPUT);
    assert_eq!(aws.edge.calls("SendCommand").len(), 1);
    let objects = aws.edge.calls("GetObject");
    assert!(
        !objects.is_empty()
            && objects
                .iter()
                .all(|call| call.key_id == ASSUMED && call.detail.starts_with("bytes="))
    );
    assert_eq!(aws.ran.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn without_a_bucket_what_systems_manager_keeps_is_kept() {
    let aws = Aws::with_nodes(1).await;
    let portal = aws.portal("portal", &[]);
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = aws.node(&admin).await;
    let id = support::run_script(&admin, &node, "much").await;
    assert_eq!(support::status(&support::follow(&admin, &id, 0).await), "Success");
    let kept = download(&admin, &id, &node).await;
    assert!((20_000..=24_000).contains(&kept), "{kept}");
    assert!(aws.edge.calls("GetObject").is_empty());
    assert!(
        aws.edge
            .calls("")
            .iter()
            .all(|call| call.key_id == "AKIAPORTAL0000000000")
    );
    let (_, _, page) = admin.get(&format!("/commands/{id}")).await.unwrap();
    assert!(
        page.contains("Systems Manager itself keeps no more than"),
        "the page says that it is not all"
    );
}

#[tokio::test]
async fn throttling_delays_and_doubles_nothing() {
    let aws = Aws::with_nodes(1).await;
    let portal = aws.portal("portal", &[]);
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = aws.node(&admin).await;
    for operation in [
        "SendCommand",
        "ListCommandInvocations",
        "ListCommands",
        "GetCommandInvocation",
    ] {
        aws.edge.fail(operation, Fault::Throttle, 4);
    }
    let id = support::run_script(&admin, &node, "throttled").await;
    assert_eq!(support::status(&support::follow(&admin, &id, 0).await), "Success");
    assert_eq!(
        aws.edge.calls("SendCommand").len(),
        5,
        "four refusals and the one that counts"
    );
    assert_eq!(aws.ran.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_answer_that_was_lost_does_not_run_a_command_twice() {
    let aws = Aws::with_nodes(1).await;
    let s3 = aws.edge.address.clone();
    let portal = aws.portal("with-bucket", &["--output-bucket", BUCKET, "--s3-endpoint", &s3]);
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = aws.node(&admin).await;
    aws.edge.fail("SendCommand", Fault::LostAnswer, 1);
    let id = support::run_script(&admin, &node, "once").await;
    assert_eq!(
        support::status(&support::follow(&admin, &id, 0).await),
        "Success",
        "found by its marker"
    );
    assert_eq!(aws.edge.calls("SendCommand").len(), 1);
    assert_eq!(aws.ran.load(Ordering::SeqCst), 1);
    // What never arrived is sent again, once it is certain that it did not.
    aws.edge.fail("SendCommand", Fault::Cut, 1);
    let id = support::run_script(&admin, &node, "again").await;
    assert_eq!(support::status(&support::follow(&admin, &id, 0).await), "Success");
    assert_eq!(
        (
            aws.edge.calls("SendCommand").len(),
            aws.ran.load(Ordering::SeqCst)
        ),
        (3, 2)
    );
    drop(portal);

    // Without a marker nobody can know: it is said, and not sent again.
    let portal = aws.portal("without-bucket", &[]);
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = aws.node(&admin).await;
    aws.edge.fail("SendCommand", Fault::LostAnswer, 1);
    let id = support::run_script(&admin, &node, "unknown").await;
    assert_eq!(support::status(&support::follow(&admin, &id, 0).await), "Failed");
    let (_, detail) = admin.call("commands/get", &[("command_id", &id)]).await.unwrap();
    assert!(
        detail["problem"].as_str().unwrap().contains("not known"),
        "{}",
        detail["problem"]
    );
    assert_eq!(
        (
            aws.edge.calls("SendCommand").len(),
            aws.ran.load(Ordering::SeqCst)
        ),
        (4, 3)
    );
}

#[tokio::test]
async fn what_is_not_allowed_is_named_and_the_rest_goes_on() {
    let aws = Aws::with_nodes(2).await;
    aws.edge.fail("ListTagsForResource", Fault::Denied, usize::MAX);
    let portal = aws.portal("portal", &[]);
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = aws.node(&admin).await;
    frame_says(&admin, "Allow ssm:ListTagsForResource").await;
    let (_, frame) = admin.call("overview/frame", &[]).await.unwrap();
    assert!(frame.to_string().contains("Live"), "{frame}");
    aws.edge.fail("SendCommand", Fault::Denied, 1);
    let fields = [
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", "id"),
        ("nodes", node.as_str()),
    ];
    let (status, answer) = admin.call("commands/run", &fields).await.unwrap();
    assert!(
        status == 503 && answer.to_string().contains("Allow ssm:SendCommand"),
        "{status} {answer}"
    );
    let id = support::run_script(&admin, &node, "id").await;
    assert_eq!(support::status(&support::follow(&admin, &id, 0).await), "Success");
}

#[test]
fn without_a_region_it_does_not_start_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("no-such-file").display().to_string();
    let program = muster_tests::portal::program().unwrap();
    let answer = std::process::Command::new(program)
        .args([
            "serve",
            "--ssm-mode",
            "aws",
            "--addr",
            "127.0.0.1:0",
            "--data-dir",
        ])
        .arg(folder.path())
        .env_remove("AWS_REGION")
        .env_remove("AWS_DEFAULT_REGION")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", &empty)
        .env("AWS_SHARED_CREDENTIALS_FILE", &empty)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&answer.stderr);
    assert!(
        !answer.status.success() && text.contains("MUSTER_REGION"),
        "{text}"
    );
}

#[tokio::test]
async fn missing_credentials_are_said() {
    let aws = Aws::with_nodes(1).await;
    let none = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    let portal = aws.portal_with("portal", &[], &none);
    let admin = Client::first_administrator(&portal).await.unwrap();
    frame_says(&admin, "found no credentials for AWS").await;
    assert!(aws.edge.calls("").is_empty());
}

#[tokio::test]
async fn expired_credentials_are_said_and_all_comes_back_by_itself() {
    let aws = Aws::with_nodes(1).await;
    aws.edge.fail("*", Fault::Expired, usize::MAX);
    let portal = aws.portal("portal", &[]);
    let admin = Client::first_administrator(&portal).await.unwrap();
    frame_says(&admin, "Renew the portal's credentials").await;
    for page in ["/", "/fleet", "/commands", "/audit"] {
        assert_eq!(admin.get(page).await.unwrap().0, 200, "{page}");
    }
    aws.edge.heal();
    frame_says(&admin, "\"Live\"").await;
    aws.nodes.shown(&admin, 1).await.unwrap();
}

/// The operations that the server's code calls, out of its source.
fn called() -> BTreeSet<String> {
    fn read(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                read(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for (at, _) in text.match_indices(".call(") {
                    let name = text[at + 6..].trim_start().strip_prefix('"');
                    let name = name.and_then(|rest| rest.split('"').next());
                    found.extend(name.map(|name| match name {
                        "GetCallerIdentity" => format!("sts:{name}"),
                        name => format!("ssm:{name}"),
                    }));
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    read(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src"),
        &mut found,
    );
    found
}

#[test]
fn the_policy_in_the_docs_allows_what_is_called_and_nothing_more() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/iam-policy.json");
    let policy: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut allowed = BTreeSet::new();
    for statement in policy["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow");
        match &statement["Action"] {
            serde_json::Value::String(one) => drop(allowed.insert(one.clone())),
            many => allowed.extend(
                many.as_array()
                    .unwrap()
                    .iter()
                    .map(|one| one.as_str().unwrap().to_owned()),
            ),
        }
    }
    let mut wanted = called();
    assert!(wanted.len() > 8, "the source was read: {wanted:?}");
    wanted.extend(["s3:GetObject", "iam:PassRole"].map(str::to_owned));
    assert_eq!(allowed, wanted);
}
