//! Nodes that only the portal's copy knows: as many as a large fleet has, in a moment. No command reaches them.

use crate::portal::Fallible;
use muster_domain::Timestamp;
use muster_store::{Db, Sql};

/// Writes `count` nodes straight into the portal's copy, online, two in three of them staging.
///
/// # Errors
/// When the database does not take them.
pub async fn fill(db: &Db, count: i64) -> Fallible<()> {
    let now = Timestamp(1_795_000_000_000).0;
    let mut transaction = db.begin().await?;
    for number in 0..count {
        let id = format!("mi-{number:017x}");
        let name = format!("web-{number:05}");
        let mut sql = Sql::new(
            "insert into nodes (connection_id, node_id, name, computer_name, ping_status, last_ping_at, platform_type, platform_name, \
             platform_version, agent_version, ip_address, resource_type, activation_id, iam_role, registered_at, synced_at, \
             tags_synced_at, sweep, sort_name) values ('default', ",
        );
        sql.text(&id)
            .push(", ")
            .text(&name)
            .push(", ")
            .text(&name)
            .push(", 'Online', ")
            .int(now);
        sql.push(", 'Linux', 'Debian GNU/Linux', '12', '0.1.0', ")
            .text(format!("10.0.{}.{}", number / 250, number % 250));
        sql.push(", 'ManagedInstance', null, null, ")
            .int(now)
            .push(", ")
            .int(now)
            // Copied so late that no round asks for their tags, and by a sweep so late that none finds them gone.
            .push(", ")
            .int(i64::MAX)
            .push(", ")
            .int(i64::MAX)
            .push(", ");
        sql.text(&name).push(")");
        sql.run(&mut *transaction).await?;
        for (key, value) in [
            (
                "Environment",
                if number % 3 == 0 { "Production" } else { "Staging" },
            ),
            ("Team", "web"),
        ] {
            let mut sql = Sql::new(
                "insert into node_tags (connection_id, node_id, tag_key, tag_value) values ('default', ",
            );
            sql.text(&id)
                .push(", ")
                .text(key)
                .push(", ")
                .text(value)
                .push(")");
            sql.run(&mut *transaction).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}
