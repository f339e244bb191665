//! The server functions that ask for approval of an act on a parameter, with all fields of the form that was refused. Each
//! leads to the page of the request.

// For the whole file: on an item it does not reach the functions that the macro makes of it.
#![expect(clippy::too_many_arguments, reason = "one argument per field of the form")]

#[cfg(feature = "ssr")]
use super::{
    api::read_labels,
    put_input::{PutFields, read_version},
};
use crate::error::AppError;
use crate::wire::Json;
#[cfg(feature = "ssr")]
use crate::{
    approvals::{AskFields, to_request},
    backend::call,
};
use leptos::prelude::*;
use muster_domain::ids::RequestId;
#[cfg(feature = "ssr")]
use muster_domain::{
    approvals::ProposedAct,
    parameters::{DeleteParameter, LabelVersion, NewValue, UnlabelVersion},
};

/// Asks for a parameter to be written.
#[server(name = AskPut, prefix = "/api", endpoint = "parameters/ask_put", output = Json)]
pub(crate) async fn ask_put(
    name: String,
    kind: String,
    #[server(default)] replaces: Option<String>,
    #[server(default)] value: Option<String>,
    #[server(default)] secret_value: Option<String>,
    #[server(default)] tier: Option<String>,
    #[server(default)] data_type: Option<String>,
    #[server(default)] key_id: Option<String>,
    #[server(default)] description: Option<String>,
    #[server(default)] allowed_pattern: Option<String>,
    #[server(default)] policies: Option<String>,
    #[server(default)] why: Option<String>,
    #[server(default)] ticket: Option<String>,
    #[server(default)] not_before: Option<String>,
    #[server(default)] glass: Option<String>,
    #[server(default)] understood: Option<String>,
) -> Result<RequestId, AppError> {
    let fields = PutFields {
        name,
        kind,
        replaces,
        value,
        secret_value,
        tier,
        data_type,
        key_id,
        description,
        allowed_pattern,
        policies,
    };
    let asking = AskFields {
        why,
        ticket,
        not_before,
        glass,
        understood,
    };
    let id = call(|backend, actor| async move {
        let parameter = fields.read()?;
        let ask = asking.of(ProposedAct::PutParameter { parameter })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}

/// Asks for an earlier version to be restored.
#[server(name = AskRestore, prefix = "/api", endpoint = "parameters/ask_restore", output = Json)]
pub(crate) async fn ask_restore(
    name: String,
    kind: String,
    version: String,
    replaces: String,
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
        let version = read_version("version", &version)?;
        let mut parameter = PutFields::kept(name, kind, replaces).read()?;
        parameter.value = NewValue::Version { version };
        let ask = asking.of(ProposedAct::PutParameter { parameter })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}

/// Asks for a parameter to be deleted.
#[server(name = AskDelete, prefix = "/api", endpoint = "parameters/ask_delete", output = Json)]
pub(crate) async fn ask_delete(
    name: String,
    version: String,
    #[server(default)] confirmation: Option<String>,
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
        let input = DeleteParameter {
            version: read_version("version", &version)?,
            name,
            confirmation: confirmation.unwrap_or_default(),
        };
        input.check()?;
        let (name, version) = (input.name, input.version);
        let ask = asking.of(ProposedAct::DeleteParameter { name, version })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}

/// Asks to see a secret, once.
#[server(name = AskReveal, prefix = "/api", endpoint = "parameters/ask_reveal", output = Json)]
pub(crate) async fn ask_reveal(
    name: String,
    #[server(default)] version: Option<String>,
    #[server(default)] why: Option<String>,
    #[server(default)] ticket: Option<String>,
    #[server(default)] glass: Option<String>,
    #[server(default)] understood: Option<String>,
) -> Result<RequestId, AppError> {
    // Looked at by hand, so it has no time of its own.
    let asking = AskFields {
        why,
        ticket,
        not_before: None,
        glass,
        understood,
    };
    let id = call(|backend, actor| async move {
        let version = match version.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => Some(read_version("version", text)?),
        };
        let ask = asking.of(ProposedAct::RevealParameter { name, version })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}

/// Asks for a version to get labels.
#[server(name = AskLabel, prefix = "/api", endpoint = "parameters/ask_label", output = Json)]
pub(crate) async fn ask_label(
    name: String,
    version: String,
    #[server(default)] labels: Option<String>,
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
        let label = LabelVersion {
            name,
            version: read_version("version", &version)?,
            labels: read_labels(&labels.unwrap_or_default()),
        };
        let ask = asking.of(ProposedAct::LabelParameter { label })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}

/// Asks for a version to lose a label.
#[server(name = AskUnlabel, prefix = "/api", endpoint = "parameters/ask_unlabel", output = Json)]
pub(crate) async fn ask_unlabel(
    name: String,
    version: String,
    label: String,
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
        let label = UnlabelVersion {
            name,
            version: read_version("version", &version)?,
            label: label.trim().to_owned(),
        };
        let ask = asking.of(ProposedAct::UnlabelParameter { label })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}
