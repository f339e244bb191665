//! Which release of which application runs in which environment.

use super::api::list_applications;
use super::url::{MatrixUrl, application_path, release_path};
use super::words::{Brief, Waits};
use crate::components::{
    Empty, EmptyState, ErrorNotice, Fresh, Glyph, Icon, PageHead, Pager, Skeleton, StaleNotice, TableCard,
    grouped, plural, renewed,
};
use crate::layout::use_frame;
use crate::url::use_query;
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::action::Action;
use muster_domain::deployments::{ApplicationPage, ApplicationRow, EnvironmentRow};
use std::sync::Arc;
use std::time::Duration;

/// How often the rows are asked for again: others deploy, too.
const EVERY: Duration = Duration::from_secs(5);

/// The matrix.
#[component]
pub(crate) fn MatrixPage() -> impl IntoView {
    let query = use_query();
    let state = Memo::new(move |_| query.with(MatrixUrl::read));
    let rows = renewed(
        move || state.get(),
        |state| list_applications(Some(state.text), state.cursor),
    );
    Effect::new(move |_| {
        let renewing = set_interval_with_handle(
            move || {
                if !document().hidden() {
                    rows.refetch();
                }
            },
            EVERY,
        );
        on_cleanup(move || {
            if let Ok(renewing) = renewing {
                renewing.clear();
            }
        });
    });
    let frame = use_frame();
    view! {
        <PageHead title="Deployments" subtitle=|| "Which release of which application runs where.">
            <Suspense fallback=|| ()>
                {move || Suspend::new(async move {
                    let may = frame.await.is_ok_and(|frame| frame.may(Action::DeploymentsChange));
                    may.then(|| {
                        view! {
                            <a class="btn primary" href="/deployments/new">
                                <Icon glyph=Glyph::Plus />
                                "New application"
                            </a>
                        }
                    })
                })}
            </Suspense>
        </PageHead>
        {move || view! { <Filter state=state.get() /> }}
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
            {move || Suspend::new(async move {
                match rows.await {
                    Ok(Fresh { value: page, stale }) => {
                        let page = Arc::unwrap_or_clone(page);
                        view! {
                            <StaleNotice stale />
                            <Matrix state=state.get_untracked() page />
                        }
                            .into_any()
                    }
                    Err(error) => {
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="applications" clear="/deployments" />
                            </div>
                        }
                            .into_any()
                    }
                }
            })}
        </Transition>
    }
}

#[component]
fn Filter(state: MatrixUrl) -> impl IntoView {
    let narrowed = !state.text.is_empty();
    view! {
        <Form
            method="GET"
            action="/deployments"
            attr:class="command-filter"
            attr:role="search"
            attr:aria-label="Filter applications"
        >
            <div class="field">
                <label for="text">"Name contains"</label>
                <input id="text" name="text" value=state.text autocomplete="off" data-filter="" />
            </div>
            <div class="row">
                <button type="submit" class="btn primary">
                    "Filter"
                </button>
                {narrowed.then(|| view! { <a class="btn quiet" href="/deployments">"Clear"</a> })}
            </div>
        </Form>
    }
}

/// The columns: every environment of a row on this page, in the order in which most of them stand.
fn columns(rows: &[ApplicationRow]) -> Vec<String> {
    let mut places: Vec<(usize, String)> = Vec::new();
    for row in rows {
        for (at, one) in row.environments.iter().enumerate() {
            let name = &one.environment.name;
            match places.iter_mut().find(|(_, known)| known == name) {
                Some((place, _)) => *place = (*place).max(at),
                None => places.push((at, name.clone())),
            }
        }
    }
    places.sort_by_key(|(place, _)| *place);
    places.into_iter().map(|(_, name)| name).collect()
}

#[component]
fn Matrix(state: MatrixUrl, page: ApplicationPage) -> impl IntoView {
    let ApplicationPage {
        page,
        total,
        may_change,
    } = page;
    if page.items.is_empty() {
        return view! { <Nothing is_filtered=!state.text.is_empty() || state.cursor.is_some() total may_change /> }
            .into_any();
    }
    let count = format!(
        "{} on this page; {} in all",
        plural(page.items.len() as u64, "application", "applications"),
        grouped(total)
    );
    let first = state.cursor.is_some().then(|| state.page(None));
    let next = page.next.map(|cursor| state.page(Some(cursor.0)));
    let names = columns(&page.items);
    let heads = names.clone();
    view! {
        <TableCard label="Applications and environments">
            <table class="deployments-matrix">
                <thead>
                    <tr>
                        <th scope="col">"Application"</th>
                        {heads.into_iter().map(|name| view! { <th scope="col">{name}</th> }).collect_view()}
                    </tr>
                </thead>
                <tbody>
                    {page
                        .items
                        .into_iter()
                        .map(|row| view! { <Row row names=names.clone() /> })
                        .collect_view()}
                </tbody>
            </table>
        </TableCard>
        <Pager count first next />
    }
    .into_any()
}

#[component]
fn Row(row: ApplicationRow, names: Vec<String>) -> impl IntoView {
    let id = row.application_id.to_string();
    let mut environments = row.environments;
    let newest = match row.newest {
        Some((release, version)) => view! {
            <small>
                "newest release: " <a href=release_path(&id, release.as_str())>{version}</a>
            </small>
        }
        .into_any(),
        None => view! { <small>"no release yet"</small> }.into_any(),
    };
    let name = row.name.clone();
    view! {
        <tr data-row="" data-application=name tabindex="-1">
            <th scope="row">
                <div class="two-lines">
                    <a class="strong" data-act="open" href=application_path(&id)>
                        {row.name}
                    </a>
                    <small class="wraps">{row.description}</small>
                    {newest}
                </div>
            </th>
            {names
                .into_iter()
                .map(|name| {
                    let at = environments.iter().position(|one| one.environment.name == name);
                    let cell = at.map(|at| environments.remove(at));
                    view! { <td data-cell=name>{cell.map(|row| view! { <Cell row /> })}</td> }
                })
                .collect_view()}
        </tr>
    }
}

/// What runs in an environment, and what is about to.
#[component]
pub(super) fn Cell(row: EnvironmentRow) -> impl IntoView {
    let is_empty = row.current.is_none() && row.last.is_none();
    view! {
        <div class="deployment-cell">
            {row.current.map(|current| view! { <div class="two-lines" data-current=""><Brief deployment=current /></div> })}
            {row.last.map(|last| view! { <div class="two-lines deployment-last" data-last=""><Brief deployment=last /></div> })}
            {is_empty.then(|| view! { <span class="muted">"nothing deployed"</span> })}
            <Waits waiting=row.waiting />
            {row.is_outdated.then(|| view! { <small data-outdated="">"There is a newer release."</small> })}
        </div>
    }
}

#[component]
fn Nothing(is_filtered: bool, total: u64, may_change: bool) -> impl IntoView {
    if is_filtered {
        return view! {
            <section class="card">
                <EmptyState kind=Empty::NothingMatches title="No application matches">
                    <p>{format!("In all there are {}.", plural(total, "application", "applications"))}</p>
                    <a class="btn" href="/deployments">
                        "Clear the filter"
                    </a>
                </EmptyState>
            </section>
        }
        .into_any();
    }
    view! {
        <section class="card">
            <EmptyState kind=Empty::NothingExists title="There is no application yet">
                <p>
                    "An application has environments, each with its nodes, and releases that are deployed there by a runbook, and rolled back."
                </p>
                {may_change.then(|| view! { <a class="btn primary" href="/deployments/new">"New application"</a> })}
            </EmptyState>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::deployments::Environment;

    #[test]
    fn environments_stand_in_the_order_of_the_applications() {
        let row = |names: &[&str]| ApplicationRow {
            application_id: "a".into(),
            name: "web".into(),
            description: String::new(),
            newest: None,
            environments: names
                .iter()
                .map(|name| EnvironmentRow {
                    environment: Environment {
                        name: (*name).into(),
                        ..Environment::default()
                    },
                    filter: String::new(),
                    current: None,
                    last: None,
                    waiting: Vec::new(),
                    is_outdated: false,
                })
                .collect(),
        };
        let rows = [
            row(&["Staging", "Production"]),
            row(&["Test", "Staging", "Production"]),
        ];
        assert_eq!(columns(&rows), ["Test", "Staging", "Production"]);
    }
}
