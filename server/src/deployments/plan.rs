//! What exactly a deployment would be, now: the release as it was written down, the environment's nodes, what the runbook would
//! be given, and what runs there.

use crate::approvals::plan::{runbook_proposal, versions};
use crate::deployments::queries::{self, Stored};
use crate::deployments::service::DeploymentService;
use crate::deployments::standing::{self, Standing};
use crate::error::store;
use crate::fleet::resolve::resolve;
use crate::runbooks::{Meant, catalogue, content};
use muster_domain::PortalError;
use muster_domain::approvals::{PlanNode, Proposal, ProposedAct};
use muster_domain::deployments::{
    DeployRelease, DeploymentKind, DeploymentSummary, Environment, PlannedDeployment, ROLL_BACK_STEP,
    Release, ReleaseContent, changes,
};
use muster_domain::fleet::NodeSelection;
use muster_domain::fleet_filter::FleetFilter;
use muster_domain::permission::Scope;
use muster_domain::runbooks::{RunbookStep, StartPlan, StartRunbook};

/// A deployment, resolved.
pub(super) struct Prepared {
    pub(super) application: Stored,
    pub(super) planned: PlannedDeployment,
    pub(super) filter: String,
    pub(super) meant: Meant,
    pub(super) proposal: Proposal,
    pub(super) standing: Standing,
    pub(super) steps: Vec<RunbookStep>,
}

/// Whether a step stops something while all goes well.
fn stops(step: &RunbookStep) -> bool {
    let (name, inputs) = (step.name.to_lowercase(), &step.inputs);
    step.name != ROLL_BACK_STEP
        && (["stop", "restart"].iter().any(|word| name.contains(word))
            || ["systemctl stop", "systemctl restart", "do_service stop"]
                .iter()
                .any(|words| inputs.contains(words)))
}

pub(super) fn nodes_of(plan: &StartPlan) -> Vec<PlanNode> {
    let mut nodes: Vec<PlanNode> = plan
        .nodes()
        .iter()
        .map(|node| PlanNode {
            node_id: node.node_id.clone(),
            name: if node.name.is_empty() {
                node.node_id.to_string()
            } else {
                node.name.clone()
            },
            environment: node.environment.clone(),
        })
        .collect();
    nodes.sort();
    nodes.dedup_by(|a, b| a.node_id == b.node_id);
    nodes
}

impl DeploymentService {
    /// An application that is there, and one of its environments.
    async fn place(&self, input: &DeployRelease) -> Result<(Stored, Environment), PortalError> {
        let application = self.there(&input.application).await?;
        let environment = application
            .environments
            .iter()
            .find(|one| one.name == input.environment)
            .cloned()
            .ok_or_else(|| {
                PortalError::invalid(
                    "environment",
                    format!(
                        "{} has no environment {}.",
                        application.settings.name, input.environment
                    ),
                )
            })?;
        Ok((application, environment))
    }

    /// Refuses what would go the wrong way: back under the name of a deployment, or back to what never ran there.
    async fn direction(
        &self,
        input: &DeployRelease,
        release: &Release,
        current: Option<&DeploymentSummary>,
    ) -> Result<(), PortalError> {
        let ran = queries::has_succeeded(&self.db, &release.release_id, &input.environment)
            .await
            .map_err(store)?;
        let refuse = |message: String| Err(PortalError::invalid("release", message));
        let (version, place) = (&release.version, &input.environment);
        match (input.kind, current) {
            (DeploymentKind::RollBack, Some(current)) if current.release_id == release.release_id => {
                refuse(format!("{version} runs in {place} now: choose another release."))
            }
            (DeploymentKind::RollBack, _) if !ran => refuse(format!(
                "{version} never succeeded in {place}: roll back to a release that did, or deploy this one."
            )),
            (DeploymentKind::Deploy, Some(current)) if ran && current.number > release.number => {
                refuse(format!(
                    "{version} ran in {place} before {}: roll back to it instead.",
                    current.version
                ))
            }
            _ => Ok(()),
        }
    }

    /// Resolves everything, for somebody who may deploy in `scopes`.
    ///
    /// # Errors
    /// What cannot be done, with its field.
    pub(super) async fn prepare(
        &self,
        input: &DeployRelease,
        scopes: &[Scope],
    ) -> Result<Prepared, PortalError> {
        let (application, environment) = self.place(input).await?;
        let release = queries::release_of(&self.db, &input.release)
            .await
            .map_err(store)?
            .filter(|release| release.application_id == application.id)
            .ok_or_else(|| {
                PortalError::invalid("release", "There is no such release of this application.")
            })?;
        let key = (application.id.to_string(), environment.name.clone());
        let standing = standing::standings(&self.db, std::slice::from_ref(&application.id))
            .await
            .map_err(store)?
            .remove(&key)
            .unwrap_or_default();
        let current = standing.current.as_ref();
        self.direction(input, &release, current).await?;
        let content = &release.content;
        let runs = current.map(|current| current.version.as_str());
        let filter = environment.filter_for(&application.settings.name);
        let selection = NodeSelection::Matching {
            filter: FleetFilter::parse(&filter)?,
        };
        let start = StartRunbook {
            document: content.document.clone(),
            version: content.document_version.clone(),
            parameters: content.parameters_in(&environment.parameters, runs),
            selection,
            max_concurrency: environment.max_concurrency.clone(),
            max_errors: environment.max_errors.clone(),
            reason: input.reason.clone(),
            confirmed_nodes: input.confirmed_nodes,
        };
        let meant = self
            .runbooks
            .plan(&start, scopes)
            .await
            .map_err(|error| of_runbook(error, content, &environment.name, &filter))?;
        self.covers(&start.selection, &meant, scopes, &environment.name)
            .await?;
        let text = catalogue::text_of_hash(&self.db, &meant.plan.content_hash)
            .await
            .map_err(store)?;
        let steps = content::read(&text).steps;
        let proposal = Proposal {
            act: Some(
                ProposedAct::Deployment {
                    deployment: input.clone(),
                }
                .act(),
            ),
            application: application.settings.name.clone(),
            environment: environment.name.clone(),
            ..runbook_proposal(&self.runbooks, &meant.plan, scopes).await?
        };
        let planned = PlannedDeployment {
            application_id: application.id.clone(),
            application: application.settings.name.clone(),
            environment: environment.name,
            kind: input.kind,
            changes: self.changes(current, &release, &meant.plan).await?,
            replaces: current.map(|current| (current.deployment_id.clone(), current.version.clone())),
            document_sha256: meant.plan.content_hash.clone(),
            references: versions(&self.runbooks.ssm, &meant.plan.parameters).await?,
            parameters: meant.plan.parameters.clone(),
            max_concurrency: meant.plan.max_concurrency.clone(),
            max_errors: meant.plan.max_errors.clone(),
            stops: steps
                .iter()
                .filter(|step| stops(step))
                .map(|step| step.name.clone())
                .collect(),
            release,
        };
        Ok(Prepared {
            application,
            planned,
            filter,
            meant,
            proposal,
            standing,
            steps,
        })
    }

    /// Whoever may deploy on a part of the fleet deploys to an environment that is in that part, whole.
    async fn covers(
        &self,
        selection: &NodeSelection,
        meant: &Meant,
        scopes: &[Scope],
        environment: &str,
    ) -> Result<(), PortalError> {
        if scopes.contains(&Scope::All) {
            return Ok(());
        }
        let all = resolve(&self.db, selection, &[Scope::All], self.clock.now()).await?;
        let (all, own) = (all.all().count(), meant.plan.nodes().len());
        if all == own {
            return Ok(());
        }
        Err(PortalError::Forbidden {
            message: format!(
                "Your role is for {own} of the {all} nodes of {environment}, and a deployment is to all of them. Ask somebody \
                 whose role is for all."
            ),
        })
    }

    /// What differs from what runs, in words: what the runbook was given there, held against what it would be given.
    async fn changes(
        &self,
        current: Option<&DeploymentSummary>,
        release: &Release,
        plan: &StartPlan,
    ) -> Result<Vec<String>, PortalError> {
        let Some(current) = current else {
            return Ok(Vec::new());
        };
        let Some(old) = queries::release_of(&self.db, &current.release_id)
            .await
            .map_err(store)?
        else {
            return Ok(Vec::new());
        };
        let given = standing::given(&self.db, &current.execution_id)
            .await
            .map_err(store)?;
        let (old_given, old_nodes) = given.unwrap_or_default();
        let of = |content: &ReleaseContent, given: &std::collections::BTreeMap<_, _>, nodes: &str| {
            let mut content = content.clone();
            content.parameters = given.clone();
            content.parameters.remove(nodes);
            content.parameters.remove(&content.previous_parameter);
            content
        };
        let nodes = plan.targets.as_ref().map_or("", |targets| &targets.parameter);
        let mut new = of(&release.content, &plan.parameters, nodes);
        new.content_hash.clone_from(&plan.content_hash);
        Ok(changes(&of(&old.content, &old_given, &old_nodes), &new))
    }
}

/// What the runbook's plan complains about, in the words of a deployment.
fn of_runbook(error: PortalError, content: &ReleaseContent, environment: &str, filter: &str) -> PortalError {
    let PortalError::Invalid { mut fields } = error else {
        return error;
    };
    for one in &mut fields {
        match one.field.as_str() {
            "targets" => {
                one.field = "environment".into();
                one.message = format!("{} ({environment} finds its nodes by {filter}.)", one.message);
            }
            "version" | "document" => one.field = "release".into(),
            field => {
                if let Some(name) = field.strip_prefix("parameters.") {
                    one.message = format!(
                        "{name}: {} (Parameters of {} come from the application, the release and the environment.)",
                        one.message, content.document
                    );
                    one.field = "environment".into();
                }
            }
        }
    }
    PortalError::Invalid { fields }
}
