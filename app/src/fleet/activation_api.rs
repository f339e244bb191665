//! The server function that lets nodes join.

#[cfg(feature = "ssr")]
use crate::backend::call;
use crate::error::AppError;
use crate::wire::Json;
use leptos::prelude::*;
#[cfg(feature = "ssr")]
use muster_domain::fleet;
use muster_domain::fleet::{ActivationCreated, Tag};
#[cfg(feature = "ssr")]
use muster_domain::{FieldError, PortalError};

/// Reads tags written as `Key=Value`, one a line.
///
/// # Errors
/// A sentence naming the line.
#[cfg_attr(
    not(any(feature = "ssr", test)),
    expect(dead_code, reason = "the server reads the form")
)]
pub(super) fn read_tags(text: &str) -> Result<Vec<Tag>, String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| match line.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(Tag {
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
            }),
            _ => Err(format!("“{line}” is not a tag: write Key=Value, one a line.")),
        })
        .collect()
}

/// Makes an activation. Its code is in this answer and nowhere else.
#[server(prefix = "/api", endpoint = "fleet/create_activation", output = Json)]
pub(crate) async fn create_activation(
    description: String,
    default_instance_name: String,
    registration_limit: String,
    expires_in_hours: String,
    tags: String,
) -> Result<ActivationCreated, AppError> {
    call(|backend, actor| async move {
        let mut fields = Vec::new();
        let mut number = |field: &str, text: &str| {
            text.trim().parse().unwrap_or_else(|_| {
                fields.push(FieldError::new(field, "Write a whole number."));
                1
            })
        };
        let registration_limit = number("registration_limit", &registration_limit);
        let expires_in_hours = number("expires_in_hours", &expires_in_hours);
        let tags = read_tags(&tags).unwrap_or_else(|message| {
            fields.push(FieldError::new("tags", message));
            Vec::new()
        });
        PortalError::from_fields(fields)?;
        let input = fleet::CreateActivation {
            description: description.trim().to_owned(),
            default_instance_name: default_instance_name.trim().to_owned(),
            registration_limit,
            expires_in_hours,
            tags,
        };
        backend.fleet.create_activation(&actor, input).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::read_tags;

    #[test]
    fn tags_are_read_one_a_line() {
        let tags = read_tags("Environment = Staging\n\n Team=web=1 ").unwrap();
        assert_eq!(
            (tags[0].key.as_str(), tags[0].value.as_str()),
            ("Environment", "Staging")
        );
        assert_eq!((tags[1].key.as_str(), tags[1].value.as_str()), ("Team", "web=1"));
        assert!(read_tags("Environment").unwrap_err().contains("“Environment”"));
    }
}
