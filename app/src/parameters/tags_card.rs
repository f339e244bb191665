//! The tags of a parameter: seeing, setting and removing them.

use super::api::TagFn;
use super::view_page::Changes;
use crate::components::{FormError, Glyph, Icon, SubmitButton, TagChip, TextField};
use crate::error::{action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::parameters::ParameterDetail;

/// The card.
#[component]
pub(super) fn TagsCard(detail: ParameterDetail, changes: Changes) -> impl IntoView {
    let Ok(live) = detail.live else {
        return ().into_any();
    };
    keep_fields::<TagFn>();
    let error = action_error(changes.tag);
    let name = detail.summary.name;
    let of = name.clone();
    let may = detail.may_put;
    let none = live.tags.is_empty();
    view! {
        <section class="card" aria-labelledby="tags-title">
            <header>
                <h2 id="tags-title">"Tags"</h2>
            </header>
            <div class="card-body stack">
                {none.then(|| view! { <p class="muted small-text">"No tags."</p> })}
                <ul class="tag-rows">
                    {live
                        .tags
                        .into_iter()
                        .map(|tag| {
                            let (name, key) = (of.clone(), tag.key.clone());
                            view! {
                                <li>
                                    <TagChip tag />
                                    {may
                                        .then(|| {
                                            let says = format!("Remove the tag {key}");
                                            view! {
                                                <ActionForm action=changes.untag>
                                                    <input type="hidden" name="name" value=name />
                                                    <input type="hidden" name="key" value=key />
                                                    <button type="submit" class="btn quiet small" aria-label=says.clone() title=says>
                                                        <Icon glyph=Glyph::Cross />
                                                    </button>
                                                </ActionForm>
                                            }
                                        })}
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
                {may
                    .then(|| {
                        view! {
                            <ActionForm action=changes.tag attr:class="stack">
                                <FormError error />
                                <input type="hidden" name="name" value=name />
                                <div class="form-inline">
                                    <TextField name="key" label="Key" required=true error=field_error(error, "key") />
                                    <TextField name="value" id="tag-value" label="Value" error=field_error(error, "value") />
                                    <SubmitButton pending=changes.tag.pending()>"Set tag"</SubmitButton>
                                </div>
                            </ActionForm>
                        }
                    })}
            </div>
        </section>
    }
    .into_any()
}
