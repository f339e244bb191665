//! Parameter Store: configuration and secrets by name, in versions, with labels and tags.

mod input;
mod name;
mod views;

pub use input::{
    DATA_TYPES, DeleteParameter, LabelVersion, MAX_ADVANCED_CHARS, MAX_STANDARD_CHARS, NewValue,
    PutParameter, RevealParameter, TagParameter, UnlabelVersion, UntagParameter, Value,
};
pub use name::{complaint_about_name, folder_of, folders_above, is_folder, name_key, with_slash};
pub use views::{
    Comparison, LiveParameter, ParameterDetail, ParameterFolder, ParameterKind, ParameterPage,
    ParameterQuery, ParameterSummary, ParameterTier, ParameterVersion, PutDone, Revealed,
};

use crate::actor::Actor;
use crate::error::PortalError;
use async_trait::async_trait;

/// What can be done with parameters. Every call passes the door. To look takes any role; to reveal and to change takes a
/// role for all of the fleet: a parameter lies on no node, so no part of the fleet holds it.
#[async_trait]
pub trait Parameters: Send + Sync {
    /// The folders and parameters of one folder, or all parameters below it that match.
    async fn list(&self, actor: &Actor, query: ParameterQuery) -> Result<ParameterPage, PortalError>;
    /// One parameter with its versions, labels and tags; its value unless that is a secret.
    async fn get(&self, actor: &Actor, name: String) -> Result<ParameterDetail, PortalError>;
    /// What one version says against what another says; of a secret, whether it is the same.
    async fn compare(
        &self,
        actor: &Actor,
        name: String,
        old: i64,
        new: i64,
    ) -> Result<Comparison, PortalError>;
    /// The value of a SecureString, in the clear.
    async fn reveal(&self, actor: &Actor, input: RevealParameter) -> Result<Revealed, PortalError>;
    /// Makes a parameter, or a new version of one. A version that somebody else wrote meanwhile is not replaced.
    async fn put(&self, actor: &Actor, input: PutParameter) -> Result<PutDone, PortalError>;
    /// Deletes a parameter with all of its versions.
    async fn delete(&self, actor: &Actor, input: DeleteParameter) -> Result<(), PortalError>;
    /// Gives a version labels, wherever these were.
    async fn label(&self, actor: &Actor, input: LabelVersion) -> Result<(), PortalError>;
    /// Takes a label from a version.
    async fn unlabel(&self, actor: &Actor, input: UnlabelVersion) -> Result<(), PortalError>;
    /// Sets a tag.
    async fn tag(&self, actor: &Actor, input: TagParameter) -> Result<(), PortalError>;
    /// Removes a tag.
    async fn untag(&self, actor: &Actor, input: UntagParameter) -> Result<(), PortalError>;
}
