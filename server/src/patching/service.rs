//! What can be done with patching, behind the door.

use crate::approvals::Gate;
use crate::aws::Ssm;
use crate::door::Door;
use crate::error::store;
use crate::fleet::Figures;
use crate::patching::baseline_keep::By;
use crate::patching::copy::{self, CopyError};
use crate::patching::plan::proposal;
use crate::patching::{baseline_queries, baseline_ssm, exception_queries, queries};
use async_trait::async_trait;
use muster_domain::action::Action;
use muster_domain::approvals::Act;
use muster_domain::audit::Intent;
use muster_domain::ids::NodeId;
use muster_domain::patching::{
    BaselineChange, BaselineComparison, BaselineDetail, BaselineList, BaselineQuery, BaselineSummary,
    DeleteBaseline, EndException, ExceptionPage, ExceptionQuery, GrantException, NodePatches, PatchPage,
    PatchQuery, Patching,
};
use muster_domain::time::{Clock, Random};
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
    /// Whether an act may be done at once.
    pub gate: Gate,
    /// Makes tokens.
    pub random: Arc<dyn Random>,
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

    /// Copies all baselines; of those that come with Systems Manager what they say only where `all` are wanted.
    ///
    /// # Errors
    /// [`CopyError`].
    pub async fn copy_baselines(&self, all: bool) -> Result<(), CopyError> {
        copy::baselines(&self.db, &self.ssm, self.clock.as_ref(), all).await
    }

    /// What the copy says of a baseline.
    async fn known(&self, id: &str) -> Result<BaselineSummary, PortalError> {
        let found = baseline_queries::get(&self.db, self.connection(), id)
            .await
            .map_err(store)?;
        found.ok_or_else(|| baseline_ssm::missing(id))
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

    async fn baselines(&self, actor: &Actor, query: BaselineQuery) -> Result<BaselineList, PortalError> {
        self.door
            .pass(actor, Intent::new(Action::PatchingRead, ""), Ok(()), async |_| {
                let mut items = baseline_queries::all(&self.db, self.connection())
                    .await
                    .map_err(store)?;
                let total = items.len() as u64;
                items.retain(|one| baseline_queries::matches(one, &query));
                Ok(BaselineList {
                    items,
                    total,
                    synced_at: baseline_queries::synced_at(&self.db, self.connection())
                        .await
                        .map_err(store)?,
                    may_change: actor.may(Action::BaselinesChange),
                })
            })
            .await
    }

    async fn baseline(&self, actor: &Actor, id: String) -> Result<BaselineDetail, PortalError> {
        let intent = Intent::new(Action::PatchingRead, format!("baseline:{id}"));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let summary = self.known(&id).await?;
                let (db, connection) = (&self.db, self.connection());
                Ok(BaselineDetail {
                    versions: baseline_queries::versions(db, connection, &summary.baseline_id)
                        .await
                        .map_err(store)?,
                    nodes: baseline_queries::nodes(db, connection, &summary.baseline_id)
                        .await
                        .map_err(store)?,
                    may_change: actor.may(Action::BaselinesChange),
                    may_delete: actor.may(Action::BaselinesDelete),
                    summary,
                })
            })
            .await
    }

    async fn compare_baseline(
        &self,
        actor: &Actor,
        id: String,
        old: i64,
        new: i64,
    ) -> Result<BaselineComparison, PortalError> {
        let intent = Intent::new(Action::PatchingRead, format!("baseline:{id}"));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let summary = self.known(&id).await?;
                let lines = async |number: i64| {
                    let found =
                        baseline_queries::version(&self.db, self.connection(), &summary.baseline_id, number);
                    let found = found.await.map_err(store)?;
                    let found = found.ok_or_else(|| PortalError::NotFound {
                        what: format!("Version {number} of the patch baseline {}", summary.name),
                    })?;
                    Ok::<_, PortalError>(found.lines())
                };
                Ok(BaselineComparison {
                    old,
                    new,
                    old_lines: lines(old).await?,
                    new_lines: lines(new).await?,
                })
            })
            .await
    }

    async fn change_baseline(&self, actor: &Actor, change: BaselineChange) -> Result<String, PortalError> {
        let intent = Self::intent_to_change(&change);
        self.door
            .pass(actor, intent, change.check(), async |pass| {
                if let (Some(id), Some(seen)) = (change.baseline_id(), change.seen()) {
                    self.still(id, seen).await?;
                }
                let name = self.name_of(&change).await?;
                self.gate
                    .admit(actor, &proposal(Act::ChangeBaseline, &name))
                    .await?;
                let by = By {
                    who: &actor.name,
                    request: "",
                };
                self.change_now(&change, &self.random.uuid(), by, &pass).await
            })
            .await
    }

    async fn delete_baseline(&self, actor: &Actor, input: DeleteBaseline) -> Result<(), PortalError> {
        let intent = Self::intent_to_delete(&input.baseline_id, &input.seen);
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let now = self.still(&input.baseline_id, &input.seen).await?;
                self.gate
                    .admit(actor, &proposal(Act::DeleteBaseline, &now.content.name))
                    .await?;
                self.delete_now(&input.baseline_id, &input.seen, &pass).await
            })
            .await
    }

    async fn exceptions(&self, actor: &Actor, query: ExceptionQuery) -> Result<ExceptionPage, PortalError> {
        self.door
            .pass(actor, Intent::new(Action::PatchingRead, ""), Ok(()), async |_| {
                let page = exception_queries::list(&self.db, self.connection(), &query)
                    .await
                    .map_err(store)?;
                Ok(ExceptionPage {
                    page,
                    may_end: actor.may(Action::ExceptionsEnd),
                })
            })
            .await
    }

    async fn end_exception(&self, actor: &Actor, input: EndException) -> Result<(), PortalError> {
        let intent = Self::intent_to_end(&input.baseline_id, input.exception_id.trim())
            .with("because", input.because.trim());
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                self.end_one(actor, &input, &pass).await
            })
            .await
    }

    async fn grant_exception(&self, actor: &Actor, input: GrantException) -> Result<(), PortalError> {
        let intent = Self::intent_to_grant(&input);
        let check = input.check(self.clock.now());
        self.door
            .pass(actor, intent, check, async |pass| {
                let now = self.still(&input.baseline_id, &input.seen).await?;
                Self::may_except(&now, &input)?;
                self.gate
                    .admit(actor, &proposal(Act::GrantException, &now.content.name))
                    .await?;
                let by = By {
                    who: &actor.name,
                    request: "",
                };
                self.grant_now(&input, &self.random.uuid(), by, &pass).await
            })
            .await
    }
}
