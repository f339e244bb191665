//! Templates as people find them: a list beside runbooks, and what is said above a form that one has filled.

use super::template_api::{DeleteTemplateFn, RenameTemplateFn, list_templates, template_path};
use crate::components::{
    ConfirmDialog, DialogCancel, FormError, Glyph, Icon, Keeper, SubmitButton, TableCard, TextField, TimeAgo,
    Tone, close_dialogs, use_toaster,
};
use crate::error::{action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::runbooks::{SavedTemplate, TemplateRow, TemplateState};

/// The templates of one runbook, or of all when `document` is empty. Nothing where there are none.
#[component]
pub(super) fn Templates(document: String) -> impl IntoView {
    let rename = ServerAction::<RenameTemplateFn>::new();
    let delete = ServerAction::<DeleteTemplateFn>::new();
    let toaster = use_toaster();
    let of_all = document.is_empty();
    let rows = Resource::new(
        move || (rename.version().get(), delete.version().get()),
        move |_| list_templates(Some(document.clone())),
    );
    Effect::new(move |_| {
        if let Some(Ok(())) = rename.value().get() {
            close_dialogs();
            toaster.say("Template renamed.");
        }
    });
    Effect::new(move |_| match delete.value().get() {
        Some(Ok(())) => {
            close_dialogs();
            toaster.say("Template deleted.");
        }
        Some(Err(error)) => toaster.complain(error.to_string()),
        None => {}
    });
    let keeper = Keeper::here();
    view! {
        <Transition fallback=|| ()>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    // What cannot be read now is no reason to take the page away: it has its own list.
                    let rows = rows.await.unwrap_or_default();
                    (!rows.is_empty()).then(|| keeper.view(move || view! { <Rows rows of_all rename delete /> }))
                })
            }}
        </Transition>
    }
}

#[component]
fn Rows(
    rows: Vec<TemplateRow>,
    /// Whether they are of several runbooks.
    of_all: bool,
    rename: ServerAction<RenameTemplateFn>,
    delete: ServerAction<DeleteTemplateFn>,
) -> impl IntoView {
    view! {
        <section data-templates="">
            <h2 class="section-title">"Templates"</h2>
            <TableCard label="Templates">
                <table class="runbooks">
                    <thead>
                        <tr>
                            <th scope="col">"Template"</th>
                            {of_all.then(|| view! { <th scope="col">"Runbook"</th> })}
                            <th scope="col">"Version"</th>
                            <th scope="col">"Whose"</th>
                            <th scope="col">"Saved"</th>
                            <th scope="col">
                                <span class="visually-hidden">"Acts"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>
                        {rows.into_iter().map(|row| view! { <Row row of_all rename delete /> }).collect_view()}
                    </tbody>
                </table>
            </TableCard>
        </section>
    }
}

/// Whose a template is, in words.
fn whose(row: &TemplateRow) -> String {
    match (row.mine, row.shared) {
        (true, false) => "only yours".to_owned(),
        (_, _) => format!("{}, shared", row.owner),
    }
}

#[component]
fn Row(
    row: TemplateRow,
    of_all: bool,
    rename: ServerAction<RenameTemplateFn>,
    delete: ServerAction<DeleteTemplateFn>,
) -> impl IntoView {
    let href = template_path(&row.document, row.id.as_str());
    let whose = whose(&row);
    let version = if row.version.is_empty() {
        "default".to_owned()
    } else {
        row.version.clone()
    };
    view! {
        <tr data-row="" tabindex="-1" data-template=row.name.clone()>
            <td>
                <a class="strong" data-act="open" href=href>
                    {row.name.clone()}
                </a>
            </td>
            {of_all.then(|| view! { <td>{row.document.clone()}</td> })}
            <td class="mono">{version}</td>
            <td>{whose}</td>
            <td class="nowrap">
                <TimeAgo at=row.saved_at />
            </td>
            <td>{row.mine.then(|| view! { <RowActs row=row.clone() rename delete /> })}</td>
        </tr>
    }
}

/// Renaming and deleting.
#[component]
fn RowActs(
    row: TemplateRow,
    rename: ServerAction<RenameTemplateFn>,
    delete: ServerAction<DeleteTemplateFn>,
) -> impl IntoView {
    let rename_id = format!("rename-template-{}", row.id);
    let delete_id = format!("delete-template-{}", row.id);
    let (id, name) = (row.id.to_string(), row.name.clone());
    let to_delete = id.clone();
    view! {
        <div class="row row-acts">
            <ConfirmDialog
                id=rename_id.clone()
                trigger="Rename"
                title=format!("Rename the template “{}”", row.name)
                tone=Tone::Quiet
                small=true
            >
                <RenameForm id name dialog=rename_id rename />
            </ConfirmDialog>
            <ConfirmDialog
                id=delete_id.clone()
                trigger="Delete"
                title=format!("Delete the template “{}”?", row.name)
                tone=Tone::Quiet
                small=true
            >
                <p>
                    {if row.shared {
                        "It is shared: it goes for everybody. What was started with it stays."
                    } else {
                        "Only the filled form goes. What was started with it stays."
                    }}
                </p>
                <ActionForm action=delete>
                    <input type="hidden" name="template_id" value=to_delete />
                    <div class="dialog-actions">
                        <DialogCancel id=delete_id />
                        <SubmitButton tone=Tone::Danger pending=delete.pending()>
                            "Delete template"
                        </SubmitButton>
                    </div>
                </ActionForm>
            </ConfirmDialog>
        </div>
    }
}

#[component]
fn RenameForm(
    id: String,
    name: String,
    dialog: String,
    rename: ServerAction<RenameTemplateFn>,
) -> impl IntoView {
    keep_fields::<RenameTemplateFn>();
    let error = action_error(rename);
    view! {
        <ActionForm action=rename>
            <input type="hidden" name="template_id" value=id.clone() />
            <TextField
                name="template_name"
                id=format!("template-name-{id}")
                label="Name"
                value=name
                error=field_error(error, "template_name")
            />
            <FormError error />
            <div class="dialog-actions">
                <DialogCancel id=dialog />
                <SubmitButton tone=Tone::Primary pending=rename.pending()>
                    "Rename template"
                </SubmitButton>
            </div>
        </ActionForm>
    }
}

/// What is said above a form that a template has filled.
#[component]
pub(super) fn TemplateNotice(template: SavedTemplate) -> impl IntoView {
    let SavedTemplate {
        row, left_out, state, ..
    } = template;
    let whose = whose(&row);
    let warning = match state {
        TemplateState::Same => None,
        TemplateState::Changed { saved, now } if saved == now => Some(format!(
            "Version {now} of the runbook has another text by now than when this template was saved: look at what it does."
        )),
        TemplateState::Changed { saved, now } => Some(format!(
            "The runbook has changed since this template was saved: that was with version {saved}, and this starts version {now}. Look at what it does now."
        )),
        TemplateState::Gone { why } => Some(format!(
            "{why} Choose another version below, or delete the template."
        )),
    };
    view! {
        <section class="card card-body template-notice" aria-label="Template" data-from-template=row.name.clone()>
            <p>
                <Icon glyph=Glyph::Bookmark />
                " Filled in from the template "
                <strong>{row.name.clone()}</strong>
                {format!(" ({whose}), saved ")}
                <TimeAgo at=row.saved_at />
                "."
            </p>
            {warning
                .map(|text| {
                    view! {
                        <div class="notice warn" data-template-changed="">
                            <Icon glyph=Glyph::Warning />
                            <div>{text}</div>
                        </div>
                    }
                })}
            {(!left_out.is_empty())
                .then(|| {
                    view! {
                        <div class="notice" data-template-left-out="">
                            <Icon glyph=Glyph::Warning />
                            <div>
                                {format!(
                                    "Not kept, because it looks like a secret: {}. Type it again, or put it into Parameter Store and name it there.",
                                    left_out.join(", "),
                                )}
                            </div>
                        </div>
                    }
                })}
        </section>
    }
}
