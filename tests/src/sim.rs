//! Simulated nodes for whole-portal tests and benchmarks: as many as are wanted, over as many activations as
//! that takes.

use crate::portal::{Client, Fallible, Portal, run};
use muster_agent::sim::{Fleet, SimBehaviour, SimConfig, fleet};
use muster_domain::system::{SystemClock, SystemRandom};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Nodes that one activation lets in at most.
const PER_ACTIVATION: usize = 1_000;
/// The tag that they all carry.
pub const TAG: &str = "Sim=true";

/// Nodes that run until they are dropped or stopped.
#[derive(Debug)]
pub struct SimNodes {
    fleets: Vec<Fleet>,
    stop: CancellationToken,
}

impl SimNodes {
    /// Registers `count` nodes, and waits until each has its channel open.
    ///
    /// # Errors
    /// When a node is not let in.
    pub async fn start(portal: &Portal, count: usize, behaviour: SimBehaviour) -> Fallible<Self> {
        Self::start_at(portal.data_dir(), &portal.ssm, count, behaviour).await
    }

    /// The same at a control plane with its data in `data_dir`.
    ///
    /// # Errors
    /// When a node is not let in.
    pub async fn start_at(
        data_dir: &Path,
        endpoint: &str,
        count: usize,
        behaviour: SimBehaviour,
    ) -> Fallible<Self> {
        let stop = CancellationToken::new();
        let mut fleets = Vec::new();
        let mut left = count;
        while left > 0 {
            let here = left.min(PER_ACTIVATION);
            left -= here;
            let limit = here.to_string();
            let (code, text) = run(
                data_dir,
                &["activation", "create", "--limit", &limit, "--tag", TAG],
            )?;
            let activation: serde_json::Value =
                serde_json::from_str(&text).map_err(|_| format!("no activation: {code} {text}"))?;
            let field = |name: &str| activation[name].as_str().unwrap_or_default().to_owned();
            let config = SimConfig {
                endpoint: endpoint.to_owned(),
                region: field("Region"),
                activation_id: field("ActivationId"),
                activation_code: field("ActivationCode"),
                count: here,
                prefix: format!("sim-{}", fleets.len()),
                heartbeat: Duration::from_secs(60),
                behaviour: behaviour.clone(),
                clock: Arc::new(SystemClock),
                random: Arc::new(SystemRandom),
            };
            fleets.push(fleet(config, stop.clone()).await?);
        }
        for fleet in &fleets {
            fleet.connected().await;
        }
        Ok(Self { fleets, stop })
    }

    /// Waits until the portal shows `count` of them online, with their tag.
    ///
    /// # Errors
    /// When it does not.
    pub async fn shown(&self, client: &Client, count: usize) -> Fallible<()> {
        let path = format!(
            "/export/fleet.json?filter=tag:{};status%3DOnline",
            TAG.replace('=', "%3D")
        );
        client
            .until(
                "all nodes online in the portal",
                Duration::from_secs(180),
                async |client| {
                    let (_, _, body) = client.get(&path).await?;
                    Ok((body.lines().count() == count).then_some(()))
                },
            )
            .await
    }

    /// All nodes vanish at once.
    pub async fn vanish(&self) {
        self.stop.cancel();
        for fleet in &self.fleets {
            fleet.stopped().await;
        }
    }
}

impl Drop for SimNodes {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
