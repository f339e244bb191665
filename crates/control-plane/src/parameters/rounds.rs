//! Policies on the clock: what has expired is deleted, what is to be told becomes an event. All of it follows from the
//! database, so it goes on after any stop, and each thing happens once.

use super::TAGS;
use super::events::{self, Event};
use super::name::Place;
use super::policies::{Policy, Rule, first_due};
use super::queries::{self, ParameterRow};
use crate::audited;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::tags::queries as tags;
use muster_domain::Timestamp;
use muster_domain::action::Action;
use muster_domain::audit::{API_PREFIX, Intent};

/// Parameters that are looked at in one go.
const AT_ONCE: i64 = 100;

/// One round over all parameters whose next policy is due.
pub(crate) async fn round(plane: &ControlPlane) {
    loop {
        let now = plane.clock.now();
        let due = match queries::due(plane.db.reader(), now, AT_ONCE).await {
            Ok(due) => due,
            Err(ApiError { code, .. }) => {
                tracing::warn!(
                    code,
                    "the policies of parameters could not be looked at; it is tried again"
                );
                return;
            }
        };
        let is_last = due.len() < usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
        for row in due {
            if let Err(ApiError { code, .. }) = act(plane, &row, now).await {
                tracing::warn!(code, parameter = %row.name, "a policy could not act; it is tried again");
                return;
            }
        }
        if is_last {
            return;
        }
    }
}

async fn act(plane: &ControlPlane, row: &ParameterRow, now: Timestamp) -> ApiResult<()> {
    let is_due = |policy: &Policy| {
        policy
            .due(&row.policies, row.modified_at)
            .is_some_and(|at| at <= now)
    };
    let expires = row
        .policies
        .iter()
        .find(|policy| matches!(policy.rule, Rule::Expiration(_)) && is_due(policy));
    if let Some(policy) = expires {
        return expire(plane, row, policy, now).await;
    }
    let mut policies = row.policies.clone();
    for policy in &mut policies {
        policy.done |= is_due(policy);
    }
    let mut transaction = plane.db.begin().await?;
    let due_at = first_due(&policies, row.modified_at);
    // Somebody who changed the parameter in between has begun its policies anew.
    if queries::set_policies(&mut *transaction, row, &policies, due_at).await? {
        for policy in row.policies.iter().filter(|policy| is_due(policy)) {
            events::put(plane, &mut transaction, event(plane, row, policy), now).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// In the form of the service's own events.
fn event<'a>(plane: &ControlPlane, row: &'a ParameterRow, policy: &Policy) -> Event<'a> {
    let place = Place {
        region: &row.region,
        account: &plane.config.account,
    };
    Event {
        region: &row.region,
        detail_type: "Parameter Store Policy Action",
        resource: place.arn(&row.key),
        detail: serde_json::json!({
            "policy-type": policy.type_name(),
            "policy-content": policy.text,
            "parameter-name": row.name,
            "parameter-type": row.kind,
            "action-status": "Success",
            "action-reason": "",
        }),
    }
}

async fn expire(plane: &ControlPlane, row: &ParameterRow, policy: &Policy, now: Timestamp) -> ApiResult<()> {
    let intent = Intent::new(Action::ApiCall, format!("parameter:{}", row.name))
        .named(format!("{API_PREFIX}DeleteParameter"))
        .with("operation", "DeleteParameter")
        .with("region", row.region.clone())
        .with("reason", "its Expiration policy")
        .with("policy", policy.text.clone());
    audited::own_act(plane, &intent, async {
        if delete(plane, row, policy, now).await? {
            return Ok(());
        }
        Err(ApiError::new(
            "TooManyUpdates",
            "The parameter was changed at the same moment; its new version has its own policies.",
        ))
    })
    .await
    .or_else(|error| {
        if error.code == "TooManyUpdates" {
            Ok(())
        } else {
            Err(error)
        }
    })
}

/// Deletes that version's parameter, unless there is a newer version.
async fn delete(
    plane: &ControlPlane,
    row: &ParameterRow,
    policy: &Policy,
    now: Timestamp,
) -> ApiResult<bool> {
    let mut transaction = plane.db.begin().await?;
    let current = if queries::lock(&mut transaction, &row.region, &row.key).await? {
        queries::current(&mut *transaction, &row.region, &row.key).await?
    } else {
        None
    };
    if current.is_none_or(|current| current.version != row.version) {
        return Ok(false);
    }
    queries::delete(&mut transaction, &row.region, &row.key).await?;
    tags::remove(&mut *transaction, &row.region, TAGS, &row.key, None).await?;
    events::put(plane, &mut transaction, event(plane, row, policy), now).await?;
    transaction.commit().await?;
    Ok(true)
}
