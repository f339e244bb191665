//! A portal with one node, an administrator who is signed in, and shells on that node: what tests of sessions begin with.

use crate::portal::{Client, Fallible, Portal};
use crate::terminal::{Terminal, start};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// How long a node may take until it reports.
const PATIENCE: Duration = Duration::from_secs(60);

/// The first node that reports.
///
/// # Errors
/// When none does for long.
pub async fn online_node(client: &Client) -> Fallible<String> {
    client
        .until("a node online", PATIENCE, async |client| {
            let (_, _, body) = client.get("/export/fleet.json").await?;
            let rows = body
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut online = rows.filter(|row| row["status"] == "Online");
            Ok(online
                .next()
                .and_then(|row| row["node_id"].as_str().map(str::to_owned)))
        })
        .await
}

/// A portal whose machine is its node.
pub struct OneNode {
    /// The portal.
    pub portal: Portal,
    /// Who may do everything.
    pub admin: Client,
    /// The node.
    pub node: String,
}

impl OneNode {
    /// Starts a new portal with these arguments, and waits until the node reports.
    ///
    /// # Errors
    /// When either does not come up.
    pub async fn start(data_dir: &Path, arguments: &[&str]) -> Fallible<Self> {
        Self::of(Portal::start(data_dir, arguments, &[])?).await
    }

    /// The same of a portal that was just started for the first time.
    ///
    /// # Errors
    /// When the node does not report.
    pub async fn of(portal: Portal) -> Fallible<Self> {
        let admin = Client::first_administrator(&portal).await?;
        let node = online_node(&admin).await?;
        Ok(Self { portal, admin, node })
    }

    /// A terminal on the node, attached, with a shell that has answered; and its session's id.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn terminal(&self) -> Fallible<(String, Terminal)> {
        let id = start(&self.admin, &self.node).await?;
        let mut page = Terminal::attach(&self.admin, &id, "one", None).await?;
        page.type_in("echo re''ady\r").await?;
        page.shows("ready").await?;
        Ok((id, page))
    }
}
