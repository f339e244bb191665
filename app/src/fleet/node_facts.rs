//! What is known of one node, as facts. Shared by the panel and the page.

use super::table::platform;
use crate::components::{CopyButton, Fact, StatusBadge, TimeAgo};
use leptos::prelude::*;
use muster_domain::Timestamp;
use muster_domain::fleet::NodeDetail;

fn or_dash(text: &str) -> String {
    if text.is_empty() {
        "–".into()
    } else {
        text.into()
    }
}

fn time(at: Option<Timestamp>) -> AnyView {
    match at {
        Some(at) => view! { <TimeAgo at /> }.into_any(),
        None => "never".into_any(),
    }
}

/// The facts.
#[component]
pub(super) fn NodeFacts(node: NodeDetail) -> impl IntoView {
    let summary = node.summary;
    let id = summary.node_id.to_string();
    let platform = format!("{} ({})", platform(&summary), or_dash(&summary.platform_type));
    let address = or_dash(&summary.ip_address);
    let computer_name = or_dash(&summary.computer_name);
    let agent = or_dash(&summary.agent_version);
    let joined = match (&node.activation_id, node.resource_type.as_str()) {
        (Some(activation), _) => format!("activation {activation}"),
        (None, "EC2Instance") => "EC2 instance".into(),
        _ => "unknown".into(),
    };
    view! {
        <dl class="facts">
            <Fact label="Status">
                <StatusBadge badge=summary.ping_status label=summary.ping_status.label() />
            </Fact>
            <Fact label="Last ping">{time(summary.last_ping_at)}</Fact>
            <Fact label="Node id">
                <span class="mono">{id.clone()}</span>
                " "
                <CopyButton text=id label="Copy the node id" />
            </Fact>
            <Fact label="Computer name">{computer_name}</Fact>
            <Fact label="Address">
                <span class="mono">{address}</span>
            </Fact>
            <Fact label="Platform">{platform}</Fact>
            <Fact label="Agent">
                <span class="mono">{agent}</span>
            </Fact>
            <Fact label="Role">
                <span class="mono">{or_dash(node.iam_role.as_deref().unwrap_or_default())}</span>
            </Fact>
            <Fact label="Registered">{joined} " · " {time(node.registered_at)}</Fact>
            <Fact label="Synced">{time(Some(summary.synced_at))}</Fact>
        </dl>
    }
}
