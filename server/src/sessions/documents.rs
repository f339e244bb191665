//! Session documents: what the portal's copy says of those with which a terminal can be opened, and what Systems Manager says
//! of one at the moment in which it is opened. What they mean on a node is read here and shown; what holds is what the node's
//! agent and Session Manager read there.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::sessions::service::SessionService;
use aws_sdk_ssm::types::{DocumentFormat, DocumentIdentifier, DocumentKeyValuesFilter, DocumentType};
use muster_agent_protocol::inputs::fill;
use muster_domain::fleet::NodeSummary;
use muster_domain::sessions::{SESSION_PREFERENCES, ShellDocument, StartSession};
use muster_domain::{PortalError, Timestamp};
use muster_store::{Db, RowExt as _, Sql, StoreError};
use ring::digest::{SHA256, digest};
use serde_json::Value;
use std::collections::BTreeMap;

/// Documents that are copied and offered at most.
const MOST: usize = 100;
/// The parameter by which whoever starts a session names the user.
pub(super) const RUN_AS_USER: &str = "runAsUser";

/// A document as Systems Manager has it at this moment.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// What it means.
    pub shown: ShellDocument,
    /// SHA-256 of its content, hexadecimal; empty where the account has saved no preferences.
    pub sha256: String,
}

/// The document that is asked for, by its name: also the one that is taken when none is named.
pub(crate) fn document_of(input: &StartSession) -> &str {
    match input.document.as_str() {
        "" => SESSION_PREFERENCES,
        name => name,
    }
}

/// The content of a document's default version.
struct Content {
    version: String,
    text: String,
}

async fn fetch(ssm: &Ssm, name: &str) -> Result<Content, CallError> {
    let request = ssm
        .client
        .get_document()
        .name(name)
        .document_format(DocumentFormat::Json);
    let answer = ssm.call("GetDocument", request.send()).await?;
    Ok(Content {
        version: answer.document_version().unwrap_or_default().to_owned(),
        text: answer.content().unwrap_or_default().to_owned(),
    })
}

fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or(value.as_str() == Some("true"))
}

/// What a document means on a node of a platform; or why no terminal is opened with it.
fn read(
    name: &str,
    version: &str,
    text: &str,
    platform: &str,
    embedded: bool,
) -> Result<ShellDocument, String> {
    let document: Value = serde_json::from_str(text).map_err(|_| "Its content cannot be read.".to_owned())?;
    match document["sessionType"].as_str() {
        Some("Standard_Stream") => {}
        Some(other) => {
            return Err(format!(
                "It is of the session type {other}: a terminal is opened with one of the type Standard_Stream."
            ));
        }
        None => return Err("It is no Session document.".to_owned()),
    }
    let inputs = &document["inputs"];
    let member = |name: &str| inputs[name].as_str().unwrap_or_default().trim();
    let mut defaults = BTreeMap::new();
    let mut declares_user = false;
    for (parameter, declared) in document["parameters"].as_object().into_iter().flatten() {
        let is_user = parameter == RUN_AS_USER;
        declares_user |= is_user;
        match declared.get("default") {
            Some(default) => drop(defaults.insert(parameter.clone(), default.clone())),
            None if is_user => {}
            None => {
                return Err(format!(
                    "It asks for the parameter {parameter}, and a terminal is opened without any."
                ));
            }
        }
    }
    let filled = |text: &str| fill(text, &defaults).trim().to_owned();
    // Only then is it sure that the user who was named is the user who one is: a document could declare the parameter and
    // make everybody somebody else. The embedded endpoint's own preferences turn it on by the name alone.
    let runs_as = is_true(&inputs["runAsEnabled"]);
    let user = member("runAsDefaultUser");
    let names_user = user
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"))
        .is_some_and(|inner| inner.trim() == RUN_AS_USER);
    let takes_os_user = declares_user && names_user && (runs_as || (embedded && name == SESSION_PREFERENCES));
    let shell = if platform == "Windows" { "windows" } else { "linux" };
    let minutes = |name: &str| filled(member(name)).parse().unwrap_or_default();
    Ok(ShellDocument {
        name: name.to_owned(),
        version: version.to_owned(),
        description: document["description"].as_str().unwrap_or_default().to_owned(),
        takes_os_user,
        runs_as: Some(filled(user))
            .filter(|user| runs_as && !user.contains("{{"))
            .unwrap_or_default(),
        profile: filled(inputs["shellProfile"][shell].as_str().unwrap_or_default()),
        idle_minutes: minutes("idleSessionTimeout"),
        max_minutes: minutes("maxSessionDuration"),
    })
}

impl SessionService {
    /// The document that is asked for, as Systems Manager has it now. Session Manager takes no version: it opens the default one,
    /// so that is what is looked at, just before.
    ///
    /// # Errors
    /// When there is no such document, no terminal is opened with it, or it takes no user and one is named.
    pub(crate) async fn document(
        &self,
        input: &StartSession,
        node: &NodeSummary,
    ) -> Result<Chosen, PortalError> {
        let ssm = &self.ground.connector.ssm;
        let name = document_of(input);
        let refused = |why: String| PortalError::invalid("document", why);
        let chosen = match fetch(ssm, name).await {
            Ok(found) => Chosen {
                shown: read(
                    name,
                    &found.version,
                    &found.text,
                    &node.platform_type,
                    ssm.connection.embedded,
                )
                .map_err(|why| refused(format!("{name} cannot be used. {why}")))?,
                sha256: hex::encode(digest(&SHA256, found.text.as_bytes())),
            },
            // Sessions have preferences only once somebody has saved them.
            Err(error) if error.code == "InvalidDocument" && name == SESSION_PREFERENCES => Chosen {
                shown: ShellDocument::unsaved(),
                sha256: String::new(),
            },
            Err(error) if error.code == "InvalidDocument" => {
                return Err(refused(format!("There is no Session document {name}.")));
            }
            Err(error) => return Err(error.to_portal()),
        };
        if !input.os_user.is_empty() && !chosen.shown.takes_os_user {
            return Err(PortalError::invalid(
                "os_user",
                format!(
                    "With the Session document {name} nobody can say as which user: leave this empty, or choose a document \
                     whose runAsDefaultUser is {{{{ {RUN_AS_USER} }}}}, with runAsEnabled and a parameter of that name."
                ),
            ));
        }
        Ok(chosen)
    }
}

/// The documents with which a terminal can be opened on nodes of a platform, as the portal's copy has them: the default first,
/// then by name.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn list(db: &Db, ssm: &Ssm, platform: &str) -> Result<Vec<ShellDocument>, StoreError> {
    let mut sql = Sql::new(
        "select name, default_version, content from documents where document_type = 'Session' and connection_id = ",
    );
    sql.text(ssm.connection.id.as_str())
        .push(" order by name limit ")
        .int(i64::try_from(MOST).unwrap_or(i64::MAX));
    let mut found = Vec::new();
    for row in sql.all(db.reader()).await? {
        let (name, version) = (row.text("name")?, row.text("default_version")?);
        let shown = read(
            &name,
            &version,
            &row.text("content")?,
            platform,
            ssm.connection.embedded,
        );
        found.extend(shown.ok());
    }
    if !found.iter().any(ShellDocument::is_default) {
        found.push(ShellDocument::unsaved());
    }
    found.sort_by_key(|document| !document.is_default());
    Ok(found)
}

/// Whether a terminal might be opened with it: of those that come with Systems Manager, only the preferences.
fn is_offered(document: &DocumentIdentifier) -> bool {
    document.owner() != Some("Amazon") || document.name() == Some(SESSION_PREFERENCES)
}

/// Copies the account's Session documents from Systems Manager.
///
/// # Errors
/// What the call or the database says.
pub(crate) async fn sync(
    db: &Db,
    ssm: &Ssm,
    now: Timestamp,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let filter = DocumentKeyValuesFilter::builder()
        .key("DocumentType")
        .values(DocumentType::Session.as_str())
        .build();
    let mut token: Option<String> = None;
    let mut offered = Vec::new();
    loop {
        let request = ssm
            .client
            .list_documents()
            .filters(filter.clone())
            .max_results(50)
            .set_next_token(token);
        let answer = ssm
            .call("ListDocuments", request.send())
            .await
            .map_err(|error| error.to_string())?;
        offered.extend(
            answer
                .document_identifiers()
                .iter()
                .filter(|one| is_offered(one))
                .cloned(),
        );
        token = answer
            .next_token()
            .filter(|next| !next.is_empty())
            .map(str::to_owned);
        if token.is_none() || offered.len() >= MOST {
            break;
        }
    }
    offered.truncate(MOST);
    let connection = ssm.connection.id.as_str();
    let known = known(db, connection).await?;
    for document in &offered {
        let name = document.name().unwrap_or_default();
        let version = document.document_version().unwrap_or_default();
        // A version never changes; which one is the default does.
        if !version.is_empty() && known.get(name).is_some_and(|kept| kept == version) {
            continue;
        }
        match fetch(ssm, name).await {
            Ok(content) => keep(db, connection, document, &content, now).await?,
            Err(error) if error.refused && !error.is_throttled() => {
                tracing::warn!(document = name, error = %error.message, "a Session document could not be read");
            }
            Err(error) => return Err(error.to_string().into()),
        }
    }
    for gone in known
        .keys()
        .filter(|name| !offered.iter().any(|one| one.name() == Some(name)))
    {
        let mut sql = Sql::new("delete from documents where document_type = 'Session' and connection_id = ");
        sql.text(connection).push(" and name = ").text(gone);
        sql.run(db.writer()).await?;
    }
    Ok(())
}

/// The versions of the documents that were copied, by name.
async fn known(db: &Db, connection: &str) -> Result<BTreeMap<String, String>, StoreError> {
    let mut sql = Sql::new(
        "select name, default_version from documents where document_type = 'Session' and connection_id = ",
    );
    sql.text(connection);
    let rows = sql.all(db.reader()).await?;
    rows.iter()
        .map(|row| Ok((row.text("name")?, row.text("default_version")?)))
        .collect()
}

async fn keep(
    db: &Db,
    connection: &str,
    document: &DocumentIdentifier,
    content: &Content,
    now: Timestamp,
) -> Result<(), StoreError> {
    let platforms: Vec<&str> = document
        .platform_types()
        .iter()
        .map(aws_sdk_ssm::types::PlatformType::as_str)
        .collect();
    let mut sql = Sql::new(
        "insert into documents (connection_id, name, owner, description, platform_types, document_type, default_version, \
         content, hash, synced_at) values (",
    );
    sql.text(connection).push(", ");
    sql.text(document.name().unwrap_or_default()).push(", ");
    sql.text(document.owner().unwrap_or_default()).push(", '', ");
    sql.text(platforms.join(",")).push(", 'Session', ");
    sql.text(&content.version).push(", ");
    sql.text(&content.text).push(", ");
    sql.text(hex::encode(digest(&SHA256, content.text.as_bytes())))
        .push(", ");
    sql.int(now.0).push(
        ") on conflict (connection_id, name) do update set owner = excluded.owner, \
         platform_types = excluded.platform_types, document_type = excluded.document_type, \
         default_version = excluded.default_version, content = excluded.content, hash = excluded.hash, \
         synced_at = excluded.synced_at",
    );
    sql.run(db.writer()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shell(inputs: Value, parameters: Value) -> String {
        json!({"schemaVersion": "1.0", "description": "For the web", "sessionType": "Standard_Stream", "inputs": inputs,
            "parameters": parameters})
        .to_string()
    }

    #[test]
    fn a_document_says_what_it_means_on_a_platform() {
        let text = shell(
            json!({"runAsEnabled": true, "runAsDefaultUser": "web", "idleSessionTimeout": "5", "maxSessionDuration": "{{ max }}",
                "shellProfile": {"linux": "cd {{ where }}", "windows": "dir"}}),
            json!({"max": {"type": "String", "default": "60"}, "where": {"type": "String", "default": "/srv"}}),
        );
        let linux = read("Web-Shell", "3", &text, "Linux", false).unwrap();
        assert_eq!(
            (
                linux.version.as_str(),
                linux.runs_as.as_str(),
                linux.profile.as_str()
            ),
            ("3", "web", "cd /srv")
        );
        assert_eq!((linux.idle_minutes, linux.max_minutes), (5, 60));
        assert!(!linux.takes_os_user);
        assert_eq!(
            read("Web-Shell", "3", &text, "Windows", false).unwrap().profile,
            "dir"
        );
        for (text, why) in [
            (
                shell(json!({}), json!({"command": {"type": "String"}})),
                "the parameter command",
            ),
            (json!({"sessionType": "Port"}).to_string(), "Standard_Stream"),
            ("{}".to_owned(), "no Session document"),
            ("schemaVersion: 1".to_owned(), "cannot be read"),
        ] {
            let refused = read("D", "1", &text, "Linux", false).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn a_user_can_be_named_only_where_that_is_who_one_becomes() {
        let declared = json!({"runAsUser": {"type": "String", "default": ""}});
        let takes = |name: &str, embedded, inputs: Value, parameters: &Value| {
            let text = shell(inputs, parameters.clone());
            read(name, "1", &text, "Linux", embedded).unwrap().takes_os_user
        };
        let named = json!({"runAsEnabled": true, "runAsDefaultUser": "{{runAsUser}}"});
        assert!(takes("D", false, named.clone(), &declared));
        assert!(!takes("D", false, named, &json!({})), "nothing is declared");
        let root = json!({"runAsEnabled": true, "runAsDefaultUser": "root"});
        assert!(!takes("D", false, root, &declared), "everybody is root");
        let off = json!({"runAsDefaultUser": "{{ runAsUser }}"});
        assert!(!takes("D", true, off.clone(), &declared));
        assert!(!takes(SESSION_PREFERENCES, false, off.clone(), &declared));
        assert!(takes(SESSION_PREFERENCES, true, off, &declared), "built in");
    }
}
