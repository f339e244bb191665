//! The server functions of exceptions. Thin: they read texts and ask the services.

// For the whole file: on an item it does not reach the functions that the macro makes of it.
#![expect(clippy::too_many_arguments, reason = "one argument per field of the form")]

#[cfg(feature = "ssr")]
use super::exception_url::read_state;
use crate::error::AppError;
use crate::wire::Json;
#[cfg(feature = "ssr")]
use crate::{
    approvals::{AskFields, to_request},
    backend::{call, redirect_to},
};
use leptos::prelude::*;
use muster_domain::ids::RequestId;
use muster_domain::patching::ExceptionPage;
#[cfg(feature = "ssr")]
use muster_domain::{
    PortalError, Timestamp,
    approvals::ProposedAct,
    error::FieldError,
    paging::Cursor,
    patching::{EndException, ExceptionQuery, GrantException},
};

/// The register.
#[server(prefix = "/api", endpoint = "patching/exceptions", output = Json)]
pub(crate) async fn list_exceptions(
    #[server(default)] state: Option<String>,
    #[server(default)] baseline_id: Option<String>,
    #[server(default)] exception_id: Option<String>,
    #[server(default)] cursor: Option<String>,
) -> Result<ExceptionPage, AppError> {
    call(|backend, actor| async move {
        let state =
            read_state(state.as_deref().unwrap_or_default()).map_err(|problem| PortalError::Invalid {
                fields: vec![problem],
            })?;
        let query = ExceptionQuery {
            state,
            baseline_id: baseline_id.unwrap_or_default(),
            exception_id: exception_id.unwrap_or_default(),
            cursor: cursor.filter(|cursor| !cursor.is_empty()).map(Cursor),
            limit: None,
        };
        backend.patching.exceptions(&actor, query).await
    })
    .await
}

/// Until when: a moment, or a day, which is meant to its end; in UTC.
#[cfg(feature = "ssr")]
fn read_until(text: &str) -> Option<Timestamp> {
    const DAY_MS: i64 = 86_400_000;
    let at = Timestamp::parse(text)?;
    Some(if text.len() == 10 {
        at.plus_ms(DAY_MS - 1_000)
    } else {
        at
    })
}

/// Reads the form.
#[cfg(feature = "ssr")]
fn read(
    baseline_id: String,
    seen: String,
    patch: Option<String>,
    because: Option<String>,
    control: Option<String>,
    expires: Option<String>,
) -> Result<GrantException, PortalError> {
    let given = |text: Option<String>| text.unwrap_or_default().trim().replace("\r\n", "\n");
    let until = read_until(&given(expires));
    let input = GrantException {
        baseline_id,
        seen,
        patch: given(patch),
        because: given(because),
        control: given(control),
        expires_at: until.unwrap_or(Timestamp(0)),
    };
    let mut fields = match input.check_texts() {
        Err(PortalError::Invalid { fields }) => fields,
        _ => Vec::new(),
    };
    if until.is_none() {
        fields.push(FieldError::new("expires", "Write a day such as 2030-01-31."));
    }
    PortalError::from_fields(fields)?;
    Ok(input)
}

/// Excepts a patch on a baseline.
#[server(name = GrantExceptionFn, prefix = "/api", endpoint = "patching/grant_exception", output = Json)]
pub(crate) async fn grant_exception(
    baseline_id: String,
    seen: String,
    #[server(default)] patch: Option<String>,
    #[server(default)] because: Option<String>,
    #[server(default)] control: Option<String>,
    #[server(default)] expires: Option<String>,
) -> Result<(), AppError> {
    call(|backend, actor| async move {
        let input = read(baseline_id, seen, patch, because, control, expires)?;
        backend.patching.grant_exception(&actor, input).await
    })
    .await?;
    redirect_to("/patching/exceptions?granted=1");
    Ok(())
}

/// Ends an exception before its day.
#[server(name = EndExceptionFn, prefix = "/api", endpoint = "patching/end_exception", output = Json)]
pub(crate) async fn end_exception(
    baseline_id: String,
    exception_id: String,
    #[server(default)] because: Option<String>,
) -> Result<(), AppError> {
    call(|backend, actor| async move {
        let input = EndException {
            baseline_id,
            exception_id,
            because: because.unwrap_or_default().trim().replace("\r\n", "\n"),
        };
        backend.patching.end_exception(&actor, input).await
    })
    .await?;
    redirect_to("/patching/exceptions?ended=1");
    Ok(())
}

/// Asks for a patch to be excepted.
#[server(name = AskException, prefix = "/api", endpoint = "patching/ask_exception", output = Json)]
pub(crate) async fn ask_exception(
    baseline_id: String,
    seen: String,
    #[server(default)] patch: Option<String>,
    #[server(default)] because: Option<String>,
    #[server(default)] control: Option<String>,
    #[server(default)] expires: Option<String>,
    #[server(default)] why: Option<String>,
    #[server(default)] ticket: Option<String>,
    #[server(default)] not_before: Option<String>,
    #[server(default)] glass: Option<String>,
    #[server(default)] understood: Option<String>,
) -> Result<RequestId, AppError> {
    let asking = AskFields {
        why,
        ticket,
        not_before,
        glass,
        understood,
    };
    let id = call(|backend, actor| async move {
        let exception = read(baseline_id, seen, patch, because, control, expires)?;
        let ask = asking.of(ProposedAct::GrantException { exception })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_meant_to_its_end() {
        let at = |text: &str| read_until(text).map(|at| at.rfc3339());
        assert_eq!(at("2030-01-31").as_deref(), Some("2030-01-31T23:59:59.000Z"));
        assert_eq!(
            at("2030-01-31T12:00:00Z").as_deref(),
            Some("2030-01-31T12:00:00.000Z")
        );
        assert_eq!(at("tomorrow"), None);
        let read = read("pb-1".into(), String::new(), None, None, None, None).unwrap_err();
        for field in ["patch", "because", "control", "expires"] {
            assert!(read.about(field).is_some(), "{field}");
        }
    }
}
