//! What can be done with the fleet, behind the door.

use crate::aws::Ssm;
use crate::commands;
use crate::door::Door;
use crate::error::store;
use crate::events::{EventBus, PortalEvent};
use crate::fleet::{Figures, node_lists, queries, resolve, views};
use async_trait::async_trait;
use aws_sdk_ssm::types::{ResourceTypeForTagging, Tag as SsmTag};
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::fleet::{
    ActivationCreated, CreateActivation, EditTags, Facet, Fleet, FleetPage, FleetQuery, NodeDetail,
    NodeSelection, ResolvedTargets, SaveView, SavedView, Tag,
};
use muster_domain::fleet_filter::FleetFilter;
use muster_domain::ids::{NodeId, NodeListId, SavedViewId, UserId};
use muster_domain::permission::Role;
use muster_domain::time::{Clock, Random};
use muster_domain::{Actor, PortalError};
use muster_store::Db;
use std::sync::Arc;

/// The fleet's service.
#[derive(Clone)]
pub struct FleetService {
    /// The portal's database.
    pub db: Db,
    /// The one door.
    pub door: Door,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub random: Arc<dyn Random>,
    /// The way to Systems Manager.
    pub ssm: Ssm,
    /// Wakes streams.
    pub bus: EventBus,
    /// What was counted.
    pub figures: Figures,
}

/// Characters of a node's id at most; Systems Manager's have 20.
const LONGEST_ID: usize = 64;

fn user(actor: &Actor) -> UserId {
    actor
        .user_id
        .clone()
        .unwrap_or_else(|| UserId::new(actor.name.clone()))
}

/// Tags in the SDK's shape; a tag that the SDK cannot hold was refused by `check` before.
fn ssm_tags(tags: &[Tag]) -> Vec<SsmTag> {
    tags.iter()
        .filter_map(|tag| SsmTag::builder().key(&tag.key).value(&tag.value).build().ok())
        .collect()
}

#[async_trait]
impl Fleet for FleetService {
    async fn list(&self, actor: &Actor, query: FleetQuery) -> Result<FleetPage, PortalError> {
        self.door
            .pass(actor, Intent::new(Action::FleetRead, ""), Ok(()), async |pass| {
                let now = self.clock.now();
                let everything = FleetFilter::default();
                let (page, all, synced_at) = tokio::try_join!(
                    self.figures.page(&self.db, &query, &pass.scopes, now),
                    self.figures.count(&self.db, &everything, &pass.scopes, now),
                    queries::synced_at(&self.db),
                )
                .map_err(store)?;
                let matching = if query.filter.is_empty() {
                    all.0
                } else {
                    self.figures
                        .count(&self.db, &query.filter, &pass.scopes, now)
                        .await
                        .map_err(store)?
                        .0
                };
                Ok(FleetPage {
                    page,
                    matching,
                    total: all.0,
                    not_reporting: all.1,
                    synced_at,
                    may_run: actor.may(Action::CommandsRun),
                    may_add: actor.may(Action::FleetCreateActivation),
                })
            })
            .await
    }

    async fn get(&self, actor: &Actor, node: NodeId) -> Result<NodeDetail, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::FleetRead, format!("node:{node}")),
                Ok(()),
                async |pass| {
                    let row = queries::get(&self.db, &node, &pass.scopes)
                        .await
                        .map_err(store)?
                        .ok_or_else(|| PortalError::NotFound {
                            what: format!("The node {node}"),
                        })?;
                    let recent_commands = commands::queries::recent_of_node(&self.db, &node, 10)
                        .await
                        .map_err(store)?;
                    let within = |action| {
                        let tags = || {
                            row.summary
                                .tags
                                .iter()
                                .map(|tag| (tag.key.as_str(), tag.value.as_str()))
                        };
                        actor.scopes_for(action).iter().any(|scope| scope.covers(tags()))
                    };
                    Ok(NodeDetail {
                        may_run: within(Action::CommandsRun),
                        may_edit_tags: within(Action::FleetEditTags),
                        summary: row.summary,
                        resource_type: row.resource_type,
                        activation_id: row.activation_id,
                        iam_role: row.iam_role,
                        registered_at: row.registered_at,
                        recent_commands,
                    })
                },
            )
            .await
    }

    async fn facets(&self, actor: &Actor) -> Result<Vec<Facet>, PortalError> {
        self.door
            .pass(actor, Intent::new(Action::FleetRead, ""), Ok(()), async |pass| {
                let facets = self
                    .figures
                    .facets(&self.db, &pass.scopes, self.clock.now())
                    .await
                    .map_err(store)?;
                Ok(facets.as_ref().clone())
            })
            .await
    }

    async fn resolve(&self, actor: &Actor, selection: NodeSelection) -> Result<ResolvedTargets, PortalError> {
        self.door
            .pass(actor, Intent::new(Action::FleetRead, ""), Ok(()), async |_| {
                // The nodes that a command may reach, which can be fewer than those that may be seen.
                let scopes = actor.scopes_for(Action::CommandsRun);
                Ok(resolve::resolve(&self.db, &selection, &scopes, self.clock.now())
                    .await?
                    .preview())
            })
            .await
    }

    async fn keep_nodes(&self, actor: &Actor, nodes: Vec<NodeId>) -> Result<NodeListId, PortalError> {
        let intent = Intent::new(Action::FleetKeepNodes, "").with("nodes", nodes.len());
        let check = if nodes.is_empty() {
            Err(PortalError::invalid("nodes", "Choose at least one node."))
        } else if nodes.len() > resolve::MAX_TARGETS as usize {
            Err(resolve::too_many(nodes.len()))
        } else if nodes.iter().any(|id| id.as_str().len() > LONGEST_ID) {
            Err(PortalError::invalid(
                "nodes",
                "Name nodes by their ids, as mi-0123456789abcdef0.",
            ))
        } else {
            Ok(())
        };
        self.door
            .pass(actor, intent, check, async |pass| {
                let list = node_lists::keep(&self.db, &nodes, self.clock.now())
                    .await
                    .map_err(store)?;
                pass.note("list", list.as_str());
                Ok(list)
            })
            .await
    }

    async fn kept_nodes(&self, actor: &Actor, list: NodeListId) -> Result<Vec<NodeId>, PortalError> {
        self.door
            .pass(actor, Intent::new(Action::FleetRead, ""), Ok(()), async |_| {
                node_lists::get(&self.db, &list)
                    .await
                    .map_err(store)?
                    .ok_or_else(|| {
                        PortalError::invalid(
                            "nodes",
                            "This list of nodes is not kept any more. Choose them anew on the Fleet page.",
                        )
                    })
            })
            .await
    }

    async fn edit_tags(&self, actor: &Actor, input: EditTags) -> Result<(), PortalError> {
        let set: Vec<String> = input
            .set
            .iter()
            .map(|tag| format!("{}={}", tag.key, tag.value))
            .collect();
        let intent = Intent::new(Action::FleetEditTags, format!("node:{}", input.node_id))
            .with("set", set)
            .with("remove", input.remove.clone());
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let row = queries::get(&self.db, &input.node_id, &pass.scopes)
                    .await
                    .map_err(store)?
                    .ok_or_else(|| PortalError::NotFound { what: format!("The node {}", input.node_id) })?;
                let mut tags = row.summary.tags.clone();
                tags.retain(|tag| !input.remove.contains(&tag.key) && !input.set.iter().any(|new| new.key == tag.key));
                tags.extend(input.set.iter().cloned());
                let after = || tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
                if !pass.scopes.iter().any(|scope| scope.covers(after())) {
                    // Else somebody could push a node out of their own scope, or pull rights apart from it.
                    return Err(PortalError::Forbidden {
                        message: "This change would move the node out of the scope of your role. Ask an administrator.".into(),
                    });
                }
                pass.note("before", row.summary.tags.iter().map(|t| format!("{}={}", t.key, t.value)).collect::<Vec<_>>());
                let id = input.node_id.as_str();
                if !input.set.is_empty() {
                    let request = self
                        .ssm
                        .client
                        .add_tags_to_resource()
                        .resource_type(ResourceTypeForTagging::ManagedInstance)
                        .resource_id(id)
                        .set_tags(Some(ssm_tags(&input.set)));
                    self.ssm.call("AddTagsToResource", request.send()).await.map_err(|e| e.to_portal())?;
                }
                if !input.remove.is_empty() {
                    let request = self
                        .ssm
                        .client
                        .remove_tags_from_resource()
                        .resource_type(ResourceTypeForTagging::ManagedInstance)
                        .resource_id(id)
                        .set_tag_keys(Some(input.remove.clone()));
                    self.ssm.call("RemoveTagsFromResource", request.send()).await.map_err(|e| e.to_portal())?;
                }
                queries::replace_tags(&self.db, &row.summary.connection_id, &input.node_id, &tags, self.clock.now())
                    .await
                    .map_err(store)?;
                self.figures.changed();
                self.bus.tell(PortalEvent::Fleet);
                Ok(())
            })
            .await
    }

    async fn create_activation(
        &self,
        actor: &Actor,
        input: CreateActivation,
    ) -> Result<ActivationCreated, PortalError> {
        let intent = Intent::new(Action::FleetCreateActivation, "activation:new")
            .with("description", input.description.clone())
            .with("registration_limit", input.registration_limit)
            .with("expires_in_hours", input.expires_in_hours);
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let expires_at = self
                    .clock
                    .now()
                    .plus_ms(i64::from(input.expires_in_hours) * 3_600_000);
                let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
                let request = self
                    .ssm
                    .client
                    .create_activation()
                    .iam_role(&self.ssm.connection.activation_role)
                    .registration_limit(i32::try_from(input.registration_limit).unwrap_or(1))
                    .expiration_date(aws_smithy_types::DateTime::from_millis(expires_at.0))
                    .set_description(some(&input.description))
                    .set_default_instance_name(some(&input.default_instance_name))
                    .set_tags((!input.tags.is_empty()).then(|| ssm_tags(&input.tags)));
                let request = request.customize().config_override(Ssm::once());
                let answer = self
                    .ssm
                    .call("CreateActivation", request.send())
                    .await
                    .map_err(|e| e.to_portal())?;
                let activation_id = answer.activation_id().unwrap_or_default().to_owned();
                pass.note("activation_id", activation_id.clone());
                Ok(ActivationCreated {
                    activation_id,
                    activation_code: answer.activation_code().unwrap_or_default().to_owned(),
                    region: self.ssm.connection.region.clone(),
                    endpoint: self.ssm.connection.endpoint.clone(),
                    expires_at,
                })
            })
            .await
    }

    async fn views(&self, actor: &Actor) -> Result<Vec<SavedView>, PortalError> {
        self.door
            .pass(actor, Intent::new(Action::FleetRead, ""), Ok(()), async |_| {
                let any = actor.grants.iter().any(|grant| grant.role == Role::Administrator);
                let mut views = views::list(&self.db, &user(actor), any).await.map_err(store)?;
                views.retain(|view| !view.name.is_empty());
                Ok(views)
            })
            .await
    }

    async fn save_view(&self, actor: &Actor, input: SaveView) -> Result<SavedViewId, PortalError> {
        let intent = Intent::new(Action::ViewsSave, format!("view:{}", input.name.trim()))
            .with("query", input.query.clone());
        self.door
            .pass(actor, intent, input.check(), async |_| {
                views::save(
                    &self.db,
                    &self.random.uuid(),
                    &user(actor),
                    &actor.name,
                    &input,
                    self.clock.now(),
                )
                .await
                .map_err(store)
            })
            .await
    }

    async fn delete_view(&self, actor: &Actor, view: SavedViewId) -> Result<(), PortalError> {
        let any = actor.grants.iter().any(|grant| grant.role == Role::Administrator);
        self.door
            .pass(
                actor,
                Intent::new(Action::ViewsDelete, format!("view:{view}")),
                Ok(()),
                async |_| {
                    if views::delete(&self.db, &view, &user(actor), any)
                        .await
                        .map_err(store)?
                    {
                        Ok(())
                    } else {
                        Err(PortalError::NotFound {
                            what: "The saved view".into(),
                        })
                    }
                },
            )
            .await
    }
}
