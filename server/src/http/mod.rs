//! The edge: what every request passes before anything else sees it, and the routes that are no pages
//! and belong to no feature.

pub mod finish_render;
pub mod health;
pub mod layers;
pub mod origin_check;
pub mod rate_limit;
pub mod security;
pub mod session;
pub mod sign_in;
mod standing;
pub mod static_files;
