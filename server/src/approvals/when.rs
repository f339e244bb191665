//! When what is approved now can be used: not before the time that was asked for, inside the windows of the policies, and
//! outside the freezes that are about it. An approval lives from that moment on, so that none runs out before it can be used.

use crate::approvals::decide::nodes;
use crate::approvals::gate::tags;
use crate::approvals::rows::RequestRow;
use crate::approvals::service::ApprovalService;
use crate::approvals::times;
use crate::error::store;
use crate::fleet::queries as fleet;
use muster_domain::approvals::{Act, Freeze, Policies, Proposal};
use muster_domain::permission::Scope;
use muster_domain::{PortalError, Timestamp};

const MINUTE_MS: i64 = 60_000;

impl ApprovalService {
    /// The freezes that stop this request while they hold. A runbook that waits is let go on in a freeze too: what it does was
    /// stopped, or not, when it was started.
    async fn freezes<'a>(
        &self,
        row: &RequestRow,
        policies: &'a Policies,
    ) -> Result<Vec<&'a Freeze>, PortalError> {
        if policies.freezes.is_empty() || row.act == Act::AnswerStep {
            return Ok(Vec::new());
        }
        let known = fleet::by_ids(&self.db, &nodes(row), &[Scope::All])
            .await
            .map_err(store)?;
        let proposal = Proposal {
            act: Some(row.act),
            nodes: known.iter().map(tags).collect(),
            anywhere: row.demand.anywhere,
            ..Proposal::default()
        };
        Ok(policies.freezes_of(&proposal, &|_| true))
    }

    /// When an approval that is given now can be used: from when, and until when. None when there is no such time within a
    /// year.
    pub(super) async fn usable(
        &self,
        row: &RequestRow,
        policies: &Policies,
        now: Timestamp,
    ) -> Result<Option<(Timestamp, Timestamp)>, PortalError> {
        let from = row.not_before.map_or(now, |at| at.max(now));
        let freezes = self.freezes(row, policies).await?;
        let fit = times::first_free(&row.demand.windows, &freezes, from);
        Ok(fit.map(|(opens_at, closes_at)| {
            let until = closes_at
                .unwrap_or_else(|| opens_at.plus_ms(i64::from(row.demand.usable_minutes) * MINUTE_MS));
            (opens_at, until)
        }))
    }
}
