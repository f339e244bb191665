//! Copies nodes and their tags from Systems Manager into the portal's database, and keeps the state of
//! the connection.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::commands::documents;
use crate::events::{EventBus, PortalEvent};
use crate::fleet::Figures;
use aws_sdk_ssm::types::InstanceInformation;
use muster_domain::Timestamp;
use muster_domain::time::Clock;
use muster_store::{Db, RowExt, Sql, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Why a sweep did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Systems Manager did not answer.
    #[error("{0}")]
    Call(CallError),
}

/// The task's parts.
#[derive(Clone)]
pub struct FleetSync {
    /// The portal's database.
    pub db: Db,
    /// The way to Systems Manager.
    pub ssm: Ssm,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Wakes streams.
    pub bus: EventBus,
    /// What pages have counted.
    pub figures: Figures,
    /// Whose credentials these are, once AWS has said so.
    pub account: Arc<OnceCell<String>>,
}

impl FleetSync {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let embedded = self.ssm.connection.embedded;
        let mut failures = 0_u32;
        let mut documents_at: Option<Instant> = None;
        loop {
            let began = Instant::now();
            let done = self.sweep().await;
            let took = began.elapsed();
            // Before tags, which may take long: without documents nothing can be run.
            // The embedded endpoint answers at once, and people who make documents look for them.
            let every = Duration::from_secs(if embedded { 60 } else { 600 });
            if done.is_ok() && documents_at.is_none_or(|at| at.elapsed() > every) {
                match self.copy_documents().await {
                    Ok(()) => documents_at = Some(Instant::now()),
                    Err(error) => tracing::warn!(%error, "documents could not be copied"),
                }
            }
            let done = match done {
                Ok(()) => tokio::select! {
                    () = stop.cancelled() => return,
                    done = self.copy_tags() => done,
                },
                Err(error) => Err(error),
            };
            match &done {
                Ok(_) => failures = 0,
                Err(error) => {
                    failures += 1;
                    tracing::warn!(%error, "the fleet could not be copied");
                    self.unreachable(error).await;
                }
            }
            // A large fleet is copied less often: at most a twentieth of the time goes into it.
            let base = Duration::from_secs(if embedded { 2 } else { 60 });
            let pause = match (failures, done) {
                (0, Ok(true)) => base.max(took * 20),
                (0, _) => Duration::from_secs(1),
                // Soon at first, so that a short break ends soon; then less and less.
                (failures, _) => Duration::from_secs(2)
                    .saturating_mul(2_u32.pow(failures.min(10)))
                    .min(Duration::from_secs(if embedded { 15 } else { 600 })),
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Copies the documents that can be run, and those with which terminals are opened.
    async fn copy_documents(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let now = self.clock.now();
        documents::sync(&self.db, &self.ssm, now).await?;
        crate::sessions::documents::sync(&self.db, &self.ssm, now).await
    }

    /// Copies everything once.
    ///
    /// # Errors
    /// [`SweepError`]; the copy keeps what it had.
    pub async fn sweep(&self) -> Result<(), SweepError> {
        let now = self.clock.now();
        let mut changed = false;
        let mut token = None;
        loop {
            let request = self
                .ssm
                .client
                .describe_instance_information()
                .max_results(50)
                .set_next_token(token);
            let answer = self
                .ssm
                .call("DescribeInstanceInformation", request.send())
                .await
                .map_err(SweepError::Call)?;
            changed |= self.write_page(answer.instance_information_list(), now).await?;
            token = answer
                .next_token()
                .filter(|token| !token.is_empty())
                .map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        changed |= self.mark_gone(now).await?;
        // Tags may take a while; that nodes were copied shows at once.
        let problem = self.problem().await?;
        if !self.connected(&problem, now).await? {
            self.bus.tell(PortalEvent::Connections);
        }
        if changed {
            self.figures.changed();
            self.bus.tell(PortalEvent::Fleet);
        }
        Ok(())
    }

    async fn write_page(&self, page: &[InstanceInformation], now: Timestamp) -> Result<bool, StoreError> {
        if page.is_empty() {
            return Ok(false);
        }
        let connection = self.ssm.connection.id.as_str();
        let mut changed = false;
        let mut transaction = self.db.begin().await?;
        for node in page {
            let id = node.instance_id().unwrap_or_default();
            let computer = node.computer_name().unwrap_or_default();
            let name = node.name().filter(|name| !name.is_empty()).unwrap_or(computer);
            let name = if name.is_empty() { id } else { name };
            let status = node
                .ping_status()
                .map_or("ConnectionLost", |status| status.as_str());
            let millis = |at: Option<&aws_smithy_types::DateTime>| at.and_then(|at| at.to_millis().ok());
            let platform = node.platform_type().map_or("", |platform| platform.as_str());
            let mut before = Sql::new("select ping_status from nodes where connection_id = ");
            before.text(connection).push(" and node_id = ").text(id);
            let before = before
                .first(&mut *transaction)
                .await?
                .map(|row| row.text("ping_status"))
                .transpose()?;
            changed |= before.as_deref() != Some(status);
            let mut sql = Sql::new(
                "insert into nodes (connection_id, node_id, name, computer_name, ping_status, last_ping_at, platform_type, platform_name, \
                 platform_version, agent_version, ip_address, resource_type, activation_id, iam_role, registered_at, synced_at, \
                 tags_synced_at, sweep, sort_name) values (",
            );
            sql.text(connection)
                .push(", ")
                .text(id)
                .push(", ")
                .text(name)
                .push(", ")
                .text(computer)
                .push(", ");
            sql.text(status)
                .push(", ")
                .int_or_none(millis(node.last_ping_date_time()))
                .push(", ")
                .text(platform)
                .push(", ");
            sql.text(node.platform_name().unwrap_or_default())
                .push(", ")
                .text(node.platform_version().unwrap_or_default())
                .push(", ");
            sql.text(node.agent_version().unwrap_or_default())
                .push(", ")
                .text(node.ip_address().unwrap_or_default())
                .push(", ");
            sql.text(node.resource_type().map_or("", |kind| kind.as_str()))
                .push(", ");
            sql.text_or_none(node.activation_id().map(str::to_owned))
                .push(", ");
            sql.text_or_none(node.iam_role().map(str::to_owned))
                .push(", ")
                .int_or_none(millis(node.registration_date()))
                .push(", ");
            sql.int(now.0)
                .push(", 0, ")
                .int(now.0)
                .push(", ")
                .text(name.to_lowercase());
            sql.push(
                ") on conflict (connection_id, node_id) do update set \
                 name = coalesce((select t.tag_value from node_tags t where t.connection_id = excluded.connection_id and t.node_id = excluded.node_id and t.tag_key = 'Name' and t.tag_value <> ''), excluded.name), \
                 sort_name = lower(coalesce((select t.tag_value from node_tags t where t.connection_id = excluded.connection_id and t.node_id = excluded.node_id and t.tag_key = 'Name' and t.tag_value <> ''), excluded.name)), \
                 computer_name = excluded.computer_name, ping_status = excluded.ping_status, last_ping_at = excluded.last_ping_at, \
                 platform_type = excluded.platform_type, platform_name = excluded.platform_name, platform_version = excluded.platform_version, \
                 agent_version = excluded.agent_version, ip_address = excluded.ip_address, resource_type = excluded.resource_type, \
                 activation_id = excluded.activation_id, iam_role = excluded.iam_role, registered_at = excluded.registered_at, \
                 synced_at = excluded.synced_at, sweep = excluded.sweep",
            );
            sql.run(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(changed)
    }

    /// Nodes that Systems Manager no longer lists were deregistered.
    async fn mark_gone(&self, now: Timestamp) -> Result<bool, StoreError> {
        let mut sql = Sql::new("update nodes set ping_status = 'Inactive', synced_at = ");
        sql.int(now.0)
            .push(" where connection_id = ")
            .text(self.ssm.connection.id.as_str());
        sql.push(" and sweep < ")
            .int(now.0)
            .push(" and ping_status <> 'Inactive'");
        Ok(sql.run(self.db.writer()).await? > 0)
    }

    /// The account that the connection is for: said by the settings, or asked of AWS until it answers once.
    async fn account(&self) -> String {
        let connection = &self.ssm.connection;
        if !connection.account.is_empty() {
            return connection.account.clone();
        }
        let asked = self
            .account
            .get_or_try_init(async || {
                let answer = self.ssm.sts.get_caller_identity().send();
                self.ssm
                    .call("GetCallerIdentity", answer)
                    .await
                    .map(|answer| answer.account().unwrap_or_default().to_owned())
            })
            .await;
        match asked {
            Ok(account) => account.clone(),
            Err(error) => {
                tracing::warn!(%error, "whose credentials these are is not known");
                String::new()
            }
        }
    }

    /// What is wrong with the connection although it lives.
    async fn problem(&self) -> Result<String, StoreError> {
        let mut sql = Sql::new("select message from connections where state = 'Live' and connection_id = ");
        sql.text(self.ssm.connection.id.as_str());
        let row = sql.first(self.db.reader()).await?;
        Ok(row.and_then(|row| row.text("message").ok()).unwrap_or_default())
    }

    /// Notes that the connection lives, and what is wrong with it all the same. Answers whether that was known.
    pub(super) async fn connected(&self, problem: &str, now: Timestamp) -> Result<bool, StoreError> {
        let connection = &self.ssm.connection;
        let mut sql = Sql::new("select state, message from connections where connection_id = ");
        sql.text(connection.id.as_str());
        let was_live = sql.first(self.db.reader()).await?.is_some_and(|row| {
            row.text("state").is_ok_and(|state| state == "Live")
                && row.text("message").is_ok_and(|message| message == problem)
        });
        self.write_state("Live", problem, Some(now)).await?;
        Ok(was_live)
    }

    async fn unreachable(&self, error: &SweepError) {
        let message = match error {
            SweepError::Store(_) => return,
            SweepError::Call(error) if error.unreachable => "Systems Manager does not answer.".to_owned(),
            SweepError::Call(error) => error.sentence(),
        };
        match self.write_state("Unreachable", &message, None).await {
            Ok(()) => self.bus.tell(PortalEvent::Connections),
            Err(error) => tracing::error!(%error, "the connection's state could not be written"),
        }
    }

    /// Writes how the connection stands; without `synced_at` the time of the last copy stays.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn write_state(
        &self,
        state: &str,
        message: &str,
        synced_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let connection = &self.ssm.connection;
        let account = match state {
            "Live" => self.account().await,
            _ => connection.account.clone(),
        };
        let mut sql = Sql::new(
            "insert into connections (connection_id, name, account, region, mode, synced_at, state, message) values (",
        );
        sql.text(connection.id.as_str())
            .push(", ")
            .text(&connection.name)
            .push(", ")
            .text(account)
            .push(", ");
        sql.text(&connection.region)
            .push(", ")
            .text(if connection.embedded { "embedded" } else { "aws" })
            .push(", ");
        sql.int_or_none(synced_at.map(|at| at.0))
            .push(", ")
            .text(state)
            .push(", ")
            .text(message);
        sql.push(
            ") on conflict (connection_id) do update set name = excluded.name, \
             account = case when excluded.account <> '' then excluded.account else connections.account end, region = excluded.region, \
             mode = excluded.mode, state = excluded.state, message = excluded.message, \
             synced_at = coalesce(excluded.synced_at, connections.synced_at)",
        );
        sql.run(self.db.writer()).await.map(|_| ())
    }
}
