//! What a node is sent for a session: the document with its preferences filled in, the parameters
//! flattened, and how long the session may last. Which document it is has been decided before.

use crate::documents::declared::{substituted, text_of};
use crate::documents::parameters::{Given, check};
use crate::documents::session_built_in::{RUN_AS_USER, RUN_SHELL, SHELL_PROFILE};
use crate::documents::session_content::minutes;
use crate::errors::{ApiError, ApiResult};
use muster_agent_protocol::session::{SessionDocument, SessionInputs};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Minutes without traffic after which a session ends, when nobody says otherwise.
const IDLE_MINUTES: i64 = 20;
const MINUTE_MS: i64 = 60_000;

/// A session's content.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) document: SessionDocument,
    /// Values of type String are plain texts: the agent refuses lists.
    pub(crate) parameters: BTreeMap<String, Value>,
    pub(crate) idle_ms: i64,
    pub(crate) max_ms: Option<i64>,
}

/// Checks what was given and fills it in. `preferences` are the account's, for documents without inputs.
pub(crate) fn prepare(
    name: &str,
    document: &SessionDocument,
    mut given: Given,
    preferences: Option<&SessionInputs>,
) -> ApiResult<Prepared> {
    // Preferences that an account saves over the built-in document declare no parameters, and scripts that
    // name a shell profile must go on working. Another user is a matter of rights: only where it is declared.
    let undeclared_profile = (name == RUN_SHELL && !document.parameters.contains_key(SHELL_PROFILE))
        .then(|| given.remove(SHELL_PROFILE))
        .flatten();
    check(name, &document.parameters, &given)?;
    let mut parameters = BTreeMap::new();
    let mut texts = BTreeMap::new();
    for (name, declared) in &document.parameters {
        let is_list = declared.parameter_type == "StringList";
        let value = match (given.get(name), &declared.default) {
            (Some(values), _) if is_list => json!(values),
            (Some(values), _) => json!(values.first().cloned().unwrap_or_default()),
            (None, Some(default)) => default.clone(),
            (None, None) => continue,
        };
        let text = match &value {
            Value::Array(items) => {
                let items: Vec<_> = items.iter().filter_map(text_of).collect();
                items.join("\n")
            }
            other => text_of(other).unwrap_or_default(),
        };
        texts.insert(name.clone(), text);
        parameters.insert(name.clone(), value);
    }
    let mut document = document.clone();
    if let Some(inputs) = &mut document.inputs {
        fill(inputs, &texts);
        if let Some(values) = undeclared_profile {
            let [profile] = values.as_slice() else {
                return Err(ApiError::new(
                    "InvalidParameters",
                    format!("Parameter \"{SHELL_PROFILE}\" is of type String: give exactly one value."),
                ));
            };
            inputs.shell_profile.linux.clone_from(profile);
        }
        let names_user = texts.get(RUN_AS_USER).is_some_and(|user| !user.is_empty());
        if name == RUN_SHELL && names_user {
            inputs.run_as_enabled = true;
        }
    }
    let limits = document.inputs.as_ref().or(preferences);
    let (idle_ms, max_ms) = limits.map_or(Ok((IDLE_MINUTES * MINUTE_MS, None)), durations)?;
    Ok(Prepared {
        document,
        parameters,
        idle_ms,
        max_ms,
    })
}

fn fill(inputs: &mut SessionInputs, texts: &BTreeMap<String, String>) {
    for member in [
        &mut inputs.s3_bucket_name,
        &mut inputs.s3_key_prefix,
        &mut inputs.cloud_watch_log_group_name,
        &mut inputs.kms_key_id,
        &mut inputs.run_as_default_user,
        &mut inputs.idle_session_timeout,
        &mut inputs.max_session_duration,
        &mut inputs.shell_profile.windows,
        &mut inputs.shell_profile.linux,
    ] {
        *member = substituted(member, |name| texts.get(name).cloned());
    }
}

fn durations(inputs: &SessionInputs) -> ApiResult<(i64, Option<i64>)> {
    let read = |name, text: &str, most| {
        minutes(name, text, most)
            .map(|minutes| minutes.map(|minutes| minutes * MINUTE_MS))
            .map_err(|message| ApiError::new("InvalidParameters", message))
    };
    let idle = read("idleSessionTimeout", &inputs.idle_session_timeout, 60)?;
    let max = read("maxSessionDuration", &inputs.max_session_duration, 1_440)?;
    Ok((idle.unwrap_or(IDLE_MINUTES * MINUTE_MS), max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::session_built_in::all;

    fn given(values: &[(&str, &str)]) -> Given {
        values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]))
            .collect()
    }

    fn built_in(name: &str, values: &[(&str, &str)]) -> ApiResult<Prepared> {
        let document = all().iter().find(|document| document.name == name).unwrap();
        prepare(name, &document.content, given(values), None)
    }

    #[test]
    fn a_shell_takes_a_profile_and_a_user() {
        let plain = built_in(RUN_SHELL, &[]).unwrap();
        let inputs = plain.document.inputs.unwrap();
        assert!(!inputs.run_as_enabled && inputs.run_as_default_user.is_empty());
        assert_eq!(
            (inputs.shell_profile.linux.as_str(), plain.idle_ms, plain.max_ms),
            ("", 1_200_000, None)
        );
        let profile = [(SHELL_PROFILE, "sudo su - ec2-user"), (RUN_AS_USER, "web")];
        let inputs = built_in(RUN_SHELL, &profile).unwrap().document.inputs.unwrap();
        assert!(inputs.run_as_enabled);
        assert_eq!(inputs.run_as_default_user, "web");
        assert_eq!(inputs.shell_profile.linux, "sudo su - ec2-user");
        let error = built_in(RUN_SHELL, &[(RUN_AS_USER, "a; rm")]).unwrap_err();
        assert_eq!(error.code, "InvalidParameters");
    }

    #[test]
    fn values_are_plain_texts_with_the_documents_defaults() {
        let prepared = built_in("AWS-StartPortForwardingSession", &[("portNumber", "8080")]).unwrap();
        assert_eq!(
            serde_json::to_value(&prepared.parameters).unwrap(),
            json!({"portNumber": "8080", "localPortNumber": "0"})
        );
        assert_eq!(prepared.document.properties["portNumber"], "{{ portNumber }}");
        for bad in ["0", "65536", "x", "80 "] {
            let error = built_in("AWS-StartPortForwardingSession", &[("portNumber", bad)]).unwrap_err();
            assert!(error.message.unwrap().contains("allowed pattern"), "{bad}");
        }
        let error = built_in("AWS-StartInteractiveCommand", &[]).unwrap_err();
        assert_eq!(error.message.unwrap(), "Parameter \"command\" requires a value.");
    }

    #[test]
    fn an_accounts_own_preferences_hold() {
        let text = json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {
            "runAsEnabled": true, "runAsDefaultUser": "web", "idleSessionTimeout": "5", "maxSessionDuration": "60",
            "shellProfile": {"linux": "cd /"}}});
        let own: SessionDocument = serde_json::from_value(text).unwrap();
        let prepared = prepare(RUN_SHELL, &own, given(&[(SHELL_PROFILE, "id")]), None).unwrap();
        assert_eq!((prepared.idle_ms, prepared.max_ms), (300_000, Some(3_600_000)));
        let inputs = prepared.document.inputs.unwrap();
        assert_eq!(
            (
                inputs.shell_profile.linux.as_str(),
                inputs.run_as_default_user.as_str()
            ),
            ("id", "web")
        );
        assert!(prepare(RUN_SHELL, &own, given(&[(RUN_AS_USER, "root")]), None).is_err());
        let port = all()
            .iter()
            .find(|document| document.name == "AWS-StartSSHSession")
            .unwrap();
        let prepared = prepare(port.name, &port.content, Given::new(), own.inputs.as_ref()).unwrap();
        assert_eq!((prepared.idle_ms, prepared.max_ms), (300_000, Some(3_600_000)));
    }
}
