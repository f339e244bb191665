//! The server functions of templates: filled forms that start runbooks.

// For the whole file: on an item it does not reach the functions that the macro makes of it.
#![expect(clippy::too_many_arguments, reason = "one argument per field of the form")]

use super::catalogue_url::runbook_path;
use crate::error::AppError;
use crate::url::address;
use crate::wire::Json;
#[cfg(feature = "ssr")]
use crate::{
    backend::{call, redirect_to},
    runbooks::StartFields,
};
use leptos::prelude::*;
use muster_domain::ids::TemplateId;
#[cfg(feature = "ssr")]
use muster_domain::runbooks::{RenameTemplate, SaveTemplate};
use muster_domain::runbooks::{SavedTemplate, TemplateRow};
use std::collections::BTreeMap;

/// The page of a template: the form that it fills in.
pub(super) fn template_path(document: &str, id: &str) -> String {
    address(
        &format!("{}/start", runbook_path(document)),
        [("template", id.to_owned())],
    )
}

/// One's own and shared templates; those of one runbook, or of all.
#[server(prefix = "/api", endpoint = "runbooks/templates", output = Json)]
pub(crate) async fn list_templates(
    #[server(default)] document: Option<String>,
) -> Result<Vec<TemplateRow>, AppError> {
    call(|backend, actor| async move {
        let document = document.filter(|name| !name.trim().is_empty());
        backend.templates.templates(&actor, document).await
    })
    .await
}

/// One template, with what it fills in.
#[server(prefix = "/api", endpoint = "runbooks/template", output = Json)]
pub(crate) async fn open_template(template_id: String) -> Result<SavedTemplate, AppError> {
    call(|backend, actor| async move {
        backend
            .templates
            .template(&actor, template_id.as_str().into())
            .await
    })
    .await
}

/// Keeps the form that starts a runbook as a template, and goes to the form as it was kept.
#[server(name = SaveTemplateFn, prefix = "/api", endpoint = "runbooks/save_template")]
pub(crate) async fn save_template(
    document: String,
    #[server(default)] version: Option<String>,
    #[server(default)] parameters: BTreeMap<String, String>,
    #[server(default)] nodes: Option<String>,
    #[server(default)] filter: Option<String>,
    #[server(default)] all: Option<bool>,
    #[server(default)] max_concurrency: Option<String>,
    #[server(default)] max_errors: Option<String>,
    #[server(default)] reason: Option<String>,
    #[server(default)] template_name: Option<String>,
    #[server(default)] template_shared: Option<bool>,
    #[server(default)] template_replace: Option<bool>,
    #[server(default)] template_default_version: Option<bool>,
) -> Result<TemplateId, AppError> {
    let path = document.clone();
    // With the default version it starts whatever that is then.
    let version = version.filter(|_| template_default_version != Some(true));
    let form = StartFields {
        document,
        version,
        parameters,
        nodes,
        filter,
        all,
        max_concurrency,
        max_errors,
        reason,
        confirmed_nodes: None,
    };
    let id = call(|backend, actor| async move {
        let input = SaveTemplate {
            name: template_name.unwrap_or_default(),
            shared: template_shared.unwrap_or(false),
            replace: template_replace.unwrap_or(false),
            input: form.read_unfinished(&backend, &actor).await?,
        };
        backend.templates.save_template(&actor, input).await
    })
    .await?;
    redirect_to(&template_path(path.trim(), id.as_str()));
    Ok(id)
}

/// Gives a template another name.
#[server(name = RenameTemplateFn, prefix = "/api", endpoint = "runbooks/rename_template", output = Json)]
pub(crate) async fn rename_template(template_id: String, template_name: String) -> Result<(), AppError> {
    call(|backend, actor| async move {
        let input = RenameTemplate {
            id: template_id.as_str().into(),
            name: template_name,
        };
        backend.templates.rename_template(&actor, input).await
    })
    .await
}

/// Deletes a template.
#[server(name = DeleteTemplateFn, prefix = "/api", endpoint = "runbooks/delete_template", output = Json)]
pub(crate) async fn delete_template(template_id: String) -> Result<(), AppError> {
    call(|backend, actor| async move {
        backend
            .templates
            .delete_template(&actor, template_id.as_str().into())
            .await
    })
    .await
}
