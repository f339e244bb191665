//! Steps of runbooks that ask Systems Manager for more than one approver. There an approver is an identity of the account, and
//! one identity counts once: whatever the portal says, it says as itself. So N people decide here, as the step asks for, and then
//! the portal answers, once; that cannot be made into more by saying it again, nor by saying it in other words, at AWS or at the
//! embedded endpoint, which counts as AWS does. N people here are asked for all the same: which people the other identities are is
//! not known, so fewer could end up as fewer people than the runbook wants. Whoever decides is told all of that before.

use crate::approvals::rows::RequestRow;
use crate::approvals::service::ApprovalService;
use crate::error::store;
use muster_domain::PortalError;
use muster_domain::approvals::{Act, PlanSubject, RequestState};
use muster_store::Sql;

/// How many approvers a step asks for.
fn needed(row: &RequestRow) -> u32 {
    let levels = row.standing.tracks.iter().flat_map(|track| &track.levels);
    levels.map(|level| level.approvals).max().unwrap_or(1)
}

/// What is written down when the portal has answered.
pub(super) fn told(row: &RequestRow) -> String {
    match needed(row) {
        0 | 1 => "Done.".into(),
        needed => format!(
            "Systems Manager was told, as one of the {needed} approvers that the step asks for: it goes on when the others have \
             answered there too."
        ),
    }
}

/// How the others answer.
fn how(row: &RequestRow) -> String {
    let PlanSubject::Step { execution, .. } = &row.plan.subject else {
        return String::new();
    };
    format!(
        "with their own keys: aws ssm send-automation-signal --automation-execution-id {execution} --signal-type Approve"
    )
}

/// What is said before anybody decides.
fn before(row: &RequestRow, needed: u32) -> String {
    format!(
        "Systems Manager counts the portal as one approver, and this step asks for {needed}. When {needed} people have approved \
         here, the portal answers once; {} more of the step's approvers have to answer there, {}. So that the decision here is \
         enough, the runbook has to ask for one approver (MinRequiredApprovals 1), and a policy for runbooks.start for the \
         others.",
        needed - 1,
        how(row)
    )
}

impl ApprovalService {
    /// What people have to know about a step that asks for several approvers; empty where there is nothing.
    pub(super) async fn caution(&self, row: &RequestRow) -> Result<String, PortalError> {
        let needed = needed(row);
        if row.act != Act::AnswerStep || needed < 2 {
            return Ok(String::new());
        }
        match row.standing.state {
            RequestState::Waiting | RequestState::Approved | RequestState::Running => Ok(before(row, needed)),
            RequestState::Done => {
                let mut sql = Sql::new(
                    "select 1 as found from execution_steps where status = 'Waiting' and step_execution_id = ",
                );
                sql.text(&row.outcome_id).push(" limit 1");
                let waits = sql.first(self.db.reader()).await.map_err(store)?.is_some();
                Ok(if waits {
                    format!(
                        "The portal has answered, as one of {needed} approvers. The step still waits for others of its \
                         approvers, {}.",
                        how(row)
                    )
                } else {
                    String::new()
                })
            }
            _ => Ok(String::new()),
        }
    }
}
