//! The server functions of the parameter pages. Thin: they read texts and ask the services.

// For the whole file: on an item it does not reach the functions that the macro makes of it.
#![expect(clippy::too_many_arguments, reason = "one argument per field of the form")]

#[cfg(feature = "ssr")]
use super::put_input::{PutFields, read_version};
#[cfg(feature = "ssr")]
use super::url::{Labelled, folder_path, labelled_path, read_folder, read_kind, read_tier, view_path};
#[cfg(feature = "ssr")]
use crate::backend::{call, redirect_to};
use crate::error::AppError;
#[cfg(feature = "ssr")]
use crate::url::keep;
use crate::wire::Json;
use leptos::prelude::*;
use muster_domain::parameters::{Comparison, ParameterDetail, ParameterPage, PutDone, Revealed};
#[cfg(feature = "ssr")]
use muster_domain::{
    PortalError,
    access::Password,
    paging::Cursor,
    parameters::{
        DeleteParameter, LabelVersion, NewValue, ParameterQuery, RevealParameter, TagParameter,
        UnlabelVersion, UntagParameter, folder_of, name_key,
    },
};

#[cfg(feature = "ssr")]
fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

/// Folders and parameters of a folder, or what matches below it.
#[server(prefix = "/api", endpoint = "parameters/list", output = Json)]
pub(crate) async fn list_parameters(
    #[server(default)] path: Option<String>,
    #[server(default)] text: Option<String>,
    #[server(default)] kind: Option<String>,
    #[server(default)] tier: Option<String>,
    #[server(default)] label: Option<String>,
    #[server(default)] cursor: Option<String>,
) -> Result<ParameterPage, AppError> {
    call(|backend, actor| async move {
        let mut problems = Vec::new();
        let path = keep(read_folder(path.as_deref().unwrap_or_default()), &mut problems);
        let kind = keep(read_kind(kind.as_deref().unwrap_or_default()), &mut problems);
        let tier = keep(read_tier(tier.as_deref().unwrap_or_default()), &mut problems);
        PortalError::from_fields(problems)?;
        let query = ParameterQuery {
            path,
            text: given(text).unwrap_or_default(),
            kind,
            tier,
            label: given(label).unwrap_or_default(),
            cursor: given(cursor).map(Cursor),
            limit: None,
        };
        backend.parameters.list(&actor, query).await
    })
    .await
}

/// One parameter.
#[server(prefix = "/api", endpoint = "parameters/get", output = Json)]
pub(crate) async fn get_parameter(name: String) -> Result<ParameterDetail, AppError> {
    call(|backend, actor| async move { backend.parameters.get(&actor, name).await }).await
}

/// What one version says against what another says.
#[server(prefix = "/api", endpoint = "parameters/compare", output = Json)]
pub(crate) async fn compare_versions(name: String, old: String, new: String) -> Result<Comparison, AppError> {
    call(|backend, actor| async move {
        let (old, new) = (read_version("old", &old)?, read_version("new", &new)?);
        backend.parameters.compare(&actor, name, old, new).await
    })
    .await
}

/// A secret, in the clear; the answer is the only place where it is.
#[server(name = RevealFn, prefix = "/api", endpoint = "parameters/reveal", output = Json)]
pub(crate) async fn reveal_parameter(
    name: String,
    password: String,
    #[server(default)] version: Option<String>,
    #[server(default)] request: Option<String>,
) -> Result<Revealed, AppError> {
    call(|backend, actor| async move {
        let version = match given(version) {
            None => None,
            Some(text) => Some(read_version("version", &text)?),
        };
        let input = RevealParameter {
            name,
            version,
            password: Password(password),
            request: given(request).map(|id| id.as_str().into()),
        };
        backend.parameters.reveal(&actor, input).await
    })
    .await
}

#[cfg(feature = "ssr")]
fn to_page(done: &PutDone) {
    let unseen = if done.replaced_unseen { "&unseen=1" } else { "" };
    redirect_to(&format!(
        "{}&saved={}{unseen}",
        view_path(&done.name),
        done.version
    ));
}

/// Makes a parameter, or a new version of one.
#[server(name = PutFn, prefix = "/api", endpoint = "parameters/put", output = Json)]
pub(crate) async fn put_parameter(
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
) -> Result<PutDone, AppError> {
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
    let done =
        call(|backend, actor| async move { backend.parameters.put(&actor, fields.read()?).await }).await?;
    to_page(&done);
    Ok(done)
}

/// Writes the value of an earlier version as a new one; all else stays as it is.
#[server(name = RestoreFn, prefix = "/api", endpoint = "parameters/restore", output = Json)]
pub(crate) async fn restore_version(
    name: String,
    kind: String,
    version: String,
    replaces: String,
) -> Result<PutDone, AppError> {
    let done = call(|backend, actor| async move {
        let version = read_version("version", &version)?;
        let mut input = PutFields::kept(name, kind, replaces).read()?;
        input.value = NewValue::Version { version };
        backend.parameters.put(&actor, input).await
    })
    .await?;
    to_page(&done);
    Ok(done)
}

/// Deletes a parameter with all of its versions.
#[server(name = DeleteFn, prefix = "/api", endpoint = "parameters/delete", output = Json)]
pub(crate) async fn delete_parameter(
    name: String,
    version: String,
    #[server(default)] confirmation: Option<String>,
) -> Result<(), AppError> {
    let folder = folder_path(folder_of(name_key(&name)));
    call(|backend, actor| async move {
        let input = DeleteParameter {
            version: read_version("version", &version)?,
            name,
            confirmation: confirmation.unwrap_or_default(),
        };
        backend.parameters.delete(&actor, input).await
    })
    .await?;
    redirect_to(&folder);
    Ok(())
}

/// The labels in a field.
#[cfg(feature = "ssr")]
pub(super) fn read_labels(text: &str) -> Vec<String> {
    text.split([',', ' '])
        .map(str::trim)
        .filter(|label| !label.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// Gives a version labels, wherever these were.
#[server(name = LabelFn, prefix = "/api", endpoint = "parameters/label", output = Json)]
pub(crate) async fn label_version(name: String, version: String, labels: String) -> Result<(), AppError> {
    let back = labelled_path(&name, Labelled::Set);
    call(|backend, actor| async move {
        let input = LabelVersion {
            name,
            version: read_version("version", &version)?,
            labels: read_labels(&labels),
        };
        backend.parameters.label(&actor, input).await
    })
    .await?;
    redirect_to(&back);
    Ok(())
}

/// Takes a label from a version.
#[server(name = UnlabelFn, prefix = "/api", endpoint = "parameters/unlabel", output = Json)]
pub(crate) async fn unlabel_version(name: String, version: String, label: String) -> Result<(), AppError> {
    let back = labelled_path(&name, Labelled::Taken);
    call(|backend, actor| async move {
        let input = UnlabelVersion {
            name,
            version: read_version("version", &version)?,
            label: label.trim().to_owned(),
        };
        backend.parameters.unlabel(&actor, input).await
    })
    .await?;
    redirect_to(&back);
    Ok(())
}

/// Sets a tag.
#[server(name = TagFn, prefix = "/api", endpoint = "parameters/tag", output = Json)]
pub(crate) async fn tag_parameter(
    name: String,
    key: String,
    #[server(default)] value: Option<String>,
) -> Result<(), AppError> {
    call(|backend, actor| async move {
        let input = TagParameter {
            name,
            key: key.trim().to_owned(),
            value: value.unwrap_or_default().trim().to_owned(),
        };
        backend.parameters.tag(&actor, input).await
    })
    .await
}

/// Removes a tag.
#[server(name = UntagFn, prefix = "/api", endpoint = "parameters/untag", output = Json)]
pub(crate) async fn untag_parameter(name: String, key: String) -> Result<(), AppError> {
    call(|backend, actor| async move {
        backend
            .parameters
            .untag(&actor, UntagParameter { name, key })
            .await
    })
    .await
}
