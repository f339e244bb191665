//! `ModifyDocumentPermission`: shares a document with accounts, or stops doing so. What is kept is who may see it;
//! other accounts do not reach this endpoint.

use super::create_document::PLAIN_NAME;
use super::describe_document_permission::PERMISSION_TYPE;
use super::queries;
use super::shown::missing;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::Empty;
use crate::operations::Call;
use crate::settings;
use crate::validation::{Member, Pattern, Shape, list, matching, optional, required};
use serde::Deserialize;

const ACCOUNT: Shape = matching(
    0,
    usize::MAX,
    Pattern {
        text: "(?i)all|[0-9]{12}",
        holds: |text| {
            text.eq_ignore_ascii_case("all") || text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
        },
    },
);
const SHARED_VERSION: Pattern = Pattern {
    text: "([$]LATEST|[$]DEFAULT|[$]ALL)",
    holds: |text| matches!(text, "$LATEST" | "$DEFAULT" | "$ALL"),
};
pub(crate) const INPUT: &[Member] = &[
    required("Name", PLAIN_NAME),
    required("PermissionType", PERMISSION_TYPE),
    optional("AccountIdsToAdd", list(0, 20, &ACCOUNT)),
    optional("AccountIdsToRemove", list(0, 20, &ACCOUNT)),
    optional("SharedDocumentVersion", matching(0, 8, SHARED_VERSION)),
];

/// Accounts that one document can be shared with.
const MAX_ACCOUNTS: i64 = 1_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    account_ids_to_add: Option<Vec<String>>,
    account_ids_to_remove: Option<Vec<String>>,
    shared_document_version: Option<String>,
}

fn limit(message: &str) -> ApiError {
    ApiError::new("DocumentPermissionLimit", message)
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let (region, name) = (&call.region, &input.name);
    let lower = |accounts: Option<Vec<String>>| -> Vec<String> {
        let accounts = accounts.unwrap_or_default();
        accounts
            .iter()
            .map(|account| account.to_ascii_lowercase())
            .collect()
    };
    let (add, remove) = (
        lower(input.account_ids_to_add),
        lower(input.account_ids_to_remove),
    );
    if add.len() > 1 && add.iter().any(|account| account == "all") {
        return Err(limit(
            "The document cannot be shared with all and with single accounts at once: give one or the other.",
        ));
    }
    if add.iter().any(|account| account == "all")
        && settings::value_of(plane, region, settings::PUBLIC_SHARING).await? == "Disable"
    {
        return Err(ApiError::new(
            "InvalidDocumentOperation",
            "Public sharing of documents is turned off by the service setting public-sharing-permission.",
        ));
    }
    let mut transaction = plane.db.begin().await?;
    if queries::versions(&mut *transaction, region, name)
        .await?
        .is_empty()
    {
        return Err(missing(name));
    }
    queries::unshare(&mut *transaction, region, name, &remove).await?;
    let version = input.shared_document_version.as_deref().unwrap_or("$DEFAULT");
    for account in &add {
        queries::share(&mut *transaction, region, name, account, version).await?;
    }
    let shared = queries::shared_with(&mut *transaction, region, name, "", MAX_ACCOUNTS + 1).await?;
    if i64::try_from(shared.len()).is_ok_and(|count| count > MAX_ACCOUNTS) {
        return Err(limit("The document can't be shared with more accounts."));
    }
    transaction.commit().await?;
    Ok(Empty {})
}
