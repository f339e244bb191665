//! The audit log as one of several connections writes it: each row says where it was done.

use async_trait::async_trait;
use muster_domain::audit::{AuditTrail, Intent, Outcome};
use muster_domain::ids::ActId;
use muster_domain::{Actor, PortalError};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A trail that adds to each act at which connection it was.
pub struct AtConnection {
    trail: Arc<dyn AuditTrail>,
    connection: String,
}

impl AtConnection {
    /// What is written to `trail` from now on was done at `connection`.
    #[must_use]
    pub fn new(trail: Arc<dyn AuditTrail>, connection: &str) -> Self {
        Self {
            trail,
            connection: connection.to_owned(),
        }
    }

    fn placed(&self, intent: &Intent) -> Intent {
        intent.clone().with("connection", self.connection.as_str())
    }
}

#[async_trait]
impl AuditTrail for AtConnection {
    async fn begin(&self, actor: &Actor, intent: &Intent) -> Result<ActId, PortalError> {
        self.trail.begin(actor, &self.placed(intent)).await
    }

    async fn complete(
        &self,
        actor: &Actor,
        intent: &Intent,
        act: &ActId,
        outcome: Outcome,
        message: &str,
        result: BTreeMap<String, Value>,
    ) -> Result<(), PortalError> {
        let intent = self.placed(intent);
        self.trail
            .complete(actor, &intent, act, outcome, message, result)
            .await
    }

    async fn record(
        &self,
        actor: &Actor,
        intent: &Intent,
        outcome: Outcome,
        message: &str,
    ) -> Result<(), PortalError> {
        self.trail
            .record(actor, &self.placed(intent), outcome, message)
            .await
    }

    async fn record_once(
        &self,
        act: &ActId,
        actor: &Actor,
        intent: &Intent,
        outcome: Outcome,
        message: &str,
    ) -> Result<(), PortalError> {
        self.trail
            .record_once(act, actor, &self.placed(intent), outcome, message)
            .await
    }
}
