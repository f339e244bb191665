//! The tags of one node: seeing, setting and removing them.

use super::api::{RemoveTag, SetTag};
use crate::components::{
    ConfirmDialog, DialogCancel, FormError, SubmitButton, TagChip, TextField, Tone, close_dialogs,
    use_toaster,
};
use crate::error::{action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::fleet::Tag;

/// The tags, and the forms when the person may change them.
#[component]
pub(super) fn TagsForm(
    node_id: String,
    node_name: String,
    tags: Vec<Tag>,
    may_edit: bool,
    set: ServerAction<SetTag>,
    remove: ServerAction<RemoveTag>,
) -> impl IntoView {
    let toaster = use_toaster();
    Effect::new(move |before: Option<usize>| {
        let version = set.version().get();
        if before.is_some_and(|before| version > before)
            && matches!(set.value().get_untracked(), Some(Ok(())))
        {
            toaster.say("Tag set.");
        }
        version
    });
    Effect::new(move |before: Option<usize>| {
        let version = remove.version().get();
        if before.is_some_and(|before| version > before) {
            close_dialogs();
            match remove.value().get_untracked() {
                Some(Err(error)) => toaster.complain(error.to_string()),
                _ => toaster.say("Tag removed."),
            }
        }
        version
    });
    keep_fields::<SetTag>();
    let error = action_error(set);
    let none = tags.is_empty();
    let id = node_id.clone();
    view! {
        {none.then(|| view! { <p class="muted">"No tags. Tags decide who may act on a node and where commands go."</p> })}
        <ul class="tag-rows">
            {tags
                .into_iter()
                .enumerate()
                .map(|(at, tag)| {
                    let dialog = format!("remove-tag-{at}");
                    let title = format!("Remove the tag {} from {node_name}?", tag.key);
                    let (id, key) = (node_id.clone(), tag.key.clone());
                    view! {
                        <li>
                            <TagChip tag />
                            {may_edit
                                .then(|| {
                                    view! {
                                        <ConfirmDialog
                                            id=dialog.clone()
                                            trigger="Remove"
                                            title=title
                                            tone=Tone::Quiet
                                            small=true
                                        >
                                            <p>
                                                "Roles and saved filters that name this tag no longer reach the node."
                                            </p>
                                            <ActionForm action=remove>
                                                <input type="hidden" name="node_id" value=id />
                                                <input type="hidden" name="key" value=key />
                                                <div class="dialog-actions">
                                                    <DialogCancel id=dialog.clone() />
                                                    <SubmitButton tone=Tone::Danger pending=remove.pending()>
                                                        "Remove tag"
                                                    </SubmitButton>
                                                </div>
                                            </ActionForm>
                                        </ConfirmDialog>
                                    }
                                })}
                        </li>
                    }
                })
                .collect_view()}
        </ul>
        {may_edit
            .then(|| {
                view! {
                    <ActionForm action=set attr:class="stack">
                        <FormError error />
                        <input type="hidden" name="node_id" value=id />
                        <div class="form-inline">
                            <TextField name="key" label="Key" required=true error=field_error(error, "key") />
                            <TextField name="value" label="Value" error=field_error(error, "value") />
                            <SubmitButton pending=set.pending()>"Set tag"</SubmitButton>
                        </div>
                    </ActionForm>
                }
            })}
    }
}
