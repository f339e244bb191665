//! From what a caller names (id, ARN, alias, an alias' ARN) to a key that can seal and open.

use super::master::{KEY_BYTES, SealingKey};
use super::queries::{self, AliasRow, KeyRow};
use super::{alias_arn, blob, key_arn};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::is_uuid;
use muster_domain::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The alias of the key that secrets are sealed with when no other one is named.
pub(crate) const DEFAULT_ALIAS: &str = "alias/aws/ssm";

/// The master key, and the keys that were opened with it. Keys never change, so they are opened once.
pub(crate) struct Kms {
    master: SealingKey,
    opened: Mutex<HashMap<(String, String), Arc<SealingKey>>>,
}

impl Kms {
    pub(crate) fn new(master: SealingKey) -> Self {
        Self {
            master,
            opened: Mutex::default(),
        }
    }

    fn opened(&self, region: &str, key_id: &str) -> Option<Arc<SealingKey>> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.get(&(region.to_owned(), key_id.to_owned())).cloned()
    }

    fn open(&self, row: &KeyRow) -> ApiResult<Arc<SealingKey>> {
        let bytes = self
            .master
            .open(&row.sealed, aad(&row.region, &row.key_id).as_bytes())
            .ok_or_else(|| {
                ApiError::internal("a key does not open under the master key in the data directory")
            })?;
        let key = SealingKey::of(&bytes)
            .map(Arc::new)
            .ok_or_else(|| ApiError::internal("a key has the wrong length"))?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.insert((row.region.clone(), row.key_id.clone()), Arc::clone(&key));
        Ok(key)
    }
}

fn aad(region: &str, key_id: &str) -> String {
    format!("kms key|{region}|{key_id}")
}

/// Whether the keys in the database, if there are any, are under this master key.
pub(crate) async fn fits(plane: &ControlPlane) -> ApiResult<bool> {
    let row = queries::any_key(plane.db.reader()).await?;
    Ok(row.is_none_or(|row| plane.kms.open(&row).is_ok()))
}

/// A refusal that names what is not there.
pub(crate) fn not_found(message: String) -> ApiError {
    ApiError::new("NotFoundException", message)
}

fn no_key(plane: &ControlPlane, region: &str, key_id: &str) -> ApiError {
    let arn = key_arn(&plane.config.account, region, key_id);
    not_found(format!("Key '{arn}' does not exist"))
}

fn no_alias(plane: &ControlPlane, region: &str, alias: &str) -> ApiError {
    let arn = alias_arn(&plane.config.account, region, alias);
    not_found(format!("Alias {arn} is not found."))
}

/// Makes a new key and writes it down.
pub(crate) async fn make_key(
    plane: &ControlPlane,
    on: impl sqlx::AnyExecutor<'_>,
    region: &str,
    manager: &str,
    description: &str,
    now: Timestamp,
) -> ApiResult<KeyRow> {
    let key_id = plane.random.uuid();
    let mut key = [0_u8; KEY_BYTES];
    plane.random.fill(&mut key);
    let mut sealed = Vec::new();
    plane.kms.master.seal(
        &key,
        aad(region, &key_id).as_bytes(),
        plane.random.as_ref(),
        &mut sealed,
    )?;
    let row = KeyRow {
        region: region.to_owned(),
        key_id,
        manager: manager.to_owned(),
        description: description.to_owned(),
        sealed,
        created_at: now,
    };
    queries::insert_key(on, &row).await?;
    Ok(row)
}

/// Makes the default key of a region; when somebody else does so at this moment, theirs holds.
async fn make_default(plane: &ControlPlane, region: &str, now: Timestamp) -> ApiResult<AliasRow> {
    let mut transaction = plane.db.begin().await?;
    let about = "Default key that protects my SSM parameters when no other key is defined";
    let key = make_key(plane, &mut *transaction, region, "AWS", about, now).await?;
    let row = AliasRow {
        alias: DEFAULT_ALIAS.to_owned(),
        key_id: key.key_id,
        created_at: now,
    };
    match queries::insert_alias(&mut *transaction, region, &row).await {
        Err(error) if error.is_unique_violation() => {
            transaction.rollback().await?;
            let there = queries::alias(plane.db.writer(), region, DEFAULT_ALIAS).await?;
            return there.ok_or_else(|| no_alias(plane, region, DEFAULT_ALIAS));
        }
        other => other?,
    }
    transaction.commit().await?;
    Ok(row)
}

/// The id of the key that the caller names. Nothing is said of whether it exists unless an alias leads to it.
pub(crate) async fn key_id(plane: &ControlPlane, call: &Call, named: &str) -> ApiResult<String> {
    let region = &call.region;
    let own = format!("arn:aws:kms:{region}:{}:", plane.config.account);
    let short = match named.strip_prefix(&own) {
        Some(rest) => rest.strip_prefix("key/").unwrap_or(rest),
        None if named.starts_with("arn:") => {
            return Err(not_found(format!(
                "{named} is not a key of this account and region."
            )));
        }
        None => named,
    };
    if !short.starts_with("alias/") {
        if is_uuid(short) {
            return Ok(short.to_owned());
        }
        return Err(not_found(format!("Invalid keyId '{named}'")));
    }
    match queries::alias(plane.db.reader(), region, short).await? {
        Some(row) => Ok(row.key_id),
        None if short == DEFAULT_ALIAS => Ok(make_default(plane, region, call.now).await?.key_id),
        None => Err(no_alias(plane, region, short)),
    }
}

/// The row of the key that the caller names.
pub(crate) async fn key_row(plane: &ControlPlane, call: &Call, named: &str) -> ApiResult<KeyRow> {
    let id = key_id(plane, call, named).await?;
    queries::key(plane.db.reader(), &call.region, &id)
        .await?
        .ok_or_else(|| no_key(plane, &call.region, &id))
}

/// The key of that id, ready for use.
pub(crate) async fn key(plane: &ControlPlane, region: &str, key_id: &str) -> ApiResult<Arc<SealingKey>> {
    if let Some(key) = plane.kms.opened(region, key_id) {
        return Ok(key);
    }
    let row = queries::key(plane.db.reader(), region, key_id)
        .await?
        .ok_or_else(|| no_key(plane, region, key_id))?;
    plane.kms.open(&row)
}

/// Seals `plain` under the key that the caller names; also gives that key's id.
pub(crate) async fn seal(
    plane: &ControlPlane,
    call: &Call,
    named: &str,
    plain: &[u8],
    context: &super::Context,
) -> ApiResult<(Vec<u8>, String)> {
    let id = key_id(plane, call, named).await?;
    let key = key(plane, &call.region, &id).await?;
    let blob = blob::seal(&id, &key, plain, context, plane.random.as_ref())?;
    Ok((blob, id))
}

/// Opens what [`seal`] made in this region; also gives the id of its key.
pub(crate) async fn open(
    plane: &ControlPlane,
    region: &str,
    blob: &[u8],
    context: &super::Context,
) -> ApiResult<(Vec<u8>, String)> {
    let invalid = || ApiError::bare("InvalidCiphertextException");
    let parts = blob::parts(blob).ok_or_else(invalid)?;
    let key = key(plane, region, &parts.key_id).await.map_err(|error| {
        // A ciphertext of another region, or of another installation.
        if error.code == "NotFoundException" {
            invalid()
        } else {
            error
        }
    })?;
    let plain = parts.open(&key, context).ok_or_else(invalid)?;
    Ok((plain, parts.key_id))
}
