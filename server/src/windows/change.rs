//! Changing a window: as it was looked at. Systems Manager replaces whatever is there, so what is there is read first and held
//! against what was looked at, and of several people of this portal one at a time may change it.

use crate::aws::errors::CallError;
use crate::door::Pass;
use crate::error::store;
use crate::fleet::queries::by_ids;
use crate::runbooks::schedule_ssm;
use crate::windows::service::{WindowService, copying, resource};
use crate::windows::{calls, copy, queries, ssm};
use muster_domain::PortalError;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::ids::{NodeId, WindowId};
use muster_domain::permission::Scope;
use muster_domain::runbooks::without_secrets;
use muster_domain::windows::{ChangeWindow, TargetKey, WindowChange, WindowState, WindowTask};

/// How long a change may be in the making, in ms: longer than its calls may take.
const CLAIM_MS: i64 = 60_000;

/// What a window was, and what it would be; nothing where there is none.
pub(super) type Stand = (Option<WindowState>, Option<WindowState>);

fn overtaken(seen: &WindowState, now: &WindowState) -> PortalError {
    PortalError::Conflict {
        message: format!(
            "Nothing was changed: the maintenance window {} is not any more what you looked at. {} Open it again, and do it on \
             what is there now.",
            seen.settings.name,
            seen.differences(now).join(" ")
        ),
    }
}

fn of_task(intent: Intent, task: &WindowTask) -> Intent {
    intent
        .with("document", task.document.clone())
        .with("document_version", task.document_version.clone())
        .with(
            "parameters",
            serde_json::json!(without_secrets(&task.parameters).0),
        )
}

impl WindowService {
    /// What stands in the audit log of a change.
    pub(crate) fn intent_of(input: &ChangeWindow) -> Intent {
        let action = match input.change {
            WindowChange::Delete => Action::WindowsDelete,
            _ => Action::WindowsChange,
        };
        let about = match &input.change {
            WindowChange::Create { settings } => format!("window:{}", settings.name),
            _ => resource(input.window.as_str()),
        };
        let intent = Intent::new(action, about);
        match &input.change {
            WindowChange::Create { settings } => {
                intent.with("act", "create").with("name", settings.name.clone())
            }
            WindowChange::Edit { .. } => intent.with("act", "edit"),
            WindowChange::Enable { enabled: true } => intent.with("act", "enable"),
            WindowChange::Enable { enabled: false } => intent.with("act", "disable"),
            WindowChange::AddTarget { target } => intent
                .with("act", "register_target")
                .with("targets", target.words()),
            WindowChange::EditTarget { target } => intent
                .with("act", "update_target")
                .with("target", target.id.clone())
                .with("targets", target.words()),
            WindowChange::RemoveTarget { target } => intent
                .with("act", "deregister_target")
                .with("target", target.clone()),
            WindowChange::AddTask { task } => of_task(intent.with("act", "register_task"), task),
            WindowChange::EditTask { task } => of_task(
                intent.with("act", "update_task").with("task", task.id.clone()),
                task,
            ),
            WindowChange::RemoveTask { task } => {
                intent.with("act", "deregister_task").with("task", task.clone())
            }
            WindowChange::Delete => intent.with("act", "delete"),
        }
    }

    /// Refuses what another part of the portal looks after.
    async fn not_of_a_schedule(&self, id: &str) -> Result<(), PortalError> {
        let schedule = queries::schedule_of(&self.db, self.connection(), id)
            .await
            .map_err(store)?;
        match schedule {
            None => Ok(()),
            Some(name) => Err(PortalError::Conflict {
                message: format!(
                    "This maintenance window belongs to the schedule “{name}” of a runbook: change it under Runbooks, Schedules."
                ),
            }),
        }
    }

    /// Refuses nodes that there are not.
    async fn nodes_exist(&self, keys: &[TargetKey], field: &str) -> Result<(), PortalError> {
        let named = keys.iter().filter(|key| key.is_by_id());
        let ids: Vec<NodeId> = named
            .flat_map(|key| &key.values)
            .map(|id| NodeId::new(id.as_str()))
            .collect();
        let known = by_ids(&self.db, &ids, &[Scope::All]).await.map_err(store)?;
        let unknown: Vec<&str> = ids
            .iter()
            .filter(|id| known.iter().all(|node| node.node_id != **id))
            .map(NodeId::as_str)
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(PortalError::invalid(
            field,
            format!(
                "There is no node {}: copy its id from the fleet.",
                unknown.join(", ")
            ),
        ))
    }

    /// What can be said against a change before it is known what the window is.
    async fn check_further(&self, input: &ChangeWindow) -> Result<(), PortalError> {
        match &input.change {
            WindowChange::Create { settings } | WindowChange::Edit { settings } => {
                let next = self.openings(settings)?;
                if next.is_empty() && settings.enabled {
                    return Err(PortalError::invalid(
                        "schedule",
                        "It would never open: that time is over.",
                    ));
                }
                let id = input.window.as_str();
                let is_taken = queries::is_named(&self.db, self.connection(), &settings.name, id)
                    .await
                    .map_err(store)?;
                if is_taken {
                    return Err(PortalError::invalid(
                        "name",
                        format!(
                            "There is a maintenance window {} already: choose another name.",
                            settings.name
                        ),
                    ));
                }
                Ok(())
            }
            WindowChange::AddTarget { target } | WindowChange::EditTarget { target } => {
                self.nodes_exist(&target.targets, "target_nodes").await
            }
            WindowChange::AddTask { task } | WindowChange::EditTask { task } => {
                self.nodes_exist(&task.targets, "task_nodes").await
            }
            _ => Ok(()),
        }
    }

    /// What the window is and what it would be, if it is still what was looked at.
    ///
    /// # Errors
    /// What is in its way.
    pub(crate) async fn stand(&self, input: &ChangeWindow) -> Result<Stand, PortalError> {
        let now = match input.change {
            WindowChange::Create { .. } => None,
            _ => {
                let id = input.window.as_str();
                self.not_of_a_schedule(id).await?;
                Some(self.now(id).await?.1)
            }
        };
        if let (Some(seen), Some(now)) = (&input.seen, &now)
            && seen != now
        {
            return Err(overtaken(seen, now));
        }
        self.check_further(input).await?;
        let becomes = input.change.apply(now.as_ref())?;
        Ok((now, becomes))
    }

    async fn renew(&self, id: &str) {
        if let Err(error) = copy::one(&self.db, &self.ssm, id, self.clock.now()).await {
            tracing::warn!(%error, "the copy of a maintenance window could not be renewed after it was changed");
        }
    }

    async fn call(
        &self,
        input: &ChangeWindow,
        becomes: Option<&WindowState>,
        token: &str,
    ) -> Result<String, CallError> {
        let (ssm, id) = (&self.ssm, input.window.as_str());
        let made = match &input.change {
            WindowChange::Create { settings } => {
                let id = calls::create(ssm, settings, token).await?;
                if !settings.enabled {
                    schedule_ssm::enable(ssm, &id, false).await?;
                }
                return Ok(id);
            }
            WindowChange::Edit { settings } => calls::update(ssm, id, settings).await,
            WindowChange::Enable { enabled } => schedule_ssm::enable(ssm, id, *enabled).await,
            WindowChange::AddTarget { target } => calls::add_target(ssm, id, target, token).await.map(|_| ()),
            WindowChange::EditTarget { target } => calls::update_target(ssm, id, target).await,
            WindowChange::RemoveTarget { target } => calls::remove_target(ssm, id, target).await,
            WindowChange::AddTask { task } => {
                // Where it runs was found out with the window.
                let whole = becomes.and_then(|state| state.tasks.last()).unwrap_or(task);
                calls::add_task(ssm, id, whole, token).await.map(|_| ())
            }
            WindowChange::EditTask { task } => {
                let tasks = || becomes.iter().flat_map(|state| &state.tasks);
                let whole = tasks().find(|one| one.id == task.id).unwrap_or(task);
                calls::update_task(ssm, id, whole).await
            }
            WindowChange::RemoveTask { task } => calls::remove_task(ssm, id, task).await,
            WindowChange::Delete => schedule_ssm::delete_window(ssm, id).await,
        };
        made.map(|()| id.to_owned())
    }

    /// Changes a window that is still `now`, as somebody who may.
    ///
    /// # Errors
    /// What is in its way.
    pub(crate) async fn change_now(
        &self,
        input: &ChangeWindow,
        now: Option<&WindowState>,
        becomes: Option<&WindowState>,
        token: &str,
        pass: &Pass,
    ) -> Result<WindowId, PortalError> {
        pass.note("before", serde_json::json!(now));
        pass.note("after", serde_json::json!(becomes));
        let Some(expected) = now else {
            let id = Box::pin(self.called(input, becomes, token)).await?;
            pass.note("window", id.as_str());
            return Ok(WindowId::new(id));
        };
        let id = input.window.as_str();
        self.claim(id).await?;
        let done = match self.now(id).await {
            Ok((_, now)) if now == *expected => Box::pin(self.called(input, becomes, token)).await,
            Ok((_, now)) => Err(overtaken(expected, &now)),
            Err(error) => Err(error),
        };
        if let Err(error) = queries::release(&self.db, self.connection(), id).await {
            // It runs out by itself.
            tracing::warn!(%error, "the right to change a maintenance window could not be given back");
        }
        done.map(WindowId::new)
    }

    async fn called(
        &self,
        input: &ChangeWindow,
        becomes: Option<&WindowState>,
        token: &str,
    ) -> Result<String, PortalError> {
        let id = input.window.as_str();
        let done = self.call(input, becomes, token).await;
        match &done {
            Ok(id) => self.renew(id).await,
            Err(error) if error.refused || id.is_empty() => {}
            Err(_) => self.renew(id).await,
        }
        done.map_err(|error| {
            if error.unreachable && !error.refused {
                PortalError::Unavailable {
                    message: "Systems Manager did not answer, so it is not known whether the maintenance window was changed. Look \
                              at it before you try again."
                        .into(),
                }
            } else {
                ssm::to_portal(&error, id)
            }
        })
    }

    /// Takes the right to change a window.
    async fn claim(&self, id: &str) -> Result<(), PortalError> {
        let now = self.clock.now();
        let times = (now, now.plus_ms(CLAIM_MS));
        let known = queries::get(&self.db, self.connection(), id)
            .await
            .map_err(store)?;
        if known.is_none() {
            copy::one(&self.db, &self.ssm, id, now)
                .await
                .map_err(|error| copying(error, id))?;
        }
        let claimed = queries::claim(&self.db, self.connection(), id, times)
            .await
            .map_err(store)?;
        if claimed {
            return Ok(());
        }
        Err(PortalError::Conflict {
            message: "Nothing was changed: somebody else changes this maintenance window at this moment. Look at it again, then \
                      do it on what is there."
                .into(),
        })
    }
}
