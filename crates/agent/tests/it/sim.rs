//! Simulated nodes speak as real ones do.

use crate::gateway::{ACTIVATION_CODE, ACTIVATION_ID, Gateway, REGION};
use muster_agent::sim::{SimAnswer, SimBehaviour, SimConfig, fleet};
use muster_domain::system::{SystemClock, SystemRandom};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_fleet_registers_connects_and_answers() {
    let gateway = Gateway::start().await;
    let stop = CancellationToken::new();
    let config = SimConfig {
        endpoint: gateway.endpoint(),
        region: REGION.into(),
        activation_id: ACTIVATION_ID.into(),
        activation_code: ACTIVATION_CODE.into(),
        count: 50,
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
    };
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
