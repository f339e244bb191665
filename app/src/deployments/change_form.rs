//! The form around every change of an application: it carries along the revision that was looked at, and says what is wrong.

use super::api::ChangeFn;
use super::url::application_path;
use crate::components::{FormError, SubmitButton, TextArea, TextField, Tone};
use crate::error::{AppError, action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::PortalError;
use muster_domain::deployments::{ApplicationSettings, Environment, USUAL_RUNBOOK, parameter_lines};
use std::collections::BTreeMap;

/// The fields of a form, made from what is wrong with them.
pub(super) type Fields = Box<dyn FnOnce(Signal<Option<AppError>>) -> AnyView + Send>;

/// The form.
#[component]
pub(super) fn ChangeForm(
    /// What is done, in the words of the server function.
    what: &'static str,
    /// With which application, in which revision; none where one is made.
    about: Option<(String, i64)>,
    #[prop(into)] title: String,
    #[prop(into)] submit: String,
    /// Whether something goes that nothing brings back.
    #[prop(optional)]
    is_danger: bool,
    fields: Fields,
) -> impl IntoView {
    keep_fields::<ChangeFn>();
    let change = ServerAction::<ChangeFn>::new();
    let error = action_error(change);
    let back = about
        .as_ref()
        .map_or_else(|| "/deployments".to_owned(), |(id, _)| application_path(id));
    let again = StoredValue::new(about.as_ref().map(|(id, _)| application_path(id)));
    let is_overtaken =
        move || error.with(|error| matches!(error, Some(AppError::Portal(PortalError::Conflict { .. }))));
    let hidden = about.map(|(id, revision)| {
        view! {
            <input type="hidden" name="application_id" value=id />
            <input type="hidden" name="seen" value=revision.to_string() />
        }
    });
    let (class, tone) = if is_danger {
        ("card danger-card", Tone::Danger)
    } else {
        ("card", Tone::Primary)
    };
    view! {
        <section class=class aria-labelledby="change-title">
            <header>
                <h2 id="change-title">{title}</h2>
            </header>
            <div class="card-body">
                <ActionForm action=change attr:class="form wide" attr:novalidate="">
                    <FormError error />
                    {move || {
                        again
                            .get_value()
                            .filter(|_| is_overtaken())
                            .map(|href| {
                                view! {
                                    <p class="small-text" data-overtaken="">
                                        "What you typed is still here. "
                                        <a href=href target="_blank" rel="external noopener">
                                            "Look at the application in another tab"
                                        </a>
                                        ", then open this form again."
                                    </p>
                                }
                            })
                    }}
                    <input type="hidden" name="what" value=what />
                    {hidden}
                    {fields(error)}
                    <div class="row">
                        <SubmitButton tone pending=change.pending()>
                            {submit}
                        </SubmitButton>
                        <a class="btn quiet" href=back data-escape="" data-noscroll="">
                            "Cancel"
                        </a>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}

/// What a new application begins with.
pub(super) fn usual() -> ApplicationSettings {
    ApplicationSettings {
        document: USUAL_RUNBOOK.into(),
        version_parameter: "Version".into(),
        artefact_parameter: "Source".into(),
        sha256_parameter: "Sha256".into(),
        parameters: BTreeMap::from(
            [
                ("ApplicationName", ""),
                ("Source", ""),
                ("Folder", ""),
                ("HealthCheckUrl", ""),
            ]
            .map(|(name, value)| (name.to_owned(), vec![value.to_owned()])),
        ),
        ..ApplicationSettings::default()
    }
}

/// Parameters as lines.
#[component]
fn Parameters(
    parameters: BTreeMap<String, Vec<String>>,
    #[prop(into)] label: String,
    #[prop(into)] hint: String,
    error: Signal<Option<AppError>>,
) -> impl IntoView {
    view! {
        <TextArea
            name="parameters"
            label
            rows=6
            mono=true
            value=parameter_lines(&parameters)
            hint
            error=field_error(error, "parameters")
        />
    }
}

/// The fields of an application.
#[component]
pub(super) fn SettingsFields(
    settings: ApplicationSettings,
    /// Whether it is made: then its environments are named, too.
    is_new: bool,
    error: Signal<Option<AppError>>,
) -> impl IntoView {
    view! {
        <div class="form-row">
            <TextField
                name="name"
                label="Name"
                value=settings.name
                hint="As in the tag Application of its nodes."
                required=true
                error=field_error(error, "name")
            />
            <TextField
                name="description"
                label="Description (optional)"
                value=settings.description
                error=field_error(error, "description")
            />
        </div>
        {is_new
            .then(|| {
                view! {
                    <TextArea
                        name="environments"
                        label="Environments"
                        rows=3
                        value="Staging\nProduction"
                        hint="One on each line, in their order. Each finds its nodes by the tags Application and Environment; that can be changed afterwards."
                        error=field_error(error, "environments")
                    />
                }
            })}
        <TextField
            name="document"
            label="Runbook that deploys it"
            value=settings.document
            hint="Releases keep the version of it that is the default when they are made."
            required=true
            error=field_error(error, "document")
        />
        <div class="form-row">
            <TextField
                name="version_parameter"
                label="Its parameter for the version"
                value=settings.version_parameter
                required=true
                error=field_error(error, "version_parameter")
            />
            <TextField
                name="previous_parameter"
                label="… for the version before (optional)"
                value=settings.previous_parameter
                placeholder="RollbackVersion"
                error=field_error(error, "previous_parameter")
            />
        </div>
        <div class="form-row">
            <TextField
                name="artefact_parameter"
                label="… for the artefact's address (optional)"
                value=settings.artefact_parameter
                error=field_error(error, "artefact_parameter")
            />
            <TextField
                name="sha256_parameter"
                label="… for its SHA-256 (optional)"
                value=settings.sha256_parameter
                error=field_error(error, "sha256_parameter")
            />
        </div>
        <Parameters
            parameters=settings.parameters
            label="What the runbook is given each time"
            hint="Name=value, each on its line; a name that stands there again has several values. No secrets: write {{ssm-secure:/its/name}}."
            error
        />
    }
}

/// The fields of an environment.
#[component]
pub(super) fn EnvironmentFields(
    environment: Environment,
    place: usize,
    error: Signal<Option<AppError>>,
) -> impl IntoView {
    let was = environment.name.clone();
    let or = |text: String, otherwise: &str| {
        if text.is_empty() {
            otherwise.to_owned()
        } else {
            text
        }
    };
    view! {
        <input type="hidden" name="environment" value=was />
        <div class="form-row">
            <TextField
                name="environment_name"
                label="Name"
                value=environment.name
                hint="By its name it is known: under another one nothing was deployed there yet."
                required=true
                error=field_error(error, "environment_name")
            />
            <TextField
                name="place"
                label="Place"
                value=place.to_string()
                hint="Among the others, from 1."
                error=field_error(error, "place")
            />
        </div>
        <TextField
            name="filter"
            label="Nodes (optional)"
            value=environment.filter
            placeholder="tag:Application=web;tag:Environment=Staging"
            hint="A filter as on the page of the fleet. Empty finds those with the tags Application and Environment."
            error=field_error(error, "filter")
        />
        <div class="form-row">
            <TextField
                name="max_concurrency"
                label="At most at once"
                value=or(environment.max_concurrency, "1")
                hint="Where the runbook has one execution for each node: a number or a percentage."
                error=field_error(error, "max_concurrency")
            />
            <TextField
                name="max_errors"
                label="Stop after errors"
                value=or(environment.max_errors, "0")
                hint="The same. 0 stops at the first."
                error=field_error(error, "max_errors")
            />
        </div>
        <Parameters
            parameters=environment.parameters
            label="What the runbook is given here (optional)"
            hint="Name=value, each on its line. This goes before what the application and the release say, but for what the release is."
            error
        />
    }
}
