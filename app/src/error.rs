//! What a page is told when a server function does not work, and the helpers that bring the
//! message to the right place. The words themselves are in `muster_domain::error`.

use crate::url::{Query, use_query};
use crate::wire::JsonText;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr, ServerFnUrlError};
use muster_domain::PortalError;
use serde::{Deserialize, Serialize};

/// The portal's own answer, or the way to it was cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "source", content = "error", rename_all = "lowercase")]
pub(crate) enum AppError {
    /// The portal answered and said no.
    #[error("{0}")]
    Portal(PortalError),
    /// The call or its answer did not arrive whole.
    #[error("The server could not be reached, or its answer could not be read. Try again. ({0})")]
    Transport(String),
}

impl From<PortalError> for AppError {
    fn from(error: PortalError) -> Self {
        Self::Portal(error)
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonText;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(text) | ServerFnErrorErr::MissingArg(text) => unreadable(&text),
            // On the server only what was sent is decoded; in the browser it is the answer.
            #[cfg(feature = "ssr")]
            ServerFnErrorErr::Deserialization(text) => unreadable(&text),
            other => Self::Transport(other.to_string()),
        }
    }
}

/// What is said of a request whose fields are not those that the function takes.
fn complaint(text: &str) -> PortalError {
    let missing = text
        .split_once("missing field `")
        .and_then(|(_, rest)| rest.split_once('`'))
        .map(|(name, _)| name);
    match missing {
        Some(name) => PortalError::invalid(
            name,
            format!(
                "The field {name} is missing: send it, and leave it empty where there is nothing to say."
            ),
        ),
        None => {
            let text: String = text.chars().take(200).collect();
            PortalError::invalid(
                "request",
                format!("A field of the request cannot be read: {text}."),
            )
        }
    }
}

/// The same as an answer. The library would say that the server failed, which it did not.
fn unreadable(text: &str) -> AppError {
    let error = complaint(text);
    #[cfg(feature = "ssr")]
    let error = crate::backend::refused(error);
    error.into()
}

impl AppError {
    /// The complaint about one field, when there is one.
    pub(crate) fn about(&self, field: &str) -> Option<String> {
        match self {
            Self::Portal(error) => error.about(field).map(ToOwned::to_owned),
            Self::Transport(_) => None,
        }
    }

    /// Whether the answer is "you may not".
    pub(crate) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Portal(PortalError::Forbidden { .. }))
    }

    /// Whether nobody is signed in (any more).
    pub(crate) fn is_sign_in_required(&self) -> bool {
        matches!(self, Self::Portal(PortalError::SignInRequired))
    }

    /// Whether asking again may well work: the way was cut, or something does not answer now.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Transport(_) => true,
            Self::Portal(error) => matches!(
                error,
                PortalError::Unavailable { .. }
                    | PortalError::Internal { .. }
                    | PortalError::TooManyRequests { .. }
            ),
        }
    }

    /// Whether the thing does not exist.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Portal(PortalError::NotFound { .. }))
    }
}

/// The error of the form that posts to `path`, when the browser came back here without script:
/// then it travels in the address.
pub(crate) fn error_in_url(query: &Query, path: &str) -> Option<AppError> {
    (query.get("__path") == Some(path))
        .then(|| query.get("__err").map(ServerFnUrlError::<AppError>::decode_err))
        .flatten()
}

/// What went wrong with a form's last submission, with script or without.
pub(crate) fn action_error<S>(action: ServerAction<S>) -> Signal<Option<AppError>>
where
    S: ServerFn<Error = AppError> + Clone + Send + Sync + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    let value = action.value();
    let query = use_query();
    Signal::derive(move || {
        value.with(|value| match value {
            Some(Err(error)) => Some(error.clone()),
            Some(Ok(_)) => None,
            None => query.with(|query| error_in_url(query, S::PATH)),
        })
    })
}

/// The complaint about one field of a form.
pub(crate) fn field_error(error: Signal<Option<AppError>>, field: &'static str) -> Signal<Option<String>> {
    Signal::derive(move || error.with(|error| error.as_ref().and_then(|error| error.about(field))))
}

/// Sets the page's HTTP status where the page as a whole could not be shown. Only for pages
/// rendered in one piece; does nothing in the browser.
pub(crate) fn set_page_status(error: &AppError) {
    #[cfg(feature = "ssr")]
    if let (AppError::Portal(error), Some(response)) = (error, use_context::<leptos_axum::ResponseOptions>())
        && let Ok(status) = http::StatusCode::from_u16(error.status())
    {
        response.set_status(status);
    }
    #[cfg(not(feature = "ssr"))]
    let _ = error;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_field_is_named() {
        let error = complaint("missing field `node_id`");
        assert_eq!(error.status(), 422);
        assert!(error.about("node_id").unwrap().contains("node_id is missing"));
        let error = complaint(&"x".repeat(10_000));
        assert!(
            error.about("request").unwrap().len() < 300,
            "what was sent is not sent back whole"
        );
    }
}
