//! The pages of Muster and their server functions. Compiled twice: feature `ssr` into the
//! program, feature `hydrate` into the browser's wasm. Services, SQL and AWS are not here.

#![recursion_limit = "512"]
#![expect(
    unreachable_pub,
    reason = "the component macro writes `pub` items into private modules"
)]

#[cfg(all(feature = "ssr", feature = "hydrate"))]
compile_error!(
    "`ssr` and `hydrate` met in one build: build `muster-frontend` alone, for wasm32, with its own target directory"
);
#[cfg(all(target_family = "wasm", feature = "ssr"))]
compile_error!("`ssr` must not be built for wasm: the browser's half is feature `hydrate`");

mod access;
mod approvals;
mod audit;
#[cfg(feature = "ssr")]
mod backend;
mod commands;
mod components;
mod deployments;
mod dom;
mod error;
mod fleet;
mod forms;
mod layout;
mod lazy;
mod live;
mod overview;
mod parameters;
mod patching;
mod routes;
mod runbooks;
#[cfg(feature = "ssr")]
mod security_header;
mod sessions;
#[cfg(feature = "ssr")]
mod shell;
mod url;
mod windows;
mod wire;

#[cfg(feature = "ssr")]
pub use forms::keep;
pub use routes::App;
#[cfg(feature = "ssr")]
pub use security_header::content_security_policy;
#[cfg(feature = "ssr")]
pub use shell::shell;
