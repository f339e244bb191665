//! The Session documents that come with the control plane, with the names and parameters that clients and
//! scripts rely on; their words are our own.

use muster_agent_protocol::control::DocumentParameter;
use muster_agent_protocol::session::{SessionDocument, SessionInputs, ShellProfile};
use muster_agent_protocol::signing::sha256_hex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The document of plain shells. An account may make its own of this name: those are its preferences.
pub(crate) const RUN_SHELL: &str = "SSM-SessionManagerRunShell";
/// The parameter that is typed into a new shell.
pub(crate) const SHELL_PROFILE: &str = "shellProfile";
/// The parameter that names the operating system's user.
pub(crate) const RUN_AS_USER: &str = "runAsUser";

/// A built-in Session document.
pub(crate) struct SessionBuiltIn {
    pub(crate) name: &'static str,
    pub(crate) content: SessionDocument,
    /// The content as JSON.
    pub(crate) text: String,
    pub(crate) sha256: String,
    /// Its parameters in the order in which a form shows them.
    pub(crate) order: &'static [&'static str],
}

/// 1 to 65,535.
const PORT: &str =
    "([1-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
/// 0 to 65,535; 0 for any.
const LOCAL_PORT: &str =
    "([0-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
/// A name or an address, without anything that a shell or URL would read.
const HOST: &str = "[A-Za-z0-9_.:\\-\\[\\]%]{1,255}";
/// A user's name, or none.
const USER: &str = "([A-Za-z0-9_][A-Za-z0-9_.\\-]{0,31}[$]?)?";

/// All of them, by name.
pub(crate) fn all() -> &'static [SessionBuiltIn] {
    static ALL: OnceLock<Vec<SessionBuiltIn>> = OnceLock::new();
    ALL.get_or_init(|| {
        vec![
            command(
                "AWS-StartInteractiveCommand",
                "Runs one command on a terminal of the node.",
                "InteractiveCommands",
            ),
            command(
                "AWS-StartNonInteractiveCommand",
                "Runs one command on the node, without a terminal, and shows its output.",
                "NonInteractiveCommands",
            ),
            port(
                "AWS-StartPortForwardingSession",
                "Forwards a local port to a port of the node.",
                &["portNumber", "localPortNumber"],
            ),
            port(
                "AWS-StartPortForwardingSessionToRemoteHost",
                "Forwards a local port, through the node, to a port of a host that the node can reach.",
                &["host", "portNumber", "localPortNumber"],
            ),
            port(
                "AWS-StartSSHSession",
                "Carries an SSH connection to the node.",
                &["portNumber"],
            ),
            run_shell(),
        ]
    })
}

fn parameter(description: &str, default: Option<&str>, pattern: Option<&str>) -> DocumentParameter {
    let need = if default.is_some() {
        "(Optional)"
    } else {
        "(Required)"
    };
    DocumentParameter {
        parameter_type: "String".into(),
        description: format!("{need} {description}"),
        default: default.map(|text| json!(text)),
        allowed_pattern: pattern.map(|pattern| format!("^{pattern}$")),
        ..DocumentParameter::default()
    }
}

fn built_in(
    name: &'static str,
    description: &str,
    session_type: &str,
    order: &'static [&'static str],
    parameters: Vec<DocumentParameter>,
    inputs: Option<SessionInputs>,
    properties: Value,
) -> SessionBuiltIn {
    let content = SessionDocument {
        schema_version: "1.0".into(),
        description: description.to_owned(),
        session_type: session_type.to_owned(),
        inputs,
        parameters: order
            .iter()
            .map(|name| (*name).to_owned())
            .zip(parameters)
            .collect::<BTreeMap<_, _>>(),
        properties,
    };
    let text = serde_json::to_string_pretty(&content).unwrap_or_default();
    SessionBuiltIn {
        name,
        sha256: sha256_hex(text.as_bytes()),
        text,
        content,
        order,
    }
}

fn run_shell() -> SessionBuiltIn {
    let inputs = SessionInputs {
        run_as_default_user: "{{ runAsUser }}".into(),
        idle_session_timeout: "20".into(),
        shell_profile: ShellProfile {
            windows: String::new(),
            linux: "{{ shellProfile }}".into(),
        },
        ..SessionInputs::default()
    };
    let parameters = vec![
        DocumentParameter {
            max_chars: Some(512),
            ..parameter("Commands that are typed into the new shell.", Some(""), None)
        },
        parameter(
            "The operating system's user to be; without it the agent's default.",
            Some(""),
            Some(USER),
        ),
    ];
    built_in(
        RUN_SHELL,
        "Opens a shell on the node.",
        "Standard_Stream",
        &[SHELL_PROFILE, RUN_AS_USER],
        parameters,
        Some(inputs),
        json!({}),
    )
}

fn command(name: &'static str, description: &str, session_type: &str) -> SessionBuiltIn {
    let of_platform = json!({"commands": "{{ command }}", "runAsElevated": false});
    built_in(
        name,
        description,
        session_type,
        &["command"],
        vec![parameter("The command to run.", None, None)],
        None,
        json!({"windows": of_platform, "linux": of_platform, "macos": of_platform}),
    )
}

fn port(name: &'static str, description: &str, order: &'static [&'static str]) -> SessionBuiltIn {
    let is_ssh = order == ["portNumber"];
    let one = |name: &&str| match *name {
        "host" => parameter(
            "The host's name or address, as the node sees it.",
            None,
            Some(HOST),
        ),
        "localPortNumber" => parameter(
            "The port on the client's machine; 0 for any that is free.",
            Some("0"),
            Some(LOCAL_PORT),
        ),
        _ => parameter(
            "The port at the far end.",
            Some(if is_ssh { "22" } else { "80" }),
            Some(PORT),
        ),
    };
    let mut properties = serde_json::Map::new();
    for name in order {
        properties.insert((*name).to_owned(), json!(format!("{{{{ {name} }}}}")));
    }
    if !is_ssh {
        properties.insert("type".into(), json!("LocalPortForwarding"));
    }
    let parameters = order.iter().map(one).collect();
    built_in(
        name,
        description,
        "Port",
        order,
        parameters,
        None,
        Value::Object(properties),
    )
}

#[cfg(test)]
mod tests {
    use super::super::session_content;
    use super::*;

    #[test]
    fn the_built_in_documents_pass_the_checks_for_those_of_accounts() {
        for document in all() {
            let read = session_content::read(&serde_json::from_str(&document.text).unwrap()).unwrap();
            assert_eq!(read, document.content, "{}", document.name);
        }
        let names: Vec<_> = all().iter().map(|document| document.name).collect();
        assert!(names.is_sorted(), "{names:?}");
    }
}
