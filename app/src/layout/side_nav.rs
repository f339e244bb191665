//! The rail: where one can go. On narrow screens it is a drawer that opens without script.

use super::account_menu::AccountMenu;
use crate::approvals::ApprovalsBadge;
use crate::components::{Glyph, Icon, once};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use muster_domain::action::Action;

struct Place {
    label: &'static str,
    href: &'static str,
    glyph: Glyph,
}

const fn place(label: &'static str, href: &'static str, glyph: Glyph) -> Place {
    Place { label, href, glyph }
}

/// Whether the page on show belongs to a place of the rail.
pub(super) fn is_at(path: &str, href: &str) -> bool {
    match href {
        "/" => path == "/",
        "/settings/profile" => path.starts_with("/settings"),
        // Executions are those of runbooks.
        "/runbooks" if is_at(path, "/executions") || is_at(path, "/schedules") => true,
        _ => path == href || path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/')),
    }
}

#[component]
fn Link(
    place: Place,
    /// What stands behind its name.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let path = use_location().pathname;
    let here = move || path.with(|path| is_at(path, place.href)).then_some("page");
    view! {
        <li>
            <a href=place.href aria-current=here>
                <Icon glyph=place.glyph />
                {place.label}
                {children.map(|children| children())}
            </a>
        </li>
    }
}

/// The rail.
#[component]
pub(super) fn SideNav() -> impl IntoView {
    let frame = super::use_frame();
    let path = use_location().pathname;
    // Leaving for another page closes the drawer.
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now)
            && let Some(drawer) = document().get_element_by_id("drawer")
        {
            let _ = drawer.remove_attribute("open");
        }
        now
    });
    view! {
        <header class="rail">
            <a class="brand" href="/">
                <svg class="brand-mark" viewBox="0 0 22 22" aria-hidden="true">
                    <rect width="22" height="22" rx="6"></rect>
                    <path d="M5.5 8h11M5.5 14h11"></path>
                </svg>
                "Muster"
            </a>
            <details class="drawer" id="drawer">
                <summary aria-label="Menu">
                    <Icon glyph=Glyph::Menu />
                </summary>
                <div class="drawer-body">
                    <NavLists />
                    <Suspense fallback=|| ()>
                        {move || Suspend::new(async move {
                            frame.await.ok().map(|frame| once(move || view! { <AccountMenu profile=frame.profile id="drawer" /> }))
                        })}
                    </Suspense>
                </div>
            </details>
            <div class="rail-body">
                <NavLists />
                <Suspense fallback=|| ()>
                    {move || Suspend::new(async move {
                        frame.await.ok().map(|frame| once(move || view! { <AccountMenu profile=frame.profile id="rail" /> }))
                    })}
                </Suspense>
            </div>
        </header>
    }
}

#[component]
fn NavLists() -> impl IntoView {
    let frame = super::use_frame();
    view! {
        <nav aria-label="Main">
            <ul>
                <Link place=place("Overview", "/", Glyph::Home) />
                <Link place=place("Fleet", "/fleet", Glyph::Fleet) />
            </ul>
            <h2>"Operate"</h2>
            <ul>
                <Link place=place("Terminals", "/terminals", Glyph::Terminal) />
                <Link place=place("Commands", "/commands", Glyph::Command) />
                <Link place=place("Runbooks", "/runbooks", Glyph::Runbook) />
                <Suspense fallback=|| ()>
                    {move || Suspend::new(async move {
                        let may = frame.await.is_ok_and(|frame| frame.may(Action::WindowsRead));
                        may.then(|| once(|| view! { <Link place=place("Windows", "/windows", Glyph::Calendar) /> }))
                    })}
                </Suspense>
                <Link place=place("Deployments", "/deployments", Glyph::Deploy) />
                <Link place=place("Parameters", "/parameters", Glyph::Key) />
                <Link place=place("Approvals", "/approvals", Glyph::Check)>
                    <ApprovalsBadge />
                </Link>
            </ul>
            <h2>"Maintain"</h2>
            <ul>
                <Link place=place("Patching", "/patching", Glyph::Patch) />
            </ul>
            <h2>"Govern"</h2>
            <ul>
                <Suspense fallback=|| ()>
                    {move || Suspend::new(async move {
                        let may = frame.await.is_ok_and(|frame| frame.may(Action::AuditRead));
                        may.then(|| once(|| view! { <Link place=place("Audit log", "/audit", Glyph::Audit) /> }))
                    })}
                </Suspense>
                <Link place=place("Settings", "/settings/profile", Glyph::Settings) />
            </ul>
        </nav>
    }
}

#[cfg(test)]
mod tests {
    use super::is_at;

    #[test]
    fn a_place_is_marked_for_all_its_pages() {
        assert!(is_at("/fleet/mi-1", "/fleet"));
        assert!(is_at("/settings/users", "/settings/profile"));
        assert!(is_at("/executions/e", "/runbooks") && is_at("/schedules", "/runbooks"));
        assert!(!is_at("/fleet", "/"));
        assert!(!is_at("/fleeting", "/fleet"));
    }
}
