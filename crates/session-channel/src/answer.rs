//! The client's answer to a handshake request: what it can do of what the agent asks.
//! Sending it, and what follows, is in `client`.

use serde_json::Value;

use crate::body::{
    ActionStatus, HandshakeRequest, HandshakeResponse, KMS_ENCRYPTION, MAX_ACTIONS, ProcessedAction,
    RequestedAction, SESSION_TYPE, SessionTypeParameters,
};
use crate::client::Started;
use crate::kind::SessionType;
use crate::violation::Violation;

/// The answer, and what follows from it for us.
pub(crate) struct Answer {
    pub(crate) response: HandshakeResponse,
    /// The session, or why we refuse.
    pub(crate) outcome: Result<Started, String>,
}

// A peer's words in our texts, kept short.
fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

/// One entry for each requested action, in the same order (session protocol, handshake response).
pub(crate) fn answer(request: HandshakeRequest, client_version: &str) -> Result<Answer, Violation> {
    if request.requested_client_actions.len() > MAX_ACTIONS {
        return Err(Violation::Body {
            what: "handshake request",
        });
    }
    let mut session = None;
    let mut errors = Vec::new();
    let mut processed = Vec::new();
    for action in request.requested_client_actions {
        let RequestedAction {
            action_type,
            action_parameters,
        } = action;
        let (action_status, error) = match action_type.as_str() {
            SESSION_TYPE => match session_type(action_parameters) {
                Ok(found) => {
                    session = Some(found);
                    (ActionStatus::Success, String::new())
                }
                Err(error) => (ActionStatus::Failed, error),
            },
            KMS_ENCRYPTION => (
                ActionStatus::Unsupported,
                "This client does not support encryption with AWS KMS. Remove the KMS key from the session \
                 preferences, or use the session-manager-plugin of AWS."
                    .to_owned(),
            ),
            other => (
                ActionStatus::Unsupported,
                format!("This client does not know the action {:?}.", shortened(other)),
            ),
        };
        if !error.is_empty() {
            errors.push(error.clone());
        }
        processed.push(ProcessedAction {
            action_type: shortened(&action_type),
            action_status,
            action_result: Value::Null,
            error,
        });
    }
    let outcome = match (errors.is_empty(), session) {
        (false, _) => Err(errors.join(" ")),
        (true, Some((session_type, properties))) => Ok(Started {
            session_type,
            properties,
            agent_version: request.agent_version,
        }),
        // The studied client shows such a session as a shell, too.
        (true, None) => Ok(Started {
            session_type: SessionType::StandardStream,
            properties: Value::Null,
            agent_version: request.agent_version,
        }),
    };
    let response = HandshakeResponse {
        client_version: client_version.to_owned(),
        processed_client_actions: processed,
        errors: (!errors.is_empty()).then_some(errors),
    };
    Ok(Answer { response, outcome })
}

fn session_type(parameters: Value) -> Result<(SessionType, Value), String> {
    let parameters: SessionTypeParameters =
        serde_json::from_value(parameters).map_err(|_| "The session's type cannot be read.".to_owned())?;
    let found = SessionType::from_name(&parameters.session_type).ok_or_else(|| {
        format!(
            "This client does not know the session type {:?}.",
            shortened(&parameters.session_type)
        )
    })?;
    Ok((found, parameters.properties))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{read, write};
    use serde_json::json;

    fn ask(actions: Value) -> Answer {
        let request = json!({"AgentVersion": "3.3.0.0", "RequestedClientActions": actions});
        answer(serde_json::from_value(request).unwrap(), "1.2.677.0").unwrap()
    }

    #[test]
    fn success_is_spelt_as_recorded() {
        let answer = ask(json!([{"ActionType": "SessionType",
            "ActionParameters": {"SessionType": "Port", "Properties": {"portNumber": "80"}}}]));
        assert_eq!(
            String::from_utf8(write(&answer.response)).unwrap(),
            r#"{"ClientVersion":"1.2.677.0","ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":1,"ActionResult":null,"Error":""}],"Errors":null}"#
        );
        let started = answer.outcome.unwrap();
        assert_eq!(started.session_type, SessionType::Port);
        assert_eq!(started.properties, json!({"portNumber": "80"}));
        assert_eq!(started.agent_version, "3.3.0.0");
    }

    #[test]
    fn encryption_is_refused_in_its_place_and_in_words() {
        let answer = ask(json!([
            {"ActionType": "SessionType", "ActionParameters": {"SessionType": "Standard_Stream", "Properties": null}},
            {"ActionType": "KMSEncryption", "ActionParameters": {"KMSKeyId": "k", "Challenge": "AA=="}}]));
        let actions = &answer.response.processed_client_actions;
        assert_eq!(actions[0].action_status, ActionStatus::Success);
        assert_eq!(actions[1].action_type, KMS_ENCRYPTION);
        assert_eq!(actions[1].action_status, ActionStatus::Unsupported);
        assert!(actions[1].error.contains("KMS"));
        assert_eq!(
            answer.response.errors.as_ref().unwrap(),
            &vec![actions[1].error.clone()]
        );
        assert!(answer.outcome.unwrap_err().contains("KMS"));
    }

    #[test]
    fn unknown_actions_and_types_are_refused_with_bounded_words() {
        let answer = ask(
            json!([{"ActionType": "x".repeat(10_000), "ActionParameters": null},
            {"ActionType": "SessionType", "ActionParameters": {"SessionType": "y".repeat(10_000)}},
            {"ActionType": "SessionType", "ActionParameters": 7}]),
        );
        let statuses: Vec<_> = answer
            .response
            .processed_client_actions
            .iter()
            .map(|action| action.action_status)
            .collect();
        assert_eq!(
            statuses,
            [
                ActionStatus::Unsupported,
                ActionStatus::Failed,
                ActionStatus::Failed
            ]
        );
        assert!(write(&answer.response).len() < 2000);
    }

    #[test]
    fn a_request_for_very_many_actions_is_a_violation() {
        let actions: Vec<_> = (0..=MAX_ACTIONS).map(|_| json!({"ActionType": "a"})).collect();
        let text = json!({"RequestedClientActions": actions}).to_string();
        let request: HandshakeRequest = read("handshake request", text.as_bytes()).unwrap();
        assert!(answer(request, "1").is_err());
    }
}
