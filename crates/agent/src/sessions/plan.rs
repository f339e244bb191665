//! What a session is to be, read from the message that asks for it. Pure: nothing is looked up or started here.

use super::account::Wish;
use muster_agent_protocol::inputs::fill;
use muster_agent_protocol::session::{InteractiveShell, SessionContent};
use muster_session_channel::SessionType;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The longest id of a session: it is part of addresses.
const MAX_ID: usize = 128;

/// What runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Work {
    /// A login shell with a terminal, and what is typed into it first.
    Shell { profile: String },
    /// A command with a terminal.
    Interactive { command: String },
    /// A command without input.
    NonInteractive {
        command: String,
        /// Prefixes of standard output and standard error, when they are told apart.
        separate: Option<[String; 2]>,
    },
    /// Connections to a port.
    Port(PortPlan),
}

/// Where connections go.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PortPlan {
    /// Nothing for this machine.
    pub(crate) host: Option<String>,
    pub(crate) port: u16,
    /// The document's properties with the parameters put in; the client gets them.
    pub(crate) properties: Value,
}

/// A session to be started.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) wish: Wish,
    pub(crate) work: Work,
    /// Whether the client wants a handshake where none is needed.
    pub(crate) handshake: bool,
}

impl Plan {
    pub(crate) fn session_type(&self) -> SessionType {
        match self.work {
            Work::Shell { .. } => SessionType::StandardStream,
            Work::Interactive { .. } => SessionType::InteractiveCommands,
            Work::NonInteractive { .. } => SessionType::NonInteractiveCommands,
            Work::Port(_) => SessionType::Port,
        }
    }
}

/// Whether a session's id can stand in an address.
pub(crate) fn is_id(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len())
        && !id.starts_with('.')
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-@=,+".contains(&byte))
}

/// Reads what is asked for.
///
/// # Errors
/// A sentence for whoever asked.
pub(crate) fn read(message: &InteractiveShell) -> Result<Plan, String> {
    let content: SessionContent = serde_json::from_str(&message.content)
        .map_err(|error| format!("The request for the session cannot be read by the agent: {error}."))?;
    let document = &content.document_content;
    if document.schema_version != "1.0" {
        return Err(format!(
            "Schema version {:?} of Session documents is not supported; the agent takes 1.0.",
            document.schema_version
        ));
    }
    let values = values(&content);
    let inputs = document.inputs.clone().unwrap_or_default();
    if !inputs.kms_key_id.is_empty() {
        return Err(
            "The session preferences ask for encryption with a KMS key, which this agent does not support."
                .into(),
        );
    }
    let mut wish = Wish::Default;
    if !content.run_as_user.is_empty() {
        wish = Wish::Named(content.run_as_user.clone());
    } else if inputs.run_as_enabled && !inputs.run_as_default_user.is_empty() {
        wish = Wish::Named(inputs.run_as_default_user.clone());
    }
    let work = match document.session_type.as_str() {
        "Standard_Stream" => Work::Shell {
            profile: inputs.shell_profile.linux,
        },
        "InteractiveCommands" | "NonInteractiveCommands" => {
            let linux = document.properties.get("linux").and_then(Value::as_object);
            let linux = linux.ok_or("The document has no properties.linux: it cannot run on this node.")?;
            if is_true(linux.get("runAsElevated")) && wish == Wish::Default {
                wish = Wish::Agent;
            }
            commands(linux, &values, document.session_type == "InteractiveCommands")?
        }
        "Port" => Work::Port(port(&document.properties, &values)?),
        other => {
            return Err(format!(
                "The session type {other:?} is not supported by the agent."
            ));
        }
    };
    let handshake = content.handshake;
    Ok(Plan {
        wish,
        work,
        handshake,
    })
}

/// Values of all parameters: what was sent, else the document's defaults.
fn values(content: &SessionContent) -> BTreeMap<String, Value> {
    let mut values = content.parameters.clone();
    for (name, parameter) in &content.document_content.parameters {
        if let Some(default) = &parameter.default {
            values.entry(name.clone()).or_insert_with(|| default.clone());
        }
        let is_list = matches!(parameter.parameter_type.as_str(), "StringList" | "MapList");
        if let Some(Value::Array(items)) = values.get(name)
            && !is_list
            && let [single] = items.as_slice()
        {
            values.insert(name.clone(), single.clone());
        }
    }
    values
}

fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(is)) => *is,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

fn text(properties: &Map<String, Value>, name: &str, values: &BTreeMap<String, Value>) -> String {
    let text = match properties.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(lines)) => {
            let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
            lines.join("\n")
        }
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    fill(&text, values)
}

fn commands(
    linux: &Map<String, Value>,
    values: &BTreeMap<String, Value>,
    is_interactive: bool,
) -> Result<Work, String> {
    let command = text(linux, "commands", values);
    if command.trim().is_empty() {
        return Err("The document's properties.linux.commands is empty.".into());
    }
    if command.contains('\0') {
        return Err("The document's properties.linux.commands holds a NUL character.".into());
    }
    if is_interactive {
        return Ok(Work::Interactive { command });
    }
    let separate = is_true(linux.get("separateOutputStream")).then(|| {
        [
            text(linux, "stdOutSeparatorPrefix", values),
            text(linux, "stdErrSeparatorPrefix", values),
        ]
    });
    Ok(Work::NonInteractive { command, separate })
}

fn port(properties: &Value, values: &BTreeMap<String, Value>) -> Result<PortPlan, String> {
    let properties = properties
        .as_object()
        .ok_or("The document has no properties: it names no port.")?;
    let filled: Map<String, Value> = properties
        .keys()
        .map(|name| (name.clone(), Value::String(text(properties, name, values))))
        .collect();
    let get = |name: &str| {
        filled
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .trim()
    };
    let number = get("portNumber");
    let port = number.parse().ok().filter(|port| *port != 0);
    let port = port.ok_or_else(|| format!("portNumber {number:?} is no port; it must be 1 to 65535."))?;
    let host = get("host");
    if host.len() > 253 || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("host is no name or address.".into());
    }
    Ok(PortPlan {
        host: (!host.is_empty()).then(|| host.to_owned()),
        port,
        properties: Value::Object(filled),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ask(content: Value) -> Result<Plan, String> {
        read(&InteractiveShell {
            schema_version: 1,
            task_id: "s-1".into(),
            topic: String::new(),
            content: content.to_string(),
        })
    }

    #[test]
    fn a_shell_runs_as_whom_the_request_or_the_document_says() {
        let document = json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "properties": {},
            "inputs": {"runAsEnabled": true, "runAsDefaultUser": "web", "shellProfile": {"linux": "cd /"}}});
        let plan = ask(json!({"RunAsUser": "", "DocumentContent": document})).unwrap();
        assert_eq!(plan.wish, Wish::Named("web".into()));
        assert_eq!(
            plan.work,
            Work::Shell {
                profile: "cd /".into()
            }
        );
        let plan = ask(json!({"RunAsUser": "ops", "DocumentContent": document})).unwrap();
        assert_eq!(plan.wish, Wish::Named("ops".into()));
    }

    #[test]
    fn parameters_are_put_into_commands_and_ports() {
        let plan = ask(json!({"Parameters": {"what": ["date; id"]}, "DocumentContent": {
            "schemaVersion": "1.0", "sessionType": "NonInteractiveCommands",
            "parameters": {"what": {"type": "String"}, "n": {"type": "String", "default": "3"}},
            "properties": {"linux": {"commands": "{{ what }} # {{n}}", "separateOutputStream": "true",
                "runAsElevated": true, "stdErrSeparatorPrefix": "E:"}}}}))
        .unwrap();
        assert_eq!(plan.wish, Wish::Agent);
        let separate = Some([String::new(), "E:".to_owned()]);
        assert_eq!(
            plan.work,
            Work::NonInteractive {
                command: "date; id # 3".into(),
                separate
            }
        );
        let plan = ask(
            json!({"Parameters": {"p": "5432", "h": "db.internal"}, "DocumentContent": {
            "schemaVersion": "1.0", "sessionType": "Port",
            "properties": {"portNumber": "{{ p }}", "host": "{{ h }}", "type": "LocalPortForwarding"}}}),
        )
        .unwrap();
        let Work::Port(port) = plan.work else { panic!() };
        assert_eq!((port.host.as_deref(), port.port), (Some("db.internal"), 5432));
        assert_eq!(port.properties["portNumber"], "5432");
    }

    #[test]
    fn what_cannot_be_is_refused_in_words() {
        let document = |kind: &str, properties: Value| json!({"DocumentContent": {"schemaVersion": "1.0", "sessionType": kind, "properties": properties}});
        for (content, words) in [
            (
                json!({"DocumentContent": {"schemaVersion": "2.2"}}),
                "Schema version",
            ),
            (document("Screen", json!({})), "session type"),
            (document("Port", json!({"portNumber": "0"})), "portNumber"),
            (document("Port", json!({"portNumber": "70000"})), "portNumber"),
            (
                document("InteractiveCommands", json!({"windows": {}})),
                "properties.linux",
            ),
            (
                document("InteractiveCommands", json!({"linux": {"commands": " "}})),
                "commands is empty",
            ),
            (json!(7), "cannot be read"),
        ] {
            let error = ask(content.clone()).unwrap_err();
            assert!(error.contains(words), "{content}: {error}");
        }
    }

    #[test]
    fn an_id_fits_into_an_address() {
        assert!(is_id("ada@example.org-0123abc") && is_id("s"));
        for bad in ["", "a/b", "a b", "../x", "a?b", "a%2f", &"x".repeat(129)] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
