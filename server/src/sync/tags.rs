//! Copies the tags of nodes, which take a call each.

use crate::events::PortalEvent;
use crate::fleet::queries;
use crate::sync::fleet::{FleetSync, SweepError};
use aws_sdk_ssm::types::ResourceTypeForTagging;
use muster_domain::Timestamp;
use muster_domain::fleet::Tag;
use muster_domain::ids::NodeId;
use muster_store::{RowExt, Sql};
use std::time::Duration;
use tokio::time::Instant;

/// What a turn of copying tags came to.
struct Renewed {
    changed: bool,
    none_left: bool,
}

/// So long tags are copied before nodes are looked at again.
const TAGS_FOR: Duration = Duration::from_secs(50);

impl FleetSync {
    /// Copies tags: of every node that has none yet, as long as that may take before nodes are looked at again, and of
    /// those that were copied longest ago. Answers whether every node has them. Nodes without fresh tags are worth
    /// more than none: what is wrong with tags is said, and the rest goes on.
    pub(super) async fn copy_tags(&self) -> Result<bool, SweepError> {
        let began = Instant::now();
        let mut whole = false;
        let mut problem = String::new();
        while !whole && began.elapsed() < TAGS_FOR {
            match self.refresh_tags(self.clock.now()).await {
                Ok(renewed) => {
                    whole = renewed.none_left;
                    if renewed.changed {
                        self.figures.changed();
                        self.bus.tell(PortalEvent::Fleet);
                    }
                }
                Err(SweepError::Call(error)) if !error.unreachable => {
                    tracing::warn!(%error, "tags could not be copied");
                    problem = format!(
                        "Tags could not be copied, so filters and permissions by tag go by old ones: {}",
                        error.sentence()
                    );
                    whole = true;
                }
                Err(error) => return Err(error),
            }
        }
        if !self.connected(&problem, self.clock.now()).await? {
            self.bus.tell(PortalEvent::Connections);
        }
        Ok(whole)
    }

    /// Tags take a call for each node, so each turn renews only the oldest: new nodes first.
    async fn refresh_tags(&self, now: Timestamp) -> Result<Renewed, SweepError> {
        let connection = &self.ssm.connection;
        let at_once = if connection.embedded { 100 } else { 20 };
        let mut sql = Sql::new(
            // Systems Manager knows the tags of managed instances only; those of EC2 instances are EC2's.
            "select node_id, tags_synced_at from nodes where ping_status <> 'Inactive' and node_id like 'mi-%' \
             and connection_id = ",
        );
        sql.text(connection.id.as_str())
            .push(" and tags_synced_at < ")
            .int(now.plus_ms(-10_000).0);
        sql.push(" order by tags_synced_at limit ").int(at_once);
        let mut changed = false;
        let rows = sql.all(self.db.reader()).await?;
        let full = i64::try_from(rows.len()).unwrap_or_default() == at_once;
        let mut oldest_left = 0;
        for row in rows {
            oldest_left = row.int("tags_synced_at")?;
            let node = NodeId::new(row.text("node_id")?);
            let request = self
                .ssm
                .client
                .list_tags_for_resource()
                .resource_type(ResourceTypeForTagging::ManagedInstance)
                .resource_id(node.as_str());
            let answer = self
                .ssm
                .call("ListTagsForResource", request.send())
                .await
                .map_err(SweepError::Call)?;
            let mut tags: Vec<Tag> = answer
                .tag_list()
                .iter()
                .map(|tag| Tag {
                    key: tag.key().to_owned(),
                    value: tag.value().to_owned(),
                })
                .collect();
            tags.sort();
            changed |= row.int("tags_synced_at")? == 0;
            queries::replace_tags(&self.db, &connection.id, &node, &tags, self.clock.now()).await?;
        }
        Ok(Renewed {
            changed,
            // Sorted by age: when the last of a full turn was no new one, no new one is left.
            none_left: !full || oldest_left > 0,
        })
    }
}
