//! Service settings of a region: which there are, what they may be, what they are. One file per operation.

pub(crate) mod get_service_setting;
pub(crate) mod queries;
pub(crate) mod reset_service_setting;
pub(crate) mod update_service_setting;

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use crate::operations::Call;
use crate::validation::{Shape, text};
use queries::SettingRow;
use serde::Serialize;

pub(crate) const SETTING_ID: Shape = text(1, 1000);

/// The tier of parameters that are made without naming one.
pub(crate) const PARAMETER_TIER: &str = "/ssm/parameter-store/default-parameter-tier";
/// Whether documents may be shared with everybody.
pub(crate) const PUBLIC_SHARING: &str = "/ssm/documents/console/public-sharing-permission";

/// A setting that the service knows.
pub(crate) struct Known {
    pub(crate) id: &'static str,
    pub(crate) default: &'static str,
    /// Any text where this is empty.
    pub(crate) values: &'static [&'static str],
}

const FLAG: &[&str] = &["true", "false"];
const ENABLED: &[&str] = &["Enabled", "Disabled"];

/// All of them (user guide and API reference, `GetServiceSetting`).
pub(crate) const KNOWN: &[Known] = &[
    Known {
        id: "/ssm/appmanager/appmanager-enabled",
        default: "True",
        values: &["True", "False", "true", "false"],
    },
    Known {
        id: "/ssm/automation/customer-script-log-destination",
        default: "",
        values: &["CloudWatch"],
    },
    Known {
        id: "/ssm/automation/customer-script-log-group-name",
        default: "",
        values: &[],
    },
    Known {
        id: "/ssm/automation/enable-adaptive-concurrency",
        default: "false",
        values: &["True", "False", "true", "false"],
    },
    Known {
        id: PUBLIC_SHARING,
        default: "Enable",
        values: &["Enable", "Disable"],
    },
    Known {
        id: "/ssm/managed-instance/activation-tier",
        default: "standard",
        values: &["standard", "advanced"],
    },
    Known {
        id: "/ssm/managed-instance/default-ec2-instance-management-role",
        default: "",
        values: &[],
    },
    Known {
        id: "/ssm/opsinsights/opscenter",
        default: "Disabled",
        values: ENABLED,
    },
    Known {
        id: PARAMETER_TIER,
        default: "Standard",
        values: &["Standard", "Advanced", "Intelligent-Tiering"],
    },
    Known {
        id: "/ssm/parameter-store/high-throughput-enabled",
        default: "false",
        values: FLAG,
    },
];

/// A setting as it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ServiceSetting {
    setting_id: String,
    setting_value: String,
    last_modified_date: f64,
    last_modified_user: String,
    #[serde(rename = "ARN")]
    arn: String,
    status: &'static str,
}

/// The answer of the operations that tell a setting.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    pub(crate) service_setting: ServiceSetting,
}

fn arn(plane: &ControlPlane, region: &str, id: &str) -> String {
    let account = &plane.config.account;
    format!("arn:aws:ssm:{region}:{account}:servicesetting{id}")
}

/// The setting of that id or ARN.
pub(crate) fn find(plane: &ControlPlane, region: &str, named: &str) -> ApiResult<&'static Known> {
    let id = named.strip_prefix(&arn(plane, region, "")).unwrap_or(named);
    KNOWN.iter().find(|known| known.id == id).ok_or_else(|| {
        let ids: Vec<&str> = KNOWN.iter().map(|known| known.id).collect();
        ApiError::new(
            "ServiceSettingNotFound",
            format!("The SettingId is not one of {}.", ids.join(", ")),
        )
    })
}

/// What a setting is at this moment.
pub(crate) async fn value(plane: &ControlPlane, region: &str, known: &Known) -> ApiResult<String> {
    let row = queries::setting(plane.db.reader(), region, known.id).await?;
    Ok(row.map_or_else(|| known.default.to_owned(), |row| row.value))
}

/// What a setting is, by its id in [`KNOWN`].
pub(crate) async fn value_of(plane: &ControlPlane, region: &str, id: &str) -> ApiResult<String> {
    value(plane, region, find(plane, region, id)?).await
}

fn shown(plane: &ControlPlane, call: &Call, known: &Known, row: Option<SettingRow>) -> Output {
    let status = if row.is_some() { "Customized" } else { "Default" };
    let row = row.unwrap_or_else(|| SettingRow {
        value: known.default.to_owned(),
        modified_at: crate::documents::built_in::CREATED,
        modified_by: "System".to_owned(),
    });
    Output {
        service_setting: ServiceSetting {
            setting_id: known.id.to_owned(),
            setting_value: row.value,
            last_modified_date: seconds(row.modified_at),
            last_modified_user: row.modified_by,
            arn: arn(plane, &call.region, known.id),
            status,
        },
    }
}
