//! Asking: the act is planned, the policies say who has to approve, and all of it is written down. Or the glass is broken.

use crate::approvals::decide::used_by_hand;
use crate::approvals::gate::{Finding, asked};
use crate::approvals::people;
use crate::approvals::plan::{self, Planned, digest};
use crate::approvals::rows::RequestRow;
use crate::approvals::service::{ApprovalService, resource};
use crate::approvals::store as requests;
use crate::error::store;
use crate::events::PortalEvent;
use muster_domain::action::Action;
use muster_domain::approvals::{Act, Ask, Demand, Effect, Level, ProposedAct, RequestState, Standing, Track};
use muster_domain::audit::Intent;
use muster_domain::commands::is_production;
use muster_domain::error::FieldError;
use muster_domain::ids::RequestId;
use muster_domain::permission::Scope;
use muster_domain::{Actor, PortalError, Timestamp};
use muster_store::{RowExt, Sql};

const MINUTE_MS: i64 = 60_000;

/// What somebody must be allowed to do themselves, to ask for it.
pub(super) const fn action_of(act: Act) -> Action {
    match act {
        Act::RunCommand => Action::CommandsRun,
        Act::OpenTerminal => Action::SessionsStart,
        Act::OpenTunnel => Action::SessionsTunnel,
        // The runbook's own step asks, and starting it was allowed.
        Act::StartRunbook | Act::AnswerStep => Action::RunbooksStart,
        Act::HoldRole => Action::AccessHoldRole,
        Act::RevealParameter => Action::ParametersReveal,
        Act::PutParameter => Action::ParametersPut,
        Act::DeleteParameter => Action::ParametersDelete,
        Act::ChangeBaseline => Action::BaselinesChange,
        Act::DeleteBaseline => Action::BaselinesDelete,
        Act::GrantException => Action::ExceptionsGrant,
        Act::ChangeWindow => Action::WindowsChange,
        Act::DeleteWindow => Action::WindowsDelete,
        Act::Deploy => Action::DeploymentsDeploy,
        Act::RollBack => Action::DeploymentsRollBack,
        Act::ChangePolicies => Action::ApprovalsChangePolicies,
    }
}

/// What stands in the audit log of asking. The policies' text is not repeated there: its hash is.
fn intent(ask: &Ask, number: i64) -> Intent {
    let action = if ask.break_glass {
        Action::ApprovalsBreakGlass
    } else {
        Action::ApprovalsAsk
    };
    let intent = Intent::new(action, resource(&requests::id_of(number)))
        .with("act", ask.act.act().as_str())
        .with("reason", ask.reason.clone())
        .with("ticket", ask.ticket.clone());
    match &ask.act {
        ProposedAct::Command { command } => intent
            .with("document", command.document.clone())
            .with("parameters", serde_json::json!(command.parameters))
            .with("selection", serde_json::json!(command.selection)),
        ProposedAct::Runbook { runbook } => intent
            .with("document", runbook.document.clone())
            .with("version", runbook.version.clone())
            .with("parameters", serde_json::json!(runbook.parameters))
            .with("selection", serde_json::json!(runbook.selection)),
        ProposedAct::Terminal { session, minutes } => intent
            .with("node", session.node.as_str())
            .with("document", crate::sessions::document_of(session))
            .with("os_user", session.os_user.clone())
            .with("minutes", *minutes),
        ProposedAct::Role { role, scope, minutes } => intent
            .with("role", role.as_str())
            .with("scope", scope.clone())
            .with("minutes", *minutes),
        ProposedAct::Step { execution, step } => intent
            .with("execution", execution.as_str())
            .with("step", step.clone()),
        // Never the value.
        ProposedAct::PutParameter { parameter } => intent
            .with("parameter", parameter.name.clone())
            .with("type", parameter.kind.as_str())
            .with("replaces", serde_json::json!(parameter.replaces)),
        ProposedAct::RevealParameter { name, version } => intent
            .with("parameter", name.clone())
            .with("version", serde_json::json!(version)),
        ProposedAct::LabelParameter { label } => intent
            .with("parameter", label.name.clone())
            .with("version", label.version)
            .with("set", label.labels.clone()),
        ProposedAct::UnlabelParameter { label } => intent
            .with("parameter", label.name.clone())
            .with("version", label.version)
            .with("remove", label.label.clone()),
        ProposedAct::DeleteParameter { name, version } => {
            intent.with("parameter", name.clone()).with("version", *version)
        }
        ProposedAct::ChangeBaseline { change } => intent
            .with("baseline", change.baseline_id().unwrap_or("new"))
            .with("change", change.word()),
        ProposedAct::DeleteBaseline { baseline_id, .. } => intent.with("baseline", baseline_id.clone()),
        ProposedAct::GrantException { exception } => intent
            .with("baseline", exception.baseline_id.clone())
            .with("patch", exception.patch.clone()),
        ProposedAct::Window { change } => {
            let about = crate::windows::WindowService::intent_of(change);
            intent
                .with("about", about.resource.clone())
                .with("change", serde_json::json!(about.detail))
        }
        ProposedAct::Deployment { deployment } => intent
            .with("application", deployment.application.as_str())
            .with("environment", deployment.environment.clone())
            .with("release", deployment.release.as_str()),
        ProposedAct::Policies { text, .. } => intent.with("sha256", super::policies::sha256(text)),
    }
}

impl ApprovalService {
    /// What `ask` would do, for somebody who may do it in `scopes`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) async fn plan(
        &self,
        act: &ProposedAct,
        scopes: &[Scope],
        not_before: Option<Timestamp>,
    ) -> Result<Planned, PortalError> {
        match act {
            ProposedAct::Command { command } => {
                plan::of_command(&self.commands, command, scopes, not_before).await
            }
            ProposedAct::Terminal { session, minutes } => {
                let node = self.sessions.node(&session.node, scopes).await?;
                let chosen = self.sessions.document(session, &node).await?;
                Ok(plan::of_terminal(&node, session, &chosen, *minutes))
            }
            ProposedAct::Runbook { runbook } => {
                plan::of_runbook(&self.runbooks, runbook, scopes, not_before).await
            }
            ProposedAct::Role { role, scope, minutes } => {
                let scope = Scope::of_role(scope).map_err(|why| PortalError::invalid("scope", why))?;
                Ok(plan::of_role(role.as_str(), &scope, *minutes, not_before))
            }
            ProposedAct::PutParameter { .. }
            | ProposedAct::LabelParameter { .. }
            | ProposedAct::UnlabelParameter { .. }
            | ProposedAct::RevealParameter { .. }
            | ProposedAct::DeleteParameter { .. } => self.parameters.plan(act, not_before).await,
            ProposedAct::ChangeBaseline { .. }
            | ProposedAct::DeleteBaseline { .. }
            | ProposedAct::GrantException { .. } => self.patching.plan(act, not_before).await,
            ProposedAct::Window { .. } => Box::pin(self.windows.plan(act, not_before)).await,
            ProposedAct::Deployment { .. } => Box::pin(self.deployments.plan(act, scopes, not_before)).await,
            ProposedAct::Step { .. } => Err(PortalError::Conflict {
                message: "A step of a runbook asks by itself.".into(),
            }),
            ProposedAct::Policies { text, was } => {
                plan::of_policies(&self.gate.book, text, was, not_before).await
            }
        }
    }

    /// What has to be given, and whether the person may ask for this at all.
    fn demand(ask: &Ask, finding: &Finding) -> Result<Demand, PortalError> {
        let meeting = &finding.meeting;
        match (meeting.effect, ask.act.act()) {
            (Effect::Deny, _) => Err(PortalError::Forbidden {
                message: meeting.because.clone(),
            }),
            (Effect::Approve, _) => Ok(meeting.demand.clone()),
            // A role is never had for the asking: somebody has to be named who can give it.
            (Effect::Allow, Act::HoldRole) => Err(PortalError::Conflict {
                message: "No policy says who can approve this role. An administrator writes one under Approvals → Policies."
                    .into(),
            }),
            (Effect::Allow, _) => match &finding.freeze {
                Some((name, _)) if ask.break_glass => Ok(Self::demand_of_freeze(name, finding)),
                Some((name, until)) => Err(PortalError::Conflict {
                    message: format!(
                        "The freeze “{name}” holds until {until}, and afterwards this needs no approval: do it then."
                    ),
                }),
                None => Err(PortalError::Conflict {
                    message: format!("{} It needs no approval: just do it.", meeting.because),
                }),
            },
        }
    }

    /// Breaking the glass in a freeze, of what else would need no approval: whoever the freeze lets, reviewed by an
    /// approver.
    fn demand_of_freeze(name: &str, finding: &Finding) -> Demand {
        let freezes = &finding.loaded.policies.freezes;
        let freeze = freezes.iter().find(|freeze| freeze.name == name);
        Demand {
            tracks: vec![Track {
                policy: name.to_owned(),
                levels: vec![Level {
                    approvals: 1,
                    of: vec!["role:approver".into()],
                    escalate_after_minutes: None,
                    escalate_to: Vec::new(),
                }],
            }],
            reason: true,
            tickets: Vec::new(),
            expires_minutes: 60,
            usable_minutes: 60,
            windows: Vec::new(),
            break_glass: freeze
                .map(|freeze| freeze.break_glass.iter().cloned().collect())
                .unwrap_or_default(),
            review_hours: 24,
            anywhere: finding.meeting.demand.anywhere,
            bulk: false,
        }
    }

    /// What the policies want to be told and was not.
    fn check_demand(ask: &Ask, demand: &Demand) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        if demand.reason && ask.reason.trim().is_empty() {
            fields.push(FieldError::new(
                "reason",
                "Say why: the policy asks for a reason.",
            ));
        }
        for ticket in &demand.tickets {
            let whole = regex::Regex::new(&format!("^(?:{ticket})$"));
            if !whole.is_ok_and(|whole| whole.is_match(ask.ticket.trim())) {
                fields.push(FieldError::new(
                    "ticket",
                    format!("The policy asks for a ticket that looks like {ticket}."),
                ));
            }
        }
        PortalError::from_fields(fields)
    }

    /// Whether this person may break the glass now.
    async fn check_glass(
        &self,
        actor: &Actor,
        demand: &Demand,
        finding: &Finding,
    ) -> Result<(), PortalError> {
        let policies = &finding.loaded.policies;
        let names = people::names(actor, policies);
        let let_by_freeze = finding.freezes.iter().all(|freeze| {
            let freeze = policies.freezes.iter().find(|one| &one.name == freeze);
            freeze.is_some_and(|freeze| freeze.break_glass.iter().any(|one| names.contains(one)))
        });
        if !let_by_freeze || !demand.break_glass.iter().any(|name| names.contains(name)) {
            return Err(PortalError::Forbidden {
                message: "The policy does not let you do this without approval. Ask for approval instead."
                    .into(),
            });
        }
        let person = policies.person(&actor.name);
        let mut accounts: Vec<String> = vec![actor.name.to_lowercase()];
        accounts.extend(
            policies
                .people
                .iter()
                .filter(|(name, _)| format!("person:{name}") == person)
                .flat_map(|(_, accounts)| accounts.iter().map(|name| name.to_lowercase())),
        );
        let mut sql = Sql::new("select request_id from approval_requests where review_due_at < ");
        sql.int(self.clock.now().0)
            .push(" and lower(requester) in (")
            .texts(&accounts)
            .push(")")
            .push(" limit 1");
        if let Some(row) = sql.first(self.db.reader()).await.map_err(store)? {
            let id = row.text("request_id").map_err(store)?;
            return Err(PortalError::Conflict {
                message: format!(
                    "You did {id} without approval, and nobody has reviewed it in time: until that is done you cannot do \
                     so again. Ask an approver for the review."
                ),
            });
        }
        Ok(())
    }

    pub(super) async fn ask_inner(&self, actor: &Actor, mut ask: Ask) -> Result<RequestId, PortalError> {
        let now = self.clock.now();
        // Who is not signed in takes no number.
        let number = if actor.is_known() {
            requests::next_number(&self.db).await.map_err(store)?
        } else {
            0
        };
        self.door
            .pass(actor, intent(&ask, number), ask.check(now), async |pass| {
                let scopes = actor.scopes_for(action_of(ask.act.act()));
                if scopes.is_empty() {
                    return Err(PortalError::Forbidden {
                        message: format!(
                            "You may not do this ({}), so you cannot ask for it either.",
                            action_of(ask.act.act()).as_str()
                        ),
                    });
                }
                self.parameters.ready(&mut ask.act).await?;
                self.patching.ready(&ask.act).await?;
                Box::pin(self.windows.ready(actor, &ask.act)).await?;
                Box::pin(self.deployments.ready(actor, &ask.act, &scopes)).await?;
                let planned = self.plan(&ask.act, &scopes, ask.not_before).await?;
                let finding = self.gate.look(actor, &planned.proposal).await?;
                let demand = Self::demand(&ask, &finding)?;
                Self::check_demand(&ask, &demand)?;
                if ask.break_glass {
                    self.check_glass(actor, &demand, &finding).await?;
                }
                let person = finding.loaded.policies.person(&actor.name);
                let mut row = self.new_row(actor, &ask, planned, demand, person);
                row.number = number;
                row.id = requests::id_of(number);
                let said = if ask.break_glass {
                    "Done without approval: the glass was broken."
                } else {
                    "Asked for approval."
                };
                let row = requests::insert(&self.gate.desk, row, said)
                    .await
                    .map_err(store)?;
                pass.note("digest", row.digest.clone());
                pass.note(
                    "policies",
                    serde_json::json!(
                        row.demand
                            .tracks
                            .iter()
                            .map(|track| &track.policy)
                            .collect::<Vec<_>>()
                    ),
                );
                pass.note("asked", serde_json::json!(asked(&row.demand)));
                self.bus.tell(PortalEvent::Approvals);
                self.wake.notify_one();
                Ok(row.id)
            })
            .await
    }

    fn new_row(
        &self,
        actor: &Actor,
        ask: &Ask,
        planned: Planned,
        demand: Demand,
        person: String,
    ) -> RequestRow {
        let now = self.clock.now();
        let plan = planned.plan;
        let broken = ask.break_glass;
        // The window in which it can run does not shorten the time in which it can be decided on.
        let expires_at = now.plus_ms(i64::from(demand.expires_minutes) * MINUTE_MS);
        let by_hand = used_by_hand(ask.act.act());
        let in_production = plan
            .nodes
            .iter()
            .filter(|node| is_production(&node.environment))
            .count();
        RequestRow {
            id: RequestId::new(""),
            number: 0,
            version: 0,
            standing: Standing {
                state: if broken {
                    RequestState::Approved
                } else {
                    RequestState::Waiting
                },
                generation: 1,
                requester: actor.name.clone(),
                requester_person: person,
                tracks: demand.tracks.clone(),
                decisions: Vec::new(),
                waits_since: now,
                expires_at,
                usable_until: broken.then(|| now.plus_ms(i64::from(demand.usable_minutes) * MINUTE_MS)),
                glass_broken: broken,
            },
            deciders: Vec::new(),
            act: plan.act,
            title: plan.title(),
            requester_id: actor.user_id.clone(),
            address: actor.origin.address.clone(),
            asked_at: now,
            not_before: ask.not_before,
            runs_at: (broken && !by_hand).then_some(now),
            ended_at: None,
            reason: ask.reason.trim().to_owned(),
            ticket: ask.ticket.trim().to_owned(),
            proposed: ask.act.clone(),
            digest: digest(&plan),
            plan,
            changed: Vec::new(),
            in_production: u32::try_from(in_production).unwrap_or(u32::MAX),
            review_due_at: broken.then(|| now.plus_ms(i64::from(demand.review_hours) * 60 * MINUTE_MS)),
            review: None,
            outcome_id: String::new(),
            problem: String::new(),
            reminded_at: None,
            demand,
        }
    }
}
