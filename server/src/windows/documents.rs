//! What the documents say that a window would run, as SHA-256, so that whoever approves a window approves that.

use crate::runbooks::content_hash;
use crate::runbooks::ssm::text;
use crate::windows::service::WindowService;
use muster_domain::PortalError;
use muster_domain::approvals::PlannedDocument;
use muster_domain::windows::{ChangeWindow, WindowState, WindowTask};
use std::collections::BTreeMap;

impl WindowService {
    /// The documents of what the window would be, where something may run after the change that did not before.
    ///
    /// # Errors
    /// When Systems Manager does not answer.
    pub(super) async fn documents(
        &self,
        change: &ChangeWindow,
        becomes: Option<&WindowState>,
    ) -> Result<Vec<PlannedDocument>, PortalError> {
        let Some(state) = becomes.filter(|_| change.lets_run()) else {
            return Ok(Vec::new());
        };
        let mut known: BTreeMap<(&str, &str), String> = BTreeMap::new();
        let mut all = Vec::new();
        // What is no document of Systems Manager has no content there.
        let runs = |task: &&WindowTask| task.is_command() || task.is_runbook();
        for task in state.tasks.iter().filter(runs) {
            let key = (task.document.as_str(), task.document_version.as_str());
            let sha256 = match known.get(&key) {
                Some(sha256) => sha256.clone(),
                None => self.content_of(task).await?,
            };
            known.insert(key, sha256.clone());
            all.push(PlannedDocument::of(task, sha256));
        }
        Ok(all)
    }

    /// SHA-256 of what a task's document says; empty where it is not there or cannot be read, which is frozen too.
    async fn content_of(&self, task: &WindowTask) -> Result<String, PortalError> {
        let version = Some(task.document_version.as_str()).filter(|version| !version.is_empty());
        match text(&self.ssm, task.document.trim(), version).await {
            Ok(found) => Ok(content_hash(&found.content)),
            Err(error) if error.refused && !error.is_throttled() => Ok(String::new()),
            Err(error) => Err(error.to_portal()),
        }
    }
}
