//! Saved views: filters by name, one's own and shared ones. The SQL of them.

use muster_domain::Timestamp;
use muster_domain::fleet::{SaveView, SavedView};
use muster_domain::ids::{SavedViewId, UserId};
use muster_store::{Db, RowExt, Sql, StoreError};

/// A person's own and all shared views, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &Db, user: &UserId, may_delete_any: bool) -> Result<Vec<SavedView>, StoreError> {
    let mut sql = Sql::new(
        "select view_id, owner_id, owner_name, name, query, shared from saved_views where shared = 1 or owner_id = ",
    );
    sql.text(user.as_str())
        .push(" order by lower(name), view_id limit 500");
    let mut views = Vec::new();
    for found in sql.all(db.reader()).await? {
        let own = found.text("owner_id")? == user.as_str();
        views.push(SavedView {
            id: SavedViewId::new(found.text("view_id")?),
            name: found.text("name")?,
            query: found.text("query")?,
            shared: found.flag("shared")?,
            owner: found.text("owner_name")?,
            mine: own || may_delete_any,
        });
    }
    Ok(views)
}

/// Keeps a view; one of the same owner and name is replaced. Answers its id.
///
/// # Errors
/// When the database does not answer.
pub async fn save(
    db: &Db,
    id: &str,
    user: &UserId,
    user_name: &str,
    input: &SaveView,
    now: Timestamp,
) -> Result<SavedViewId, StoreError> {
    let mut sql = Sql::new(
        "insert into saved_views (view_id, owner_id, owner_name, name, query, shared, created_at) values (",
    );
    sql.text(id)
        .push(", ")
        .text(user.as_str())
        .push(", ")
        .text(user_name)
        .push(", ");
    sql.text(input.name.trim())
        .push(", ")
        .text(&input.query)
        .push(", ");
    sql.int(i64::from(input.shared)).push(", ").int(now.0);
    sql.push(") on conflict (owner_id, name) do update set query = excluded.query, shared = excluded.shared returning view_id");
    Ok(SavedViewId::new(sql.one(db.writer()).await?.text("view_id")?))
}

/// Deletes a view of this owner, or with `any` anybody's shared one. Answers whether there was one.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(db: &Db, view: &SavedViewId, user: &UserId, any: bool) -> Result<bool, StoreError> {
    let mut sql = Sql::new("delete from saved_views where view_id = ");
    sql.text(view.as_str())
        .push(" and (owner_id = ")
        .text(user.as_str());
    sql.push(if any { " or shared = 1)" } else { ")" });
    Ok(sql.run(db.writer()).await? > 0)
}
