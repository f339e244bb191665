//! The server functions of deployments. One changes an application, whatever is changed of it; one deploys and rolls back, and
//! one asks for that to be approved: all forms send the fields that they have.

// For the whole file: on an item it does not reach the functions that the macro makes of it.
#![expect(clippy::too_many_arguments, reason = "one argument per field of the forms")]

#[cfg(feature = "ssr")]
use super::input::{ChangeFields, DeployFields, given, read_state, text};
#[cfg(feature = "ssr")]
use super::url::{release_path, run_path, saved_path};
use crate::error::AppError;
use crate::wire::Json;
#[cfg(feature = "ssr")]
use crate::{
    approvals::{AskFields, to_request},
    backend::{call, redirect_to},
};
use leptos::prelude::*;
use muster_domain::deployments::{
    ApplicationDetail, ApplicationPage, DeployPreview, DeploymentDetail, DeploymentSummary, ReleaseDetail,
    ReleaseSummary,
};
#[cfg(feature = "ssr")]
use muster_domain::deployments::{
    ApplicationQuery, CreateRelease, DeploymentQuery, ReleaseQuery, read_parameters,
};
use muster_domain::ids::{ApplicationId, DeploymentId, ReleaseId, RequestId};
use muster_domain::paging::Page;
#[cfg(feature = "ssr")]
use muster_domain::{PortalError, approvals::ProposedAct, paging::Cursor};

/// Applications, by name, with what runs where.
#[server(prefix = "/api", endpoint = "deployments/list", output = Json)]
pub(crate) async fn list_applications(
    #[server(default)] text: Option<String>,
    #[server(default)] cursor: Option<String>,
) -> Result<ApplicationPage, AppError> {
    call(|backend, actor| async move {
        let query = ApplicationQuery {
            text: given(text).unwrap_or_default(),
            cursor: given(cursor).map(Cursor),
            limit: None,
        };
        backend.deployments.list(&actor, query).await
    })
    .await
}

/// One application.
#[server(prefix = "/api", endpoint = "deployments/application", output = Json)]
pub(crate) async fn get_application(application_id: String) -> Result<ApplicationDetail, AppError> {
    call(|backend, actor| async move {
        backend
            .deployments
            .application(&actor, application_id.as_str().into())
            .await
    })
    .await
}

/// Makes, changes or deletes an application, and goes to its page.
#[server(name = ChangeFn, prefix = "/api", endpoint = "deployments/change", output = Json)]
pub(crate) async fn change_application(
    what: String,
    #[server(default)] application_id: Option<String>,
    #[server(default)] seen: Option<String>,
    #[server(default)] confirmation: Option<String>,
    #[server(default)] name: Option<String>,
    #[server(default)] description: Option<String>,
    #[server(default)] document: Option<String>,
    #[server(default)] version_parameter: Option<String>,
    #[server(default)] previous_parameter: Option<String>,
    #[server(default)] artefact_parameter: Option<String>,
    #[server(default)] sha256_parameter: Option<String>,
    #[server(default)] parameters: Option<String>,
    #[server(default)] environments: Option<String>,
    #[server(default)] environment: Option<String>,
    #[server(default)] environment_name: Option<String>,
    #[server(default)] filter: Option<String>,
    #[server(default)] place: Option<String>,
    #[server(default)] max_concurrency: Option<String>,
    #[server(default)] max_errors: Option<String>,
) -> Result<ApplicationId, AppError> {
    let fields = ChangeFields {
        what,
        application_id,
        seen,
        confirmation,
        name,
        description,
        document,
        version_parameter,
        previous_parameter,
        artefact_parameter,
        sha256_parameter,
        parameters,
        environments,
        environment,
        environment_name,
        filter,
        place,
        max_concurrency,
        max_errors,
    };
    let what = fields.what.clone();
    let id = call(|backend, actor| async move { backend.deployments.change(&actor, fields.read()?).await })
        .await?;
    redirect_to(&saved_path(&what, id.as_str()));
    Ok(id)
}

/// Releases of an application, newest first.
#[server(prefix = "/api", endpoint = "deployments/releases", output = Json)]
pub(crate) async fn list_releases(
    application_id: String,
    #[server(default)] text: Option<String>,
    #[server(default)] cursor: Option<String>,
) -> Result<Page<ReleaseSummary>, AppError> {
    call(|backend, actor| async move {
        let query = ReleaseQuery {
            application: application_id.as_str().into(),
            text: given(text).unwrap_or_default(),
            cursor: given(cursor).map(Cursor),
            limit: None,
        };
        backend.deployments.releases(&actor, query).await
    })
    .await
}

/// One release.
#[server(prefix = "/api", endpoint = "deployments/release", output = Json)]
pub(crate) async fn get_release(release_id: String) -> Result<ReleaseDetail, AppError> {
    call(|backend, actor| async move {
        backend
            .deployments
            .release(&actor, release_id.as_str().into())
            .await
    })
    .await
}

/// Writes a release down, and goes to its page.
#[server(name = CreateReleaseFn, prefix = "/api", endpoint = "deployments/create_release", output = Json)]
pub(crate) async fn create_release(
    application_id: String,
    #[server(default)] version: Option<String>,
    #[server(default)] notes: Option<String>,
    #[server(default)] artefact: Option<String>,
    #[server(default)] sha256: Option<String>,
    #[server(default)] parameters: Option<String>,
) -> Result<ReleaseId, AppError> {
    let application = application_id.clone();
    let id = call(|backend, actor| async move {
        let input = CreateRelease {
            application: application_id.as_str().into(),
            version: text(version.as_ref()),
            notes: text(notes.as_ref()),
            artefact: text(artefact.as_ref()),
            sha256: text(sha256.as_ref()),
            parameters: read_parameters(&text(parameters.as_ref())).map_err(|problem| {
                PortalError::Invalid {
                    fields: vec![problem],
                }
            })?,
        };
        backend.deployments.create_release(&actor, input).await
    })
    .await?;
    redirect_to(&release_path(&application, id.as_str()));
    Ok(id)
}

/// Releases that an environment can be rolled back to.
#[server(prefix = "/api", endpoint = "deployments/earlier", output = Json)]
pub(crate) async fn earlier_releases(
    application_id: String,
    environment: String,
) -> Result<Vec<ReleaseSummary>, AppError> {
    call(|backend, actor| async move {
        backend
            .deployments
            .earlier(&actor, application_id.as_str().into(), environment)
            .await
    })
    .await
}

/// What a deployment would do, now.
#[server(prefix = "/api", endpoint = "deployments/preview", output = Json)]
pub(crate) async fn preview_deployment(
    application_id: String,
    #[server(default)] environment: Option<String>,
    #[server(default)] release: Option<String>,
    #[server(default)] kind: Option<String>,
) -> Result<DeployPreview, AppError> {
    call(|backend, actor| async move {
        let fields = DeployFields {
            application_id,
            environment,
            release,
            kind,
            ..DeployFields::default()
        };
        backend.deployments.preview(&actor, fields.read()?).await
    })
    .await
}

/// Deploys a release or rolls back to one, and goes to the page of that.
#[server(name = DeployFn, prefix = "/api", endpoint = "deployments/deploy", output = Json)]
pub(crate) async fn deploy_release(
    application_id: String,
    #[server(default)] environment: Option<String>,
    #[server(default)] release: Option<String>,
    #[server(default)] kind: Option<String>,
    #[server(default)] reason: Option<String>,
    #[server(default)] deployment_ticket: Option<String>,
    #[server(default)] confirmed_nodes: Option<String>,
) -> Result<DeploymentId, AppError> {
    let fields = DeployFields {
        application_id: application_id.clone(),
        environment,
        release,
        kind,
        reason,
        deployment_ticket,
        confirmed_nodes,
    };
    let id = call(|backend, actor| async move { backend.deployments.deploy(&actor, fields.read()?).await })
        .await?;
    redirect_to(&run_path(&application_id, id.as_str()));
    Ok(id)
}

/// Asks for a deployment or a rollback to be approved.
#[server(name = AskDeployment, prefix = "/api", endpoint = "deployments/ask", output = Json)]
pub(crate) async fn ask_deployment(
    application_id: String,
    #[server(default)] environment: Option<String>,
    #[server(default)] release: Option<String>,
    #[server(default)] kind: Option<String>,
    #[server(default)] reason: Option<String>,
    #[server(default)] deployment_ticket: Option<String>,
    #[server(default)] confirmed_nodes: Option<String>,
    #[server(default)] why: Option<String>,
    #[server(default)] ticket: Option<String>,
    #[server(default)] not_before: Option<String>,
    #[server(default)] glass: Option<String>,
    #[server(default)] understood: Option<String>,
) -> Result<RequestId, AppError> {
    // What the deployment is for is why it is asked for, unless something else is said there.
    let asking = AskFields {
        why: given(why).or_else(|| reason.clone()),
        ticket: given(ticket).or_else(|| deployment_ticket.clone()),
        not_before,
        glass,
        understood,
    };
    let fields = DeployFields {
        application_id,
        environment,
        release,
        kind,
        reason,
        deployment_ticket,
        confirmed_nodes,
    };
    let id = call(|backend, actor| async move {
        let ask = asking.of(ProposedAct::Deployment {
            deployment: fields.read()?,
        })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}

/// Deployments of an application, newest first.
#[server(prefix = "/api", endpoint = "deployments/history", output = Json)]
pub(crate) async fn list_deployments(
    application_id: String,
    #[server(default)] environment: Option<String>,
    #[server(default)] state: Option<String>,
    #[server(default)] text: Option<String>,
    #[server(default)] cursor: Option<String>,
) -> Result<Page<DeploymentSummary>, AppError> {
    call(|backend, actor| async move {
        let state =
            read_state(state.as_deref().unwrap_or_default()).map_err(|problem| PortalError::Invalid {
                fields: vec![problem],
            })?;
        let query = DeploymentQuery {
            application: application_id.as_str().into(),
            environment: given(environment).unwrap_or_default(),
            state,
            text: given(text).unwrap_or_default(),
            cursor: given(cursor).map(Cursor),
            limit: None,
        };
        backend.deployments.history(&actor, query).await
    })
    .await
}

/// One deployment.
#[server(prefix = "/api", endpoint = "deployments/deployment", output = Json)]
pub(crate) async fn get_deployment(deployment_id: String) -> Result<DeploymentDetail, AppError> {
    call(|backend, actor| async move {
        backend
            .deployments
            .deployment(&actor, deployment_id.as_str().into())
            .await
    })
    .await
}
