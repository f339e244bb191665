//! What stands above single features, behind the door.

use crate::aws::{Connection, Known};
use crate::commands::queries::{self as commands, Viewer};
use crate::door::Door;
use crate::error::store;
use crate::fleet::Figures;
use crate::fleet::filter_sql::push_scopes;
use crate::fleet::queries as fleet;
use async_trait::async_trait;
use muster_domain::action::Action;
use muster_domain::audit::{Audit, AuditQuery, Intent};
use muster_domain::commands::{CommandQuery, CommandStatus};
use muster_domain::fleet_filter::FleetFilter;
use muster_domain::ids::ConnectionId;
use muster_domain::overview::{ConnectionState, ConnectionView, Overview, OverviewView, SearchHit};
use muster_domain::permission::Scope;
use muster_domain::time::Clock;
use muster_domain::{Actor, PortalError, Timestamp};
use muster_store::{Db, RowExt, Sql, StoreError};
use std::sync::Arc;

/// The service behind the Overview.
#[derive(Clone)]
pub struct OverviewService {
    /// The portal's database.
    pub db: Db,
    /// The one door.
    pub door: Door,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// What was counted.
    pub figures: Figures,
    /// What this part of the server speaks to.
    pub connection: Arc<Connection>,
    /// All connections of this server.
    pub connections: Arc<[Known]>,
    /// The last acts. Asked without a row of its own: the Overview is not the audit log.
    pub recent: Arc<dyn RecentActs>,
}

/// Gives the last acts to somebody who may read the audit log.
#[async_trait]
pub trait RecentActs: Send + Sync {
    /// The last acts, newest first.
    async fn recent(&self, limit: u32) -> Result<Vec<muster_domain::audit::AuditEntryView>, PortalError>;
}

/// The connections and how they stand: the one that is `here` first.
///
/// # Errors
/// When the database does not answer.
pub async fn connections(
    db: &Db,
    here: &ConnectionId,
    known: &[Known],
) -> Result<Vec<ConnectionView>, StoreError> {
    let sql = Sql::new(
        "select connection_id, name, account, region, mode, synced_at, state, message from connections order by name",
    );
    let mut views = Vec::new();
    for row in sql.all(db.reader()).await? {
        let id = ConnectionId::new(row.text("connection_id")?);
        let set_up = known.iter().find(|known| known.id == id);
        views.push(ConnectionView {
            endpoint: set_up.map(|known| known.endpoint.clone()).unwrap_or_default(),
            url: set_up.map(|known| known.url.clone()).unwrap_or_default(),
            is_here: id == *here,
            is_production: set_up.is_some_and(|known| known.is_production),
            id,
            name: row.text("name")?,
            account: row.text("account")?,
            region: row.text("region")?,
            mode: row.text("mode")?,
            state: match row.text("state")?.as_str() {
                "Live" => ConnectionState::Live,
                "Starting" => ConnectionState::Starting,
                _ => ConnectionState::Unreachable,
            },
            synced_at: row.time_or_none("synced_at")?,
            message: row.text("message")?,
        });
    }
    // Those that were there once and are not set up any more come last.
    views.sort_by_key(|view| (!view.is_here, view.url.is_empty()));
    Ok(views)
}

const DAY_MS: i64 = 86_400_000;

impl OverviewService {
    async fn counts(&self, viewer: &Viewer<'_>, now: Timestamp) -> Result<(u64, u64, u64), StoreError> {
        let mut sql = Sql::new(
            "select coalesce(sum(case when c.status in ('Pending', 'InProgress', 'Delayed', 'Cancelling') then 1 else 0 end), 0) as running, \
             coalesce(sum(case when c.status in ('Failed', 'TimedOut') and c.requested_at >= ",
        );
        sql.int(now.plus_ms(-DAY_MS).0)
            .push(" then 1 else 0 end), 0) as failed, coalesce(sum(case when c.requested_at >= ");
        sql.int(now.plus_ms(-DAY_MS).0)
            .push(" then 1 else 0 end), 0) as day from commands c where ((");
        // Said in both halves, so that each goes along an index of its own.
        sql.within("c.connection_id", &self.db)
            .push(" and c.requested_at >= ")
            .int(now.plus_ms(-DAY_MS).0)
            .push(") or (");
        sql.within("c.connection_id", &self.db)
            .push(" and c.state in ('sending', 'active')))");
        if !viewer.scopes.contains(&Scope::All) {
            sql.push(" and exists (select 1 from command_invocations i join nodes n on n.node_id = i.node_id where i.command_id = c.command_id and ");
            push_scopes(&mut sql, viewer.scopes);
            sql.push(")");
        }
        let row = sql.one(self.db.reader()).await?;
        Ok((
            row.int("running")?.unsigned_abs(),
            row.int("failed")?.unsigned_abs(),
            row.int("day")?.unsigned_abs(),
        ))
    }

    async fn people(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut sql = Sql::new(
            "select count(distinct user_id) as people from web_sessions where user_id is not null and expires_at > ",
        );
        sql.int(now.0);
        Ok(sql.one(self.db.reader()).await?.int("people")?.unsigned_abs())
    }

    async fn not_reporting(
        &self,
        scopes: &[Scope],
    ) -> Result<Vec<(String, String, Option<Timestamp>)>, StoreError> {
        let mut sql = Sql::new(
            "select n.node_id, n.name, n.last_ping_at from nodes n where n.ping_status = 'ConnectionLost' and ",
        );
        sql.within("n.connection_id", &self.db).push(" and ");
        push_scopes(&mut sql, scopes);
        sql.push(" order by n.last_ping_at, n.node_id limit 8");
        let mut found = Vec::new();
        for row in sql.all(self.db.reader()).await? {
            found.push((
                row.text("node_id")?,
                row.text("name")?,
                row.time_or_none("last_ping_at")?,
            ));
        }
        Ok(found)
    }
}

#[async_trait]
impl Overview for OverviewService {
    async fn get(&self, actor: &Actor) -> Result<OverviewView, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::OverviewRead, ""),
                Ok(()),
                async |pass| {
                    let now = self.clock.now();
                    let viewer = Viewer {
                        scopes: &pass.scopes,
                        user: actor.user_id.as_ref(),
                    };
                    let everything = FleetFilter::default();
                    let latest = CommandQuery {
                        limit: Some(50),
                        since: Some(now.plus_ms(-DAY_MS)),
                        ..CommandQuery::default()
                    };
                    let (nodes, counts, people, not_reporting, synced_at, latest) = tokio::try_join!(
                        self.figures.count(&self.db, &everything, &pass.scopes, now),
                        self.counts(&viewer, now),
                        self.people(now),
                        self.not_reporting(&pass.scopes),
                        fleet::synced_at(&self.db),
                        commands::list(&self.db, &latest, &viewer),
                    )
                    .map_err(store)?;
                    let (running, ended): (Vec<_>, Vec<_>) = latest
                        .items
                        .into_iter()
                        .partition(|command| !command.status.is_final());
                    let recent = if actor.may(Action::AuditRead) {
                        Some(self.recent.recent(8).await?)
                    } else {
                        None
                    };
                    Ok(OverviewView {
                        nodes_online: nodes.0 - nodes.1,
                        nodes_total: nodes.0,
                        commands_running: counts.0,
                        failed_24h: counts.1,
                        commands_24h: counts.2,
                        people_signed_in: people,
                        running: running.into_iter().take(8).collect(),
                        failed: ended
                            .into_iter()
                            .filter(|c| matches!(c.status, CommandStatus::Failed | CommandStatus::TimedOut))
                            .take(8)
                            .collect(),
                        recent,
                        not_reporting,
                        synced_at,
                        as_of: now,
                    })
                },
            )
            .await
    }

    async fn connections(&self, actor: &Actor) -> Result<Vec<ConnectionView>, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::ConnectionsRead, ""),
                Ok(()),
                async |_| {
                    connections(&self.db, &self.connection.id, &self.connections)
                        .await
                        .map_err(store)
                },
            )
            .await
    }

    async fn search(&self, actor: &Actor, text: String) -> Result<Vec<SearchHit>, PortalError> {
        self.door
            .pass(actor, Intent::new(Action::SearchRead, ""), Ok(()), async |pass| {
                let text = text.trim();
                if text.is_empty() {
                    return Ok(Vec::new());
                }
                self.hits(actor, &pass.scopes, text).await.map_err(store)
            })
            .await
    }
}

/// Recent acts out of the audit service, for the Overview.
pub struct RecentFromAudit<A: Audit + ?Sized>(pub Arc<A>);

#[async_trait]
impl<A: Audit + ?Sized> RecentActs for RecentFromAudit<A> {
    async fn recent(&self, limit: u32) -> Result<Vec<muster_domain::audit::AuditEntryView>, PortalError> {
        let query = AuditQuery {
            limit: Some(limit),
            ..AuditQuery::default()
        };
        Ok(self.0.list(&Actor::server(), query).await?.items)
    }
}
