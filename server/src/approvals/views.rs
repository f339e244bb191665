//! What pages are given of requests and policies.

use crate::access::queries as access;
use crate::approvals::decide::{nodes, runs_itself, used_by_hand};
use crate::approvals::delegations;
use crate::approvals::listed::Listed;
use crate::approvals::outcome::outcome;
use crate::approvals::people;
use crate::approvals::rows::RequestRow;
use crate::approvals::service::ApprovalService;
use crate::approvals::{policies, times, together};
use crate::commands::queries as commands;
use crate::error::store;
use crate::fleet::queries as fleet;
use muster_domain::action::Action;
use muster_domain::approvals::{
    Alike, Blast, DecisionView, Happening, Hypothetical, LevelView, Meeting, PastOutcome, Policies,
    PoliciesView, ProposedAct, RequestDetail, RequestState, RequestSummary, StandsIn, TrackView, Voter,
};
use muster_domain::commands::CommandQuery;
use muster_domain::fleet::PingStatus;
use muster_domain::ids::RequestId;
use muster_domain::permission::Scope;
use muster_domain::{Actor, PortalError, Timestamp};
use muster_store::{RowExt, Sql};
use std::collections::BTreeMap;

/// Earlier outcomes that are shown.
const PAST: usize = 3;
/// Accounts that are named as able to decide.
const MAX_DECIDERS: usize = 10;
/// Accounts that are looked at for that.
const MAX_LOOKED_AT: i64 = 200;

impl ApprovalService {
    /// A request as a row, for somebody who can speak on it as `voters`: for themselves first.
    pub(super) fn summary(
        &self,
        actor: &Actor,
        row: &Listed,
        voters: &[Voter],
        alike: Option<Alike>,
    ) -> RequestSummary {
        let now = self.clock.now();
        let (given, needed) = row.standing.count();
        let own = row.requester_id.is_some() && row.requester_id == actor.user_id;
        let reviews = |voter: &Voter| {
            row.review_due_at.is_some()
                && voter.on_behalf_of.is_none()
                && voter.person != row.standing.requester_person
                && row
                    .standing
                    .tracks
                    .iter()
                    .flat_map(|track| &track.levels)
                    .any(|level| level.of.iter().any(|name| voter.names.contains(name)))
        };
        let may = |voter: &Voter| {
            actor.may(if voter.on_behalf_of.is_some() {
                Action::ApprovalsDecideForAnother
            } else {
                Action::ApprovalsDecide
            })
        };
        let counts = |voter: &Voter| row.standing.counts_for(voter, now).is_ok();
        let decides = voters
            .iter()
            .any(|voter| may(voter) && (counts(voter) || reviews(voter)));
        let alike = alike.filter(|_| voters.iter().any(|voter| may(voter) && counts(voter)));
        RequestSummary {
            request_id: row.id.clone(),
            act: row.act,
            title: row.title.clone(),
            requester: row.standing.requester.clone(),
            asked_at: row.asked_at,
            // What has run out and was not swept yet has run out.
            state: match row.standing.state {
                RequestState::Waiting if now >= row.standing.expires_at => RequestState::Expired,
                RequestState::Approved if row.standing.usable_until.is_some_and(|until| now >= until) => {
                    RequestState::Expired
                }
                state => state,
            },
            expires_at: row.standing.expires_at,
            usable_until: row.standing.usable_until,
            ended_at: row.ended_at,
            given,
            needed,
            nodes: row.nodes,
            in_production: row.in_production,
            reason: row.reason.clone(),
            ticket: row.ticket.clone(),
            glass_broken: row.standing.glass_broken,
            review_due_at: row.review_due_at,
            is_own: own,
            waits_for_me: decides,
            alike,
        }
    }

    async fn blast(&self, row: &RequestRow) -> Result<Blast, PortalError> {
        let ids = nodes(row);
        let mut by_environment: BTreeMap<String, u32> = BTreeMap::new();
        for node in &row.plan.nodes {
            *by_environment.entry(node.environment.clone()).or_default() += 1;
        }
        let mut by_environment: Vec<(String, u32)> = by_environment.into_iter().collect();
        by_environment.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let now = fleet::by_ids(&self.db, &ids, &[Scope::All])
            .await
            .map_err(store)?;
        let online = now
            .iter()
            .filter(|node| node.ping_status == PingStatus::Online)
            .count();
        let online = u32::try_from(online).unwrap_or(u32::MAX);
        let terminals: std::collections::HashSet<_> = self
            .sessions
            .ground
            .live
            .all()
            .iter()
            .map(|shared| shared.state().row.summary.node_id.clone())
            .collect();
        let with_terminals = ids.iter().filter(|id| terminals.contains(id)).count();
        Ok(Blast {
            by_environment,
            online,
            not_reporting: u32::try_from(ids.len())
                .unwrap_or(u32::MAX)
                .saturating_sub(online),
            with_terminals: u32::try_from(with_terminals).unwrap_or(u32::MAX),
            reboot_pending: crate::patching::queries::waiting_for_reboot(&self.db, &ids)
                .await
                .map_err(store)?,
        })
    }

    /// How the same document ended the last times.
    async fn past(&self, actor: &Actor, row: &RequestRow) -> Result<Vec<PastOutcome>, PortalError> {
        let command = match &row.proposed {
            ProposedAct::Command { command } => command,
            ProposedAct::Deployment { deployment } => {
                return crate::deployments::past(&self.db, deployment, &row.outcome_id, PAST)
                    .await
                    .map_err(store);
            }
            _ => return Ok(Vec::new()),
        };
        let scopes = actor.scopes_for(Action::CommandsRead);
        let viewer = commands::Viewer {
            scopes: &scopes,
            user: actor.user_id.as_ref(),
        };
        let query = CommandQuery {
            document: command.document.clone(),
            limit: Some(20),
            // What ran after it was decided on says nothing about how well it was decided.
            cursor: (row.standing.state != RequestState::Waiting)
                .then(|| fleet::encode_cursor(&row.asked_at.0.to_string(), "")),
            ..CommandQuery::default()
        };
        let page = commands::list(&self.db, &query, &viewer).await.map_err(store)?;
        Ok(page
            .items
            .into_iter()
            .filter(|past| past.document == command.document && past.command_id.as_str() != row.outcome_id)
            .take(PAST)
            .map(|past| PastOutcome {
                label: if past.comment.is_empty() {
                    past.script_line
                } else {
                    past.comment
                },
                href: format!("/commands/{}", past.command_id),
                at: past.requested_at,
                targets: past.targets,
                errors: past.errors,
                status: past.status,
            })
            .collect())
    }

    /// Accounts that could decide now.
    async fn deciders(&self, row: &RequestRow, policies: &Policies) -> Result<Vec<String>, PortalError> {
        if row.standing.state != RequestState::Waiting {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let mut sql = Sql::new(
            "select distinct u.name, u.user_id from users u join user_grants g on g.user_id = u.user_id where u.disabled = 0 \
             and g.role = 'approver' order by u.name limit ",
        );
        sql.int(MAX_LOOKED_AT);
        let mut found = Vec::new();
        for user in sql.all(self.db.reader()).await.map_err(store)? {
            let name = user.text("name").map_err(store)?;
            let id = muster_domain::ids::UserId::new(user.text("user_id").map_err(store)?);
            let grants = access::effective(
                &self.db,
                &access::grants(&self.db, &id).await.map_err(store)?,
                now,
            );
            let voter = people::voter(&self.db, &name, &grants, &nodes(row), policies).await?;
            if row.standing.counts_for(&voter, now).is_ok() {
                found.push(name);
                if found.len() >= MAX_DECIDERS {
                    return Ok(found);
                }
            }
        }
        for one in delegations::holding(&self.db, now).await.map_err(store)? {
            let (from, to) = (
                people::actor_now(&self.db, &one.from, now).await?,
                people::actor_now(&self.db, &one.to, now).await?,
            );
            let (Some(from), Some(to)) = (from, to) else {
                continue;
            };
            let voter = people::voter_for(&self.db, &to.name, &from, &nodes(row), policies).await?;
            if row.standing.counts_for(&voter, now).is_ok() && found.len() < MAX_DECIDERS {
                found.push(format!("{} on behalf of {}", to.name, from.name));
            }
        }
        Ok(found)
    }

    async fn history(&self, id: &RequestId) -> Result<Vec<Happening>, PortalError> {
        let mut sql = Sql::new("select happened_at, who, what from approval_events where request_id = ");
        sql.text(id.as_str()).push(" order by version limit 500");
        let rows = sql.all(self.db.reader()).await.map_err(store)?;
        rows.iter()
            .map(|row| {
                Ok(Happening {
                    at: row.time("happened_at")?,
                    who: row.text("who")?,
                    what: row.text("what")?,
                })
            })
            .collect::<Result<_, muster_store::StoreError>>()
            .map_err(store)
    }

    /// The texts of a change of policies, for who may read policies: which is everybody who may see requests.
    async fn texts(&self, row: &RequestRow) -> Result<Option<(String, String)>, PortalError> {
        let ProposedAct::Policies { text, was } = &row.proposed else {
            return Ok(None);
        };
        let mut sql = Sql::new("select text from approval_policies where sha256 = ");
        sql.text(was).push(" order by version desc limit 1");
        let old = sql.first(self.db.reader()).await.map_err(store)?;
        let old = old.map(|row| row.text("text")).transpose().map_err(store)?;
        Ok(Some((old.unwrap_or_default(), text.clone())))
    }

    pub(super) async fn detail(
        &self,
        actor: &Actor,
        request: &RequestId,
        scopes: &[Scope],
    ) -> Result<RequestDetail, PortalError> {
        let row = self.visible(actor, request, scopes).await?;
        let now = self.clock.now();
        let loaded = self.gate.book.current().await.map_err(store)?;
        let stand_ins = self.stand_ins(actor).await?;
        let voters = self
            .voters(actor, &stand_ins, &nodes(&row), &loaded.policies)
            .await?;
        let alike = together::alike(&row, &loaded.policies);
        let summary = self.summary(actor, &Listed::from(&row), &voters, alike);
        let own = summary.is_own;
        let waits = summary.state == RequestState::Waiting;
        let why_not_decide = match voters.first().map(|voter| row.standing.counts_for(voter, now)) {
            Some(Ok(_)) if actor.may(Action::ApprovalsDecide) => String::new(),
            Some(Ok(_)) | None => "Only approvers decide.".into(),
            Some(Err(why)) => why.to_string(),
        };
        let stands_in = voters
            .iter()
            .skip(1)
            .zip(&stand_ins)
            .filter(|(voter, _)| {
                actor.may(Action::ApprovalsDecideForAnother) && row.standing.counts_for(voter, now).is_ok()
            })
            .map(|(_, one)| StandsIn {
                account: one.from.name.clone(),
                until: one.delegation.until,
            })
            .collect();
        let runs_at = match summary.state {
            RequestState::Approved => row.runs_at,
            RequestState::Waiting if runs_itself(&row) => self
                .usable(&row, &loaded.policies, now)
                .await?
                .map(|(opens_at, _)| opens_at)
                .filter(|at| *at > now),
            _ => None,
        };
        let tracks = row
            .standing
            .tracks
            .iter()
            .zip(row.standing.progress())
            .map(|(track, progress)| TrackView {
                policy: track.policy.clone(),
                levels: track
                    .levels
                    .iter()
                    .zip(progress)
                    .map(|(level, progress)| LevelView {
                        of: row.standing.asked(level, now),
                        progress,
                    })
                    .collect(),
            })
            .collect();
        let decisions = row
            .standing
            .decisions
            .iter()
            .map(|decision| DecisionView {
                account: decision.account.clone(),
                on_behalf_of: decision
                    .on_behalf_of
                    .as_ref()
                    .map_or_else(String::new, |other| other.account.clone()),
                verdict: decision.verdict,
                comment: decision.comment.clone(),
                at: decision.at,
                void_because: if let (true, Some(other)) = (decision.struck, &decision.on_behalf_of) {
                    format!(
                        "{} does not stand in for {} any more, or one of them may not decide.",
                        decision.account, other.account
                    )
                } else if decision.struck {
                    format!("{} may not decide on this any more.", decision.account)
                } else if decision.generation != row.standing.generation {
                    "What would run has changed since.".into()
                } else {
                    String::new()
                },
            })
            .collect();
        let whole = i64::from(row.demand.expires_minutes) * 60_000;
        let used = row.standing.expires_at.since_ms(row.standing.waits_since) > whole;
        Ok(RequestDetail {
            caution: self.caution(&row).await?,
            blast: self.blast(&row).await?,
            past: self.past(actor, &row).await?,
            deciders: self.deciders(&row, &loaded.policies).await?,
            history: self.history(&row.id).await?,
            texts: self.texts(&row).await?,
            may_review: self.why_not_review(actor, &row).await?.is_none()
                && actor.may(Action::ApprovalsReview),
            may_export: actor.may(Action::ApprovalsExportEvidence),
            plan: row.plan.clone(),
            digest: row.digest.clone(),
            generation: row.standing.generation,
            changed: row.changed.clone(),
            tracks,
            decisions,
            outcome: outcome(&row),
            problem: row.problem.clone(),
            windows: row.demand.windows.clone(),
            runs_at,
            why_not_decide,
            stands_in,
            may_withdraw: own && matches!(summary.state, RequestState::Waiting | RequestState::Approved),
            may_extend: own && waits && !used,
            may_remind: own && waits,
            may_use: own && summary.state == RequestState::Approved && used_by_hand(row.act),
            review: row
                .review
                .map(|review| (review.by, review.at, review.was_right, review.comment)),
            summary,
        })
    }

    pub(super) async fn policies_view(&self, actor: &Actor) -> Result<PoliciesView, PortalError> {
        let loaded = self.gate.book.current().await.map_err(store)?;
        let policies = loaded.policies.clone();
        let file = self.gate.book.file().map(|path| path.display().to_string());
        Ok(PoliciesView {
            text: loaded.text.clone(),
            sha256: loaded.sha256.clone(),
            default: policies.default,
            policies: policies.policies,
            freezes: policies.freezes,
            groups: policies.groups.into_iter().collect(),
            may_change: file.is_none() && actor.may(Action::ApprovalsChangePolicies),
            file,
            problem: loaded.problem.clone(),
            changed_by: loaded.by.clone(),
            changed_at: loaded.at,
        })
    }

    pub(super) async fn test_inner(&self, actor: &Actor, act: &Hypothetical) -> Result<Meeting, PortalError> {
        let mut proposal = act.proposal()?;
        let loaded = self.gate.book.current().await.map_err(store)?;
        let tried = if act.text.trim().is_empty() {
            loaded.policies.clone()
        } else {
            policies::read(&act.text).map_err(|what| PortalError::invalid("text", what))?
        };
        let now = act.at.unwrap_or_else(|| self.clock.now());
        let requester = act.requester.trim();
        proposal.requester = if requester.is_empty() || requester.eq_ignore_ascii_case(&actor.name) {
            people::names(actor, &tried)
        } else {
            self.names_of(requester, &tried, now).await?
        };
        self.db.connection().clone_into(&mut proposal.connection);
        let mut meeting = policies::meet(&tried, &proposal, now);
        if let Some(freeze) = tried.frozen(&proposal, &|freeze| times::is_frozen(freeze, now)) {
            meeting.because = format!(
                "The freeze “{}” holds until {}. {}",
                freeze.name, freeze.until, meeting.because
            );
        }
        Ok(meeting)
    }

    /// What an account is; somebody who is not there is an account with no role.
    async fn names_of(
        &self,
        account: &str,
        policies: &Policies,
        now: Timestamp,
    ) -> Result<std::collections::BTreeSet<String>, PortalError> {
        let mut somebody = Actor::anonymous(muster_domain::actor::Origin::default());
        account.clone_into(&mut somebody.name);
        if let Some(user) = access::by_name(&self.db, account).await.map_err(store)?
            && let Some(known) = people::actor_now(&self.db, &user.id, now).await?
        {
            somebody = known;
        }
        Ok(people::names(&somebody, policies))
    }
}
