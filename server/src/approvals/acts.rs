//! The acts themselves, done by the services that do them for people too, and through the same door.

use crate::access::users::{self, NewLoan};
use crate::approvals::plan::Planned;
use crate::approvals::rows::{RequestRow, said_by};
use crate::approvals::service::ApprovalService;
use crate::approvals::store::{self as requests, Change, Guard};
use crate::commands::CommandService;
use crate::deployments::DeploymentService;
use crate::error::store;
use crate::events::PortalEvent;
use crate::parameters::ParameterService;
use crate::patching::{By, PatchingService};
use crate::runbooks::{Order, RunbookService};
use crate::windows::WindowService;
use muster_domain::action::Action;
use muster_domain::approvals::{Event, ProposedAct, step};
use muster_domain::audit::Intent;
use muster_domain::ids::{CommandId, ExecutionId};
use muster_domain::permission::Scope;
use muster_domain::{Actor, PortalError};

const MINUTE_MS: i64 = 60_000;

impl ApprovalService {
    /// Does what was approved. It passes the door as whoever asked, so what they may not do any more is not done.
    pub(super) async fn act(
        &self,
        actor: &Actor,
        row: &RequestRow,
        planned: Planned,
        outcome_id: &str,
    ) -> Result<(), PortalError> {
        let approved_by: Vec<String> = row
            .standing
            .decisions
            .iter()
            .filter(|decision| !decision.struck && decision.generation == row.standing.generation)
            .map(said_by)
            .collect();
        let marked = |intent: Intent| {
            intent
                .with("request", row.id.as_str())
                .with("digest", row.digest.clone())
                .with("approved_by", serde_json::json!(approved_by))
                .with("glass_broken", row.standing.glass_broken)
        };
        match &row.proposed {
            ProposedAct::Command { command } => {
                let id = CommandId::new(outcome_id);
                let intent = marked(CommandService::intent_to_run(&id, command));
                let prepared = planned.command.ok_or_else(|| PortalError::Conflict {
                    message: "It is no command.".into(),
                })?;
                self.door
                    .pass(actor, intent, Ok(()), async |pass| {
                        self.commands
                            .start(actor, id, command, prepared, true, &pass.scopes)
                            .await
                    })
                    .await
            }
            ProposedAct::Runbook { runbook } => {
                let id = ExecutionId::new(outcome_id);
                let intent = marked(RunbookService::intent_to_start(&id, runbook));
                let meant = planned.runbook.ok_or_else(|| PortalError::Conflict {
                    message: "It is no runbook.".into(),
                })?;
                let order = Order {
                    execution_id: id,
                    reason: runbook.reason.clone(),
                    requested_by: actor.name.clone(),
                    requested_by_id: actor.user_id.clone(),
                    deployment: None,
                };
                self.door
                    .pass(actor, intent, Ok(()), async |pass| {
                        let plan = meant.reporting(true)?;
                        pass.note("nodes", plan.nodes().len() as u64);
                        self.runbooks.carry_out(&plan, order).await
                    })
                    .await
            }
            ProposedAct::Role { role, scope, minutes } => {
                let scope = Scope::of_role(scope).map_err(|why| PortalError::invalid("scope", why))?;
                let user = actor.user_id.clone().ok_or(PortalError::SignInRequired)?;
                let now = self.clock.now();
                let until = now.plus_ms(i64::from(*minutes) * MINUTE_MS);
                let intent = marked(
                    Intent::new(Action::AccessHoldRole, format!("user:{}", actor.name))
                        .with("role", role.as_str())
                        .with("scope", scope.to_string())
                        .with("until", until.rfc3339()),
                );
                self.door
                    .pass(actor, intent, Ok(()), async |_| {
                        let loan = NewLoan {
                            id: outcome_id,
                            user: &user,
                            role: *role,
                            scope: &scope,
                            by: row.id.as_str(),
                            now,
                            until,
                        };
                        users::lend(&self.db, &loan).await.map_err(store)
                    })
                    .await
            }
            ProposedAct::Policies { text, was } => {
                let intent = marked(
                    Intent::new(Action::ApprovalsChangePolicies, "policies")
                        .with("was_sha256", was.clone())
                        .with("sha256", outcome_id),
                );
                self.door
                    .pass(actor, intent, Ok(()), async |_| {
                        self.gate
                            .book
                            .write(text, was, &actor.name, self.clock.now())
                            .await
                    })
                    .await
            }
            ProposedAct::PutParameter { .. }
            | ProposedAct::LabelParameter { .. }
            | ProposedAct::UnlabelParameter { .. }
            | ProposedAct::DeleteParameter { .. } => {
                let intent = ParameterService::intent_of(&row.proposed).map(marked);
                let intent = intent.ok_or_else(|| PortalError::Conflict {
                    message: "It is about no parameter.".into(),
                })?;
                self.door
                    .pass(actor, intent, Ok(()), async |pass| {
                        self.parameters
                            .carry_out(&row.proposed, &planned.plan, &pass)
                            .await
                    })
                    .await
            }
            ProposedAct::ChangeBaseline { .. }
            | ProposedAct::DeleteBaseline { .. }
            | ProposedAct::GrantException { .. } => {
                let intent = PatchingService::intent_of(&row.proposed).map(marked);
                let intent = intent.ok_or_else(|| PortalError::Conflict {
                    message: "It is about no patch baseline.".into(),
                })?;
                let by = By {
                    who: &actor.name,
                    request: row.id.as_str(),
                };
                self.door
                    .pass(actor, intent, Ok(()), async |pass| {
                        self.patching
                            .carry_out(&row.proposed, &planned.plan, outcome_id, by, &pass)
                            .await
                    })
                    .await
            }
            ProposedAct::Window { change } => {
                let intent = marked(WindowService::intent_of(change));
                self.door
                    .pass(actor, intent, Ok(()), async |pass| {
                        Box::pin(
                            self.windows
                                .carry_out(&row.proposed, &planned.plan, outcome_id, &pass),
                        )
                        .await
                    })
                    .await
            }
            ProposedAct::Deployment { deployment } => {
                let intent = marked(DeploymentService::intent_to_deploy(outcome_id, deployment));
                let (act, plan) = (&row.proposed, &planned.plan);
                self.door
                    .pass(actor, intent, Ok(()), async |pass| {
                        Box::pin(
                            self.deployments
                                .carry_out(actor, act, plan, outcome_id, &row.id, &pass),
                        )
                        .await
                    })
                    .await
            }
            ProposedAct::Step { .. } => self.answer(row, true).await,
            ProposedAct::RevealParameter { .. } => Err(PortalError::Conflict {
                message: "A secret is looked at by who asked for it.".into(),
            }),
            ProposedAct::Terminal { .. } => Err(PortalError::Conflict {
                message: "A terminal is opened by who asked for it.".into(),
            }),
        }
    }

    /// Writes down how it went; `said` where it went well.
    pub(super) async fn end(
        &self,
        row: &RequestRow,
        done: Result<(), PortalError>,
        said: &str,
    ) -> Result<(), PortalError> {
        let now = self.clock.now();
        let Ok(next) = step(&row.standing, Event::End { well: done.is_ok() }, now) else {
            return Ok(());
        };
        let change = Change {
            who: "muster".into(),
            what: match &done {
                Ok(()) => said.to_owned(),
                Err(error) => format!("It could not be done: {error}"),
            },
            problem: done.err().map(|error| error.to_string()),
            ..Change::default()
        };
        requests::change(&self.gate.desk, row, &next, &change, Guard::Anytime, now)
            .await
            .map_err(store)?;
        self.bus.tell(PortalEvent::Approvals);
        Ok(())
    }
}
