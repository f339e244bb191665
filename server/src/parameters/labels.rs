//! Labels of a parameter's versions: setting them and taking them away, at once or on approval.

use crate::parameters::plan::proposal;
use crate::parameters::service::{ParameterService, resource};
use crate::parameters::ssm;
use muster_domain::action::Action;
use muster_domain::approvals::Act;
use muster_domain::audit::Intent;
use muster_domain::parameters::{LabelVersion, UnlabelVersion};
use muster_domain::{Actor, PortalError};

impl ParameterService {
    /// A label decides which value is read by it, so moving one is writing, to policies as well.
    pub(super) async fn may_label(&self, actor: &Actor, name: &str) -> Result<(), PortalError> {
        self.gate.admit(actor, &proposal(Act::PutParameter, name)).await
    }

    /// What stands in the audit log of setting labels.
    pub(super) fn intent_to_label(input: &LabelVersion) -> Intent {
        Intent::new(Action::ParametersLabel, resource(&input.name))
            .with("version", input.version)
            .with("set", input.labels.clone())
    }

    /// What stands in the audit log of taking a label away.
    pub(super) fn intent_to_unlabel(input: &UnlabelVersion) -> Intent {
        Intent::new(Action::ParametersLabel, resource(&input.name))
            .with("version", input.version)
            .with("remove", input.label.clone())
    }

    /// Sets labels, for somebody who may.
    pub(super) async fn label_now(&self, input: &LabelVersion) -> Result<(), PortalError> {
        let row = self.known(&input.name).await?;
        let refused = ssm::label(&self.ssm, &row.name, input)
            .await
            .map_err(|error| ssm::to_portal(&error, &row.name))?;
        self.keep_labels(&row.name).await?;
        if refused.is_empty() {
            Ok(())
        } else {
            Err(PortalError::invalid(
                "labels",
                format!("Systems Manager refused these: {}.", refused.join(", ")),
            ))
        }
    }

    /// Takes a label away, for somebody who may.
    pub(super) async fn unlabel_now(&self, input: &UnlabelVersion) -> Result<(), PortalError> {
        let row = self.known(&input.name).await?;
        let unknown = ssm::unlabel(&self.ssm, &row.name, input.version, &input.label)
            .await
            .map_err(|error| ssm::to_portal(&error, &row.name))?;
        self.keep_labels(&row.name).await?;
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(PortalError::Conflict {
                message: format!(
                    "Version {} does not have the label {} any more.",
                    input.version, input.label
                ),
            })
        }
    }
}
