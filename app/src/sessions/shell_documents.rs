//! The Session documents with which a terminal can be opened: the choice in the form, and what each of them means.

use super::words::span;
use crate::components::SelectField;
use leptos::prelude::*;
use muster_domain::sessions::ShellDocument;

/// What a document means, in a few words each; nothing when it leaves everything as it is.
fn meaning(document: &ShellDocument) -> Vec<String> {
    let minutes = |count: u32| span(i64::from(count) * 60_000);
    let mut said = Vec::new();
    if document.takes_os_user {
        said.push("as the OS user that you name".to_owned());
    } else if !document.runs_as.is_empty() {
        said.push(format!("as {}", document.runs_as));
    }
    if document.idle_minutes > 0 {
        said.push(format!(
            "ends after {} without traffic",
            minutes(document.idle_minutes)
        ));
    }
    if document.max_minutes > 0 {
        said.push(format!("ends after {}", minutes(document.max_minutes)));
    }
    said
}

/// The choices: the default first, each by its name. One that the address names and that is not known here stands there too,
/// so that it is refused by its name and never silently another one.
fn choices(documents: &[ShellDocument], wanted: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = documents
        .iter()
        .map(|document| {
            let mut label = document.name.clone();
            if document.is_default() {
                label.push_str(" (default)");
            }
            (document.name.clone(), label)
        })
        .collect();
    if !wanted.is_empty() && !documents.iter().any(|document| document.name == wanted) {
        all.push((wanted.to_owned(), format!("{wanted} (not known here)")));
    }
    all
}

/// Which document.
#[component]
pub(super) fn DocumentField(
    documents: Vec<ShellDocument>,
    /// The one that the address names; empty for the default.
    wanted: String,
    #[prop(into)] error: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <SelectField
            name="document"
            label="Shell profile (Session document)"
            hint="What is typed into the new shell, as whom it runs and how long it lasts are properties of the document."
            options=choices(&documents, &wanted)
            selected=wanted
            error
        />
    }
}

/// What each of them means on this node.
#[component]
pub(super) fn DocumentsCard(documents: Vec<ShellDocument>) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="documents-title" data-shell-documents="">
            <header>
                <h2 id="documents-title">"Session documents"</h2>
            </header>
            <ul class="list shell-documents">
                {documents
                    .into_iter()
                    .map(|document| {
                        let mut said = meaning(&document);
                        if document.version.is_empty() {
                            said.push("no preferences are saved, so Session Manager's own hold".to_owned());
                        }
                        let version = (!document.version.is_empty())
                            .then(|| format!(" version {}", document.version));
                        let profile = document.profile;
                        view! {
                            <li>
                                <span class="two-lines grow">
                                    <span>
                                        <span class="strong mono">{document.name}</span>
                                        <span class="muted">{version}</span>
                                    </span>
                                    {(!document.description.is_empty())
                                        .then(|| view! { <small>{document.description}</small> })}
                                    {(!profile.is_empty())
                                        .then(|| view! { <small>"types " <code>{profile}</code></small> })}
                                    {(!said.is_empty()).then(|| view! { <small>{said.join(" · ")}</small> })}
                                </span>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_is_not_known_is_never_silently_another_one() {
        let default = ShellDocument::unsaved();
        let web = ShellDocument {
            name: "Web-Shell".into(),
            version: "2".into(),
            runs_as: "web".into(),
            idle_minutes: 5,
            max_minutes: 60,
            ..ShellDocument::default()
        };
        assert_eq!(
            meaning(&web),
            ["as web", "ends after 5 min without traffic", "ends after 60 min"]
        );
        let all = [default, web];
        let names = |wanted: &str| -> Vec<String> {
            choices(&all, wanted)
                .into_iter()
                .map(|(_, label)| label)
                .collect()
        };
        let known = ["SSM-SessionManagerRunShell (default)", "Web-Shell"];
        assert_eq!(names(""), known);
        assert_eq!(names("Web-Shell"), known);
        assert_eq!(names("Gone")[2], "Gone (not known here)");
    }
}
