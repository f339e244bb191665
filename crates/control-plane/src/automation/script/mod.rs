//! `aws:executeScript`: what its inputs say, and what becomes of what the script answers.

mod sandbox;

use super::acting::Standing;
use super::api_call;
use super::under_way::Came;
use super::values;
use crate::control_plane::ControlPlane;
use futures::future::BoxFuture;
use muster_automation::{Output, Step};
use muster_domain::Timestamp;
use sandbox::{Ended, run};
use serde_json::{Map, Value, json};
use std::path::Path;

const DRIVER: &str = include_str!("driver.py");
/// Reads the script from standard input, by its length in the first line, and leaves it the rest.
const SHELL: &str = "read -r length; head -c \"$length\" > /tmp/script; exec \"$0\" /tmp/script";
/// How long a script may run (the guide's ten minutes).
pub(crate) const LONGEST_MS: i64 = 600_000;

/// What runs a script.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Runtime {
    /// `python3.11`.
    Python(String),
    Shell(&'static str),
}

/// A script with what it is given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Script {
    runtime: Runtime,
    script: String,
    handler: String,
    payload: Value,
}

impl Script {
    /// Reads it from a step's inputs.
    pub(crate) fn read(inputs: &Value) -> Result<Self, String> {
        const KNOWN: [&str; 4] = ["Runtime", "Handler", "Script", "InputPayload"];
        let members = inputs.as_object().into_iter().flatten();
        if let Some((name, _)) = members
            .clone()
            .find(|(name, value)| !KNOWN.contains(&name.as_str()) && !value.is_null())
        {
            return Err(format!(
                "its input {name} is not known; there are {}",
                KNOWN.join(", ")
            ));
        }
        let runtime = values::text(inputs, "Runtime").ok_or("it needs the input Runtime")?;
        let minor = runtime
            .strip_prefix("python3.")
            .filter(|minor| minor.parse::<u8>().is_ok());
        let runtime = match runtime.as_str() {
            "bash" => Runtime::Shell("bash"),
            "sh" => Runtime::Shell("sh"),
            _ if minor.is_some() => Runtime::Python(runtime),
            _ if runtime.starts_with("PowerShell") => {
                return Err(format!(
                    "its input Runtime is {runtime:?}: this control plane runs no PowerShell, but python3.x, bash and sh"
                ));
            }
            _ => {
                return Err(format!(
                    "its input Runtime is {runtime:?}; it has to be python3.8 to python3.11 or later, bash or sh"
                ));
            }
        };
        let handler = values::text(inputs, "Handler").unwrap_or_default();
        if handler.is_empty() && matches!(runtime, Runtime::Python(_)) {
            return Err("it needs the input Handler, the name of a function".to_owned());
        }
        Ok(Self {
            runtime,
            script: values::text(inputs, "Script").ok_or("it needs the input Script")?,
            handler,
            payload: inputs
                .get("InputPayload")
                .filter(|payload| !payload.is_null())
                .cloned()
                .unwrap_or_else(|| json!({})),
        })
    }

    /// Runs it: in its sandbox, and apart from everything else that goes on.
    pub(crate) fn run(
        self,
        plane: &ControlPlane,
        standing: &Standing<'_>,
        step: &Step,
        due_at: Option<Timestamp>,
    ) -> BoxFuture<'static, Came> {
        let execution = standing.execution;
        let context = json!({"automation:EXECUTION_ID": execution.execution_id, "global:REGION": execution.region,
            "global:ACCOUNT_ID": plane.config.account});
        let data_dir = plane.config.data_dir.clone();
        let left = due_at
            .map_or(LONGEST_MS, |at| at.since_ms(plane.clock.now()))
            .min(LONGEST_MS);
        let outputs = step.outputs.clone();
        // Begun seconds count.
        let seconds = (left + 999) / 1_000;
        Box::pin(async move {
            let is_python = matches!(self.runtime, Runtime::Python(_));
            let ended = async {
                let program = self.program()?;
                let program: Vec<&str> = program.iter().map(String::as_str).collect();
                let ended = run(&data_dir, seconds, &program, self.input(&context)).await?;
                came(ended, is_python, seconds, &outputs)
            };
            ended.await.unwrap_or_else(Came::failed)
        })
    }

    fn program(&self) -> Result<Vec<String>, String> {
        match &self.runtime {
            Runtime::Python(named) => {
                let at = [named, "python3"]
                    .iter()
                    .flat_map(|name| ["/usr/bin/", "/usr/local/bin/"].map(|folder| format!("{folder}{name}")))
                    .find(|path| Path::new(path).exists())
                    .ok_or("The script was not run: there is no python3 in /usr/bin or /usr/local/bin")?;
                Ok(vec![at, "-I".into(), "-B".into(), "-c".into(), DRIVER.into()])
            }
            Runtime::Shell(shell) => Ok(vec!["sh".into(), "-c".into(), SHELL.into(), (*shell).into()]),
        }
    }

    fn input(&self, context: &Value) -> Vec<u8> {
        match &self.runtime {
            Runtime::Python(_) => {
                let given = json!({"script": self.script, "handler": self.handler, "events": self.payload,
                    "context": context});
                given.to_string().into_bytes()
            }
            Runtime::Shell(_) => {
                format!("{}\n{}{}\n", self.script.len(), self.script, self.payload).into_bytes()
            }
        }
    }
}

/// What a script's end means for its step.
fn came(ended: Ended, is_python: bool, seconds: i64, declared: &[Output]) -> Result<Came, String> {
    let said = ended.said.trim();
    let limits =
        format!("it may take {seconds} seconds, 512 MiB of memory, 64 processes and files of 64 MiB. {said}");
    match ended.code {
        Some(0) => {}
        Some(code @ ..128) if said.is_empty() => return Err(format!("The script ended with {code}.")),
        Some(code @ ..128) => return Err(format!("The script ended with {code}: {said}")),
        // A shell that saw a part of it killed says so, and so may the script itself.
        Some(code) => {
            return Err(format!(
                "The script ended with {code}, as what is killed by signal {} does: {limits}",
                code - 128
            ));
        }
        None => return Err(format!("The script was killed: {limits}")),
    }
    let text = String::from_utf8_lossy(&ended.answer);
    let answer = if is_python {
        serde_json::from_str(&text).map_err(|_| "The script ended without an answer.".to_owned())?
    } else {
        // JSON stays what it is; everything else is a text.
        let payload = serde_json::from_str(&text).unwrap_or_else(|_| json!(text.trim_end_matches('\n')));
        json!({"Payload": payload})
    };
    let mut outputs: Map<String, Value> = api_call::outputs(declared, &answer)?;
    outputs.insert("OutputPayload".into(), Value::String(answer.to_string()));
    Ok(Came {
        outputs,
        response_code: "0".into(),
        failure: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_read_and_refused_by_name() {
        let python = json!({"Runtime": "python3.8", "Handler": "main", "Script": "def main(e, c): pass"});
        let read = Script::read(&python).unwrap();
        assert_eq!(
            (read.runtime.clone(), &read.payload),
            (Runtime::Python("python3.8".into()), &json!({}))
        );
        let shell =
            Script::read(&json!({"Runtime": "bash", "Script": "é", "InputPayload": {"a": 1}})).unwrap();
        assert_eq!(shell.input(&json!({})), "2\né{\"a\":1}\n".as_bytes());
        // Nothing of the script is in the arguments, which others can read.
        assert!(!shell.program().unwrap().join(" ").contains('é'));
        for (inputs, says) in [
            (json!({}), "the input Runtime"),
            (
                json!({"Runtime": "PowerShell 7.0", "Script": "x"}),
                "no PowerShell",
            ),
            (
                json!({"Runtime": "python2.7", "Script": "x"}),
                "python3.8 to python3.11",
            ),
            (
                json!({"Runtime": "python3.x", "Script": "x"}),
                "python3.8 to python3.11",
            ),
            (
                json!({"Runtime": "python3.11", "Script": "x"}),
                "the input Handler",
            ),
            (json!({"Runtime": "sh"}), "the input Script"),
            (
                json!({"Runtime": "sh", "Script": "x", "Attachment": "a.zip"}),
                "Attachment is not known",
            ),
        ] {
            let told = Script::read(&inputs).unwrap_err();
            assert!(told.contains(says), "{told}");
        }
    }

    #[test]
    fn what_a_script_comes_to_is_told() {
        let ended = |code: Option<i32>, answer: &str, said: &str| Ended {
            code,
            answer: answer.as_bytes().to_vec(),
            said: said.to_owned(),
        };
        let output = Output {
            name: "n".into(),
            selector: "$.Payload.n".into(),
            kind: "Integer".into(),
        };
        let well = came(
            ended(Some(0), r#"{"Payload": {"n": 1}}"#, "noise"),
            true,
            1,
            std::slice::from_ref(&output),
        )
        .unwrap();
        assert_eq!(well.outputs["n"], json!(1));
        assert_eq!(well.outputs["OutputPayload"], json!(r#"{"Payload":{"n":1}}"#));
        let text = came(ended(Some(0), "hello\n", ""), false, 1, &[]).unwrap();
        assert_eq!(text.outputs["OutputPayload"], json!(r#"{"Payload":"hello"}"#));
        for (one, says) in [
            (ended(Some(3), "", "no\n"), "ended with 3: no"),
            (ended(Some(0), "", ""), "without an answer"),
            (ended(None, "", ""), "was killed: it may take 7 seconds"),
            (
                ended(Some(137), "", "own words"),
                "ended with 137, as what is killed by signal 9 does",
            ),
        ] {
            let told = came(one, true, 7, &[]).err().unwrap();
            assert!(told.contains(says), "{told}");
        }
    }
}
