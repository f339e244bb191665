//! Parameters. The portal keeps a copy of what each parameter is, so that lists are read from the database; it never keeps
//! a value. Values come from Systems Manager when somebody looks at one parameter, and a secret only through `reveal`,
//! which asks for the password and is always written to the audit log.
//!
//! - `service` does what a person does, through the door; `write` changes parameters, against the version that was seen.
//! - `labels` sets labels of versions and takes them away.
//! - `queries` reads the copy, `keep` writes it: parameters, how many each folder has, labels.
//! - `copy` brings it up to date, in rounds and for one parameter at once.
//! - `ssm` has the calls to Systems Manager.
//! - `plan` says what a request for approval freezes, `seal` keeps its secret until then, `approved` shows one once.

mod approved;
pub mod copy;
pub mod export;
pub mod http;
pub mod keep;
mod labels;
pub mod plan;
pub mod queries;
pub mod seal;
pub mod service;
pub mod ssm;
mod write;

pub use copy::Gone;
pub use seal::Seal;
pub use service::ParameterService;
