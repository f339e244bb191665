//! SQL of updates that nodes have found to be available. Nothing else touches the table.

use crate::errors::{ApiError, ApiResult};
use crate::index_text::bounded;
use muster_domain::Timestamp;
use muster_patching::Patch;
use muster_store::{RowExt, Sql};
use sqlx::{Any, AnyExecutor, Transaction};

/// What nobody has seen for so long is not available any more.
const KEPT_MS: i64 = 90 * 86_400_000;
/// Rows in one insert: well below the number of placeholders that either engine takes.
const ROWS_AT_ONCE: usize = 400;

fn key(operating_system: &str, patch: &Patch) -> String {
    bounded(format!(
        "{operating_system}/{}/{}.{}:{}",
        patch.product, patch.name, patch.arch, patch.version
    ))
}

/// Adds those that are new, and notes that the others were seen.
pub(crate) async fn put(
    transaction: &mut Transaction<'static, Any>,
    region: &str,
    operating_system: &str,
    patches: &[Patch],
    now: Timestamp,
) -> ApiResult<()> {
    let mut old = Sql::new("delete from ssm_available_patches where region = ");
    old.text(region)
        .push(" and seen_at < ")
        .int(now.plus_ms(-KEPT_MS).0);
    old.run(&mut **transaction).await?;
    // One row for each: an insert may not touch a row twice.
    let unique: std::collections::BTreeMap<String, &Patch> = patches
        .iter()
        .map(|patch| (key(operating_system, patch), patch))
        .collect();
    let unique: Vec<(String, &Patch)> = unique.into_iter().collect();
    for rows in unique.chunks(ROWS_AT_ONCE) {
        let mut sql = Sql::new(
            "insert into ssm_available_patches (region, patch_key, operating_system, definition, seen_at) values ",
        );
        for (at, (key, patch)) in rows.iter().enumerate() {
            sql.push(if at == 0 { "(" } else { ", (" });
            let definition = serde_json::to_string(patch).map_err(ApiError::internal)?;
            for text in [region, key, operating_system, &definition] {
                sql.text(text).push(", ");
            }
            sql.int(now.0).push(")");
        }
        sql.push(
            " on conflict (region, patch_key) do update set definition = excluded.definition, \
             seen_at = excluded.seen_at",
        );
        sql.run(&mut **transaction).await?;
    }
    Ok(())
}

/// Up to `limit` of a region, of one operating system or of all, after a key; each with its key.
pub(crate) async fn available(
    on: impl AnyExecutor<'_>,
    region: &str,
    operating_system: Option<&str>,
    after: &str,
    limit: usize,
) -> ApiResult<Vec<(String, String, Patch)>> {
    let mut sql =
        Sql::new("select patch_key, operating_system, definition from ssm_available_patches where region = ");
    sql.text(region).push(" and patch_key > ").text(after);
    if let Some(system) = operating_system {
        sql.push(" and operating_system = ").text(system);
    }
    sql.push(" order by patch_key limit ").int(limit as i64);
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| {
            let patch = serde_json::from_str(&row.text("definition")?).map_err(ApiError::internal)?;
            Ok((row.text("patch_key")?, row.text("operating_system")?, patch))
        })
        .collect()
}
