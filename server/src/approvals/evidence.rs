//! Evidence: one request with everything that belongs to it, from who asked to what each node did and what the audit log
//! says, as one signed file that can be checked without the portal.

use crate::approvals::outcome::{baseline_of, exception_of, parameter_of, window_of};
use crate::approvals::policies::sha256;
use crate::approvals::rows::RequestRow;
use crate::approvals::service::{ApprovalService, resource};
use crate::audit::AuditLog;
use crate::audit::keys::is_signed;
use crate::audit::row::hash;
use crate::error::store;
use muster_domain::action::Action;
use muster_domain::approvals::{Act, canonical_json};
use muster_domain::audit::Intent;
use muster_domain::ids::RequestId;
use muster_domain::{Actor, PortalError};
use muster_store::{RowExt, Sql, StoreError};
use serde_json::{Value, json};
use sqlx::any::AnyRow;
use std::collections::{BTreeMap, BTreeSet};

/// What the signature is made over begins with this, so that no other signed text can be taken for evidence.
const LABEL: &str = "muster-evidence-v1\n";
/// Rows of the audit log in one bundle at most.
const MAX_AUDIT_ROWS: i64 = 10_000;
/// Rows of the audit log, each with the hash before it.
const AUDIT_ROWS: &str = "select a.sequence, a.act_id, a.body, a.hash, (select p.hash from audit_log p where p.sequence = \
     a.sequence - 1) as previous from audit_log a";

/// What checking a bundle has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvidenceReport {
    /// Which request it is about.
    pub request: String,
    /// How the request ended.
    pub state: String,
    /// Rows of the audit log that were checked.
    pub audit_rows: usize,
    /// What is wrong; empty when nothing is.
    pub findings: Vec<String>,
}

fn signed_bytes(content: &Value) -> Vec<u8> {
    format!("{LABEL}{}", canonical_json(content)).into_bytes()
}

impl ApprovalService {
    /// The signed bundle of a request.
    ///
    /// # Errors
    /// As for every act.
    pub async fn evidence(
        &self,
        actor: &Actor,
        log: &AuditLog,
        request: &RequestId,
    ) -> Result<Value, PortalError> {
        let intent = Intent::new(Action::ApprovalsExportEvidence, resource(request));
        self.door
            .pass(actor, intent, Ok(()), async |pass| {
                let row = self.visible(actor, request, &pass.scopes).await?;
                let content = self.content(actor, &row).await.map_err(store)?;
                let (key_id, signature) = log.sign(&signed_bytes(&content));
                pass.note("sha256", sha256(&canonical_json(&content)));
                Ok(json!({
                    "muster_evidence": 1,
                    "content": content,
                    "key_id": key_id,
                    "public_key": log.public_key,
                    "signature": signature,
                }))
            })
            .await
    }

    async fn content(&self, actor: &Actor, row: &RequestRow) -> Result<Value, StoreError> {
        let standing = &row.standing;
        let mut decisions = Vec::new();
        let mut sql = Sql::new(
            "select account, person, for_account, for_person, delegation_id, verdict, generation, decided_at, comment, digest, \
             address, struck from approval_decisions where request_id = ",
        );
        sql.text(row.id.as_str()).push(" order by number");
        for one in sql.all(self.db.reader()).await? {
            decisions.push(json!({
                "account": one.text("account")?,
                "person": one.text("person")?,
                "on_behalf_of": one.text_or_none("for_account")?,
                "on_behalf_of_person": one.text_or_none("for_person")?,
                "delegation": one.text_or_none("delegation_id")?,
                "verdict": one.text("verdict")?,
                "generation": one.int("generation")?,
                "at": one.time("decided_at")?.rfc3339(),
                "comment": one.text("comment")?,
                "digest": one.text("digest")?,
                "address": one.text("address")?,
                "void": one.flag("struck")?,
            }));
        }
        let mut happened = Vec::new();
        let mut sql = Sql::new("select happened_at, who, what from approval_events where request_id = ");
        sql.text(row.id.as_str()).push(" order by version");
        for one in sql.all(self.db.reader()).await? {
            happened.push(json!({
                "at": one.time("happened_at")?.rfc3339(),
                "who": one.text("who")?,
                "what": one.text("what")?,
            }));
        }
        let outcome = self.outcome_of(row).await?;
        Ok(json!({
            "request": row.id.as_str(),
            "act": row.act.as_str(),
            "title": row.title,
            "requester": standing.requester,
            "requester_person": standing.requester_person,
            "address": row.address,
            "asked_at": row.asked_at.rfc3339(),
            "ended_at": row.ended_at.map(|at| at.rfc3339()),
            "reason": row.reason,
            "ticket": row.ticket,
            "state": standing.state.as_str(),
            "generation": standing.generation,
            "glass_broken": standing.glass_broken,
            "review": row.review,
            "policies": row.demand,
            "plan": row.plan.canonical(),
            "nodes": row.plan.nodes,
            "digest": row.digest,
            "decisions": decisions,
            "happened": happened,
            "outcome": outcome,
            "problem": row.problem,
            "audit_log": self.audit_rows(row).await?,
            "exported_by": actor.name,
            "exported_at": self.clock.now().rfc3339(),
        }))
    }

    /// What was done, to each node.
    async fn outcome_of(&self, row: &RequestRow) -> Result<Value, StoreError> {
        if row.outcome_id.is_empty() {
            return Ok(Value::Null);
        }
        match row.act {
            Act::RunCommand => {
                let mut sql = Sql::new(
                    "select document, document_version, requested_by, requested_at, ended_at, status from commands where \
                     command_id = ",
                );
                sql.text(&row.outcome_id);
                let Some(command) = sql.first(self.db.reader()).await? else {
                    return Ok(json!({ "command": row.outcome_id }));
                };
                let mut nodes = Vec::new();
                let mut sql = Sql::new(
                    "select node_id, node_name, ssm_command_id, status, response_code, started_at, ended_at, stdout_bytes, \
                     stderr_bytes, output_hash from command_invocations where command_id = ",
                );
                sql.text(&row.outcome_id).push(" order by node_id");
                for node in sql.all(self.db.reader()).await? {
                    nodes.push(json!({
                        "node": node.text("node_id")?,
                        "name": node.text("node_name")?,
                        "ssm_command_id": node.text("ssm_command_id")?,
                        "status": node.text("status")?,
                        "exit_code": node.int("response_code")?,
                        "started_at": node.time_or_none("started_at")?.map(|at| at.rfc3339()),
                        "ended_at": node.time_or_none("ended_at")?.map(|at| at.rfc3339()),
                        "stdout_bytes": node.int("stdout_bytes")?,
                        "stderr_bytes": node.int("stderr_bytes")?,
                        "output_sha256": node.text("output_hash")?,
                    }));
                }
                Ok(json!({
                    "command": row.outcome_id,
                    "document": command.text("document")?,
                    "document_version": command.text("document_version")?,
                    "requested_by": command.text("requested_by")?,
                    "requested_at": command.time("requested_at")?.rfc3339(),
                    "ended_at": command.time_or_none("ended_at")?.map(|at| at.rfc3339()),
                    "status": command.text("status")?,
                    "nodes": nodes,
                }))
            }
            Act::OpenTerminal | Act::OpenTunnel => {
                let mut sql = Sql::new(
                    "select ssm_session_id, node_id, os_user, owner, started_at, ended_at, end_reason, bytes_in, bytes_out, \
                     recording, recording_sha256, document, document_version, document_sha256 from sessions where session_id = ",
                );
                sql.text(&row.outcome_id);
                let Some(session) = sql.first(self.db.reader()).await? else {
                    return Ok(json!({ "session": row.outcome_id }));
                };
                Ok(json!({
                    "session": row.outcome_id,
                    "ssm_session_id": session.text("ssm_session_id")?,
                    "node": session.text("node_id")?,
                    "os_user": session.text("os_user")?,
                    "document": session.text("document")?,
                    "document_version": session.text("document_version")?,
                    "document_sha256": session.text("document_sha256")?,
                    "owner": session.text("owner")?,
                    "started_at": session.time("started_at")?.rfc3339(),
                    "ended_at": session.time_or_none("ended_at")?.map(|at| at.rfc3339()),
                    "end_reason": session.text_or_none("end_reason")?,
                    "bytes_in": session.int("bytes_in")?,
                    "bytes_out": session.int("bytes_out")?,
                    "recording": session.text("recording")?,
                    "recording_sha256": session.text("recording_sha256")?,
                }))
            }
            Act::StartRunbook => self.execution(&row.outcome_id).await,
            // A deployment is the execution of the same id.
            Act::Deploy | Act::RollBack => self.execution(&row.outcome_id).await,
            // What it became is the step that was answered.
            Act::AnswerStep => match Self::execution_of(row) {
                Some(execution) => self.execution(execution.as_str()).await,
                None => Ok(Value::Null),
            },
            Act::HoldRole => Ok(json!({ "grant": row.outcome_id })),
            Act::RevealParameter | Act::PutParameter | Act::DeleteParameter => {
                Ok(json!({ "parameter": parameter_of(row) }))
            }
            Act::ChangeBaseline | Act::DeleteBaseline => Ok(json!({ "baseline": baseline_of(row) })),
            Act::GrantException => Ok(json!({ "exception": row.outcome_id, "plan": exception_of(row) })),
            Act::ChangeWindow | Act::DeleteWindow => Ok(json!({ "window": window_of(row) })),
            Act::ChangePolicies => Ok(json!({ "policies_sha256": row.outcome_id })),
        }
    }

    async fn execution(&self, id: &str) -> Result<Value, StoreError> {
        let mut sql = Sql::new(
            "select document, document_version, ssm_execution_id, requested_at, ended_at, status from executions where \
             execution_id = ",
        );
        sql.text(id);
        let Some(execution) = sql.first(self.db.reader()).await? else {
            return Ok(json!({ "execution": id }));
        };
        let mut steps = Vec::new();
        let mut sql = Sql::new(
            "select name, action, status, started_at, ended_at from execution_steps where execution_id = ",
        );
        sql.text(id).push(" order by position");
        for step in sql.all(self.db.reader()).await? {
            steps.push(json!({
                "step": step.text("name")?,
                "action": step.text("action")?,
                "status": step.text("status")?,
                "started_at": step.time_or_none("started_at")?.map(|at| at.rfc3339()),
                "ended_at": step.time_or_none("ended_at")?.map(|at| at.rfc3339()),
            }));
        }
        Ok(json!({
            "execution": id,
            "document": execution.text("document")?,
            "document_version": execution.text("document_version")?,
            "ssm_execution_id": execution.text_or_none("ssm_execution_id")?,
            "requested_at": execution.time("requested_at")?.rfc3339(),
            "ended_at": execution.time_or_none("ended_at")?.map(|at| at.rfc3339()),
            "status": execution.text("status")?,
            "steps": steps,
        }))
    }

    /// The rows of the audit log about the request and what became of it, with the hash before each, so that each can be
    /// checked by itself and found in the log.
    async fn audit_rows(&self, row: &RequestRow) -> Result<Vec<Value>, StoreError> {
        let mut resources = vec![resource(&row.id)];
        // Who stood in for whom was handed that over.
        let delegations = row
            .deciders
            .iter()
            .filter_map(|decider| decider.delegation.as_ref());
        resources.extend(delegations.map(|id| format!("delegation:{id}")));
        let outcome = match row.act {
            _ if row.outcome_id.is_empty() => None,
            Act::RunCommand => Some(format!("command:{}", row.outcome_id)),
            Act::OpenTerminal | Act::OpenTunnel => Some(format!("session:{}", row.outcome_id)),
            Act::StartRunbook => Some(format!("execution:{}", row.outcome_id)),
            Act::Deploy | Act::RollBack => Some(format!("deployment:{}", row.outcome_id)),
            Act::AnswerStep => Self::execution_of(row).map(|id| format!("execution:{id}")),
            Act::RevealParameter | Act::PutParameter | Act::DeleteParameter => {
                parameter_of(row).map(crate::parameters::service::resource)
            }
            Act::ChangeBaseline | Act::DeleteBaseline => baseline_of(row)
                .map(|baseline| crate::patching::resource_of(&baseline.baseline_id, &baseline.name)),
            Act::GrantException => {
                exception_of(row).map(|one| crate::patching::resource_of(&one.baseline_id, &one.baseline))
            }
            Act::ChangeWindow | Act::DeleteWindow => window_of(row).map(crate::windows::service::resource),
            // What these change is there before and after them: below.
            Act::HoldRole | Act::ChangePolicies => None,
        };
        resources.extend(outcome);
        let mut sql = Sql::new(AUDIT_ROWS);
        sql.push(" where a.resource in (")
            .texts(&resources)
            .push(") order by a.sequence limit ")
            .int(MAX_AUDIT_ROWS);
        let mut found = sql.all(self.db.reader()).await?;
        found.extend(self.audit_rows_of_change(row).await?);
        let mut rows = BTreeMap::new();
        for one in found {
            let sequence = one.int("sequence")?;
            let row = json!({
                "sequence": sequence,
                "body": one.text("body")?,
                "hash": one.text("hash")?,
                "previous": one.text_or_none("previous")?.unwrap_or_else(|| crate::audit::row::GENESIS.to_owned()),
            });
            rows.insert(sequence, row);
        }
        Ok(rows.into_values().collect())
    }

    /// The rows about changing a role or the policies, which are on an account and on the policies: of those that name this
    /// request, both the intent and how it ended.
    async fn audit_rows_of_change(&self, row: &RequestRow) -> Result<Vec<AnyRow>, StoreError> {
        let (resource, action) = match row.act {
            Act::HoldRole => (format!("user:{}", row.standing.requester), Action::AccessHoldRole),
            Act::ChangePolicies => ("policies".to_owned(), Action::ApprovalsChangePolicies),
            _ => return Ok(Vec::new()),
        };
        let mut sql = Sql::new(AUDIT_ROWS);
        sql.push(" where a.resource = ")
            .text(resource)
            .push(" and a.action = ")
            .text(action.as_str())
            .push(" and a.at >= ")
            .int(row.asked_at.0)
            .push(" order by a.sequence limit ")
            .int(MAX_AUDIT_ROWS);
        let rows = sql.all(self.db.reader()).await?;
        let mut acts = BTreeSet::new();
        for one in &rows {
            let body: Value = serde_json::from_str(&one.text("body")?).unwrap_or_default();
            if text(&body["detail"], "request") == row.id.as_str() {
                acts.insert(text(&body, "act_id").to_owned());
            }
        }
        let mut found = Vec::new();
        for one in rows {
            if acts.contains(&one.text("act_id")?) {
                found.push(one);
            }
        }
        Ok(found)
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// Checks a bundle: that it is signed, that its parts agree with each other, and that the rules held.
#[must_use]
pub fn verify(bundle: &Value, public_key: Option<&str>) -> EvidenceReport {
    let content = &bundle["content"];
    let mut report = EvidenceReport {
        request: text(content, "request").to_owned(),
        state: text(content, "state").to_owned(),
        ..EvidenceReport::default()
    };
    let mut found = |what: String| report.findings.push(what);
    if bundle["muster_evidence"] != 1 || !content.is_object() {
        found("This is no bundle of evidence.".into());
        return report;
    }
    let own = text(bundle, "public_key");
    let key = public_key.map_or(own, str::trim);
    if key != own {
        found("It is signed with another key than the one that was given.".into());
    }
    if !is_signed(key, &signed_bytes(content), text(bundle, "signature")) {
        found("Its signature does not fit its content: something was changed.".into());
    }
    let digest = text(content, "digest");
    if sha256(text(content, "plan")) != digest {
        found("The plan is not the one that its digest is of.".into());
    }
    let person = text(content, "requester_person");
    let mut approvers = BTreeSet::new();
    let mut approvals = 0_u64;
    for decision in content["decisions"].as_array().into_iter().flatten() {
        let who = text(decision, "person");
        // The person whose voice it was, where somebody stood in for them.
        let voice = decision["on_behalf_of_person"].as_str().unwrap_or(who);
        let requester = text(content, "requester");
        if who == person || text(decision, "account") == requester {
            found(format!("{who} decided on their own request."));
        } else if voice == person || text(decision, "on_behalf_of") == requester {
            found(format!("{who} decided for whoever asked."));
        }
        let counts = decision["generation"] == content["generation"] && decision["void"] != true;
        if counts && text(decision, "digest") != digest {
            found(format!(
                "{who} decided on another plan than the one that was carried out."
            ));
        }
        if counts && text(decision, "verdict") == "approve" {
            let people: BTreeSet<String> = [who.to_owned(), voice.to_owned()].into();
            if approvers.is_disjoint(&people) {
                approvals += 1;
            }
            approvers.extend(people);
        }
    }
    let levels = content["policies"]["tracks"].as_array().into_iter().flatten();
    let needed = levels
        .map(|track| {
            let levels = track["levels"].as_array().into_iter().flatten();
            levels
                .filter_map(|level| level["approvals"].as_u64())
                .sum::<u64>()
        })
        .max()
        .unwrap_or(0);
    if report.state == "done" && content["glass_broken"] != true && approvals < needed {
        found(format!(
            "It was done with {approvals} approvals, and {needed} were needed."
        ));
    }
    let mut last = 0;
    for row in content["audit_log"].as_array().into_iter().flatten() {
        let sequence = row["sequence"].as_i64().unwrap_or(0);
        if sequence <= last {
            found(format!("Row {sequence} of the audit log is out of order."));
        }
        last = sequence;
        if hash(text(row, "previous"), text(row, "body")) != text(row, "hash") {
            found(format!(
                "Row {sequence} of the audit log is not what its hash says."
            ));
        }
        report.audit_rows += 1;
    }
    report
}
