//! Documents: the portal's copy of what can be run, and the form that a document asks for.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use aws_sdk_ssm::types::{DocumentIdentifier, DocumentKeyValuesFilter, DocumentType};
use muster_domain::commands::{DocumentDetail, DocumentParameter, DocumentSummary, ParameterType};
use muster_domain::error::FieldError;
use muster_domain::{PortalError, Timestamp};
use muster_store::{Db, RowExt, Sql, StoreError};
use ring::digest::{SHA256, digest};
use serde_json::Value;
use sqlx::any::AnyRow;
use std::collections::{BTreeMap, HashSet};

/// A document's text is fetched anew when it is older than this, in ms.
const FRESH_MS: i64 = 10 * 60_000;

fn summary(row: &AnyRow) -> Result<DocumentSummary, StoreError> {
    Ok(DocumentSummary {
        name: row.text("name")?,
        owner: row.text("owner")?,
        description: row.text("description")?,
        platform_types: row
            .text("platform_types")?
            .split(',')
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
            .collect(),
        document_type: row.text("document_type")?,
        default_version: row.text("default_version")?,
    })
}

/// Documents that run on nodes, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &Db, connection: &str) -> Result<Vec<DocumentSummary>, StoreError> {
    let mut sql = Sql::new(
        "select name, owner, description, platform_types, document_type, default_version from documents where document_type = 'Command' and connection_id = ",
    );
    sql.text(connection).push(" order by name");
    sql.all(db.reader()).await?.iter().map(summary).collect()
}

/// One document from the portal's copy, with its text when that is fresh.
async fn stored(
    db: &Db,
    connection: &str,
    name: &str,
) -> Result<Option<(DocumentSummary, String, Timestamp)>, StoreError> {
    let mut sql = Sql::new(
        "select name, owner, description, platform_types, document_type, default_version, content, synced_at from documents where document_type = 'Command' and connection_id = ",
    );
    sql.text(connection).push(" and name = ").text(name);
    let Some(row) = sql.first(db.reader()).await? else {
        return Ok(None);
    };
    Ok(Some((
        summary(&row)?,
        row.text("content")?,
        row.time("synced_at")?,
    )))
}

/// Copies the list of documents from Systems Manager.
///
/// # Errors
/// What the call or the database says.
pub async fn sync(
    db: &Db,
    ssm: &Ssm,
    now: Timestamp,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let connection = ssm.connection.id.as_str();
    // Those that are found by name while this goes on are not among them.
    let known = list(db, connection).await?;
    let mut token = None;
    let mut names = Vec::new();
    loop {
        let (found, next) = listed(ssm, None, token)
            .await
            .map_err(|error| error.to_string())?;
        for document in &found {
            names.push(document.name().unwrap_or_default().to_owned());
            keep(db, ssm, document, now).await?;
        }
        token = next;
        if token.is_none() {
            break;
        }
    }
    let there: HashSet<&str> = names.iter().map(String::as_str).collect();
    for gone in known.iter().filter(|kept| !there.contains(kept.name.as_str())) {
        let mut sql = Sql::new("delete from documents where document_type = 'Command' and connection_id = ");
        sql.text(connection).push(" and name = ").text(&gone.name);
        sql.run(db.writer()).await?;
    }
    for name in names.iter().take(if ssm.connection.embedded { 200 } else { 0 }) {
        fetch(db, ssm, name, now)
            .await
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// A page of the documents that run on nodes, with the token of the next one; those whose names begin so.
async fn listed(
    ssm: &Ssm,
    name: Option<&str>,
    token: Option<String>,
) -> Result<(Vec<DocumentIdentifier>, Option<String>), CallError> {
    let filter = |key: &str, value: &str| DocumentKeyValuesFilter::builder().key(key).values(value).build();
    let request = ssm
        .client
        .list_documents()
        .set_filters(Some(
            std::iter::once(filter("DocumentType", "Command"))
                .chain(name.map(|name| filter("Name", name)))
                .collect(),
        ))
        .max_results(50)
        .set_next_token(token);
    let answer = ssm.call("ListDocuments", request.send()).await?;
    let next = answer
        .next_token()
        .filter(|token| !token.is_empty())
        .map(str::to_owned);
    Ok((answer.document_identifiers().to_vec(), next))
}

/// Keeps what a list says of a document; its text is fetched when it is needed.
async fn keep(db: &Db, ssm: &Ssm, document: &DocumentIdentifier, now: Timestamp) -> Result<(), StoreError> {
    let platforms: Vec<&str> = document
        .platform_types()
        .iter()
        .map(aws_sdk_ssm::types::PlatformType::as_str)
        .collect();
    let kind = document.document_type().map_or("Command", DocumentType::as_str);
    let mut sql = Sql::new(
        "insert into documents (connection_id, name, owner, description, platform_types, document_type, default_version, content, hash, synced_at) values (",
    );
    sql.text(ssm.connection.id.as_str())
        .push(", ")
        .text(document.name().unwrap_or_default())
        .push(", ")
        .text(document.owner().unwrap_or_default());
    sql.push(", '', ")
        .text(platforms.join(","))
        .push(", ")
        .text(kind)
        .push(", ");
    sql.text(document.document_version().unwrap_or("1"))
        .push(", '', '', ")
        .int(now.plus_ms(-2 * FRESH_MS).0);
    sql.push(
        ") on conflict (connection_id, name) do update set owner = excluded.owner, platform_types = excluded.platform_types, \
         document_type = excluded.document_type, default_version = excluded.default_version",
    );
    sql.run(db.writer()).await?;
    Ok(())
}

/// Fetches a document's text and keeps it.
async fn fetch(db: &Db, ssm: &Ssm, name: &str, now: Timestamp) -> Result<(), PortalError> {
    let request = ssm.client.get_document().name(name);
    let answer = ssm
        .call("GetDocument", request.send())
        .await
        .map_err(|error: CallError| error.to_portal())?;
    let content = answer.content().unwrap_or_default();
    let parsed: Value = serde_json::from_str(content).unwrap_or_default();
    let mut sql = Sql::new("update documents set content = ");
    sql.text(content)
        .push(", description = ")
        .text(parsed["description"].as_str().unwrap_or_default());
    sql.push(", hash = ")
        .text(hex::encode(digest(&SHA256, content.as_bytes())))
        .push(", synced_at = ")
        .int(now.0);
    // This is the text of the default version, so it says which one that is.
    if let Some(version) = answer.document_version() {
        sql.push(", default_version = ").text(version);
    }
    sql.push(" where connection_id = ")
        .text(ssm.connection.id.as_str())
        .push(" and name = ")
        .text(name);
    sql.run(db.writer()).await.map_err(crate::error::store)?;
    Ok(())
}

/// One document; its text is fetched when the copy is old, and the copy serves when that fails.
///
/// # Errors
/// When there is no such document, or its text was never fetched and cannot be now.
pub async fn get(db: &Db, ssm: &Ssm, name: &str, now: Timestamp) -> Result<DocumentDetail, PortalError> {
    find(db, ssm, name, false, now).await
}

/// One document as Systems Manager has it at this moment.
///
/// # Errors
/// When there is no such document, or Systems Manager does not answer.
pub async fn get_afresh(
    db: &Db,
    ssm: &Ssm,
    name: &str,
    now: Timestamp,
) -> Result<DocumentDetail, PortalError> {
    find(db, ssm, name, true, now).await
}

async fn find(
    db: &Db,
    ssm: &Ssm,
    name: &str,
    afresh: bool,
    now: Timestamp,
) -> Result<DocumentDetail, PortalError> {
    let connection = ssm.connection.id.as_str();
    let missing = || PortalError::NotFound {
        what: format!("The document {name}"),
    };
    if stored(db, connection, name)
        .await
        .map_err(crate::error::store)?
        .is_none()
    {
        // Made since documents were copied last.
        let (found, _) = listed(ssm, Some(name), None)
            .await
            .map_err(|error| error.to_portal())?;
        if let Some(document) = found.iter().find(|document| document.name() == Some(name)) {
            keep(db, ssm, document, now).await.map_err(crate::error::store)?;
        }
    }
    let (_, content, at) = stored(db, connection, name)
        .await
        .map_err(crate::error::store)?
        .ok_or_else(missing)?;
    if afresh || content.is_empty() || now.since_ms(at) > FRESH_MS {
        let fetched = fetch(db, ssm, name, now).await;
        if afresh || content.is_empty() {
            fetched?;
        }
    }
    let (summary, content, _) = stored(db, connection, name)
        .await
        .map_err(crate::error::store)?
        .ok_or_else(missing)?;
    let parameters = parameters(&content);
    Ok(DocumentDetail {
        parameters,
        hash: hex::encode(digest(&SHA256, content.as_bytes())),
        summary,
        content,
    })
}

/// The parameters that a document declares, in the order in which it declares them.
#[must_use]
pub fn parameters(content: &str) -> Vec<DocumentParameter> {
    let document: Value = serde_json::from_str(content).unwrap_or_default();
    let Some(declared) = document["parameters"].as_object() else {
        return Vec::new();
    };
    let mut found: Vec<DocumentParameter> = declared
        .iter()
        .map(|(name, rule)| {
            let parameter_type = match rule["type"].as_str().unwrap_or("String") {
                "StringList" => ParameterType::StringList,
                "Integer" => ParameterType::Integer,
                "Boolean" => ParameterType::Boolean,
                "StringMap" => ParameterType::StringMap,
                "MapList" => ParameterType::MapList,
                _ => ParameterType::String,
            };
            DocumentParameter {
                name: name.clone(),
                parameter_type,
                description: rule["description"].as_str().unwrap_or_default().to_owned(),
                default: rule.get("default").map(|value| match value {
                    Value::Array(items) => items.iter().map(text_of).collect(),
                    other => vec![text_of(other)],
                }),
                allowed_values: rule["allowedValues"]
                    .as_array()
                    .map(|items| items.iter().map(text_of).collect())
                    .unwrap_or_default(),
                allowed_pattern: rule["allowedPattern"].as_str().map(str::to_owned),
                multi_line: parameter_type == ParameterType::StringList
                    || rule["displayType"].as_str() == Some("textarea")
                    || matches!(parameter_type, ParameterType::StringMap | ParameterType::MapList),
            }
        })
        .collect();
    // JSON objects are read in the order of their names; in the text the order is the author's.
    found.sort_by_key(|parameter| {
        content
            .find(&format!("\"{}\"", parameter.name))
            .unwrap_or(usize::MAX)
    });
    found
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Complaints about values given to a document's parameters; fields are named `parameters.NAME`.
#[must_use]
pub fn check(document: &DocumentDetail, given: &BTreeMap<String, Vec<String>>) -> Vec<FieldError> {
    let mut complaints = Vec::new();
    for name in given.keys().filter(|name| {
        !document
            .parameters
            .iter()
            .any(|parameter| &parameter.name == *name)
    }) {
        complaints.push(FieldError::new(
            format!("parameters.{name}"),
            format!("{} has no parameter {name}.", document.summary.name),
        ));
    }
    for parameter in &document.parameters {
        let values = given.get(&parameter.name).map(Vec::as_slice).unwrap_or_default();
        let complaint = parameter.complaint(values).or_else(|| {
            let mut filled = values.iter().filter(|value| !value.trim().is_empty());
            filled.find_map(|value| shape_complaint(parameter, value))
        });
        if let Some(message) = complaint {
            complaints.push(FieldError::new(format!("parameters.{}", parameter.name), message));
        }
    }
    complaints
}

/// What only the server can tell: JSON that cannot be read, and text that the document's pattern does not allow.
fn shape_complaint(parameter: &DocumentParameter, value: &str) -> Option<String> {
    match parameter.parameter_type {
        ParameterType::StringMap if !serde_json::from_str::<Value>(value).is_ok_and(|v| v.is_object()) => {
            return Some("Write a JSON object.".into());
        }
        ParameterType::MapList
            if !serde_json::from_str::<Value>(value).is_ok_and(|v| v.is_array() || v.is_object()) =>
        {
            return Some("Write JSON objects, one per line.".into());
        }
        _ => {}
    }
    // Whole values, as Systems Manager compares them. A pattern that this engine cannot read is left to it.
    let pattern = parameter.allowed_pattern.as_deref()?;
    let whole = regex::Regex::new(&format!("^(?:{pattern})$")).ok()?;
    (!whole.is_match(value))
        .then(|| format!("The document does not allow this value: it must match {pattern}"))
}
