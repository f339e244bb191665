//! The tabs around the settings pages.

use crate::components::{Tab, Tabs};
use crate::layout::use_frame;
use leptos::prelude::*;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_location;
use muster_domain::action::Action;

/// Tabs and the page.
#[component]
pub(crate) fn SettingsFrame() -> impl IntoView {
    let frame = use_frame();
    let path = use_location().pathname;
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let may_users = frame.await.is_ok_and(|frame| frame.may(Action::UsersRead));
                let tabs = Signal::derive(move || {
                    let path = path.get();
                    [
                        ("Profile", "/settings/profile", true),
                        ("Sessions", "/settings/sessions", true),
                        ("API tokens", "/settings/tokens", true),
                        ("Users", "/settings/users", may_users),
                        ("Roles", "/settings/roles", true),
                        ("Policies", "/approvals/policies", true),
                    ]
                        .into_iter()
                        .filter(|(.., shown)| *shown)
                        .map(|(label, href, _)| Tab {
                            label: label.into(),
                            href: href.into(),
                            active: path == href,
                        })
                        .collect::<Vec<_>>()
                });
                view! { <Tabs label="Settings" tabs /> }
            })}
        </Transition>
        <Outlet />
    }
}
