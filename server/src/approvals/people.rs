//! Who somebody is to a policy: the account, its groups, and the roles that it holds on all nodes of a request.

use crate::access::queries as access;
use crate::error::store;
use crate::fleet::queries as fleet;
use muster_domain::approvals::{Policies, Voter};
use muster_domain::ids::{NodeId, UserId};
use muster_domain::permission::{Grant, Role, Scope};
use muster_domain::{Actor, PortalError};
use muster_store::Db;
use std::collections::BTreeSet;

/// What an account is, wherever: `user:alice`, its groups, and the roles that it holds anywhere.
#[must_use]
pub fn names(actor: &Actor, policies: &Policies) -> BTreeSet<String> {
    let mut names = groups(&actor.name, policies);
    names.extend(
        actor
            .grants
            .iter()
            .map(|grant| format!("role:{}", grant.role.as_str())),
    );
    names
}

fn groups(account: &str, policies: &Policies) -> BTreeSet<String> {
    policies
        .groups_of(account)
        .map(|group| format!("group:{group}"))
        .chain([format!("user:{}", account.to_lowercase())])
        .collect()
}

/// Whether all of `nodes` are within one of `scopes`.
///
/// # Errors
/// When the database does not answer.
pub async fn covers(db: &Db, scopes: &[Scope], nodes: &[NodeId]) -> Result<bool, PortalError> {
    if scopes.contains(&Scope::All) {
        return Ok(true);
    }
    // What is about no node is about everything.
    if scopes.is_empty() || nodes.is_empty() {
        return Ok(false);
    }
    let seen = fleet::by_ids(db, nodes, scopes).await.map_err(store)?;
    Ok(seen.len() == nodes.len())
}

/// Somebody as a voter on a request about `nodes`. Who may not decide there is nobody to the policy.
///
/// # Errors
/// When the database does not answer.
pub async fn voter(
    db: &Db,
    account: &str,
    grants: &[Grant],
    nodes: &[NodeId],
    policies: &Policies,
) -> Result<Voter, PortalError> {
    let mut names = BTreeSet::new();
    for role in Role::ALL {
        let scopes: Vec<Scope> = grants
            .iter()
            .filter(|grant| grant.role == role)
            .map(|grant| grant.scope.clone())
            .collect();
        if covers(db, &scopes, nodes).await? {
            names.insert(format!("role:{}", role.as_str()));
        }
    }
    // Being named by a policy does not make an approver: the role does.
    if names.contains("role:approver") {
        names.extend(groups(account, policies));
    } else {
        names.clear();
    }
    Ok(Voter {
        account: account.to_owned(),
        person: policies.person(account),
        names,
    })
}

/// An account as it is now; none when it is gone or disabled.
///
/// # Errors
/// When the database does not answer.
pub async fn actor_now(
    db: &Db,
    user: &UserId,
    now: muster_domain::Timestamp,
) -> Result<Option<Actor>, PortalError> {
    let Some(row) = access::by_id(db, user)
        .await
        .map_err(store)?
        .filter(|row| !row.disabled)
    else {
        return Ok(None);
    };
    let grants = access::grants(db, user).await.map_err(store)?;
    let mut actor = Actor::server();
    actor.user_id = Some(row.id);
    actor.name = row.name;
    actor.grants = access::effective(&grants, now);
    Ok(Some(actor))
}
