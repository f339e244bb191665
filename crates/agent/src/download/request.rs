//! What is to be downloaded, from the step's inputs.

use muster_agent_protocol::control::EMBEDDED_CONTENT;
use muster_agent_protocol::inputs;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where it comes from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Source {
    /// A web address.
    Http {
        url: String,
        /// User and password, where the address wants them.
        login: Option<(String, String)>,
    },
    /// An object of S3, or what speaks like it.
    S3 { url: String },
    /// It came with the command.
    Text { name: String, text: String },
}

impl std::fmt::Debug for Source {
    // An address may hold a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Http { .. } => "Http",
            Self::S3 { .. } => "S3",
            Self::Text { .. } => "Text",
        })
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) source: Source,
    /// A file, or a folder where it ends with a slash or is one.
    pub(crate) destination: PathBuf,
    /// Whether that is a place of the command's own.
    pub(crate) is_own: bool,
}

fn member<'a>(info: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    info.get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// Whether somebody may be told an address without encryption.
fn allows_insecure(info: &Map<String, Value>) -> bool {
    match info.get("allowInsecureDownload") {
        Some(Value::Bool(allows)) => *allows,
        Some(Value::String(text)) => text == "true",
        _ => false,
    }
}

fn http(info: &Map<String, Value>) -> Result<Source, String> {
    let url = member(info, "url").ok_or("its input sourceInfo has no url")?;
    match url.split_once("://") {
        Some(("https", _)) => {}
        Some(("http", _)) if allows_insecure(info) => {}
        Some(("http", _)) => {
            return Err("its url is not encrypted: use https, or set allowInsecureDownload to true".into());
        }
        _ => return Err("its url must begin with https://".into()),
    }
    let login = match member(info, "authMethod") {
        None | Some("None") => None,
        Some("Basic") => {
            let text = |name: &str| member(info, name).unwrap_or_default().to_owned();
            Some((text("userName"), text("password")))
        }
        Some(other) => return Err(format!("its authMethod is {other:?}; None and Basic are there")),
    };
    Ok(Source::Http {
        url: url.to_owned(),
        login,
    })
}

fn s3(info: &Map<String, Value>) -> Result<Source, String> {
    let url = member(info, "path").ok_or("its input sourceInfo has no path")?;
    let rest = url.strip_prefix("https://").or_else(|| {
        let is_allowed = allows_insecure(info);
        url.strip_prefix("http://").filter(|_| is_allowed)
    });
    let object = rest.and_then(|rest| rest.split_once('/')).map(|(_, path)| path);
    match object {
        None => Err("its path must be like https://s3.eu-west-1.amazonaws.com/bucket/key".into()),
        Some(path) if path.is_empty() || path.ends_with('/') => {
            Err("its path names a folder; name one object: folders are not downloaded by this agent".into())
        }
        Some(_) => Ok(Source::S3 { url: url.to_owned() }),
    }
}

impl Request {
    /// Reads it from a step's inputs, with the values of parameters.
    pub(crate) fn read(
        downloads: &Path,
        inputs: &BTreeMap<String, Value>,
        values: &BTreeMap<String, Value>,
    ) -> Result<Self, String> {
        let text = |name: &str| inputs::text_input(inputs, name, values);
        let kind = text("sourceType").unwrap_or_default();
        let info = inputs::object_input(inputs, "sourceInfo", values)
            .map_err(|reason| format!("its input {reason}"))?;
        let source = match kind.trim() {
            "HTTP" => http(&info)?,
            "S3" => s3(&info)?,
            "SSMDocument" => {
                let embedded = inputs.get(EMBEDDED_CONTENT);
                let part = |name: &str| Some(embedded?.get(name)?.as_str()?.to_owned());
                let (Some(name), Some(text)) = (part("Name"), part("Content")) else {
                    return Err("the control plane sent no document with it".into());
                };
                Source::Text { name, text }
            }
            other => {
                return Err(format!(
                    "its input sourceType is {other:?}; this agent downloads from HTTP, S3 and SSMDocument"
                ));
            }
        };
        let wanted = text("destinationPath").unwrap_or_default();
        let wanted = wanted.trim();
        // A slash at its end means a folder: `join` keeps it.
        let destination = if wanted.is_empty() {
            downloads.join("")
        } else {
            downloads.join(wanted)
        };
        Ok(Self {
            source,
            is_own: destination.starts_with(downloads),
            destination,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(kind: &str, info: Value, path: &str) -> Result<Request, String> {
        let inputs = json!({"sourceType": kind, "sourceInfo": info, "destinationPath": path,
            "musterContent": {"Name": "D.json", "Content": "{}"}});
        let inputs = serde_json::from_value(inputs).unwrap();
        Request::read(Path::new("/jobs/1/downloads"), &inputs, &BTreeMap::new())
    }

    #[test]
    fn sources_are_checked_before_anything_is_asked_for() {
        let found = read("HTTP", json!({"url": "https://a.test/x.tar.gz"}), "").unwrap();
        assert_eq!(found.destination, Path::new("/jobs/1/downloads/"));
        assert!(found.is_own);
        let found = read(
            "S3",
            json!({"path": "https://s3.eu-west-1.amazonaws.com/b/k"}),
            "/opt/x",
        )
        .unwrap();
        assert_eq!(
            (found.destination.as_path(), found.is_own),
            (Path::new("/opt/x"), false)
        );
        let login = json!({"url": "https://a.test", "authMethod": "Basic", "userName": "u", "password": "p"});
        let Source::Http { login, .. } = read("HTTP", login, "").unwrap().source else {
            panic!()
        };
        assert_eq!(login, Some(("u".into(), "p".into())));
        assert!(
            read(
                "HTTP",
                json!({"url": "http://a.test", "allowInsecureDownload": "true"}),
                ""
            )
            .is_ok()
        );
        assert!(matches!(
            read("SSMDocument", json!({"name": "D"}), "").unwrap().source,
            Source::Text { .. }
        ));
        for (kind, info, says) in [
            ("HTTP", json!({"url": "http://a.test"}), "not encrypted"),
            ("HTTP", json!({"url": "file:///etc/shadow"}), "https://"),
            ("HTTP", json!({}), "no url"),
            (
                "HTTP",
                json!({"url": "https://a", "authMethod": "Digest"}),
                "Basic",
            ),
            ("S3", json!({"path": "https://b/"}), "folder"),
            ("S3", json!({"path": "s3://b/k"}), "must be like"),
            ("Git", json!({}), "downloads from HTTP"),
        ] {
            let refused = read(kind, info, "").unwrap_err();
            assert!(refused.contains(says), "{refused}");
        }
    }
}
