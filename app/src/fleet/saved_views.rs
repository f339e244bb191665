//! Named filters: opening, saving, sharing and deleting them.

use super::api::{DeleteView, SaveView, list_views};
use super::url_state::FleetUrl;
use crate::components::{
    CheckField, ConfirmDialog, DialogCancel, FormError, Glyph, Icon, Keeper, SubmitButton, TextField, Tone,
    close_dialogs, use_toaster,
};
use crate::error::{action_error, field_error};
use crate::forms::keep_fields;
use crate::url::Query;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::fleet::SavedView;

/// The menu of saved views.
#[component]
pub(super) fn SavedViews(state: Memo<FleetUrl>) -> impl IntoView {
    let save = ServerAction::<SaveView>::new();
    let delete = ServerAction::<DeleteView>::new();
    let toaster = use_toaster();
    let views = Resource::new(
        move || (save.version().get(), delete.version().get()),
        |_| list_views(),
    );
    Effect::new(move |_| {
        if let Some(Ok(())) = save.value().get() {
            toaster.say("View saved.");
        }
    });
    Effect::new(move |_| match delete.value().get() {
        Some(Ok(())) => {
            close_dialogs();
            toaster.say("View deleted.");
        }
        Some(Err(error)) => toaster.complain(error.to_string()),
        None => {}
    });
    keep_fields::<SaveView>();
    let error = action_error(save);
    let keeper = Keeper::here();
    view! {
        <details class="menu views">
            <summary class="btn">
                <Icon glyph=Glyph::Bookmark />
                "Views"
                <Icon glyph=Glyph::Down />
            </summary>
            <div class="menu-body">
                <Transition fallback=|| ()>
                    {move || {
                        let keeper = keeper.clone();
                        Suspend::new(async move {
                            let views = views.await.unwrap_or_default();
                            let (mine, shared): (Vec<_>, Vec<_>) = views.into_iter().partition(|view| view.mine);
                            keeper
                                .view(move || {
                                    view! {
                                        <ViewList title="My views" views=mine delete />
                                        <ViewList title="Shared by others" views=shared delete />
                                    }
                                })
                        })
                    }}
                </Transition>
                <h2>"Save what you see"</h2>
                <ActionForm action=save attr:class="menu-form">
                    <input type="hidden" name="query" value=move || state.get().saved() />
                    <TextField
                        name="name"
                        id="view-name"
                        label="Name"
                        required=true
                        error=field_error(error, "name")
                    />
                    <CheckField name="shared" label="Share with everybody" />
                    <FormError error />
                    <SubmitButton tone=Tone::Primary pending=save.pending()>
                        "Save view"
                    </SubmitButton>
                </ActionForm>
            </div>
        </details>
    }
}

#[component]
fn ViewList(title: &'static str, views: Vec<SavedView>, delete: ServerAction<DeleteView>) -> impl IntoView {
    (!views.is_empty()).then(move || {
        view! {
            <h2>{title}</h2>
            <ul class="view-list">
                {views.into_iter().map(|view| view! { <ViewLine view delete /> }).collect_view()}
            </ul>
        }
    })
}

#[component]
fn ViewLine(view: SavedView, delete: ServerAction<DeleteView>) -> impl IntoView {
    // Read anew: what is stored is an address part, and an address part is never trusted.
    let href = FleetUrl::read(&Query::parse(&view.query)).address();
    let dialog = format!("delete-view-{}", view.id);
    view! {
        <li>
            <a href=href>{view.name.clone()}</a>
            <small class="muted">{if view.mine && view.shared { "shared".to_owned() } else if view.mine { String::new() } else { view.owner.clone() }}</small>
            {view
                .mine
                .then(|| {
                    view! {
                        <ConfirmDialog
                            id=dialog.clone()
                            trigger="Delete"
                            title=format!("Delete the view “{}”?", view.name)
                            tone=Tone::Quiet
                            small=true
                        >
                            <p>
                                {if view.shared {
                                    "It is shared: it goes for everybody. The nodes stay as they are."
                                } else {
                                    "Only the saved filter goes. The nodes stay as they are."
                                }}
                            </p>
                            <ActionForm action=delete>
                                <input type="hidden" name="view_id" value=view.id.to_string() />
                                <div class="dialog-actions">
                                    <DialogCancel id=dialog.clone() />
                                    <SubmitButton tone=Tone::Danger pending=delete.pending()>
                                        "Delete view"
                                    </SubmitButton>
                                </div>
                            </ActionForm>
                        </ConfirmDialog>
                    }
                })}
        </li>
    }
}
