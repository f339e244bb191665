//! The pages of deployments: which release of which application runs where; one application with its environments, releases and
//! history; writing a release down; deploying one, and rolling back.

mod api;
mod application_page;
mod change_form;
mod deploy_form;
mod deploy_page;
mod edit_page;
mod environments_tab;
mod input;
mod lists;
mod matrix_page;
mod plan_view;
mod release_pages;
mod run_page;
mod url;
mod words;

pub(crate) use application_page::ApplicationPage;
pub(crate) use deploy_page::{DeployPage, RollBackPage};
pub(crate) use edit_page::{EditPage, NewPage};
pub(crate) use matrix_page::MatrixPage;
pub(crate) use plan_view::WillDeploy;
pub(crate) use release_pages::{NewReleasePage, ReleasePage};
pub(crate) use run_page::RunPage;
pub(crate) use url::run_path;
