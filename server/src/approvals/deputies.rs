//! Who else is told of what waits for an approver: whoever stands in for one of those who are asked, as long as they do. What is told
//! goes to names (`user:bob`, `role:approver`), so it is looked up which of these mean somebody who has handed their part over.

use crate::access::queries as access;
use crate::approvals::delegations;
use crate::approvals::people;
use crate::approvals::store::Desk;
use muster_domain::approvals::{Policies, Standing};
use muster_domain::permission::Role;
use muster_domain::{Actor, Timestamp};
use muster_store::{Db, StoreError};
use std::collections::BTreeSet;

/// Somebody who stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Deputy {
    /// What whoever they stand in for is to policies.
    of: BTreeSet<String>,
    /// The account that stands in.
    account: String,
    /// The person behind it.
    person: String,
}

/// Everybody who stands in for somebody now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Deputies(Vec<Deputy>);

/// What an account is to policies; nothing where it could not decide.
async fn names_of(
    db: &Db,
    user: &muster_domain::ids::UserId,
    policies: &Policies,
    now: Timestamp,
) -> Result<BTreeSet<String>, StoreError> {
    let Some(row) = access::by_id(db, user).await?.filter(|row| !row.disabled) else {
        return Ok(BTreeSet::new());
    };
    let grants = access::effective(db, &access::grants(db, user).await?, now);
    if grants.iter().all(|grant| grant.role != Role::Approver) {
        return Ok(BTreeSet::new());
    }
    let mut actor = Actor::server();
    actor.name = row.name;
    actor.grants = grants;
    Ok(people::names(&actor, policies))
}

impl Deputies {
    /// As it is now; nobody where nobody is told of anything.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn now(desk: &Desk, now: Timestamp) -> Result<Self, StoreError> {
        if desk.channels.is_empty() {
            return Ok(Self::default());
        }
        let rows = delegations::holding(&desk.db, now).await?;
        if rows.is_empty() {
            return Ok(Self::default());
        }
        let loaded = desk.book.current().await?;
        let mut all = Vec::new();
        for row in rows {
            let of = names_of(&desk.db, &row.from, &loaded.policies, now).await?;
            if !of.is_empty() {
                all.push(Deputy {
                    of,
                    person: loaded.policies.person(&row.delegation.to),
                    account: row.delegation.to,
                });
            }
        }
        Ok(Self(all))
    }

    /// These names, and those who stand in for one of them. Whoever has asked stands in for nobody in what they asked for.
    pub(super) fn with(&self, mut names: BTreeSet<String>, standing: &Standing) -> BTreeSet<String> {
        let told: Vec<String> = self
            .0
            .iter()
            .filter(|deputy| deputy.person != standing.requester_person)
            .filter(|deputy| deputy.of.intersection(&names).next().is_some())
            .map(|deputy| format!("user:{}", deputy.account.to_lowercase()))
            .collect();
        names.extend(told);
        names
    }

    /// Those who stand in for people that are these to policies, for tests.
    #[cfg(test)]
    pub(super) fn of(all: &[(&[&str], &str)]) -> Self {
        let one = |(of, account): &(&[&str], &str)| Deputy {
            of: of.iter().map(|name| (*name).to_owned()).collect(),
            account: (*account).to_owned(),
            person: (*account).to_owned(),
        };
        Self(all.iter().map(one).collect())
    }
}
