//! The SQL that writes the portal's copy of parameters, and how many parameters each folder has along with it.

use muster_domain::Timestamp;
use muster_domain::parameters::{ParameterSummary, folder_of, folders_above, name_key};
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::{Any, Transaction};
use std::collections::{BTreeMap, HashMap};

/// Parameters that are forgotten in one transaction.
const AT_ONCE: i64 = 200;

/// How many parameters more or fewer a folder has.
type Deltas = BTreeMap<String, i64>;

fn count(deltas: &mut Deltas, key: &str, by: i64) {
    for folder in folders_above(key) {
        *deltas.entry(folder.to_owned()).or_default() += by;
    }
}

/// In order of their paths, so that two writers never wait for each other.
async fn write_folders(
    transaction: &mut Transaction<'static, Any>,
    connection: &str,
    deltas: Deltas,
) -> Result<(), StoreError> {
    for (path, delta) in deltas {
        let parent = (!path.is_empty()).then(|| folder_of(&path).to_owned());
        let mut sql =
            Sql::new("insert into parameter_folders (connection_id, path, parent, parameters) values (");
        sql.text(connection)
            .push(", ")
            .text(&path)
            .push(", ")
            .text_or_none(parent)
            .push(", ")
            .int(delta)
            .push(
                ") on conflict (connection_id, path) do update set parameters = parameter_folders.parameters + \
                 excluded.parameters",
            );
        sql.run(&mut **transaction).await?;
        if delta < 0 {
            let mut sql =
                Sql::new("delete from parameter_folders where parameters <= 0 and connection_id = ");
            sql.text(connection).push(" and path = ").text(&path);
            sql.run(&mut **transaction).await?;
        }
    }
    Ok(())
}

fn policies(one: &ParameterSummary) -> String {
    serde_json::to_string(&one.policies).unwrap_or_else(|_| "[]".into())
}

/// Writes one that is not there yet. Whether it was not.
async fn insert(
    transaction: &mut Transaction<'static, Any>,
    connection: &str,
    one: &ParameterSummary,
) -> Result<bool, StoreError> {
    let key = name_key(&one.name);
    let mut sql = Sql::new(
        "insert into parameters (connection_id, name_key, parent, name, type, tier, data_type, version, modified_at, \
         modified_by, description, key_id, allowed_pattern, policies, synced_at) values (",
    );
    sql.text(connection).push(", ").text(key).push(", ");
    sql.text(folder_of(key)).push(", ").text(&one.name).push(", ");
    sql.text(one.kind.as_str())
        .push(", ")
        .text(one.tier.as_str())
        .push(", ");
    sql.text(&one.data_type).push(", ").int(one.version).push(", ");
    sql.int(one.modified_at.0)
        .push(", ")
        .text(&one.modified_by)
        .push(", ");
    sql.text(&one.description).push(", ").text(&one.key_id).push(", ");
    sql.text(&one.allowed_pattern)
        .push(", ")
        .text(policies(one))
        .push(", ");
    sql.int(one.synced_at.0)
        .push(") on conflict (connection_id, name_key) do nothing");
    Ok(sql.run(&mut **transaction).await? == 1)
}

/// Writes one that is there, unless what is there is newer: a copy that began before somebody wrote must not undo that.
async fn update(
    transaction: &mut Transaction<'static, Any>,
    connection: &str,
    one: &ParameterSummary,
) -> Result<(), StoreError> {
    let mut sql = Sql::new("update parameters set name = ");
    sql.text(&one.name).push(", type = ").text(one.kind.as_str());
    sql.push(", tier = ").text(one.tier.as_str());
    sql.push(", data_type = ").text(&one.data_type);
    sql.push(", labels_at = case when version = ")
        .int(one.version)
        .push(" then labels_at else 0 end");
    sql.push(", version = ").int(one.version);
    sql.push(", modified_at = ").int(one.modified_at.0);
    sql.push(", modified_by = ").text(&one.modified_by);
    sql.push(", description = ").text(&one.description);
    sql.push(", key_id = ").text(&one.key_id);
    sql.push(", allowed_pattern = ").text(&one.allowed_pattern);
    sql.push(", policies = ").text(policies(one));
    sql.push(", synced_at = ").int(one.synced_at.0);
    sql.push(" where connection_id = ")
        .text(connection)
        .push(" and name_key = ")
        .text(name_key(&one.name))
        .push(" and modified_at <= ")
        .int(one.modified_at.0);
    sql.run(&mut **transaction).await.map(|_| ())
}

/// Keeps what Systems Manager says of some parameters.
///
/// # Errors
/// When the database does not answer.
pub async fn keep(db: &Db, connection: &str, parameters: &[ParameterSummary]) -> Result<(), StoreError> {
    let parameters: BTreeMap<&str, &ParameterSummary> =
        parameters.iter().map(|one| (name_key(&one.name), one)).collect();
    let Some(synced_at) = parameters.values().map(|one| one.synced_at.0).max() else {
        return Ok(());
    };
    let keys: Vec<String> = parameters.keys().map(|key| (*key).to_owned()).collect();
    let mut transaction = db.begin().await?;
    let mut sql = Sql::new("select name_key, version, modified_at from parameters where connection_id = ");
    sql.text(connection)
        .push(" and name_key in (")
        .texts(&keys)
        .push(")");
    let mut known: HashMap<String, (i64, i64)> = HashMap::new();
    for row in sql.all(&mut *transaction).await? {
        known.insert(
            row.text("name_key")?,
            (row.int("version")?, row.int("modified_at")?),
        );
    }
    let mut same = Vec::new();
    let mut deltas = Deltas::new();
    for (key, one) in parameters {
        match known.get(key) {
            Some(was) if *was == (one.version, one.modified_at.0) => same.push(key.to_owned()),
            Some(_) => update(&mut transaction, connection, one).await?,
            None if insert(&mut transaction, connection, one).await? => count(&mut deltas, key, 1),
            None => update(&mut transaction, connection, one).await?,
        }
    }
    if !same.is_empty() {
        let mut sql = Sql::new("update parameters set synced_at = ");
        sql.int(synced_at)
            .push(" where connection_id = ")
            .text(connection)
            .push(" and name_key in (")
            .texts(&same)
            .push(")");
        sql.run(&mut *transaction).await?;
    }
    write_folders(&mut transaction, connection, deltas).await?;
    transaction.commit().await?;
    Ok(())
}

/// Forgets these, those of them that were not seen since then. Answers how many.
async fn forget(
    db: &Db,
    connection: &str,
    keys: &[String],
    not_since: Option<Timestamp>,
) -> Result<usize, StoreError> {
    if keys.is_empty() {
        return Ok(0);
    }
    let mut transaction = db.begin().await?;
    let mut sql = Sql::new("delete from parameters where connection_id = ");
    sql.text(connection)
        .push(" and name_key in (")
        .texts(keys)
        .push(")");
    if let Some(begun) = not_since {
        sql.push(" and synced_at < ").int(begun.0);
    }
    sql.push(" returning name_key");
    let mut gone = Vec::new();
    for row in sql.all(&mut *transaction).await? {
        gone.push(row.text("name_key")?);
    }
    let mut deltas = Deltas::new();
    gone.iter().for_each(|key| count(&mut deltas, key, -1));
    if !gone.is_empty() {
        let mut sql = Sql::new("delete from parameter_labels where connection_id = ");
        sql.text(connection)
            .push(" and name_key in (")
            .texts(&gone)
            .push(")");
        sql.run(&mut *transaction).await?;
    }
    write_folders(&mut transaction, connection, deltas).await?;
    transaction.commit().await?;
    Ok(gone.len())
}

/// Forgets one.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_one(db: &Db, connection: &str, name: &str) -> Result<(), StoreError> {
    let keys = [name_key(name).to_owned()];
    forget(db, connection, &keys, None).await.map(|_| ())
}

/// After a whole copy that began then: forgets what it did not find, and says that there is a copy.
///
/// # Errors
/// When the database does not answer.
pub async fn copied(db: &Db, connection: &str, begun: Timestamp) -> Result<(), StoreError> {
    loop {
        let mut sql = Sql::new("select name_key from parameters where connection_id = ");
        sql.text(connection)
            .push(" and synced_at < ")
            .int(begun.0)
            .push(" order by synced_at limit ")
            .int(AT_ONCE);
        let rows = sql.all(db.reader()).await?;
        let keys = rows
            .iter()
            .map(|row| row.text("name_key"))
            .collect::<Result<Vec<_>, _>>()?;
        if forget(db, connection, &keys, Some(begun)).await? == 0 {
            break;
        }
    }
    let mut sql = Sql::new("insert into parameter_copies (connection_id, copied_at) values (");
    sql.text(connection)
        .push(", ")
        .int(begun.0)
        .push(") on conflict (connection_id) do update set copied_at = excluded.copied_at");
    sql.run(db.writer()).await.map(|_| ())
}

/// Keeps the labels of a parameter's versions.
///
/// # Errors
/// When the database does not answer.
pub async fn labels(
    db: &Db,
    connection: &str,
    name: &str,
    labels: &[(String, i64)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let key = name_key(name);
    let mut transaction = db.begin().await?;
    let mut sql = Sql::new("update parameters set labels_at = ");
    sql.int(now.0)
        .push(" where connection_id = ")
        .text(connection)
        .push(" and name_key = ")
        .text(key);
    // One that is gone meanwhile has no labels.
    if sql.run(&mut *transaction).await? == 0 {
        return Ok(());
    }
    let mut sql = Sql::new("delete from parameter_labels where connection_id = ");
    sql.text(connection).push(" and name_key = ").text(key);
    sql.run(&mut *transaction).await?;
    for (label, version) in labels {
        let mut sql =
            Sql::new("insert into parameter_labels (connection_id, name_key, label, version) values (");
        sql.text(connection)
            .push(", ")
            .text(key)
            .push(", ")
            .text(label)
            .push(", ")
            .int(*version)
            .push(") on conflict (connection_id, name_key, label) do update set version = excluded.version");
        sql.run(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Takes the right to write the version after `version`, until then. Whether it was free: of two who saw the same version,
/// one gets it.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    db: &Db,
    connection: &str,
    name: &str,
    version: i64,
    (now, until): (Timestamp, Timestamp),
) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update parameters set claimed_until = ");
    sql.int(until.0)
        .push(" where connection_id = ")
        .text(connection)
        .push(" and name_key = ")
        .text(name_key(name))
        .push(" and version = ")
        .int(version)
        .push(" and claimed_until < ")
        .int(now.0);
    Ok(sql.run(db.writer()).await? == 1)
}

/// Gives that right back.
///
/// # Errors
/// When the database does not answer.
pub async fn release(db: &Db, connection: &str, name: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new("update parameters set claimed_until = 0 where connection_id = ");
    sql.text(connection).push(" and name_key = ").text(name_key(name));
    sql.run(db.writer()).await.map(|_| ())
}
