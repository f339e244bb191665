//! The versions of a parameter: who wrote each and when, labels, what is different, and bringing one back.

use super::rows::who;
use super::url::{compare_path, restore_path};
use super::view_page::Changes;
use crate::components::{FormError, Glyph, Icon, SelectField, SubmitButton, TextField, TimeAgo, plural};
use crate::error::{action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::parameters::{ParameterDetail, ParameterVersion};

/// The card.
#[component]
pub(super) fn VersionsCard(detail: ParameterDetail, changes: Changes) -> impl IntoView {
    let Ok(live) = detail.live else {
        return ().into_any();
    };
    let name = detail.summary.name;
    let newest = live.versions.first().map_or(0, |one| one.version);
    let count = live.versions.len();
    let may = detail.may_put;
    let before: Vec<Option<i64>> = (0..count)
        .map(|at| live.versions.get(at + 1).map(|one| one.version))
        .collect();
    let options = live
        .versions
        .iter()
        .map(|one| (one.version.to_string(), format!("Version {}", one.version)))
        .collect();
    let labelled = name.clone();
    view! {
        <section class="card" id="versions" aria-labelledby="versions-title">
            <header>
                <h2 id="versions-title">"Versions"</h2>
                <span class="aside">{plural(count as u64, "version is kept", "versions are kept")}", 100 at most"</span>
            </header>
            <div class="table-scroll" role="region" aria-label="Table of versions" tabindex="0">
                <table class="parameter-versions">
                    <thead>
                        <tr>
                            <th scope="col">"Version"</th>
                            <th scope="col">"Written"</th>
                            <th scope="col">"Labels"</th>
                            <th scope="col">
                                <span class="visually-hidden">"Acts"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>
                        {live
                            .versions
                            .into_iter()
                            .zip(before)
                            .map(|(one, before)| {
                                view! { <Line one before newest name=name.clone() may changes /> }
                            })
                            .collect_view()}
                    </tbody>
                </table>
            </div>
            {may.then(|| view! { <LabelForm name=labelled options changes /> })}
        </section>
    }
    .into_any()
}

#[component]
fn Line(
    one: ParameterVersion,
    /// The version before it, while that is kept.
    before: Option<i64>,
    newest: i64,
    name: String,
    may: bool,
    changes: Changes,
) -> impl IntoView {
    let version = one.version;
    let labels = one.labels;
    let of = name.clone();
    view! {
        <tr data-version=version.to_string()>
            <td class="mono">
                {version}
                {(version == newest).then(|| view! { " " <span class="tag">"newest"</span> })}
            </td>
            <td>
                <div class="two-lines">
                    {one.modified_at.map(|at| view! { <TimeAgo at /> })}
                    <small title=one.modified_by.clone()>{who(&one.modified_by)}</small>
                </div>
            </td>
            <td>
                <span class="tag-list">
                    {labels
                        .into_iter()
                        .map(|label| {
                            let (name, shown, marked) = (of.clone(), label.clone(), label.clone());
                            view! {
                                <span class="tag" data-label=marked>
                                    {shown}
                                    {may
                                        .then(|| {
                                            let says = format!("Take the label {label} from version {version}");
                                            view! {
                                                <ActionForm action=changes.unlabel attr:class="label-away">
                                                    <input type="hidden" name="name" value=name />
                                                    <input type="hidden" name="version" value=version.to_string() />
                                                    <input type="hidden" name="label" value=label />
                                                    <button type="submit" class="label-cross" aria-label=says.clone() title=says>
                                                        <Icon glyph=Glyph::Cross />
                                                    </button>
                                                </ActionForm>
                                            }
                                        })}
                                </span>
                            }
                        })
                        .collect_view()}
                </span>
            </td>
            <td class="right nowrap">
                <div class="row end">
                    {before
                        .map(|before| {
                            view! {
                                <a class="btn small" href=compare_path(&name, before, version) data-noscroll="">
                                    "Compare"
                                    <span class="visually-hidden">{format!(" version {before} with {version}")}</span>
                                </a>
                            }
                        })}
                    {(may && version != newest)
                        .then(|| {
                            view! {
                                <a class="btn small" href=restore_path(&name, version) data-noscroll="">
                                    "Restore"
                                    <span class="visually-hidden">{format!(" version {version}")}</span>
                                </a>
                            }
                        })}
                </div>
            </td>
        </tr>
    }
}

#[component]
fn LabelForm(name: String, options: Vec<(String, String)>, changes: Changes) -> impl IntoView {
    keep_fields::<super::api::LabelFn>();
    let error = action_error(changes.label);
    view! {
        <div class="card-body">
            <ActionForm action=changes.label attr:class="stack">
                <FormError error />
                <input type="hidden" name="name" value=name />
                <div class="form-inline">
                    <SelectField name="version" id="label-version" label="Version" options />
                    <TextField
                        name="labels"
                        label="Labels"
                        placeholder="live, tested"
                        required=true
                        error=field_error(error, "labels")
                    />
                    <SubmitButton pending=changes.label.pending()>"Set labels"</SubmitButton>
                </div>
                <p class="muted small-text">"Separated by commas. A label that another version has moves."</p>
            </ActionForm>
        </div>
    }
}
