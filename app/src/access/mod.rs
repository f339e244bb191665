//! Signing in, one's own account, and the accounts and roles of others.

mod api;
mod profile_page;
mod roles_page;
mod sessions_page;
mod settings_frame;
mod setup_page;
mod sign_in_page;
mod tokens_api;
mod tokens_page;
mod user_panel;
mod users_api;
mod users_page;

pub(crate) use profile_page::ProfilePage;
pub(crate) use roles_page::RolesPage;
pub(crate) use sessions_page::SessionsPage;
pub(crate) use settings_frame::SettingsFrame;
pub(crate) use setup_page::SetupPage;
pub(crate) use sign_in_page::{PasswordField, SignInPage};
pub(crate) use tokens_page::TokensPage;
pub(crate) use users_page::UsersPage;
