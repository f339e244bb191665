//! The embedded endpoint's API, signed and durable, beside `moto_server`, an emulator that keeps records in memory:
//! requests a second, latency and processor time for each operation; one command on 1,000 agents; what they find of 300
//! patches each, stored while somebody else calls.

use super::peer::Moto;
use futures::future::join_all;
use muster_agent::sim::{SimAnswer, SimBehaviour};
use muster_tests::Portal;
use muster_tests::api::Api;
use muster_tests::portal::Fallible;
use muster_tests::sim::SimNodes;
use muster_tests::stats::{cpu_ms, ms, percentile};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long each operation is measured at each number of connections.
const SPAN: Duration = Duration::from_secs(3);
const PARAMETERS: usize = 1_000;
const AGENTS: usize = 1_000;
/// Patches that each of them tells of.
const PATCHES: usize = 300;
/// Reports that are on their way at a time.
const REPORTERS: usize = 4;

/// An endpoint that is measured.
struct Target {
    name: &'static str,
    pid: u32,
    api: Api,
}

impl Target {
    /// Sends one request again and again over so many connections; gives the rate.
    async fn measure(&self, what: &str, operation: &str, input: &Value, connections: usize) -> Fallible<f64> {
        let ready = self.api.ready(operation, input)?;
        let stop = AtomicBool::new(false);
        let began = Instant::now();
        let cpu = cpu_ms(self.pid)?;
        let workers = (0..connections).map(|_| async {
            let api = self.api.apart();
            let mut samples = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let at = Instant::now();
                let (status, output) = api.send(&ready).await?;
                if status != 200 {
                    return Err(format!("{}: {operation} was answered {status} {output}", self.name).into());
                }
                samples.push(at.elapsed());
            }
            Fallible::Ok(samples)
        });
        let timer = async {
            tokio::time::sleep(SPAN).await;
            stop.store(true, Ordering::Relaxed);
        };
        let (all, ()) = tokio::join!(join_all(workers), timer);
        let took = began.elapsed();
        let used = cpu_ms(self.pid)? - cpu;
        let mut samples = Vec::new();
        for one in all {
            samples.extend(one?);
        }
        let count = samples.len() as f64;
        let rate = count / took.as_secs_f64();
        println!(
            "{what:<36} {:<8} {connections:>4} {:>10} {:>12} {:>12} {:>10.3}",
            self.name,
            format!("{rate:.0}"),
            ms(percentile(&mut samples, 50)),
            ms(percentile(&mut samples, 99)),
            used / count
        );
        Ok(rate)
    }

    async fn fill(&self) -> Fallible<()> {
        for n in 0..PARAMETERS {
            let input =
                json!({"Name": format!("/bench/path/{n:04}"), "Value": "x".repeat(100), "Type": "String"});
            self.api.call("PutParameter", input).await?;
        }
        for (name, kind) in [("/bench/plain", "String"), ("/bench/secret", "SecureString")] {
            let input = json!({"Name": name, "Value": "x".repeat(100), "Type": kind});
            self.api.call("PutParameter", input).await?;
        }
        Ok(())
    }

    /// All pages of the path, one after the other.
    async fn walk(&self) -> Fallible<Duration> {
        let mut times = Vec::new();
        for _ in 0..10 {
            let began = Instant::now();
            let mut input = json!({"Path": "/bench/path", "WithDecryption": true, "MaxResults": 10});
            let mut found = 0;
            loop {
                let page = self.api.call("GetParametersByPath", input.clone()).await?;
                found += page["Parameters"].as_array().map_or(0, Vec::len);
                match page["NextToken"].as_str().filter(|token| !token.is_empty()) {
                    Some(token) => input["NextToken"] = json!(token),
                    None => break,
                }
            }
            if found != PARAMETERS {
                return Err(format!("{}: the walk found {found} parameters", self.name).into());
            }
            times.push(began.elapsed());
        }
        let p50 = percentile(&mut times, 50);
        println!(
            "{:<36} {:<8} p50 {} p95 {}",
            "GetParametersByPath, 1,000 walked",
            self.name,
            ms(p50),
            ms(percentile(&mut times, 95))
        );
        Ok(p50)
    }
}

fn operations() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("GetParameter", "GetParameter", json!({"Name": "/bench/plain"})),
        (
            "GetParameter, decrypted (audited)",
            "GetParameter",
            json!({"Name": "/bench/secret", "WithDecryption": true}),
        ),
        (
            "GetParametersByPath, a page of 10",
            "GetParametersByPath",
            json!({"Path": "/bench/path"}),
        ),
        (
            "DescribeParameters, a page of 10",
            "DescribeParameters",
            json!({"MaxResults": 10}),
        ),
        (
            "PutParameter, String",
            "PutParameter",
            json!({"Name": "/bench/put", "Value": "x".repeat(100), "Type": "String", "Overwrite": true}),
        ),
        (
            "PutParameter, SecureString",
            "PutParameter",
            json!({"Name": "/bench/put-secret", "Value": "x".repeat(100), "Type": "SecureString", "Overwrite": true}),
        ),
    ]
}

/// One command on all agents: time until the endpoint has every end.
async fn commands(target: &Target) -> Fallible<()> {
    for round in 1..=3 {
        let began = Instant::now();
        let input = json!({"Targets": [{"Key": "tag:Sim", "Values": ["true"]}], "DocumentName": "AWS-RunShellScript",
            "Parameters": {"commands": ["echo hello"]}, "MaxConcurrency": "100%"});
        let sent = target.api.call("SendCommand", input).await?;
        let id = sent["Command"]["CommandId"].clone();
        loop {
            let listed = target.api.call("ListCommands", json!({"CommandId": id})).await?;
            let command = &listed["Commands"][0];
            if command["CompletedCount"] == json!(AGENTS) {
                break;
            }
            if began.elapsed() > Duration::from_secs(120) {
                return Err(format!("the command did not end: {command}").into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        println!(
            "round {round}: one command on {AGENTS} agents, sent -> all done: {:.2} s",
            began.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

/// The ids of all nodes.
async fn nodes(target: &Target) -> Fallible<Vec<String>> {
    let mut ids = Vec::new();
    let mut input = json!({"MaxResults": 50});
    loop {
        let page = target
            .api
            .call("DescribeInstanceInformation", input.clone())
            .await?;
        for node in page["InstanceInformationList"].as_array().into_iter().flatten() {
            ids.push(node["InstanceId"].as_str().unwrap_or_default().to_owned());
        }
        match page["NextToken"].as_str().filter(|token| !token.is_empty()) {
            Some(token) => input["NextToken"] = json!(token),
            None => return Ok(ids),
        }
    }
}

/// What a node reports after a scan.
fn scan_result(node: &str, round: usize) -> Value {
    let lines: Vec<Value> = (0..PATCHES)
        .map(|n| {
            let state = if n % 10 == 0 { "MISSING" } else { "INSTALLED" };
            json!({"Title": format!("package-{n}.x86_64:1.{round}-{n}"), "KBId": format!("package-{n}.x86_64"),
                "Classification": "Security", "Severity": "Important", "State": state, "ComplianceLevel": "HIGH",
                "InstalledTime": "2026-11-26T12:00:00Z", "CVEIds": format!("CVE-2026-{n:04}")})
        })
        .collect();
    let summary = json!({"PatchGroup": "web", "BaselineId": "pb-0123456789abcdef0", "SnapshotId": "s",
        "OperationType": "Scan", "OperationStartTime": "2026-11-26T12:00:00Z", "OperationEndTime": "2026-11-26T12:00:00Z",
        "InstalledCount": "270", "MissingCount": "30"});
    let item = |name: &str, content: Value| json!({"TypeName": name, "SchemaVersion": "1.0", "CaptureTime": "2026-11-26T12:00:00Z", "Content": content});
    json!({"InstanceId": node,
        "Items": [item("AWS:PatchSummary", json!([summary])), item("AWS:PatchCompliance", json!(lines))]})
}

/// Stores what all nodes have found, and calls something else meanwhile.
async fn scans(target: &Target) -> Fallible<()> {
    let ids = nodes(target).await?;
    let ready = target
        .api
        .ready("GetParameter", &json!({"Name": "/bench/plain"}))?;
    let states = target.api.ready(
        "DescribeInstancePatchStates",
        &json!({"InstanceIds": ids.get(..10)}),
    )?;
    for round in 1..=2 {
        let stop = AtomicBool::new(false);
        let began = Instant::now();
        let reporters = (0..REPORTERS).map(|reporter| {
            let ids = &ids;
            async move {
                let api = target.api.apart();
                for id in ids.iter().skip(reporter).step_by(REPORTERS) {
                    api.call("PutInventory", scan_result(id, round)).await?;
                }
                Fallible::Ok(())
            }
        });
        let other = |ready| {
            let (api, stop) = (target.api.apart(), &stop);
            async move {
                let mut samples = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let at = Instant::now();
                    let (status, output) = api.send(ready).await?;
                    if status != 200 {
                        return Err(format!("{status} {output}").into());
                    }
                    samples.push(at.elapsed());
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                Fallible::Ok(samples)
            }
        };
        let storing = async {
            let all = join_all(reporters).await;
            stop.store(true, Ordering::Relaxed);
            all.into_iter().collect::<Fallible<Vec<()>>>()
        };
        let (stored, parameters, listed) = tokio::join!(storing, other(&ready), other(&states));
        stored?;
        let took = began.elapsed();
        println!(
            "round {round}: {} nodes with {PATCHES} patches each stored in {:.2} s; meanwhile:",
            ids.len(),
            took.as_secs_f64()
        );
        for (what, samples) in [
            ("GetParameter", parameters?),
            ("DescribeInstancePatchStates of 10", listed?),
        ] {
            let mut samples = samples;
            println!(
                "  {what:<34} {:>6} calls, p50 {} p99 {}",
                samples.len(),
                ms(percentile(&mut samples, 50)),
                ms(percentile(&mut samples, 99))
            );
        }
    }
    Ok(())
}

/// Measures and prints.
///
/// # Errors
/// When the program does not do what is measured.
pub(crate) async fn run() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[])?;
    let ours = Target {
        name: "Muster",
        pid: portal.pid(),
        api: Api::of(&portal)?,
    };
    let moto = Moto::start().await?;
    let peer = moto.as_ref().map(|moto| Target {
        name: "moto",
        pid: moto.pid(),
        api: Api::new(moto.base.clone(), ours.api.keys.clone()),
    });
    if peer.is_none() {
        println!("moto_server is not there (MUSTER_TEST_MOTO names it): measured without it");
    }
    ours.fill().await?;
    if let Some(peer) = &peer {
        peer.fill().await?;
    }
    println!(
        "{:<36} {:<8} {:>4} {:>10} {:>12} {:>12} {:>10}",
        "operation", "endpoint", "conn", "per s", "p50", "p99", "CPU ms"
    );
    for (what, operation, input) in operations() {
        for connections in [1, 8] {
            let rate = ours.measure(what, operation, &input, connections).await?;
            if let Some(peer) = &peer {
                let other = peer.measure(what, operation, &input, connections).await?;
                println!("{:<36} {:.1} times moto's rate", "", rate / other);
            }
        }
    }
    let walked = ours.walk().await?;
    if let Some(peer) = &peer {
        let other = peer.walk().await?;
        println!(
            "{:<36} {:.1} times as fast",
            "",
            other.as_secs_f64() / walked.as_secs_f64()
        );
    }
    let answer = SimAnswer {
        delay: Duration::ZERO,
        stdout: b"hello\n".to_vec(),
        stderr: Vec::new(),
        code: 0,
    };
    let agents = SimNodes::start(&portal, AGENTS, SimBehaviour::Alike(answer)).await?;
    for connections in [1, 8] {
        let what = "DescribeInstanceInformation, 50 of 1,000";
        ours.measure(
            what,
            "DescribeInstanceInformation",
            &json!({"MaxResults": 50}),
            connections,
        )
        .await?;
    }
    commands(&ours).await?;
    scans(&ours).await?;
    // Last, for what was sent is still under way when it is over.
    let one = nodes(&ours).await?.into_iter().next().unwrap_or_default();
    let send = json!({"InstanceIds": [one], "DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}});
    for connections in [1, 8] {
        ours.measure("SendCommand to one node", "SendCommand", &send, connections)
            .await?;
    }
    agents.vanish().await;
    Ok(())
}
