//! Inventory that somebody else puts into files: `{"SchemaVersion": "1.0", "TypeName": "Custom:Rack", "Content": {…}}`,
//! one type in a file, as the service's own agent reads it.

use super::{Entry, item, say};
use muster_agent_protocol::calls::InventoryItem;
use muster_domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// Where the files are.
pub(super) const FOLDER: &str = "/var/lib/muster-agent/inventory/custom";
/// Types at most, as the service has it.
const MOST_TYPES: usize = 20;
/// Bytes of a file at most.
const MOST_BYTES: u64 = 200 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File {
    schema_version: String,
    type_name: String,
    content: Value,
}

fn entries(content: Value) -> Option<Vec<Entry>> {
    let all = match content {
        Value::Object(one) => vec![Value::Object(one)],
        Value::Array(all) => all,
        _ => return None,
    };
    all.into_iter()
        .map(|one| match one {
            Value::Object(entry) if entry.values().all(Value::is_string) => Some(entry),
            _ => None,
        })
        .collect()
}

fn read(path: &Path, now: Timestamp) -> Result<InventoryItem, String> {
    let about = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if about.len() > MOST_BYTES {
        return Err(format!("it is larger than {MOST_BYTES} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let file: File = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if !file.type_name.starts_with("Custom:") {
        return Err("its TypeName does not begin with Custom:".into());
    }
    let content = entries(file.content).ok_or("its Content is not an object of texts, or a list of them")?;
    Ok(item(&file.type_name, &file.schema_version, content, now))
}

/// All files; one that cannot be read is left out, and the output says why.
pub(super) fn all(folder: &Path, now: Timestamp) -> Vec<InventoryItem> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|found| found.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    let mut all: Vec<InventoryItem> = Vec::new();
    for path in paths.iter().take(MOST_TYPES) {
        match read(path, now) {
            Ok(found) if all.iter().any(|other| other.type_name == found.type_name) => {
                say(&format!(
                    "{}: its type was in another file before",
                    path.display()
                ));
            }
            Ok(found) => all.push(found),
            Err(why) => say(&format!("{} is left out: {why}", path.display())),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_does_not_keep_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "a.json",
            r#"{"SchemaVersion":"1.0","TypeName":"Custom:Rack","Content":{"Place":"A1"}}"#,
        );
        write(
            "b.json",
            r#"{"SchemaVersion":"1.0","TypeName":"Custom:Rack","Content":[]}"#,
        );
        write("c.json", "nonsense");
        write(
            "d.json",
            r#"{"SchemaVersion":"1.0","TypeName":"AWS:File","Content":[]}"#,
        );
        write(
            "e.json",
            r#"{"SchemaVersion":"1.0","TypeName":"Custom:X","Content":[{"n":1}]}"#,
        );
        write("f.txt", "");
        let all = all(folder.path(), Timestamp(0));
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].content[0]["Place"], "A1");
    }
}
