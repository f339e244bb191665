//! Who somebody is to a policy: the account, its groups, and the roles that it holds on all nodes of a request.

use crate::access::queries as access;
use crate::approvals::rows::RequestRow;
use crate::approvals::{decide, delegations};
use crate::error::store;
use crate::fleet::queries as fleet;
use muster_domain::approvals::{Party, Policies, Voter};
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
        on_behalf_of: None,
        names,
    })
}

/// Somebody as a voter for somebody else for whom they stand in: what counts is what that one is, as they are now. Whether who
/// stands in may decide themselves does not matter.
///
/// # Errors
/// When the database does not answer.
pub async fn voter_for(
    db: &Db,
    account: &str,
    other: &Actor,
    nodes: &[NodeId],
    policies: &Policies,
) -> Result<Voter, PortalError> {
    let theirs = voter(db, &other.name, &other.grants, nodes, policies).await?;
    Ok(Voter {
        account: account.to_owned(),
        person: policies.person(account),
        on_behalf_of: Some(Party {
            account: theirs.account,
            person: theirs.person,
        }),
        names: theirs.names,
    })
}

/// Those who decided on a request, as they are now. Who is gone is not among them, nor who stood in for somebody where that was
/// taken back.
///
/// # Errors
/// When the database does not answer.
pub async fn approvers(
    db: &Db,
    row: &RequestRow,
    policies: &Policies,
    now: muster_domain::Timestamp,
) -> Result<Vec<Voter>, PortalError> {
    let nodes = decide::nodes(row);
    let mut voters = Vec::new();
    for decider in &row.deciders {
        let Some(user) = &decider.user else { continue };
        let Some(actor) = actor_now(db, user, now).await? else {
            continue;
        };
        let (Some(other), Some(delegation)) = (&decider.for_user, &decider.delegation) else {
            voters.push(voter(db, &actor.name, &actor.grants, &nodes, policies).await?);
            continue;
        };
        let stands = delegations::get(db, delegation)
            .await
            .map_err(store)?
            .is_some_and(|one| one.stands());
        if let Some(other) = actor_now(db, other, now).await?
            && stands
        {
            voters.push(voter_for(db, &actor.name, &other, &nodes, policies).await?);
        }
    }
    Ok(voters)
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
    actor.grants = access::effective(db, &grants, now);
    Ok(Some(actor))
}
