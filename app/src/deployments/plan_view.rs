//! What a request for a deployment would do, for those who decide on it: which release goes where, what it replaces, and in what
//! it differs from what runs.

use super::url::{application_path, release_path, run_path};
use crate::components::{Fact, TimeAgo};
use leptos::prelude::*;
use muster_domain::deployments::{DeploymentKind, PlannedDeployment};

/// What differs, as a list; says so where nothing does.
#[component]
pub(super) fn Changes(changes: Vec<String>, #[prop(into)] otherwise: String) -> impl IntoView {
    if changes.is_empty() {
        return view! { <p class="muted">{otherwise}</p> }.into_any();
    }
    view! {
        <ul class="deployment-changes" data-changes="">
            {changes.into_iter().map(|one| view! { <li class="break-anywhere">{one}</li> }).collect_view()}
        </ul>
    }
    .into_any()
}

/// The facts, but for parameters and rates.
#[component]
pub(crate) fn WillDeploy(planned: PlannedDeployment) -> impl IntoView {
    let application = planned.application_id.to_string();
    let otherwise = if planned.replaces.is_none() {
        "Nothing was deployed there before."
    } else {
        "Nothing but the version."
    };
    let replaces = match planned.replaces {
        Some((id, version)) => view! { <a href=run_path(&application, id.as_str())>{version}</a> }.into_any(),
        None => view! { <span class="muted">"nothing"</span> }.into_any(),
    };
    let release = planned.release;
    let content = release.content;
    let (about, shown) = (
        application_path(&application),
        release_path(&application, release.release_id.as_str()),
    );
    view! {
        {(planned.kind == DeploymentKind::RollBack)
            .then(|| view! { <Fact label="Kind"><strong data-kind="roll_back">"Rollback"</strong></Fact> })}
        <Fact label="Application">
            <a class="break-anywhere" href=about>
                {planned.application}
            </a>
        </Fact>
        <Fact label="Environment">{planned.environment}</Fact>
        <Fact label="Release">
            <a class="break-anywhere" href=shown>
                {release.version}
            </a>
            {format!(" (number {}), by {} ", release.number, release.created_by)}
            <TimeAgo at=release.created_at />
        </Fact>
        <Fact label="What is in it">
            <span class="prose break-anywhere">{release.notes}</span>
        </Fact>
        <Fact label="Replaces">
            {replaces}
        </Fact>
        <Fact label="Differs in">
            <Changes changes=planned.changes otherwise />
        </Fact>
        {(!planned.stops.is_empty())
            .then(|| view! { <Fact label="Stops">{format!("the application, in {}", planned.stops.join(", "))}</Fact> })}
        {(!content.artefact.is_empty())
            .then(|| view! { <Fact label="Artefact"><span class="mono break-anywhere">{content.artefact}</span></Fact> })}
        {(!content.sha256.is_empty())
            .then(|| view! { <Fact label="SHA-256"><span class="mono break-anywhere">{content.sha256}</span></Fact> })}
        <Fact label="Document">
            <span class="mono">{content.document}</span>
            {format!(" version {} ", content.document_version)}
            <span class="mono muted small-text" title=format!("SHA-256 {}", planned.document_sha256)>
                {planned.document_sha256.chars().take(12).collect::<String>()}
            </span>
            {(content.content_hash != planned.document_sha256)
                .then(|| view! { <strong>" – another text than when the release was made"</strong> })}
        </Fact>
    }
}
