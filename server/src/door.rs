//! The one door: every act passes here. It authorises, checks the input, writes the intent to the
//! audit log, lets the act happen and writes how it ended. No service does any of this by itself.

use crate::events::{EventBus, PortalEvent};
use muster_domain::action::{Action, Who};
use muster_domain::audit::{AuditTrail, Intent, Outcome};
use muster_domain::permission::Scope;
use muster_domain::{Actor, PortalError};
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

/// What an act that passed the door is given.
#[derive(Debug)]
pub struct Pass {
    /// Where the actor may do this: an act must leave everything outside alone.
    pub scopes: Vec<Scope>,
    notes: Mutex<BTreeMap<String, Value>>,
}

impl Pass {
    /// Adds a result (an id, a count; never a secret) to the row that records the outcome.
    pub fn note(&self, name: &str, value: impl Into<Value>) {
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), value.into());
    }

    fn take(&self) -> BTreeMap<String, Value> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The door. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    trail: Arc<dyn AuditTrail>,
    bus: EventBus,
}

/// Acts that only read and are recorded in one row after they were done.
const RECORDED_AFTER: &[Action] = &[
    Action::AuditRead,
    Action::AuditVerify,
    Action::CommandsDownloadOutput,
];

impl Door {
    /// A door that writes to `trail`.
    #[must_use]
    pub fn new(trail: Arc<dyn AuditTrail>) -> Self {
        Self {
            trail,
            bus: EventBus::default(),
        }
    }

    /// The same door, which tells `bus` when it has let users, roles, sessions or tokens be changed.
    #[must_use]
    pub fn telling(self, bus: EventBus) -> Self {
        Self { bus, ..self }
    }

    /// Where `actor` may do `action`, or why nowhere. Writes a refusal to the audit log.
    ///
    /// # Errors
    /// [`PortalError::SignInRequired`] or [`PortalError::Forbidden`].
    pub async fn authorise(&self, actor: &Actor, intent: &Intent) -> Result<Arc<Pass>, PortalError> {
        let scopes = actor.scopes_for(intent.action);
        if !scopes.is_empty() {
            return Ok(Arc::new(Pass {
                scopes,
                notes: Mutex::default(),
            }));
        }
        if !actor.is_known() {
            // Not written down: anybody could fill the log without signing in. The edge counts them.
            tracing::info!(
                action = intent.action.as_str(),
                address = actor.origin.address,
                "refused: not signed in"
            );
            return Err(PortalError::SignInRequired);
        }
        let needed = match intent.action.who() {
            Who::Roles(roles) => roles
                .iter()
                .map(|role| role.as_str())
                .collect::<Vec<_>>()
                .join(" or "),
            Who::Anybody | Who::SignedIn => "a sign-in".to_owned(),
        };
        let error = PortalError::Forbidden {
            message: format!(
                "You may not do this ({}): it needs the role {needed}{}. Ask an administrator.",
                intent.action.as_str(),
                if intent.action.is_about_nodes() {
                    ""
                } else {
                    " everywhere, not only on a part of the fleet"
                }
            ),
        };
        self.trail
            .record(actor, intent, Outcome::Denied, &error.to_string())
            .await?;
        Err(error)
    }

    /// Lets `act` happen if `actor` may, `check` found nothing wrong, and the intent could be written down.
    ///
    /// # Errors
    /// Those of authorisation, of `check`, of the audit log, and of the act.
    pub async fn pass<T, F, R>(
        &self,
        actor: &Actor,
        intent: Intent,
        check: Result<(), PortalError>,
        act: F,
    ) -> Result<T, PortalError>
    where
        F: FnOnce(Arc<Pass>) -> R,
        R: Future<Output = Result<T, PortalError>>,
    {
        let pass = self.authorise(actor, &intent).await?;
        let audited = intent.action.audited();
        if let Err(error) = check {
            if audited {
                self.trail
                    .record(actor, &intent, Outcome::Failure, &error.to_string())
                    .await?;
            }
            return Err(error);
        }
        if !audited {
            let result = act(pass).await;
            if let Err(error @ PortalError::Forbidden { .. }) = &result {
                self.trail
                    .record(actor, &intent, Outcome::Denied, &error.to_string())
                    .await?;
            }
            return result;
        }
        if RECORDED_AFTER.contains(&intent.action) {
            let result = act(pass).await;
            let (outcome, message) = outcome_of(&result);
            self.trail.record(actor, &intent, outcome, &message).await?;
            return result;
        }
        let id = self.trail.begin(actor, &intent).await?;
        let result = act(Arc::clone(&pass)).await;
        if result.is_ok() && intent.action.changes_who_may() {
            self.bus.tell(PortalEvent::Access);
        }
        let (outcome, message) = outcome_of(&result);
        let written = self
            .trail
            .complete(actor, &intent, &id, outcome, &message, pass.take())
            .await;
        if let Err(error) = written {
            // The act is done and its intent stands in the log; the missing outcome shows as unknown.
            tracing::error!(%error, act = %id, "the outcome of an act could not be written to the audit log");
        }
        result
    }
}

fn outcome_of<T>(result: &Result<T, PortalError>) -> (Outcome, String) {
    match result {
        Ok(_) => (Outcome::Success, String::new()),
        Err(error @ (PortalError::Forbidden { .. } | PortalError::SignInRequired)) => {
            (Outcome::Denied, error.to_string())
        }
        Err(error) => (Outcome::Failure, error.to_string()),
    }
}
