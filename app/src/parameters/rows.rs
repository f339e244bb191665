//! The rows of the list: folders with how much is in them, then parameters.

use super::url::{ListUrl, folder_path, view_path};
use crate::components::{Empty, EmptyState, Glyph, Icon, Pager, TableCard, TimeAgo, grouped, plural};
use crate::url::address;
use leptos::prelude::*;
use muster_domain::parameters::{ParameterFolder, ParameterPage, ParameterSummary};

/// Who an ARN names: what stands behind its last slash.
pub(super) fn who(arn: &str) -> String {
    match arn.rsplit('/').next().unwrap_or_default() {
        "" => "—".to_owned(),
        name => name.to_owned(),
    }
}

/// The rows, or why there are none.
#[component]
pub(super) fn Rows(state: ListUrl, page: ParameterPage) -> impl IntoView {
    let ParameterPage {
        folders,
        page,
        below,
        total,
        synced_at,
        may_put,
    } = page;
    if folders.is_empty() && page.items.is_empty() {
        return view! { <Nothing state below may_put is_copied=synced_at.is_some() /> }.into_any();
    }
    let place = if state.folder.is_empty() {
        format!("{} in all", grouped(total))
    } else {
        format!("{} in this folder, {} in all", grouped(below), grouped(total))
    };
    let count = if state.is_filtered() {
        format!(
            "{} on this page; {place}",
            plural(page.items.len() as u64, "parameter", "parameters")
        )
    } else {
        format!(
            "{} and {} on this page; {place}",
            plural(folders.len() as u64, "folder", "folders"),
            plural(page.items.len() as u64, "parameter", "parameters")
        )
    };
    let first = state.cursor.is_some().then(|| state.page(None));
    let next = page.next.map(|cursor| state.page(Some(cursor.0)));
    // Where a filter looks below all folders, names are shown whole.
    let folder = if state.is_filtered() {
        String::new()
    } else {
        state.folder.clone()
    };
    view! {
        <TableCard label="Parameters">
            <table class="parameters">
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Type"</th>
                        <th scope="col">"Tier"</th>
                        <th scope="col" class="right">
                            "Version"
                        </th>
                        <th scope="col">"Last written"</th>
                    </tr>
                </thead>
                <tbody>
                    {folders.into_iter().map(|one| view! { <Folder one /> }).collect_view()}
                    {page.items.into_iter().map(|one| view! { <Parameter one folder=folder.clone() /> }).collect_view()}
                </tbody>
            </table>
        </TableCard>
        <Pager count first next />
        {synced_at
            .map(|at| {
                view! {
                    <p class="muted small-text">
                        "Copied from Systems Manager " <TimeAgo at />
                        ". Labels that were moved elsewhere are found within a day."
                    </p>
                }
            })}
    }
    .into_any()
}

#[component]
fn Folder(one: ParameterFolder) -> impl IntoView {
    let name = one.path.rsplit('/').next().unwrap_or_default().to_owned();
    view! {
        <tr data-row="" data-folder=one.path.clone() tabindex="-1">
            <td>
                <a class="strong parameter-name" data-act="open" href=folder_path(&one.path)>
                    <Icon glyph=Glyph::Folder />
                    {format!("{name}/")}
                </a>
            </td>
            <td class="muted" colspan="4">
                {plural(one.parameters, "parameter", "parameters")}
            </td>
        </tr>
    }
}

/// The name as it is shown in a folder.
fn shown(name: &str, folder: &str) -> String {
    if folder.is_empty() {
        return name.to_owned();
    }
    let inside = name.trim_start_matches('/').strip_prefix(folder);
    inside.map_or_else(|| name.to_owned(), |rest| rest.trim_start_matches('/').to_owned())
}

#[component]
fn Parameter(one: ParameterSummary, folder: String) -> impl IntoView {
    let by = who(&one.modified_by);
    view! {
        <tr data-row="" data-parameter=one.name.clone() tabindex="-1">
            <td>
                <div class="two-lines">
                    <a class="strong parameter-name" data-act="open" href=view_path(&one.name)>
                        {shown(&one.name, &folder)}
                    </a>
                    <small>{one.description.lines().next().unwrap_or_default().to_owned()}</small>
                </div>
            </td>
            <td class="nowrap">
                {one.kind.is_secret().then(|| view! { <Icon glyph=Glyph::Lock /> " " })} {one.kind.as_str()}
            </td>
            <td>{one.tier.as_str()}</td>
            <td class="right mono">{one.version}</td>
            <td>
                <div class="two-lines">
                    <TimeAgo at=one.modified_at />
                    <small title=one.modified_by.clone()>{by}</small>
                </div>
            </td>
        </tr>
    }
}

#[component]
fn Nothing(state: ListUrl, below: u64, may_put: bool, is_copied: bool) -> impl IntoView {
    let clear = folder_path(&state.folder);
    let new = address("/parameters/new", [("path", state.folder.clone())]);
    let (kind, title) = if state.is_filtered() {
        (Empty::NothingMatches, "No parameter matches".to_owned())
    } else if state.folder.is_empty() {
        (Empty::NothingExists, "There is no parameter yet".to_owned())
    } else {
        (Empty::NothingMatches, format!("Nothing is in {}", state.folder))
    };
    view! {
        <section class="card">
            <EmptyState kind title>
                {if state.is_filtered() {
                    view! {
                        <p>{format!("Nothing fits all conditions; below here are {}.", plural(below, "parameter", "parameters"))}</p>
                        <a class="btn" href=clear>
                            "Clear the filter"
                        </a>
                    }
                        .into_any()
                } else if !state.folder.is_empty() {
                    view! {
                        <p>"A folder is there as long as a parameter is in it."</p>
                        <a class="btn" href="/parameters">
                            "All parameters"
                        </a>
                    }
                        .into_any()
                } else {
                    view! {
                        <p>
                            {if is_copied {
                                "Parameters are kept by Systems Manager and read by name, as in {{ssm:/app/port}} of a command."
                            } else {
                                "They are being copied from Systems Manager for the first time: look again in a few seconds."
                            }}
                        </p>
                        {may_put.then(|| view! { <a class="btn primary" href=new>"New parameter"</a> })}
                    }
                        .into_any()
                }}
            </EmptyState>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_from_its_folder_on() {
        assert_eq!(shown("/app/prod/db", "app/prod"), "db");
        assert_eq!(shown("/app/prod/db", ""), "/app/prod/db");
        assert_eq!(who("arn:aws:iam::1:user/portal"), "portal");
        assert_eq!(who(""), "—");
    }
}
