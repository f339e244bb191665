//! `aws:runDocument`: the steps of another document, as one step. What they print stands in this step's output, one after
//! the other; how they end is how this step ends.

use super::plugin::{Place, REBOOT, REBOOT_CODE};
use super::process::{self, SharedSink};
use super::{CANCELLED_BEFORE, Turn, Worker, ended_before, in_order, overall_status};
use crate::commands::document::{self, Unfit};
use crate::download::PENDING;
use crate::error::AgentError;
use crate::files;
use crate::patch::INVENTORY_FILE;
use muster_agent_protocol::calls::InventoryItem;
use muster_agent_protocol::control::{DocumentContent, DocumentStep, EMBEDDED_DOCUMENT};
use muster_agent_protocol::inputs;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Documents within documents at most.
const MOST_DEEP: usize = 3;
/// How a step within has ended: it is not run again when a later one asks for a reboot.
const DONE: &str = "done.json";
/// Bytes of a document on this machine at most; the service takes 64 KB.
const MAX_BYTES: u64 = 1 << 20;

/// A document that is run within another.
#[derive(Debug)]
pub(super) struct Nested {
    content: DocumentContent,
    /// Of its parameters.
    values: BTreeMap<String, Value>,
    /// Whether it is a file of this machine, of which the control plane knows nothing.
    is_local: bool,
}

/// The document that is meant, with its parameters.
pub(super) fn read(
    place: &Place<'_>,
    step: &DocumentStep,
    values: &BTreeMap<String, Value>,
) -> Result<Nested, String> {
    let text = |name: &str| inputs::text_input(&step.inputs, name, values);
    let kind = text("documentType");
    let path = text("documentPath").unwrap_or_default();
    let (name, content) = match kind.as_deref().map(str::trim) {
        Some("SSMDocument") => {
            let embedded = step
                .inputs
                .get(EMBEDDED_DOCUMENT)
                .ok_or("the control plane sent no document with it")?;
            let content = serde_json::from_value(embedded.clone())
                .map_err(|error| format!("the document that came with it cannot be read: {error}"))?;
            (path, content)
        }
        Some("LocalPath") => {
            let file = local(place.downloads, path.trim())?;
            (file.display().to_string(), parsed(&file)?)
        }
        other => {
            return Err(format!(
                "its input documentType is {:?}, not SSMDocument or LocalPath",
                other.unwrap_or_default()
            ));
        }
    };
    document::check(&content).map_err(|unfit| match unfit {
        Unfit::Schema(reason) | Unfit::Document(reason) => format!("{name}: {reason}"),
    })?;
    let given = inputs::object_input(&step.inputs, "documentParameters", values)
        .map_err(|reason| format!("its input {reason}"))?;
    if let Some(unknown) = given.keys().find(|name| !content.parameters.contains_key(*name)) {
        return Err(format!("{name} has no parameter {unknown}"));
    }
    let parameters = given.into_iter().collect();
    let values = inputs::parameter_values(&content, &parameters);
    if let Some(missing) = content.parameters.keys().find(|name| !values.contains_key(*name)) {
        return Err(format!("{name} needs the parameter {missing}"));
    }
    Ok(Nested {
        is_local: kind.as_deref().map(str::trim) == Some("LocalPath"),
        content,
        values,
    })
}

/// The file that a path means. Without one, it is the only file that was downloaded.
fn local(downloads: &Path, path: &str) -> Result<PathBuf, String> {
    if !path.is_empty() {
        return Ok(downloads.join(path));
    }
    let entries = std::fs::read_dir(downloads)
        .map_err(|_| "it has no documentPath, and nothing was downloaded before".to_owned())?;
    let all: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with(PENDING))
        .map(|entry| entry.path())
        .collect();
    match all.as_slice() {
        [one] => Ok(one.clone()),
        _ => Err(format!(
            "it has no documentPath, and {} files were downloaded before: name one",
            all.len()
        )),
    }
}

/// JSON or YAML.
fn parsed(file: &Path) -> Result<DocumentContent, String> {
    let wrong = |reason: String| format!("{} {reason}", file.display());
    let about = std::fs::metadata(file).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if !about.is_file() || about.len() > MAX_BYTES {
        return Err(wrong(format!("is no file of at most {MAX_BYTES} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let value: Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).map_err(|error| wrong(format!("is no JSON: {error}")))?
    } else {
        serde_saphyr::from_str(&text).map_err(|error| wrong(format!("is no YAML: {error}")))?
    };
    serde_json::from_value(value).map_err(|error| wrong(format!("is no Command document: {error}")))
}

/// Adds the inventory that a step has left to that of the step around it; of one type, the later counts.
fn move_inventory(from: &Path, to: &Path) -> std::io::Result<()> {
    let (from, to) = (from.join(INVENTORY_FILE), to.join(INVENTORY_FILE));
    let Some(new) = files::read_json::<Vec<InventoryItem>>(&from)? else {
        return Ok(());
    };
    let mut all = files::read_json::<Vec<InventoryItem>>(&to)?.unwrap_or_default();
    all.retain(|item| new.iter().all(|other| other.type_name != item.type_name));
    all.extend(new);
    files::write_json(&to, &all)?;
    std::fs::remove_file(&from)
}

impl Worker<'_> {
    /// Runs the steps of a document within a step.
    pub(super) fn nested(
        &self,
        place: &Place<'_>,
        nested: &Nested,
        directory: &Path,
        sinks: [&SharedSink; 2],
        depth: usize,
    ) -> (&'static str, i32, String) {
        if depth > MOST_DEEP {
            let text = format!("Documents can be run within documents {MOST_DEEP} deep, not deeper.\n");
            return ("Failed", 1, text);
        }
        let place = Place {
            schema_version: &nested.content.schema_version,
            is_local: place.is_local || nested.is_local,
            ..*place
        };
        let mut code = 0;
        let is_cancelled = || self.dir.is_cancelled();
        let steps = &nested.content.main_steps;
        let ended = in_order(steps, &is_cancelled, |index, step, turn| {
            let note = match turn {
                Turn::Ended => {
                    process::locked(sinks[0]).note(&ended_before(step));
                    return Ok("Skipped".to_owned());
                }
                Turn::Cancelled => {
                    process::locked(sinks[1]).note(CANCELLED_BEFORE);
                    return Ok("Cancelled".to_owned());
                }
                Turn::Run => {
                    let own = directory.join(format!("{index:03}"));
                    // Before a reboot, for which a later step has asked.
                    if let Ok(Some((status, of_step))) = files::read_json::<(String, i32)>(&own.join(DONE)) {
                        if code == 0 {
                            code = of_step;
                        }
                        return Ok(status);
                    }
                    match files::private_directory(&own) {
                        Ok(()) => self.act(&place, step, &nested.values, &own, sinks, depth),
                        Err(error) => ("Failed", 1, format!("The step has no place on disk: {error}\n")),
                    }
                }
            };
            let (status, of_step, note) = note;
            // What a step leaves for the control plane is delivered from the outermost one.
            if let Err(error) = move_inventory(&directory.join(format!("{index:03}")), directory) {
                process::locked(sinks[1]).note(&format!("Its inventory could not be kept: {error}\n"));
            }
            if status == REBOOT {
                return Err(AgentError::Reboot);
            }
            if code == 0 {
                code = of_step;
            }
            if !note.is_empty() {
                process::locked(sinks[1]).note(&note);
            }
            let done = directory.join(format!("{index:03}")).join(DONE);
            self.keep(|| files::write_json(&done, &(status, of_step)))?;
            Ok(status.to_owned())
        });
        match ended {
            Ok(statuses) => {
                let status = overall_status(&statuses);
                let is_well = matches!(status, "Success" | "Skipped");
                (status, if is_well { 0 } else { code.max(1) }, String::new())
            }
            Err(AgentError::Reboot) => (REBOOT, REBOOT_CODE, String::new()),
            Err(error) => ("Failed", 1, format!("{error}\n")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_step(downloads: &Path, step: Value, values: Value) -> Result<Nested, String> {
        let step: DocumentStep = serde_json::from_value(json!({
            "action": "aws:runDocument", "name": "s", "inputs": step
        }))
        .unwrap();
        let place = Place {
            node_id: "mi",
            region: "eu-west-1",
            schema_version: "2.2",
            is_local: false,
            downloads,
        };
        read(&place, &step, &serde_json::from_value(values).unwrap())
    }

    #[test]
    fn a_document_comes_with_it_or_is_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let document = json!({"schemaVersion": "2.2",
            "parameters": {"who": {"type": "String"}, "greeting": {"type": "String", "default": "hello"}},
            "mainSteps": [{"action": "aws:runShellScript", "name": "greet",
                "inputs": {"runCommand": ["echo {{ greeting }} {{ who }}"]}}]});
        let sent = json!({"documentType": "SSMDocument", "documentPath": "Greet", "musterDocument": document,
            "documentParameters": "{{ given }}"});
        let given = json!({"given": r#"{"who": "you"}"#});
        let read = read_step(folder.path(), sent.clone(), given).unwrap();
        assert_eq!(read.values["greeting"], "hello");
        assert_eq!(read.values["who"], "you");
        assert!(!read.is_local);
        for (values, says) in [
            (json!({"given": "{}"}), "needs the parameter who"),
            (json!({"given": r#"{"who": "a", "x": 1}"#}), "has no parameter x"),
            (
                json!({"given": "who"}),
                "its input documentParameters is no object",
            ),
        ] {
            let refused = read_step(folder.path(), sent.clone(), values).unwrap_err();
            assert!(refused.contains(says), "{refused}");
        }

        let local = |path: &str| {
            let step = json!({"documentType": "LocalPath", "documentPath": path,
                "documentParameters": {"who": ["you"]}});
            read_step(folder.path(), step, json!({}))
        };
        assert!(local("").unwrap_err().contains("0 files were downloaded"));
        let yaml = "schemaVersion: '2.2'\nparameters:\n  who: {type: String}\nmainSteps:\n- action: aws:runShellScript\n  \
                    name: greet\n  inputs:\n    runCommand: [echo hello]\n";
        std::fs::write(folder.path().join("greet.yml"), yaml).unwrap();
        assert_eq!(local("").unwrap().content.main_steps[0].name, "greet");
        assert_eq!(local("greet.yml").unwrap().values["who"], "you");
        std::fs::write(folder.path().join("old.json"), r#"{"schemaVersion": "1.2"}"#).unwrap();
        assert!(local("").unwrap_err().contains("2 files"));
        assert!(local("old.json").unwrap_err().contains("schema version"));
        assert!(local("none").unwrap_err().contains("cannot be read"));
        let odd = read_step(folder.path(), json!({"documentType": "x"}), json!({})).unwrap_err();
        assert!(odd.contains("not SSMDocument or LocalPath"), "{odd}");
    }
}
