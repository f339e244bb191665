//! Pages that are for some only: their content for those who may, and for others which permission is missing and
//! who can give it. A form that would be refused at its end is not offered.

use super::frame::{FrameResource, use_frame};
use crate::components::{Empty, EmptyState};
use crate::error::set_page_status;
use leptos::prelude::*;
use muster_domain::PortalError;
use muster_domain::action::Action;

/// The roles that allow it, as in "operator or administrator".
fn roles(action: Action) -> String {
    let names: Vec<&str> = action.roles().iter().map(|role| role.as_str()).collect();
    names.join(" or ")
}

/// What somebody lacks to do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lack {
    action: Action,
    name: String,
}

/// What whoever is signed in lacks to do `action` anywhere; nothing when they may. To be awaited inside `Suspense`,
/// before anything that takes the permission. Whoever cannot be asked about is let through: the door behind every
/// act decides, not this.
pub(crate) async fn missing(frame: FrameResource, action: Action) -> Option<Lack> {
    let frame = frame.await.ok()?;
    (!frame.may(action)).then_some(Lack {
        action,
        name: frame.profile.name,
    })
}

/// `children` for those who may do `action` somewhere. Not around what suspends in several layers of its own: there
/// the page asks [`missing`] itself.
#[component]
pub(crate) fn Permitted(
    action: Action,
    /// What it is, as in "run commands".
    what: &'static str,
    children: ChildrenFn,
) -> impl IntoView {
    let frame = use_frame();
    let children = StoredValue::new(children);
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                match missing(frame, action).await {
                    Some(missing) => view! { <NotPermitted missing what /> }.into_any(),
                    None => children.with_value(|children| children()).into_any(),
                }
            })}
        </Transition>
    }
}

/// In place of a page that is not for this person.
#[component]
pub(crate) fn NotPermitted(
    missing: Lack,
    /// What it is, as in "run commands".
    what: &'static str,
) -> impl IntoView {
    let Lack { action, name } = missing;
    let message = format!("You may not {what}.");
    set_page_status(&PortalError::Forbidden { message }.into());
    view! {
        <section class="card">
            <EmptyState kind=Empty::NotPermitted title=format!("You may not {what}")>
                <p>
                    "It takes the permission " <span class="mono">{action.as_str()}</span>
                    {format!(", which comes with the role {}. {name} has no such role.", roles(action))}
                </p>
                <p>"An administrator of this portal can give it, under Settings, Users."</p>
                <p>
                    <a class="btn" href="/settings/profile">
                        "Your roles"
                    </a>
                </p>
            </EmptyState>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_allows_it_is_named() {
        assert_eq!(roles(Action::CommandsRun), "operator or administrator");
        assert_eq!(roles(Action::FleetCreateActivation), "administrator");
    }
}
