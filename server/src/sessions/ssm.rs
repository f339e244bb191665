//! What sessions ask of Systems Manager.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use muster_domain::PortalError;

/// What a session is opened with: the only proof that it is ours, so it is shown nowhere.
#[derive(Clone)]
pub struct Grant {
    /// Systems Manager's id of the session.
    pub ssm_session_id: String,
    /// The proof.
    pub token: String,
    /// Where to connect.
    pub stream_url: String,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant")
            .field("ssm_session_id", &self.ssm_session_id)
            .finish_non_exhaustive()
    }
}

/// What to start.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// On which node.
    pub target: String,
    /// With which document; nothing means Systems Manager's default, a shell.
    pub document: Option<String>,
    /// With which parameters.
    pub parameters: Vec<(String, String)>,
    /// What for.
    pub reason: String,
}

/// Starts a session.
///
/// # Errors
/// [`CallError`] when it was refused or not answered.
pub(super) async fn start(ssm: &Ssm, wanted: &Wanted) -> Result<Grant, CallError> {
    let mut request = ssm
        .client
        .start_session()
        .target(&wanted.target)
        .set_document_name(wanted.document.clone())
        .set_reason((!wanted.reason.is_empty()).then(|| wanted.reason.clone()));
    for (name, value) in &wanted.parameters {
        request = request.parameters(name, vec![value.clone()]);
    }
    // A second start for one that was answered too late would leave a session that nobody knows.
    let request = request.customize().config_override(Ssm::once());
    let answer = ssm.call("StartSession", request.send()).await?;
    Ok(Grant {
        ssm_session_id: answer.session_id().unwrap_or_default().to_owned(),
        token: answer.token_value().unwrap_or_default().to_owned(),
        stream_url: answer.stream_url().unwrap_or_default().to_owned(),
    })
}

/// A new proof for a session whose connection was lost; `None` when the session is over.
///
/// # Errors
/// [`CallError`] when it was refused or not answered.
pub(super) async fn resume(ssm: &Ssm, ssm_session_id: &str) -> Result<Option<Grant>, CallError> {
    let request = ssm.client.resume_session().session_id(ssm_session_id);
    match ssm.call("ResumeSession", request.send()).await {
        // An empty token is how the service says that the session has timed out (session protocol, resume).
        Ok(answer) => Ok(answer
            .token_value()
            .filter(|token| !token.is_empty())
            .map(|token| Grant {
                ssm_session_id: ssm_session_id.to_owned(),
                token: token.to_owned(),
                stream_url: answer.stream_url().unwrap_or_default().to_owned(),
            })),
        Err(error) if error.code == "DoesNotExistException" => Ok(None),
        Err(error) => Err(error),
    }
}

/// Ends a session. One that is over already is as good.
///
/// # Errors
/// [`CallError`] when it was refused or not answered.
pub(super) async fn terminate(ssm: &Ssm, ssm_session_id: &str) -> Result<(), CallError> {
    let request = ssm.client.terminate_session().session_id(ssm_session_id);
    match ssm.call("TerminateSession", request.send()).await {
        Ok(_) => Ok(()),
        Err(error) if error.code == "DoesNotExistException" => Ok(()),
        Err(error) => Err(error),
    }
}

/// What a refused start means to the person who asked.
#[must_use]
pub(super) fn why_not(error: &CallError, node: &str) -> PortalError {
    match error.code.as_str() {
        "TargetNotConnected" => PortalError::invalid(
            "node",
            format!("{node} is not connected to Systems Manager now, so no session can be opened on it."),
        ),
        "InvalidParameters" => PortalError::invalid(
            "os_user",
            format!(
                "Systems Manager refused the session's parameters: {}",
                error.message
            ),
        ),
        _ => error.to_portal(),
    }
}
