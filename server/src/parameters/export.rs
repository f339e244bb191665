//! Parameters as a file: what each is, never its value; read in pieces and streamed.

use crate::fleet::export::{Format, csv_cell};
use crate::parameters::queries;
use bytes::Bytes;
use futures::Stream;
use muster_domain::parameters::{ParameterQuery, ParameterSummary, name_key};
use muster_store::{Db, StoreError};

/// Parameters read and sent at a time.
const AT_ONCE: i64 = 200;

const HEADER: &str = "name,type,tier,data_type,version,modified_at,modified_by,description,key_id,allowed_pattern,policies,as_of\r\n";

fn line(format: Format, one: &ParameterSummary) -> String {
    if format == Format::JsonLines {
        let mut text = serde_json::json!({
            "name": one.name,
            "type": one.kind.as_str(),
            "tier": one.tier.as_str(),
            "data_type": one.data_type,
            "version": one.version,
            "modified_at": one.modified_at.rfc3339(),
            "modified_by": one.modified_by,
            "description": one.description,
            "key_id": one.key_id,
            "allowed_pattern": one.allowed_pattern,
            "policies": one.policies,
            "as_of": one.synced_at.rfc3339(),
        })
        .to_string();
        text.push('\n');
        return text;
    }
    let cells = [
        one.name.clone(),
        one.kind.as_str().to_owned(),
        one.tier.as_str().to_owned(),
        one.data_type.clone(),
        one.version.to_string(),
        one.modified_at.rfc3339(),
        one.modified_by.clone(),
        one.description.clone(),
        one.key_id.clone(),
        one.allowed_pattern.clone(),
        one.policies.join(" "),
        one.synced_at.rfc3339(),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
    format!("{}\r\n", cells.join(","))
}

/// The file's bytes: all parameters below the query's folder that match, by name.
pub fn stream(
    db: Db,
    connection: String,
    query: ParameterQuery,
    format: Format,
) -> impl Stream<Item = Result<Bytes, StoreError>> {
    // Where it goes on; nothing before the first piece and after the last one.
    let begun = Some(None::<String>);
    futures::stream::try_unfold(
        (begun, db, connection, query),
        move |(at, db, connection, query)| async move {
            let Some(after) = at else { return Ok(None) };
            let found = queries::below(&db, &connection, &query, after.as_deref(), AT_ONCE).await?;
            let mut text = String::new();
            if after.is_none() && format == Format::Csv {
                text.push_str(HEADER);
            }
            found.iter().for_each(|one| text.push_str(&line(format, one)));
            let next = found
                .last()
                .filter(|_| i64::try_from(found.len()).is_ok_and(|count| count == AT_ONCE))
                .map(|last| Some(name_key(&last.name).to_owned()));
            Ok(Some((Bytes::from(text), (next, db, connection, query))))
        },
    )
}
