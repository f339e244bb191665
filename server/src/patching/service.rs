//! What can be done with patching, behind the door.

use crate::aws::Ssm;
use crate::door::Door;
use crate::error::store;
use crate::fleet::Figures;
use crate::patching::copy::{self, CopyError};
use crate::patching::queries;
use async_trait::async_trait;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::ids::NodeId;
use muster_domain::patching::{NodePatches, PatchPage, PatchQuery, Patching};
use muster_domain::time::Clock;
use muster_domain::{Actor, PortalError};
use muster_store::Db;
use std::sync::Arc;

/// Patching's service.
#[derive(Clone)]
pub struct PatchingService {
    /// The portal's database.
    pub db: Db,
    /// The one door.
    pub door: Door,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// The way to Systems Manager.
    pub ssm: Ssm,
    /// What pages have counted.
    pub figures: Figures,
}

/// Marks those that the actor may scan.
fn mark(actor: &Actor, nodes: &mut [NodePatches]) {
    let scopes = actor.scopes_for(Action::CommandsRun);
    for node in nodes {
        let tags = || node.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
        node.may_run = scopes.iter().any(|scope| scope.covers(tags()));
    }
}

impl PatchingService {
    pub(super) fn connection(&self) -> &str {
        self.ssm.connection.id.as_str()
    }

    /// Copies how all nodes stand.
    ///
    /// # Errors
    /// [`CopyError`].
    pub async fn copy_states(&self) -> Result<(), CopyError> {
        if copy::states(&self.db, &self.ssm, self.clock.now()).await? {
            self.figures.changed();
        }
        Ok(())
    }
}

#[async_trait]
impl Patching for PatchingService {
    async fn states(&self, actor: &Actor, query: PatchQuery) -> Result<PatchPage, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::PatchingRead, ""),
                Ok(()),
                async |pass| {
                    let now = self.clock.now();
                    let mut page = queries::list(&self.db, &query, &pass.scopes, now)
                        .await
                        .map_err(store)?;
                    mark(actor, &mut page.items);
                    Ok(PatchPage {
                        page,
                        totals: self
                            .figures
                            .patches(&self.db, &query.filter, &pass.scopes, now)
                            .await
                            .map_err(store)?,
                        synced_at: queries::synced_at(&self.db, self.connection())
                            .await
                            .map_err(store)?,
                        may_run: actor.may(Action::CommandsRun),
                    })
                },
            )
            .await
    }

    async fn node(&self, actor: &Actor, node: NodeId) -> Result<NodePatches, PortalError> {
        let intent = Intent::new(Action::PatchingRead, format!("node:{node}"));
        self.door
            .pass(actor, intent, Ok(()), async |pass| {
                let found = queries::node(&self.db, &node, &pass.scopes)
                    .await
                    .map_err(store)?;
                let mut found = found.ok_or_else(|| PortalError::NotFound {
                    what: format!("The node {node}"),
                })?;
                mark(actor, std::slice::from_mut(&mut found));
                Ok(found)
            })
            .await
    }
}
