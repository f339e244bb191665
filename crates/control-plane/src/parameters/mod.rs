//! Parameter Store: names in a hierarchy, values in versions, secrets sealed under a key. One file per operation.

pub(crate) mod delete_parameter;
pub(crate) mod delete_parameters;
pub(crate) mod describe_parameters;
pub(crate) mod events;
pub(crate) mod filters;
pub(crate) mod get_parameter;
pub(crate) mod get_parameter_history;
pub(crate) mod get_parameters;
pub(crate) mod get_parameters_by_path;
pub(crate) mod label_parameter_version;
mod label_queries;
pub(crate) mod labels;
pub(crate) mod name;
pub(crate) mod policies;
pub(crate) mod put_parameter;
pub(crate) mod queries;
pub(crate) mod references;
pub(crate) mod rounds;
pub(crate) mod shown;
pub(crate) mod tiers;
pub(crate) mod unlabel_parameter_version;
pub(crate) mod walk;

use crate::errors::ApiError;
use crate::validation::{Member, Shape, list, one_of, optional, text};

/// Name, ARN, or either with a version or label.
pub(crate) const NAME: Shape = text(1, 2048);
pub(crate) const NAMES: Shape = list(1, 10, &NAME);
const LABEL: Shape = text(1, 100);
pub(crate) const LABELS: Shape = list(1, 10, &LABEL);
pub(crate) const TYPE: Shape = one_of(&["String", "StringList", "SecureString"]);
pub(crate) const WITH_DECRYPTION: Member = optional("WithDecryption", Shape::Flag);

/// The type whose values are sealed.
pub(crate) const SECURE: &str = "SecureString";

/// The word in `resource_type` for a parameter's tags.
pub(crate) const TAGS: &str = "Parameter";

/// The service says no more than this.
pub(crate) fn not_found() -> ApiError {
    ApiError::bare("ParameterNotFound")
}

/// That a version or label of a parameter is not there.
pub(crate) fn no_version(what: &str, name: &str) -> ApiError {
    ApiError::new(
        "ParameterVersionNotFound",
        format!("Systems Manager could not find version {what} of {name}. Verify the version and try again."),
    )
}
