//! The versions of a parameter: who wrote each and when, labels, what is different, and bringing one back.

use super::rows::who;
use super::url::{compare_path, label_path, restore_path, unlabel_path};
use crate::components::{Glyph, Icon, TimeAgo, plural};
use leptos::prelude::*;
use muster_domain::parameters::{ParameterDetail, ParameterVersion};

/// The card.
#[component]
pub(super) fn VersionsCard(detail: ParameterDetail) -> impl IntoView {
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
                                view! { <Line one before newest name=name.clone() may /> }
                            })
                            .collect_view()}
                    </tbody>
                </table>
            </div>
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
                                            let says = format!("Take the label {label} from version {version}…");
                                            let href = unlabel_path(&name, version, &label);
                                            view! {
                                                <a class="label-cross" href=href data-noscroll="" aria-label=says.clone() title=says>
                                                    <Icon glyph=Glyph::Cross />
                                                </a>
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
                    {may
                        .then(|| {
                            view! {
                                <a class="btn small" href=label_path(&name, version) data-noscroll="">
                                    "Label"
                                    <span class="visually-hidden">{format!(" version {version}")}</span>
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
