//! What policies see of a change of a window, and what a request for one freezes: all that the window is, and all that it
//! would be. A window runs by itself what nobody is asked about then, so whoever lets it run something is asked now: where
//! a policy wants commands on those nodes approved, the window itself has to be approved, and what is forbidden is in no window.

use crate::approvals::gate::tags;
use crate::approvals::plan::Planned;
use crate::door::Pass;
use crate::error::store;
use crate::fleet::queries::by_ids;
use crate::windows::service::WindowService;
use muster_domain::approvals::{Act, Effect, Plan, PlanSubject, PlannedWindow, Proposal, ProposedAct};
use muster_domain::ids::NodeId;
use muster_domain::permission::Scope;
use muster_domain::windows::{ChangeWindow, TargetKey, WINDOW_TARGETS, WindowState, WindowTask};
use muster_domain::{Actor, PortalError, Timestamp};

fn no_window() -> PortalError {
    PortalError::Conflict {
        message: "It is about no maintenance window.".into(),
    }
}

/// All keys that name nodes, in a window.
fn all_keys(state: &WindowState) -> Vec<TargetKey> {
    let targets = state.targets.iter().flat_map(|target| &target.targets);
    let tasks = state.tasks.iter().flat_map(|task| &task.targets);
    targets
        .chain(tasks)
        .filter(|key| key.key != WINDOW_TARGETS)
        .cloned()
        .collect()
}

/// The keys that name the nodes of a task.
fn keys_of(state: &WindowState, task: &WindowTask) -> Vec<TargetKey> {
    let mut keys = Vec::new();
    for key in &task.targets {
        if key.key == WINDOW_TARGETS {
            let named = state
                .targets
                .iter()
                .filter(|target| key.values.contains(&target.id));
            keys.extend(named.flat_map(|target| target.targets.clone()));
        } else {
            keys.push(key.clone());
        }
    }
    keys
}

impl WindowService {
    /// Nodes as policies see them. Whom a tag means is found when the window opens, so that may be any.
    async fn about(&self, keys: &[TargetKey], proposal: Proposal) -> Result<Proposal, PortalError> {
        let named = keys.iter().filter(|key| key.is_by_id());
        let ids: Vec<NodeId> = named
            .flat_map(|key| &key.values)
            .map(|id| NodeId::new(id.as_str()))
            .collect();
        let nodes = by_ids(&self.db, &ids, &[Scope::All]).await.map_err(store)?;
        let is_unknown = |id: &NodeId| nodes.iter().all(|node| node.node_id != *id);
        Ok(Proposal {
            anywhere: keys.iter().any(|key| !key.is_by_id()) || ids.iter().any(is_unknown),
            nodes: nodes.iter().map(tags).collect(),
            ..proposal
        })
    }

    /// A change as policies see it.
    async fn proposal(
        &self,
        act: Act,
        now: Option<&WindowState>,
        becomes: Option<&WindowState>,
    ) -> Result<Proposal, PortalError> {
        let states = || now.into_iter().chain(becomes);
        let mut names: Vec<String> = states().map(|state| state.settings.name.clone()).collect();
        names.dedup();
        let keys: Vec<TargetKey> = states().flat_map(all_keys).collect();
        let proposal = Proposal {
            act: Some(act),
            maintenance_windows: names,
            ..Proposal::default()
        };
        self.about(&keys, proposal).await
    }

    /// Refuses a window that would run what policies do not let its maker run, unless the window itself is approved.
    async fn may_run(
        &self,
        actor: &Actor,
        input: &ChangeWindow,
        becomes: Option<&WindowState>,
        is_approved: bool,
    ) -> Result<(), PortalError> {
        let Some(state) = becomes.filter(|_| input.lets_run()) else {
            return Ok(());
        };
        for task in &state.tasks {
            let act = match task.kind.as_str() {
                "RUN_COMMAND" => Act::RunCommand,
                "AUTOMATION" => Act::StartRunbook,
                _ => continue,
            };
            let proposal = Proposal {
                act: Some(act),
                document: task.document.clone(),
                ..Proposal::default()
            };
            let mut proposal = self.about(&keys_of(state, task), proposal).await?;
            // The steps of a runbook may act on other nodes than those that it is given.
            proposal.anywhere |= act == Act::StartRunbook;
            let meeting = self.gate.look(actor, &proposal).await?.meeting;
            let why = match meeting.effect {
                Effect::Allow => continue,
                Effect::Approve if is_approved => continue,
                Effect::Approve => {
                    "It needs approval each time, and a maintenance window runs without asking: run it now instead, and ask for \
                     approval there, or have changes of this maintenance window approved (windows.change)."
                }
                Effect::Deny => "So no maintenance window may run it either.",
            };
            return Err(PortalError::Forbidden {
                message: format!("{}: {} {why} Nothing was changed.", task.label(), meeting.because),
            });
        }
        Ok(())
    }

    /// Lets a change go on, or says what has to be asked for.
    pub(super) async fn admit(
        &self,
        actor: &Actor,
        input: &ChangeWindow,
        now: Option<&WindowState>,
        becomes: Option<&WindowState>,
    ) -> Result<(), PortalError> {
        let act = ProposedAct::Window {
            change: Box::new(input.clone()),
        }
        .act();
        let proposal = self.proposal(act, now, becomes).await?;
        let effect = self.gate.look(actor, &proposal).await?.meeting.effect;
        self.may_run(actor, input, becomes, effect == Effect::Approve)
            .await?;
        self.gate.admit(actor, &proposal).await
    }

    /// Makes sure that a change can be asked for: it has to stand on what is there now.
    ///
    /// # Errors
    /// What is in its way already.
    pub(crate) async fn ready(&self, actor: &Actor, act: &ProposedAct) -> Result<(), PortalError> {
        let ProposedAct::Window { change } = act else {
            return Ok(());
        };
        let (_, becomes) = self.stand(change).await?;
        self.may_run(actor, change, becomes.as_ref(), true).await
    }

    /// Plans a change, as things are now.
    ///
    /// # Errors
    /// What is wrong with it, or when Systems Manager does not answer.
    pub(crate) async fn plan(
        &self,
        act: &ProposedAct,
        not_before: Option<Timestamp>,
    ) -> Result<Planned, PortalError> {
        let ProposedAct::Window { change } = act else {
            return Err(no_window());
        };
        let id = change.window.as_str();
        let now = match id {
            "" => None,
            // What is there now, which need not be what was asked about: then that is what has changed.
            id => Some(self.now(id).await?.1),
        };
        let becomes = change.change.apply(now.as_ref())?;
        let documents = self.documents(change, becomes.as_ref()).await?;
        let proposal = self.proposal(act.act(), now.as_ref(), becomes.as_ref()).await?;
        let name = now
            .as_ref()
            .or(becomes.as_ref())
            .map_or_else(String::new, |state| state.settings.name.clone());
        Ok(Planned {
            proposal,
            plan: Plan {
                act: act.act(),
                subject: PlanSubject::Window {
                    window: Box::new(PlannedWindow {
                        id: id.to_owned(),
                        title: change.title(&name),
                        name,
                        now,
                        becomes,
                        documents,
                    }),
                },
                targets: String::new(),
                nodes: Vec::new(),
                not_before: not_before.map(|at| at.0),
            },
            command: None,
            runbook: None,
        })
    }

    /// Does what was approved, on the window that the plan stands on: one that was changed since stays as it is.
    ///
    /// # Errors
    /// What is in its way.
    pub(crate) async fn carry_out(
        &self,
        act: &ProposedAct,
        plan: &Plan,
        token: &str,
        pass: &Pass,
    ) -> Result<(), PortalError> {
        let (ProposedAct::Window { change }, PlanSubject::Window { window }) = (act, &plan.subject) else {
            return Err(no_window());
        };
        let (now, becomes) = (window.now.as_ref(), window.becomes.as_ref());
        self.change_now(change, now, becomes, token, pass)
            .await
            .map(|_| ())
    }
}
