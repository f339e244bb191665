//! The pages, mounted: Leptos with the backend in every render's context.

use axum::Router;
use leptos::config::LeptosOptions;
use leptos::prelude::provide_context;
use leptos_axum::{LeptosRoutes, generate_route_list};
use muster_app::{App, shell};
use muster_domain::Backend;
use std::path::Path;

/// How Leptos finds what the browser downloads.
#[must_use]
pub fn options(site_root: &Path) -> LeptosOptions {
    LeptosOptions::builder()
        .output_name("muster")
        .site_root(site_root.to_string_lossy().into_owned())
        .site_pkg_dir("pkg")
        .hash_files(site_root.join("hash.txt").exists())
        // Absolute, else Leptos looks beside the program.
        .hash_file(
            std::path::absolute(site_root.join("hash.txt"))
                .unwrap_or_default()
                .to_string_lossy()
                .into(),
        )
        .build()
}

/// All pages and server functions. Call once, before listening: making the list of routes renders
/// the whole application without a request.
pub fn routes(options: LeptosOptions, backend: Backend) -> Router {
    let list = generate_route_list(App);
    let for_shell = options.clone();
    Router::new()
        .leptos_routes_with_context(
            &options,
            list,
            move || provide_context(backend.clone()),
            move || shell(for_shell.clone()),
        )
        .with_state(options)
}
