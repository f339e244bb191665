//! A runbook's text, its versions, and the choice of two to hold against each other.

use super::diff_view::DiffView;
use super::runbook_url::RunbookUrl;
use crate::components::{CopyButton, SelectField, TableCard, TimeAgo, text_parts};
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::runbooks::{RunbookDetail, RunbookVersion};

/// The text.
#[component]
pub(super) fn ContentTab(detail: RunbookDetail) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="content-title">
            <header>
                <h2 id="content-title">{format!("Version {}", detail.version)}</h2>
                <div class="row aside">
                    <CopyButton text=detail.content.clone() label="Copy the text" />
                </div>
            </header>
            <div class="card-body">
                <p class="small-text muted">
                    "SHA-256 of the text as Systems Manager gives it: " <span class="mono break-anywhere">{detail.content_hash}</span>
                </p>
                <pre class="code runbook-text" tabindex="0" role="region" aria-label="Text of the runbook">{text_parts(detail.content)}</pre>
            </div>
        </section>
    }
}

/// The versions.
#[component]
pub(super) fn VersionsTab(detail: RunbookDetail, url: Memo<RunbookUrl>) -> impl IntoView {
    let pair = Memo::new(move |_| url.with(|url| url.old.clone().zip(url.new.clone())));
    let shown = detail.version.clone();
    let versions = detail.versions.clone();
    view! {
        <div class="stack">
            <Choose versions=detail.versions.clone() url />
            {move || pair.get().map(|(old, new)| view! { <DiffView url old new /> })}
            <TableCard label="Versions">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Version"</th>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Made"</th>
                            <th scope="col">"Compare"</th>
                        </tr>
                    </thead>
                    <tbody>
                        {versions
                            .iter()
                            .enumerate()
                            .map(|(at, one)| {
                                let before = versions.get(at + 1).map(|before| before.version.clone());
                                view! { <Row one=one.clone() before is_shown=one.version == shown url /> }
                            })
                            .collect_view()}
                    </tbody>
                </table>
            </TableCard>
        </div>
    }
}

#[component]
fn Row(one: RunbookVersion, before: Option<String>, is_shown: bool, url: Memo<RunbookUrl>) -> impl IntoView {
    let open = url.with_untracked(|url| url.with_version(&one.version));
    let compare = before.map(|before| {
        let href = url.with_untracked(|url| url.comparing(&before, &one.version, url.split));
        (href, format!("with version {before}"))
    });
    view! {
        <tr data-row="" tabindex="-1" class:selected=is_shown>
            <td>
                <a class="strong" data-act="open" href=open>
                    {one.version}
                </a>
                {one.is_default.then(|| view! { " " <span class="tag">"default"</span> })}
            </td>
            <td>{if one.version_name.is_empty() { "—".to_owned() } else { one.version_name }}</td>
            <td class="muted nowrap">
                {match one.created_at {
                    Some(at) => view! { <TimeAgo at /> }.into_any(),
                    None => "—".into_any(),
                }}
            </td>
            <td>
                {compare
                    .map(|(href, label)| {
                        view! {
                            <a href=href data-noscroll="">
                                {label}
                            </a>
                        }
                    })}
            </td>
        </tr>
    }
}

/// Two versions, chosen from all.
#[component]
fn Choose(versions: Vec<RunbookVersion>, url: Memo<RunbookUrl>) -> impl IntoView {
    if versions.len() < 2 {
        return view! { <p class="muted small-text">"There is one version only: nothing to hold against it."</p> }
            .into_any();
    }
    let options: Vec<(String, String)> = versions
        .iter()
        .map(|one| {
            let default = if one.is_default { " (default)" } else { "" };
            (one.version.clone(), format!("{}{default}", one.version))
        })
        .collect();
    let (action, old, new, split) = url.with_untracked(|url| {
        (
            super::catalogue_url::runbook_path(&url.name),
            url.old.clone(),
            url.new.clone(),
            url.split,
        )
    });
    let newest = versions
        .first()
        .map(|one| one.version.clone())
        .unwrap_or_default();
    let before = versions.get(1).map(|one| one.version.clone()).unwrap_or_default();
    let views = vec![
        (String::new(), "One list of lines".to_owned()),
        ("split".to_owned(), "Side by side".to_owned()),
    ];
    view! {
        <Form method="GET" action=action attr:class="form-inline">
            <input type="hidden" name="tab" value="versions" />
            <SelectField name="old" label="Old" options=options.clone() selected=old.unwrap_or(before) />
            <SelectField name="new" label="New" options selected=new.unwrap_or(newest) />
            <SelectField name="view" label="View" options=views selected=if split { "split" } else { "" } />
            <button type="submit" class="btn">
                "Compare"
            </button>
        </Form>
    }
    .into_any()
}
