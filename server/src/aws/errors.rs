//! What Systems Manager's refusals mean to a person.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ssm::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use muster_domain::PortalError;

/// How a call went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// The operation.
    pub operation: &'static str,
    /// The service's code, or empty when it did not answer.
    pub code: String,
    /// The service's message, or what happened on the way.
    pub message: String,
    /// Whether the request certainly had no effect.
    pub refused: bool,
    /// Whether nobody answered.
    pub unreachable: bool,
}

impl CallError {
    /// Takes the SDK's error apart.
    pub fn of<E>(operation: &'static str, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        if let Some(reason) = no_credentials(error) {
            // Without keys nothing was sent.
            return Self {
                operation,
                code: NO_CREDENTIALS.to_owned(),
                message: reason,
                refused: true,
                unreachable: false,
            };
        }
        let (refused, unreachable) = match error {
            SdkError::ServiceError(context) => (context.raw().status().as_u16() < 500, false),
            SdkError::DispatchFailure(failure) => (
                failure.is_io() && failure.as_connector_error().is_some_and(connect_failed),
                true,
            ),
            SdkError::ConstructionFailure(_) => (true, false),
            _ => (false, true),
        };
        let code = error.code().unwrap_or_default().to_owned();
        let message = error.message().map_or_else(
            || {
                if unreachable {
                    "no answer".to_owned()
                } else {
                    code.clone()
                }
            },
            str::to_owned,
        );
        Self {
            operation,
            code,
            message,
            refused,
            unreachable,
        }
    }

    /// Whether the service asked to slow down.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.code.contains("Throttl") || self.code == "TooManyUpdates" || self.code == "RequestLimitExceeded"
    }

    /// What the service said, to an operator who may have to change something about it.
    #[must_use]
    pub fn sentence(&self) -> String {
        let what = format!(
            "Systems Manager answered {} to {}: {}",
            self.code, self.operation, self.message
        );
        match self.code.as_str() {
            NO_CREDENTIALS => format!(
                "The portal found no credentials for AWS: {}. Give it some as the AWS tools take them: variables, a \
                 profile, or the machine's role.",
                self.message
            ),
            "AccessDeniedException" => {
                format!("{what} Allow ssm:{} for the portal's identity.", self.operation)
            }
            "ExpiredTokenException" | "UnrecognizedClientException" | "InvalidSignatureException" => {
                format!("{what} Renew the portal's credentials.")
            }
            _ => what,
        }
    }

    /// As it may be shown.
    #[must_use]
    pub fn to_portal(&self) -> PortalError {
        if self.unreachable {
            return PortalError::Unavailable {
                message: "Systems Manager does not answer, so this cannot be done now. What you see is the portal's \
                          own copy; try again when the connection is live."
                    .into(),
            };
        }
        if self.is_throttled() {
            return PortalError::Unavailable {
                message: "Systems Manager is busy (it asked us to slow down). Try again in a few seconds."
                    .into(),
            };
        }
        let text = format!("Systems Manager refused ({}): {}", self.code, self.message);
        match self.code.as_str() {
            "InvalidInstanceId" => PortalError::invalid("targets", text),
            "InvalidDocument"
            | "UnsupportedPlatformType"
            | "InvalidDocumentVersion"
            | "AutomationDefinitionNotFoundException"
            | "AutomationDefinitionVersionNotFoundException" => PortalError::invalid("document", text),
            "InvalidParameters" | "InvalidAutomationExecutionParametersException" => {
                PortalError::invalid("parameters", text)
            }
            "ValidationException" => PortalError::invalid("request", text),
            NO_CREDENTIALS
            | "AccessDeniedException"
            | "UnrecognizedClientException"
            | "ExpiredTokenException"
            | "InvalidSignatureException" => PortalError::Unavailable {
                message: format!(
                    "The portal's own credentials do not allow this. {}",
                    self.sentence()
                ),
            },
            _ => PortalError::Conflict { message: text },
        }
    }
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} {}", self.operation, self.code, self.message)
    }
}

/// The code of errors that are ours: there were no keys to sign with.
const NO_CREDENTIALS: &str = "NoCredentials";

/// Why there were no keys, when that was it.
fn no_credentials(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let chain = || std::iter::successors(Some(error), |error| error.source());
    let at = chain().position(|error| error.is::<CredentialsError>())?;
    let mut reasons: Vec<String> = Vec::new();
    for reason in chain().skip(at).map(ToString::to_string) {
        if !reasons.iter().any(|known| known.contains(&reason)) {
            reasons.push(reason);
        }
    }
    Some(reasons.join(": "))
}

fn connect_failed(failure: &ConnectorError) -> bool {
    // A connection that was refused carried nothing; any other break may have.
    let mut source = std::error::Error::source(failure);
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return io.kind() == std::io::ErrorKind::ConnectionRefused;
        }
        source = error.source();
    }
    false
}
