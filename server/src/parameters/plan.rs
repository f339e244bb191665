//! What policies see of an act on a parameter, and what a request for one freezes: the version that it stands on, and what
//! would be there afterwards. A secret is sealed before the request is written, and stands in the plan as a reference.

use crate::approvals::plan::Planned;
use crate::door::Pass;
use crate::parameters::service::ParameterService;
use crate::parameters::{copy, ssm};
use muster_domain::approvals::{
    Act, Plan, PlanSubject, PlannedContent, PlannedLabels, PlannedParameter, PlannedVersion, Proposal,
    ProposedAct,
};
use muster_domain::audit::Intent;
use muster_domain::parameters::{
    DeleteParameter, LabelVersion, NewValue, ParameterSummary, ParameterTier, PutParameter, RevealParameter,
    UnlabelVersion, Value, with_slash,
};
use muster_domain::{PortalError, Timestamp};
use std::collections::BTreeMap;

/// An act on a parameter as policies see it.
#[must_use]
pub fn proposal(act: Act, name: &str) -> Proposal {
    Proposal {
        act: Some(act),
        parameter: with_slash(name),
        ..Proposal::default()
    }
}

fn no_parameter() -> PortalError {
    PortalError::Conflict {
        message: "It is about no parameter.".into(),
    }
}

impl ParameterService {
    /// Makes an act ready to be asked for: it has to stand on what is there now, and a secret is sealed, because what is
    /// asked for is written down.
    ///
    /// # Errors
    /// What is in its way already.
    pub(crate) async fn ready(&self, act: &mut ProposedAct) -> Result<(), PortalError> {
        match act {
            ProposedAct::PutParameter { parameter } => {
                if let Some(row) = self.replaced(parameter).await? {
                    parameter.name = row.name;
                }
                if parameter.kind.is_secret()
                    && let NewValue::Typed { value } = &parameter.value
                {
                    parameter.value = NewValue::Sealed {
                        sealed: self.seal.seal(&parameter.name, value)?,
                    };
                }
            }
            ProposedAct::DeleteParameter { name, version } => {
                *name = self.still(&self.known(name).await?.name, *version).await?.name;
            }
            ProposedAct::RevealParameter { name, version } => {
                let row = self.known(name).await?;
                if !row.kind.is_secret() {
                    return Err(PortalError::Conflict {
                        message: format!("{} is no secret: its page shows the value.", row.name),
                    });
                }
                // The newest one is the one that is the newest now.
                version.get_or_insert(row.version);
                *name = row.name;
            }
            ProposedAct::LabelParameter {
                label: LabelVersion { name, .. },
            }
            | ProposedAct::UnlabelParameter {
                label: UnlabelVersion { name, .. },
            } => *name = self.known(name).await?.name,
            _ => {}
        }
        Ok(())
    }

    async fn text_of(&self, row: &ParameterSummary, version: i64) -> Result<Option<String>, PortalError> {
        if row.kind.is_secret() {
            return Ok(None);
        }
        let found = ssm::value(&self.ssm, &row.name, Some(version)).await;
        let (_, value) = found.map_err(|error| ssm::to_portal(&error, &row.name))?;
        Ok(Some(value.0))
    }

    /// The newest version, as a plan stands on it.
    async fn planned_version(&self, row: &ParameterSummary) -> Result<PlannedVersion, PortalError> {
        Ok(PlannedVersion {
            version: row.version,
            modified_at: row.modified_at.0,
            value: self.text_of(row, row.version).await?,
        })
    }

    /// What a value would be: in the clear unless it is a secret, and as a reference where it is.
    async fn planned_value(&self, input: &PutParameter) -> Result<(Option<String>, String), PortalError> {
        let name = input.name.as_str();
        let secret = input.kind.is_secret();
        let referred = |value: &Value| {
            self.seal
                .reference(name, value)
                .map(|reference| (None, reference))
        };
        match &input.value {
            NewValue::Typed { value } if secret => referred(value),
            NewValue::Sealed { sealed } => referred(&self.seal.open(name, sealed)?),
            NewValue::Typed { value } => Ok((Some(value.0.clone()), String::new())),
            NewValue::Version { version } => {
                // A version never changes, so a secret one is named by its number and time; it need not be opened.
                let versions = ssm::history(&self.ssm, name)
                    .await
                    .map_err(|error| ssm::to_portal(&error, name))?;
                let found = versions.into_iter().find(|one| one.version.version == *version);
                let found = found.ok_or_else(|| PortalError::NotFound {
                    what: format!("Version {version} of the parameter {name}"),
                })?;
                if secret {
                    let at = found.version.modified_at.unwrap_or(Timestamp(0));
                    Ok((None, format!("version {version} of {}", at.rfc3339())))
                } else {
                    Ok((Some(found.value.0), String::new()))
                }
            }
        }
    }

    async fn plan_put(&self, input: &PutParameter) -> Result<PlannedParameter, PortalError> {
        let now = if input.replaces.is_some() {
            // What is there now, which need not be what was asked about: then that is what has changed.
            let now = self
                .now(&input.name)
                .await?
                .ok_or_else(|| ssm::missing(&input.name))?;
            if now.kind != input.kind {
                return Err(PortalError::Conflict {
                    message: format!("{} is a {} now.", now.name, now.kind.as_str()),
                });
            }
            Some(self.planned_version(&now).await?)
        } else {
            self.replaced(input).await?;
            None
        };
        let (value, value_reference) = self.planned_value(input).await?;
        Ok(PlannedParameter {
            name: input.name.clone(),
            kind: input.kind.as_str().to_owned(),
            now,
            revealed: None,
            becomes: Some(PlannedContent {
                value,
                value_reference,
                restores: match input.value {
                    NewValue::Version { version } => Some(version),
                    _ => None,
                },
                tier: input.tier.map(ParameterTier::as_str).map(str::to_owned),
                data_type: input.data_type.clone(),
                key_id: input.key_id.clone(),
                description: input.description.clone(),
                allowed_pattern: input.allowed_pattern.clone(),
                policies: input.policies.clone(),
            }),
            labels: None,
        })
    }

    /// What labels of a version would do: which versions have them now, and what is read by them before and after.
    async fn plan_labels(
        &self,
        name: &str,
        version: i64,
        labels: &[String],
        away: bool,
    ) -> Result<PlannedParameter, PortalError> {
        let row = self.now(name).await?.ok_or_else(|| ssm::missing(name))?;
        let name = &row.name;
        let versions = ssm::history(&self.ssm, name)
            .await
            .map_err(|error| ssm::to_portal(&error, name))?;
        let of = |version: i64| versions.iter().find(|one| one.version.version == version);
        let found = of(version).ok_or_else(|| PortalError::NotFound {
            what: format!("Version {version} of the parameter {name}"),
        })?;
        let held: BTreeMap<String, i64> = copy::labels(&versions)
            .into_iter()
            .filter(|(label, _)| labels.contains(label))
            .collect();
        if away && labels.iter().any(|label| held.get(label) != Some(&version)) {
            return Err(PortalError::Conflict {
                message: format!(
                    "Version {version} does not have the label {} any more.",
                    labels.join(", ")
                ),
            });
        }
        let open = |version: i64| {
            let found = of(version).filter(|_| !row.kind.is_secret());
            found.map(|one| one.value.0.clone())
        };
        let replaced = match labels {
            [label] => held.get(label).and_then(|version| open(*version)),
            _ => None,
        };
        let labels = PlannedLabels {
            version,
            modified_at: found.version.modified_at.unwrap_or(Timestamp(0)).0,
            labels: labels.to_vec(),
            away,
            value: open(version),
            replaced,
            held,
        };
        Ok(PlannedParameter {
            now: Some(PlannedVersion {
                version: row.version,
                modified_at: row.modified_at.0,
                value: open(row.version),
            }),
            kind: row.kind.as_str().to_owned(),
            name: row.name,
            revealed: None,
            becomes: None,
            labels: Some(Box::new(labels)),
        })
    }

    async fn plan_of(&self, act: &ProposedAct) -> Result<PlannedParameter, PortalError> {
        let there = async |name: &str| self.now(name).await?.ok_or_else(|| ssm::missing(name));
        match act {
            ProposedAct::PutParameter { parameter } => self.plan_put(parameter).await,
            ProposedAct::LabelParameter { label } => {
                self.plan_labels(&label.name, label.version, &label.labels, false)
                    .await
            }
            ProposedAct::UnlabelParameter { label } => {
                let one = std::slice::from_ref(&label.label);
                self.plan_labels(&label.name, label.version, one, true).await
            }
            ProposedAct::DeleteParameter { name, .. } => {
                let row = there(name).await?;
                Ok(PlannedParameter {
                    now: Some(self.planned_version(&row).await?),
                    kind: row.kind.as_str().to_owned(),
                    name: row.name,
                    revealed: None,
                    becomes: None,
                    labels: None,
                })
            }
            ProposedAct::RevealParameter { name, version } => {
                let row = there(name).await?;
                Ok(PlannedParameter {
                    now: Some(self.planned_version(&row).await?),
                    kind: row.kind.as_str().to_owned(),
                    revealed: Some(version.unwrap_or(row.version)),
                    name: row.name,
                    becomes: None,
                    labels: None,
                })
            }
            _ => Err(no_parameter()),
        }
    }

    /// Plans an act on a parameter, as things are now.
    ///
    /// # Errors
    /// What is wrong with it, or when Systems Manager does not answer.
    pub(crate) async fn plan(
        &self,
        act: &ProposedAct,
        not_before: Option<Timestamp>,
    ) -> Result<Planned, PortalError> {
        let parameter = self.plan_of(act).await?;
        Ok(Planned {
            proposal: proposal(act.act(), &parameter.name),
            plan: Plan {
                act: act.act(),
                subject: PlanSubject::Parameter { parameter },
                targets: String::new(),
                nodes: Vec::new(),
                not_before: not_before.map(|at| at.0),
            },
            command: None,
            runbook: None,
        })
    }

    /// What stands in the audit log of an act on a parameter that was approved.
    pub(crate) fn intent_of(act: &ProposedAct) -> Option<Intent> {
        match act {
            ProposedAct::PutParameter { parameter } => Some(Self::intent_to_put(parameter)),
            ProposedAct::LabelParameter { label } => Some(Self::intent_to_label(label)),
            ProposedAct::UnlabelParameter { label } => Some(Self::intent_to_unlabel(label)),
            ProposedAct::DeleteParameter { name, version } => Some(Self::intent_to_delete(name, *version)),
            ProposedAct::RevealParameter { name, version } => {
                Some(Self::intent_to_reveal(&RevealParameter {
                    name: name.clone(),
                    version: *version,
                    password: muster_domain::access::Password(String::new()),
                    request: None,
                }))
            }
            _ => None,
        }
    }

    /// Does what was approved, on the version that the plan stands on: one that was written since is not replaced.
    ///
    /// # Errors
    /// What is in its way.
    pub(crate) async fn carry_out(
        &self,
        act: &ProposedAct,
        plan: &Plan,
        pass: &Pass,
    ) -> Result<(), PortalError> {
        let PlanSubject::Parameter { parameter: planned } = &plan.subject else {
            return Err(no_parameter());
        };
        let now = planned.now.as_ref().map(|now| now.version);
        match act {
            ProposedAct::PutParameter { parameter } => {
                let input = PutParameter {
                    replaces: now,
                    ..parameter.clone()
                };
                self.put_now(&input, pass).await.map(|_| ())
            }
            ProposedAct::LabelParameter { label } => self.label_now(label).await,
            ProposedAct::UnlabelParameter { label } => self.unlabel_now(label).await,
            ProposedAct::DeleteParameter { name, .. } => {
                let input = DeleteParameter {
                    name: name.clone(),
                    version: now.unwrap_or_default(),
                    confirmation: name.clone(),
                };
                self.delete_now(&input, pass).await
            }
            _ => Err(no_parameter()),
        }
    }
}
