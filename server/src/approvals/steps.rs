//! Steps of runbooks that wait for an approval (`aws:approve`), in the same queue as everything else: each becomes a request,
//! what is decided here is told to Systems Manager, and what was answered elsewhere is closed here.

use crate::approvals::plan::digest;
use crate::approvals::rows::{self, RequestRow, said_by};
use crate::approvals::service::{ApprovalService, resource};
use crate::approvals::store::{self as requests, Change, Guard};
use crate::error::store;
use crate::events::PortalEvent;
use crate::runbooks::queries as executions;
use muster_domain::action::Action;
use muster_domain::approvals::{
    Act, Demand, Event, Level, Plan, PlanNode, PlanSubject, ProposedAct, RequestState, Standing, Track, step,
};
use muster_domain::audit::Intent;
use muster_domain::commands::is_production;
use muster_domain::ids::{ExecutionId, NodeId};
use muster_domain::{Actor, PortalError, Timestamp};
use muster_store::{RowExt, Sql, StoreError};
use std::collections::BTreeMap;

/// How long such a step waits where it does not say: Systems Manager's seven days.
const WAITS_SECONDS: i64 = 604_800;
/// Minutes for which an answer is tried to be told.
const TOLD_MINUTES: u32 = 1_440;
/// Steps that are looked at in one round.
const AT_ONCE: i64 = 100;

/// Texts of a step's input, which is JSON.
fn texts(inputs: &BTreeMap<String, String>, name: &str) -> Vec<String> {
    let Some(text) = inputs.get(name) else {
        return Vec::new();
    };
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Array(items)) => items
            .into_iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect(),
        Ok(serde_json::Value::String(text)) => vec![text],
        Ok(other) => vec![other.to_string()],
        Err(_) => vec![text.clone()],
    }
}

/// Whom a step asks, in the words of policies. It names users of the account, who are not known here by their ARN: one whose
/// name is an account's is that account, and where there is none, every approver is asked.
fn asked(approvers: &[String], accounts: &[String]) -> Vec<String> {
    let named: Vec<String> = approvers
        .iter()
        .filter_map(|one| one.rsplit('/').next())
        .filter(|name| accounts.iter().any(|account| account.eq_ignore_ascii_case(name)))
        .map(|name| format!("user:{}", name.to_lowercase()))
        .collect();
    if named.is_empty() {
        vec!["role:approver".into()]
    } else {
        named
    }
}

/// A step that waits, with its execution.
struct Waiting {
    execution: ExecutionId,
    ssm_execution_id: String,
    document: String,
    requested_by: String,
    requested_by_id: Option<String>,
    step_execution_id: String,
    name: String,
    started_at: Timestamp,
    inputs: BTreeMap<String, String>,
}

impl ApprovalService {
    /// Makes requests of the steps that wait, closes those whose steps do not, and tells what was rejected.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn steps_round(&self) -> Result<(), StoreError> {
        for waiting in self.new_steps().await? {
            self.request_for(waiting).await?;
        }
        self.close_answered().await?;
        let mut sql = rows::of(&self.db);
        sql.push(" and r.state = 'rejected' and r.runs_at <= ")
            .int(self.clock.now().0)
            .push(" limit ")
            .int(AT_ONCE);
        for row in self.found(sql).await? {
            if let Err(error) = self.tell_rejected(&row).await {
                tracing::warn!(request = %row.id, %error, "a rejection was not told to Systems Manager");
            }
        }
        Ok(())
    }

    async fn new_steps(&self) -> Result<Vec<Waiting>, StoreError> {
        let mut sql = Sql::new(
            "select s.execution_id, s.step_execution_id, s.name, s.started_at, s.inputs, e.ssm_execution_id, e.document, \
             e.requested_by, e.requested_by_id, e.requested_at from execution_steps s join executions e on e.execution_id = \
             s.execution_id where s.status = 'Waiting' and s.action = 'aws:approve' and e.ssm_execution_id is not null and not \
             exists (select 1 from approval_requests r where r.connection_id = e.connection_id and r.outcome_id = \
             s.step_execution_id) and ",
        );
        sql.within("e.connection_id || ''", &self.db)
            .push(" limit ")
            .int(AT_ONCE);
        let mut found = Vec::new();
        for row in sql.all(self.db.reader()).await? {
            found.push(Waiting {
                execution: ExecutionId::new(row.text("execution_id")?),
                ssm_execution_id: row.text("ssm_execution_id")?,
                document: row.text("document")?,
                requested_by: row.text("requested_by")?,
                requested_by_id: row.text_or_none("requested_by_id")?,
                step_execution_id: row.text("step_execution_id")?,
                name: row.text("name")?,
                started_at: row
                    .time_or_none("started_at")?
                    .map_or_else(|| row.time("requested_at"), Ok)?,
                inputs: serde_json::from_str(&row.text("inputs")?).unwrap_or_default(),
            });
        }
        Ok(found)
    }

    async fn nodes_of(&self, execution: &ExecutionId) -> Result<Vec<PlanNode>, StoreError> {
        let mut sql = Sql::new("select node_id, node_name from execution_nodes where execution_id = ");
        sql.text(execution.as_str()).push(" order by node_id");
        let mut nodes = Vec::new();
        for row in sql.all(self.db.reader()).await? {
            nodes.push((NodeId::new(row.text("node_id")?), row.text("node_name")?));
        }
        let ids: Vec<NodeId> = nodes.iter().map(|(id, _)| id.clone()).collect();
        let known =
            crate::fleet::queries::by_ids(&self.db, &ids, &[muster_domain::permission::Scope::All]).await?;
        Ok(nodes
            .into_iter()
            .map(|(node_id, name)| PlanNode {
                environment: known
                    .iter()
                    .find(|node| node.node_id == node_id)
                    .and_then(crate::fleet::resolve::environment)
                    .unwrap_or_default()
                    .to_owned(),
                node_id,
                name,
            })
            .collect())
    }

    async fn request_for(&self, waiting: Waiting) -> Result<(), StoreError> {
        let now = self.clock.now();
        let accounts: Vec<String> = Sql::new("select name from users order by name limit 10000")
            .all(self.db.reader())
            .await?
            .iter()
            .map(|row| row.text("name"))
            .collect::<Result<_, _>>()?;
        let approvals = texts(&waiting.inputs, "MinRequiredApprovals")
            .first()
            .and_then(|text| text.parse().ok())
            .unwrap_or(1_u32)
            .max(1);
        let level = Level {
            approvals,
            of: asked(&texts(&waiting.inputs, "Approvers"), &accounts),
            escalate_after_minutes: None,
            escalate_to: Vec::new(),
        };
        let demand = Demand {
            tracks: vec![Track {
                policy: format!("the runbook {}", waiting.document),
                levels: vec![level],
            }],
            expires_minutes: u32::try_from(WAITS_SECONDS / 60).unwrap_or(u32::MAX),
            usable_minutes: TOLD_MINUTES,
            ..Demand::default()
        };
        let message = texts(&waiting.inputs, "Message").join(" ");
        let plan = Plan {
            act: Act::AnswerStep,
            subject: PlanSubject::Step {
                execution: waiting.ssm_execution_id.clone(),
                step: waiting.name.clone(),
                message: message.clone(),
            },
            targets: String::new(),
            nodes: self.nodes_of(&waiting.execution).await?,
            not_before: None,
        };
        let policies = self.gate.book.current().await?;
        let in_production = plan
            .nodes
            .iter()
            .filter(|node| is_production(&node.environment))
            .count();
        let number = requests::next_number(&self.db).await?;
        let row = RequestRow {
            id: requests::id_of(number),
            number,
            version: 0,
            standing: Standing {
                state: RequestState::Waiting,
                generation: 1,
                requester: waiting.requested_by.clone(),
                requester_person: policies.policies.person(&waiting.requested_by),
                tracks: demand.tracks.clone(),
                decisions: Vec::new(),
                waits_since: now,
                expires_at: waiting.started_at.plus_ms(WAITS_SECONDS * 1_000),
                usable_until: None,
                glass_broken: false,
            },
            deciders: Vec::new(),
            act: Act::AnswerStep,
            title: format!("{} goes on at {}", waiting.document, waiting.name),
            requester_id: waiting.requested_by_id.map(muster_domain::ids::UserId::new),
            address: String::new(),
            asked_at: waiting.started_at,
            not_before: None,
            runs_at: None,
            ended_at: None,
            reason: message,
            ticket: String::new(),
            proposed: ProposedAct::Step {
                execution: waiting.execution,
                step: waiting.step_execution_id.clone(),
            },
            digest: digest(&plan),
            plan,
            changed: Vec::new(),
            in_production: u32::try_from(in_production).unwrap_or(u32::MAX),
            review_due_at: None,
            review: None,
            outcome_id: waiting.step_execution_id,
            problem: String::new(),
            reminded_at: None,
            demand,
        };
        requests::insert(&self.gate.desk, row, "The runbook waits for an approval.").await?;
        self.bus.tell(PortalEvent::Approvals);
        Ok(())
    }

    /// Requests whose steps wait no more: answered elsewhere, stopped, run out.
    async fn close_answered(&self) -> Result<(), StoreError> {
        let mut sql = rows::of(&self.db);
        sql.push(
            " and r.is_open = 1 and r.act = 'runbooks.signal' and r.state <> 'running' and not exists (select 1 from \
             execution_steps s where s.step_execution_id = r.outcome_id and s.status = 'Waiting') order by r.expires_at, \
             r.number limit ",
        )
        .int(AT_ONCE);
        for row in self.found(sql).await? {
            let now = self.clock.now();
            let person = row.standing.requester_person.clone();
            let Ok(next) = step(&row.standing, Event::Withdraw { person: &person }, now) else {
                continue;
            };
            let change = Change {
                who: "muster".into(),
                what: "The step does not wait any more: it was answered elsewhere, or its runbook has ended."
                    .into(),
                ..Change::default()
            };
            if requests::change(&self.gate.desk, &row, &next, &change, Guard::Anytime, now).await? {
                self.bus.tell(PortalEvent::Approvals);
            }
        }
        Ok(())
    }

    /// Tells Systems Manager what was decided, in the server's name: who it was stands in the comment and in the audit log.
    pub(super) async fn answer(&self, row: &RequestRow, is_approved: bool) -> Result<(), PortalError> {
        let ProposedAct::Step { execution, step } = &row.proposed else {
            return Err(PortalError::Conflict {
                message: "It is no step of a runbook.".into(),
            });
        };
        let who: Vec<String> = row
            .standing
            .decisions
            .iter()
            .filter(|decision| !decision.struck)
            .map(said_by)
            .collect();
        let comment = format!("{} (through Muster, {})", who.join(", "), row.id);
        let intent = Intent::new(Action::ApprovalsCarryOut, resource(&row.id))
            .with("execution", execution.as_str())
            .with("step", step.clone())
            .with("signal", if is_approved { "approve" } else { "reject" })
            .with("decided_by", serde_json::json!(who));
        self.door
            .pass(&Actor::server(), intent, Ok(()), async |_| {
                self.runbooks.answer(execution, step, is_approved, &comment).await
            })
            .await
    }

    async fn tell_rejected(&self, row: &RequestRow) -> Result<(), PortalError> {
        let told = self.answer(row, false).await;
        let now = self.clock.now();
        let later = matches!(
            told,
            Err(PortalError::Unavailable { .. }
                | PortalError::Internal { .. }
                | PortalError::TooManyRequests { .. })
        );
        let change = Change {
            who: "muster".into(),
            what: match &told {
                Ok(()) => "The runbook was told.".to_owned(),
                Err(error) => format!("The runbook could not be told: {error}"),
            },
            runs_at: later.then(|| now.plus_ms(30_000)),
            problem: told.err().map(|error| error.to_string()),
            ..Change::default()
        };
        requests::change(&self.gate.desk, row, &row.standing, &change, Guard::Anytime, now)
            .await
            .map_err(store)?;
        Ok(())
    }

    /// The runbook's execution goes on, because those who were asked approved.
    pub(super) async fn carry_out_step(&self, row: &RequestRow) -> Result<(), PortalError> {
        let now = self.clock.now();
        let voters = self.approvers(row).await?;
        let begin = Event::Begin {
            voters: &voters,
            changed: false,
            until: row.standing.expires_at.max(now.plus_ms(60_000)),
        };
        let Ok(next) = step(&row.standing, begin, now) else {
            return Ok(());
        };
        let begun = next.state == RequestState::Running;
        let change = Change {
            who: "muster".into(),
            what: if begun {
                "The runbook is told."
            } else {
                "Not everybody who approved may still decide: it waits for another approval."
            }
            .to_owned(),
            ..Change::default()
        };
        if !requests::change(&self.gate.desk, row, &next, &change, Guard::Usable, now)
            .await
            .map_err(store)?
            || !begun
        {
            return Ok(());
        }
        let taken = self.again(&row.id).await?;
        let told = self.answer(&taken, true).await;
        if let Err(
            why @ (PortalError::Unavailable { .. }
            | PortalError::Internal { .. }
            | PortalError::TooManyRequests { .. }),
        ) = &told
        {
            // Not told yet: it stays approved, and is told again.
            if let Ok(again) = step(&taken.standing, Event::Lost, now) {
                let change = Change {
                    who: "muster".into(),
                    what: format!("The runbook could not be told yet: {why}"),
                    runs_at: Some(now.plus_ms(30_000)),
                    ..Change::default()
                };
                requests::change(&self.gate.desk, &taken, &again, &change, Guard::Anytime, now)
                    .await
                    .map_err(store)?;
            }
            return Ok(());
        }
        self.end(&taken, told, &super::one_voice::told(&taken)).await
    }

    /// The execution that a request's step belongs to.
    pub(super) fn execution_of(row: &RequestRow) -> Option<&ExecutionId> {
        match &row.proposed {
            ProposedAct::Step { execution, .. } => Some(execution),
            _ => None,
        }
    }
}

impl crate::runbooks::RunbookService {
    /// Answers the step of an execution that waits for an approval. What is decided stands in approvals.
    ///
    /// # Errors
    /// When the execution is not there, or Systems Manager refuses or does not answer.
    pub(crate) async fn answer(
        &self,
        execution: &ExecutionId,
        step: &str,
        is_approved: bool,
        comment: &str,
    ) -> Result<(), PortalError> {
        use muster_domain::runbooks::{Signal, WaitsFor};
        let everything = executions::Viewer {
            scopes: &[muster_domain::permission::Scope::All],
            user: None,
        };
        let row = executions::get(&self.db, execution, &everything)
            .await
            .map_err(store)?;
        let id = row
            .and_then(|row| row.ssm_execution_id)
            .ok_or_else(|| PortalError::NotFound {
                what: format!("The execution {execution}"),
            })?;
        // A signal names no step: asked anew, so that it never answers another one than was decided on.
        let seen = crate::runbooks::ssm::execution(&self.ssm, &id)
            .await
            .map_err(|error| error.to_portal())?;
        let waits = seen.is_some_and(|seen| {
            let mut steps = seen.steps.iter();
            steps.any(|one| one.step_execution_id == step && one.waits_for() == Some(WaitsFor::Decision))
        });
        if !waits {
            return Err(PortalError::Conflict {
                message:
                    "The step does not wait any more: it was answered elsewhere, or its runbook has ended."
                        .into(),
            });
        }
        let signal = if is_approved {
            Signal::Approve
        } else {
            Signal::Reject
        };
        crate::runbooks::ssm::signal(&self.ssm, &id, signal, "", comment)
            .await
            .map_err(|error| error.to_portal())?;
        self.queued.notify_one();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_named_and_known_is_asked_and_else_every_approver() {
        let accounts = ["bob".to_owned(), "eve".to_owned()];
        let arn = |name: &str| format!("arn:aws:iam::123456789012:user/{name}");
        assert_eq!(
            asked(&[arn("Bob"), "eve".into()], &accounts),
            ["user:bob", "user:eve"]
        );
        assert_eq!(asked(&[arn("portal")], &accounts), ["role:approver"]);
        assert_eq!(asked(&[], &accounts), ["role:approver"]);
    }

    #[test]
    fn inputs_are_lists_or_texts() {
        let inputs = BTreeMap::from([
            ("Approvers".to_owned(), r#"["a","b"]"#.to_owned()),
            ("Message".to_owned(), "\"go?\"".to_owned()),
            ("MinRequiredApprovals".to_owned(), "2".to_owned()),
        ]);
        assert_eq!(texts(&inputs, "Approvers"), ["a", "b"]);
        assert_eq!(texts(&inputs, "Message"), ["go?"]);
        assert_eq!(texts(&inputs, "MinRequiredApprovals"), ["2"]);
        assert!(texts(&inputs, "Nothing").is_empty());
    }
}
