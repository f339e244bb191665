//! What can be done with deployments, behind the door.

use crate::approvals::Gate;
use crate::deployments::change::resource;
use crate::deployments::queries::{self, Stored};
use crate::deployments::standing::{self, Standing};
use crate::door::Door;
use crate::error::store;
use crate::runbooks::RunbookService;
use async_trait::async_trait;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::commands::check_confirmed;
use muster_domain::deployments::{
    ApplicationDetail, ApplicationPage, ApplicationQuery, ApplicationRow, ChangeApplication, CreateRelease,
    DeployPreview, DeployRelease, DeploymentDetail, DeploymentKind, DeploymentQuery, DeploymentSummary,
    Deployments, EnvironmentRow, Release, ReleaseDetail, ReleaseQuery, ReleaseSummary, WaitingDeployment,
    changes,
};
use muster_domain::ids::{ApplicationId, DeploymentId, ReleaseId};
use muster_domain::paging::Page;
use muster_domain::time::{Clock, Random};
use muster_domain::{Actor, PortalError};
use muster_store::Db;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Deployments on the page of a release.
const SHOWN: i64 = 20;

type Keyed<T> = BTreeMap<(String, String), T>;

/// The deployments' service.
#[derive(Clone)]
pub struct DeploymentService {
    /// The portal's database.
    pub db: Db,
    /// The one door.
    pub door: Door,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub random: Arc<dyn Random>,
    /// Whether a deployment may be done at once.
    pub gate: Gate,
    /// Starts runbooks.
    pub runbooks: RunbookService,
}

/// The action that a deployment is.
const fn action_of(kind: DeploymentKind) -> Action {
    match kind {
        DeploymentKind::Deploy => Action::DeploymentsDeploy,
        DeploymentKind::RollBack => Action::DeploymentsRollBack,
    }
}

fn environments(
    stored: &Stored,
    standings: &mut Keyed<Standing>,
    waiting: &mut Keyed<Vec<WaitingDeployment>>,
) -> Vec<EnvironmentRow> {
    let newest = stored.newest.as_ref().map(|(_, _, number)| *number);
    stored
        .environments
        .iter()
        .map(|environment| {
            let key = (stored.id.to_string(), environment.name.clone());
            let standing = standings.remove(&key).unwrap_or_default();
            EnvironmentRow {
                filter: environment.filter_for(&stored.settings.name),
                environment: environment.clone(),
                is_outdated: standing
                    .current
                    .as_ref()
                    .zip(newest)
                    .is_some_and(|(current, newest)| current.number < newest),
                current: standing.current,
                last: standing.last,
                waiting: waiting.remove(&key).unwrap_or_default(),
            }
        })
        .collect()
}

fn summary(release: Release, runs: &Keyed<Standing>) -> ReleaseSummary {
    let runs_in = runs
        .values()
        .filter_map(|standing| standing.current.as_ref())
        .filter(|current| current.release_id == release.release_id)
        .map(|current| current.environment.clone())
        .collect();
    ReleaseSummary {
        release_id: release.release_id,
        number: release.number,
        version: release.version,
        notes: release.notes,
        created_by: release.created_by,
        created_at: release.created_at,
        runs_in,
    }
}

impl DeploymentService {
    pub(super) fn connection(&self) -> &str {
        self.runbooks.ssm.connection.id.as_str()
    }

    /// What stands in the audit log of a deployment.
    pub(crate) fn intent_to_deploy(id: &str, input: &DeployRelease) -> Intent {
        Intent::new(action_of(input.kind), format!("deployment:{id}"))
            .with("application", input.application.as_str())
            .with("environment", input.environment.clone())
            .with("release", input.release.as_str())
            .with("reason", input.reason.clone())
            .with("ticket", input.ticket.clone())
            .with("confirmed_nodes", serde_json::json!(input.confirmed_nodes))
    }

    async fn standings(&self, ids: &[ApplicationId]) -> Result<Keyed<Standing>, PortalError> {
        standing::standings(&self.db, ids).await.map_err(store)
    }

    async fn release_detail(&self, actor: &Actor, id: &ReleaseId) -> Result<ReleaseDetail, PortalError> {
        let release = queries::release_of(&self.db, id)
            .await
            .map_err(store)?
            .ok_or_else(|| PortalError::NotFound {
                what: "The release".into(),
            })?;
        let application = self.known(&release.application_id).await?;
        let before = queries::release_number(&self.db, &application.id, release.number - 1)
            .await
            .map_err(store)?;
        let standings = self.standings(std::slice::from_ref(&application.id)).await?;
        let mut against = Vec::new();
        for environment in &application.environments {
            let key = (application.id.to_string(), environment.name.clone());
            let Some(current) = standings.get(&key).and_then(|one| one.current.as_ref()) else {
                continue;
            };
            if current.release_id == release.release_id {
                continue;
            }
            if let Some(other) = queries::release_of(&self.db, &current.release_id)
                .await
                .map_err(store)?
            {
                let said = changes(&other.content, &release.content);
                against.push((environment.name.clone(), other.version, said));
            }
        }
        Ok(ReleaseDetail {
            before: before.map(|before| {
                let said = changes(&before.content, &release.content);
                (before.release_id, before.version, said)
            }),
            against,
            deployments: queries::of_release(&self.db, id, SHOWN).await.map_err(store)?,
            may_deploy: application.deleted_at.is_none() && actor.may(Action::DeploymentsDeploy),
            is_deleted: application.deleted_at.is_some(),
            application: application.settings.name,
            environments: application
                .environments
                .into_iter()
                .map(|environment| environment.name)
                .collect(),
            release,
        })
    }

    /// A deployment, by who may see deployments.
    async fn found(&self, id: &DeploymentId) -> Result<DeploymentSummary, PortalError> {
        let found =
            queries::get(&self.db, id)
                .await
                .map_err(store)?
                .ok_or_else(|| PortalError::NotFound {
                    what: "The deployment".into(),
                })?;
        // Its application says at which connection it is.
        self.known(&found.application_id).await?;
        Ok(found)
    }
}

#[async_trait]
impl Deployments for DeploymentService {
    async fn list(&self, actor: &Actor, query: ApplicationQuery) -> Result<ApplicationPage, PortalError> {
        let intent = Intent::new(Action::DeploymentsRead, "");
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let (page, total) = queries::list(&self.db, self.connection(), &query)
                    .await
                    .map_err(store)?;
                let ids: Vec<ApplicationId> = page.items.iter().map(|one| one.id.clone()).collect();
                let mut standings = self.standings(&ids).await?;
                let mut waiting = standing::waiting(&self.db).await.map_err(store)?;
                let items = page
                    .items
                    .into_iter()
                    .map(|stored| ApplicationRow {
                        environments: environments(&stored, &mut standings, &mut waiting),
                        application_id: stored.id,
                        name: stored.settings.name,
                        description: stored.settings.description,
                        newest: stored.newest.map(|(id, version, _)| (id, version)),
                    })
                    .collect();
                Ok(ApplicationPage {
                    page: Page {
                        items,
                        next: page.next,
                    },
                    total,
                    may_change: actor.may(Action::DeploymentsChange),
                })
            })
            .await
    }

    async fn application(&self, actor: &Actor, id: ApplicationId) -> Result<ApplicationDetail, PortalError> {
        let intent = Intent::new(Action::DeploymentsRead, resource(id.as_str()));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let stored = self.known(&id).await?;
                let mut standings = self.standings(std::slice::from_ref(&id)).await?;
                let mut waiting = standing::waiting(&self.db).await.map_err(store)?;
                let is_there = stored.deleted_at.is_none();
                let may = |action| is_there && actor.may(action);
                Ok(ApplicationDetail {
                    environments: environments(&stored, &mut standings, &mut waiting),
                    application_id: stored.id,
                    settings: stored.settings,
                    newest: stored.newest.map(|(id, version, _)| (id, version)),
                    revision: stored.revision,
                    changed_by: stored.changed_by,
                    changed_at: stored.changed_at,
                    deleted_at: stored.deleted_at,
                    may_change: may(Action::DeploymentsChange),
                    may_delete: may(Action::DeploymentsDelete),
                    may_release: may(Action::DeploymentsCreateRelease),
                    may_deploy: may(Action::DeploymentsDeploy),
                    may_roll_back: may(Action::DeploymentsRollBack),
                })
            })
            .await
    }

    async fn change(&self, actor: &Actor, input: ChangeApplication) -> Result<ApplicationId, PortalError> {
        let intent = Self::intent_of(&input);
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                self.change_now(actor, &input, &pass).await
            })
            .await
    }

    async fn releases(
        &self,
        actor: &Actor,
        query: ReleaseQuery,
    ) -> Result<Page<ReleaseSummary>, PortalError> {
        let intent = Intent::new(Action::DeploymentsRead, resource(query.application.as_str()));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                self.known(&query.application).await?;
                let page = queries::releases(&self.db, &query).await.map_err(store)?;
                let runs = self.standings(std::slice::from_ref(&query.application)).await?;
                Ok(Page {
                    items: page.items.into_iter().map(|one| summary(one, &runs)).collect(),
                    next: page.next,
                })
            })
            .await
    }

    async fn release(&self, actor: &Actor, release: ReleaseId) -> Result<ReleaseDetail, PortalError> {
        let intent = Intent::new(Action::DeploymentsRead, format!("release:{release}"));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                self.release_detail(actor, &release).await
            })
            .await
    }

    async fn create_release(&self, actor: &Actor, input: CreateRelease) -> Result<ReleaseId, PortalError> {
        let about = resource(input.application.as_str());
        let shown = muster_domain::runbooks::without_secrets(&input.parameters).0;
        let intent = Intent::new(Action::DeploymentsCreateRelease, about)
            .with("version", input.version.clone())
            .with("sha256", input.sha256.clone())
            .with("parameters", serde_json::json!(shown));
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                self.release_now(actor, &input, &pass).await
            })
            .await
    }

    async fn earlier(
        &self,
        actor: &Actor,
        application: ApplicationId,
        environment: String,
    ) -> Result<Vec<ReleaseSummary>, PortalError> {
        let intent = Intent::new(Action::DeploymentsRead, resource(application.as_str()));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                self.known(&application).await?;
                let found = queries::succeeded(&self.db, &application, &environment)
                    .await
                    .map_err(store)?;
                let runs = self.standings(std::slice::from_ref(&application)).await?;
                let summaries = found.into_iter().map(|one| summary(one, &runs));
                Ok(summaries
                    .filter(|one| !one.runs_in.contains(&environment))
                    .collect())
            })
            .await
    }

    async fn preview(&self, actor: &Actor, input: DeployRelease) -> Result<DeployPreview, PortalError> {
        // What a deployment would act on, so with that right.
        let scopes = actor.scopes_for(action_of(input.kind));
        let intent = Intent::new(Action::DeploymentsRead, resource(input.application.as_str()));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                if scopes.is_empty() {
                    return Err(PortalError::Forbidden {
                        message: format!("You may not do this ({}).", action_of(input.kind).as_str()),
                    });
                }
                let prepared = Box::pin(self.prepare(&input, &scopes)).await?;
                Ok(self.preview_of(prepared))
            })
            .await
    }

    async fn deploy(&self, actor: &Actor, input: DeployRelease) -> Result<DeploymentId, PortalError> {
        let id = self.random.uuid();
        let intent = Self::intent_to_deploy(&id, &input);
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let prepared = Box::pin(self.prepare(&input, &pass.scopes)).await?;
                // Everybody who is meant counts for the policies, whether they report now or not.
                self.admit(actor, &prepared, &pass.scopes).await?;
                let start = prepared.meant.clone().reporting(false)?;
                check_confirmed(
                    input.confirmed_nodes,
                    start.nodes().len() as u64,
                    start.in_production(),
                )?;
                Box::pin(self.start(actor, &input, &prepared, &start, &id, None, &pass)).await?;
                Ok(DeploymentId::new(id.clone()))
            })
            .await
    }

    async fn history(
        &self,
        actor: &Actor,
        query: DeploymentQuery,
    ) -> Result<Page<DeploymentSummary>, PortalError> {
        let intent = Intent::new(Action::DeploymentsRead, resource(query.application.as_str()));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                self.known(&query.application).await?;
                queries::history(&self.db, &query).await.map_err(store)
            })
            .await
    }

    async fn deployment(&self, actor: &Actor, id: DeploymentId) -> Result<DeploymentDetail, PortalError> {
        let intent = Intent::new(Action::DeploymentsRead, format!("deployment:{id}"));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let summary = self.found(&id).await?;
                let standings = self
                    .standings(std::slice::from_ref(&summary.application_id))
                    .await?;
                let is_current = standings.values().any(|standing| {
                    standing
                        .current
                        .as_ref()
                        .is_some_and(|current| current.deployment_id == id)
                });
                Ok(DeploymentDetail {
                    problem: standing::problem(&self.db, &summary.execution_id)
                        .await
                        .map_err(store)?,
                    changes: self.against_replaced(&summary).await?,
                    is_current,
                    summary,
                })
            })
            .await
    }
}

impl DeploymentService {
    /// In what the release of a deployment differs from the one that ran before.
    async fn against_replaced(&self, summary: &DeploymentSummary) -> Result<Vec<String>, PortalError> {
        let Some(before) = queries::release_version(&self.db, &summary.application_id, &summary.replaces)
            .await
            .map_err(store)?
        else {
            return Ok(Vec::new());
        };
        let release = queries::release_of(&self.db, &summary.release_id)
            .await
            .map_err(store)?;
        Ok(release.map_or_else(Vec::new, |release| changes(&before.content, &release.content)))
    }
}
