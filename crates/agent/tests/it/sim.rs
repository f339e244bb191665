//! Simulated nodes speak as real ones do.

use crate::gateway::{ACTIVATION_CODE, ACTIVATION_ID, Gateway, REGION};
use crate::leg::document;
use muster_agent::sim::{SimAnswer, SimBehaviour, SimConfig, fleet, flood_byte};
use muster_domain::system::{SystemClock, SystemRandom};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn fleet_of(gateway: &Gateway, count: usize) -> SimConfig {
    SimConfig {
        endpoint: gateway.endpoint(),
        region: REGION.into(),
        activation_id: ACTIVATION_ID.into(),
        activation_code: ACTIVATION_CODE.into(),
        count,
        prefix: "sim".into(),
        heartbeat: Duration::from_secs(60),
        behaviour: SimBehaviour::Each(Arc::new(|job| SimAnswer {
            delay: Duration::from_millis(5),
            stdout: format!("node {}\n", job.number).into_bytes(),
            code: i32::from(job.number == 7),
            ..SimAnswer::default()
        })),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
    }
}

#[tokio::test]
async fn simulated_sessions_echo_and_flood_by_the_real_protocol() {
    const BYTES: usize = 1_000_000;
    let gateway = Gateway::start().await;
    let stop = CancellationToken::new();
    let fleet = fleet(fleet_of(&gateway, 2), stop.clone()).await.unwrap();
    fleet.connected().await;
    let content = document("Standard_Stream", &json!({}), &json!({}));
    let legs: Vec<_> = (0..10)
        .map(|n| gateway.open(fleet.nodes()[n % 2].as_str(), &format!("s-{n}"), &content))
        .collect();
    for (n, leg) in legs.iter().enumerate() {
        leg.send(format!("hello {n}\nflood {BYTES}\n").as_bytes()).await;
    }
    for (n, leg) in legs.iter().enumerate() {
        leg.expect(&format!("hello {n}\nflood {BYTES}\n")).await;
        leg.wait("the flood has come", |state| {
            (state.output.len() >= BYTES).then_some(())
        })
        .await;
        let shown = leg.with(|state| std::mem::take(&mut state.output));
        assert_eq!(shown.len(), BYTES);
        let is_right = (0..).zip(&shown).all(|(at, byte)| *byte == flood_byte(at));
        assert!(is_right, "session {n}");
    }
    legs[0].send(b"exit\n").await;
    assert_eq!(gateway.completed("s-0").await.final_task_status, "Success");
    legs[1].close();
    gateway.completed("s-1").await;
    stop.cancel();
    fleet.stopped().await;
    assert_eq!(
        gateway.completed("s-9").await.output,
        "The agent on the node stopped."
    );
}

#[tokio::test]
async fn a_fleet_registers_connects_and_answers() {
    let gateway = Gateway::start().await;
    let stop = CancellationToken::new();
    let config = fleet_of(&gateway, 50);
    let fleet = fleet(config, stop.clone()).await.unwrap();
    fleet.connected().await;
    let jobs: Vec<String> = fleet
        .nodes()
        .iter()
        .map(|node| gateway.send_script(node.as_str(), "c-1", &["true"], 60))
        .collect();
    for (number, job) in jobs.iter().enumerate() {
        let last = gateway.last_reply(job, 0).await;
        assert_eq!(
            last.document_status,
            if number == 7 { "Failed" } else { "Success" }
        );
        assert_eq!(
            gateway.output(job, "run", "stdout"),
            format!("node {number}\n").as_bytes()
        );
    }
    gateway
        .wait("all have reported", |seen| {
            let full = seen
                .information
                .iter()
                .filter(|report| report.computer_name.is_some());
            (full.count() == 50).then_some(())
        })
        .await;
    stop.cancel();
    fleet.stopped().await;
}
