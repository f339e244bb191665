//! The SQL of templates: filled forms that start runbooks, one's own and shared ones.

use muster_domain::Timestamp;
use muster_domain::ids::{TemplateId, UserId};
use muster_domain::runbooks::{StartRunbook, TemplateRow};
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;

/// Templates that are shown at most.
const SHOWN: i64 = 500;

const COLUMNS: &str = "select t.template_id, t.owner_id, t.owner_name, t.document, t.name, t.version, t.saved_version, \
     t.content_hash, t.input, t.left_out, t.shared, t.saved_at from runbook_templates t where t.connection_id = ";

/// A template's whole row.
#[derive(Clone, Debug)]
pub struct Stored {
    /// As lists show it.
    pub row: TemplateRow,
    /// What it fills in.
    pub input: StartRunbook,
    /// Parameters that were not kept.
    pub left_out: Vec<String>,
    /// The version's number when it was saved.
    pub saved_version: String,
    /// SHA-256 of that version's text.
    pub content_hash: String,
}

/// Who looks.
#[derive(Clone, Copy, Debug)]
pub struct Looker<'a> {
    /// Their account.
    pub user: &'a UserId,
    /// Whether they may change what others have shared.
    pub any: bool,
}

fn row(found: &AnyRow, looker: Looker<'_>) -> Result<TemplateRow, StoreError> {
    let shared = found.flag("shared")?;
    let own = found.text("owner_id")? == looker.user.as_str();
    Ok(TemplateRow {
        id: TemplateId::new(found.text("template_id")?),
        name: found.text("name")?,
        document: found.text("document")?,
        version: found.text("version")?,
        shared,
        owner: found.text("owner_name")?,
        mine: own || (shared && looker.any),
        saved_at: found.time("saved_at")?,
    })
}

/// Those that somebody sees, by name; of one runbook, or of all.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    db: &Db,
    connection: &str,
    document: Option<&str>,
    looker: Looker<'_>,
) -> Result<Vec<TemplateRow>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection)
        .push(" and (t.shared = 1 or t.owner_id = ")
        .text(looker.user.as_str())
        .push(")");
    if let Some(document) = document {
        sql.push(" and t.document = ").text(document);
    }
    sql.push(" order by lower(t.name), t.document, t.template_id limit ")
        .int(SHOWN);
    let rows = sql.all(db.reader()).await?;
    rows.iter().map(|found| row(found, looker)).collect()
}

/// One that somebody sees.
///
/// # Errors
/// When the database does not answer.
pub async fn get(
    db: &Db,
    connection: &str,
    id: &TemplateId,
    looker: Looker<'_>,
) -> Result<Option<Stored>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection)
        .push(" and t.template_id = ")
        .text(id.as_str())
        .push(" and (t.shared = 1 or t.owner_id = ")
        .text(looker.user.as_str())
        .push(")");
    let Some(found) = sql.first(db.reader()).await? else {
        return Ok(None);
    };
    Ok(Some(Stored {
        row: row(&found, looker)?,
        input: super::queries::json(&found, "input")?,
        left_out: super::queries::json(&found, "left_out")?,
        saved_version: found.text("saved_version")?,
        content_hash: found.text("content_hash")?,
    }))
}

/// A template about to be kept.
#[derive(Clone, Debug)]
pub struct NewTemplate<'a> {
    /// Its id, unless it takes another's place.
    pub id: &'a str,
    /// Whose it is.
    pub owner: &'a UserId,
    /// Their name.
    pub owner_name: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Whether everybody sees it.
    pub shared: bool,
    /// What it fills in.
    pub input: &'a StartRunbook,
    /// Parameters that are not kept.
    pub left_out: &'a [String],
    /// The version's number now.
    pub saved_version: &'a str,
    /// SHA-256 of that version's text.
    pub content_hash: &'a str,
}

/// Keeps a template; with `replace` in the place of its owner's of that name. Answers its id, or `None` where there is one of
/// that name and it is not to be replaced.
///
/// # Errors
/// When the database does not answer.
pub async fn save(
    db: &Db,
    connection: &str,
    new: &NewTemplate<'_>,
    replace: bool,
    now: Timestamp,
) -> Result<Option<TemplateId>, StoreError> {
    let mut sql = Sql::new(
        "insert into runbook_templates (template_id, connection_id, owner_id, owner_name, document, name, version, saved_version, \
         content_hash, input, left_out, shared, saved_at) values (",
    );
    let input = serde_json::json!(new.input).to_string();
    let left_out = serde_json::json!(new.left_out).to_string();
    for text in [
        new.id,
        connection,
        new.owner.as_str(),
        new.owner_name,
        new.input.document.trim(),
        new.name,
        new.input.version.trim(),
        new.saved_version,
        new.content_hash,
        &input,
        &left_out,
    ] {
        sql.text(text).push(", ");
    }
    sql.int(i64::from(new.shared))
        .push(", ")
        .int(now.0)
        .push(") on conflict (connection_id, owner_id, document, name) do ");
    sql.push(if replace {
        "update set version = excluded.version, saved_version = excluded.saved_version, content_hash = excluded.content_hash, \
         input = excluded.input, left_out = excluded.left_out, shared = excluded.shared, saved_at = excluded.saved_at \
         returning template_id"
    } else {
        "nothing returning template_id"
    });
    sql.first(db.writer())
        .await?
        .map(|found| found.text("template_id").map(TemplateId::new))
        .transpose()
}

fn push_changeable(sql: &mut Sql, connection: &str, id: &TemplateId, looker: Looker<'_>) {
    sql.push(" where connection_id = ")
        .text(connection)
        .push(" and template_id = ")
        .text(id.as_str())
        .push(" and (owner_id = ")
        .text(looker.user.as_str());
    sql.push(if looker.any { " or shared = 1)" } else { ")" });
}

/// Gives a template another name. Answers whether there was one.
///
/// # Errors
/// When the database does not answer; a unique violation where its owner has one of that name.
pub async fn rename(
    db: &Db,
    connection: &str,
    id: &TemplateId,
    name: &str,
    looker: Looker<'_>,
) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update runbook_templates set name = ");
    sql.text(name);
    push_changeable(&mut sql, connection, id, looker);
    Ok(sql.run(db.writer()).await? > 0)
}

/// Deletes a template. Answers whether there was one.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(
    db: &Db,
    connection: &str,
    id: &TemplateId,
    looker: Looker<'_>,
) -> Result<bool, StoreError> {
    let mut sql = Sql::new("delete from runbook_templates");
    push_changeable(&mut sql, connection, id, looker);
    Ok(sql.run(db.writer()).await? > 0)
}
