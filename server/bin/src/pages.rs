//! The pages, mounted: Leptos with the backend in every render's context.

use crate::forms::Forms;
use axum::Router;
use leptos::config::LeptosOptions;
use leptos::prelude::provide_context;
use leptos_axum::{LeptosRoutes, generate_route_list};
use muster_app::{App, shell};
use muster_domain::Backend;
use std::path::Path;

/// How Leptos finds what the browser downloads: in a folder named by the digest of what is in it, which the
/// build wrote down in `version.txt`.
#[must_use]
pub fn options(site_root: &Path) -> LeptosOptions {
    let version = std::fs::read_to_string(site_root.join("version.txt")).unwrap_or_default();
    let folder = ["pkg", version.trim()].join("/");
    LeptosOptions::builder()
        .output_name("muster")
        .site_root(site_root.to_string_lossy().into_owned())
        .site_pkg_dir(folder.trim_end_matches('/').to_owned())
        .build()
}

/// All pages and server functions. Call once, before listening: making the list of routes renders
/// the whole application without a request.
pub fn routes(options: LeptosOptions, backend: Backend, forms: Forms) -> Router {
    let list = generate_route_list(App);
    let for_shell = options.clone();
    Router::new()
        .leptos_routes_with_context(
            &options,
            list,
            {
                let kept = forms.kept.clone();
                move || {
                    provide_context(backend.clone());
                    provide_context(kept.clone());
                }
            },
            move || shell(for_shell.clone()),
        )
        .layer(axum::middleware::from_fn_with_state(forms, crate::forms::layer))
        .with_state(options)
}
