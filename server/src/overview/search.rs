//! What the command palette finds: a few of each kind, so that no kind crowds out another.

use crate::commands::queries::{self as commands, Viewer};
use crate::fleet::queries as fleet;
use crate::overview::OverviewService;
use crate::runbooks;
use muster_domain::Actor;
use muster_domain::action::Action;
use muster_domain::commands::CommandQuery;
use muster_domain::deployments::ApplicationQuery;
use muster_domain::fleet::FleetQuery;
use muster_domain::fleet_filter::FleetFilter;
use muster_domain::overview::SearchHit;
use muster_domain::patching::system_label;
use muster_domain::permission::Scope;
use muster_store::sql::contains_pattern;
use muster_store::{RowExt, Sql, StoreError};

/// The number of a request for approval, as people write it.
fn request_number(text: &str) -> Option<u64> {
    let rest = text.strip_prefix("CR-").or_else(|| text.strip_prefix("cr-"))?;
    rest.parse().ok().filter(|number| *number > 0)
}

impl OverviewService {
    /// What there is of that text that the actor may see in `scopes`.
    pub(super) async fn hits(
        &self,
        actor: &Actor,
        scopes: &[Scope],
        text: &str,
    ) -> Result<Vec<SearchHit>, StoreError> {
        let mut hits = Vec::new();
        // First, because few are called so and whoever types its name means to go there.
        if actor.may(Action::ConnectionsRead) {
            let wanted = text.to_lowercase();
            let all = super::service::connections(&self.db, &self.connection.id, &self.connections).await?;
            let others = all.into_iter().filter(|one| !one.is_here && !one.url.is_empty());
            for one in others {
                let place = format!("{} · {}", one.account, one.region);
                if one.name.to_lowercase().contains(&wanted) || place.contains(&wanted) {
                    hits.push(SearchHit {
                        kind: "Connection".into(),
                        title: one.name,
                        subtitle: place,
                        url: one.url,
                    });
                }
            }
        }
        if let Some(number) = request_number(text)
            && actor.may(Action::ApprovalsRead)
        {
            // Whether there is one, and whether the actor may see it, its page says.
            hits.push(SearchHit {
                kind: "Request".into(),
                title: format!("CR-{number}"),
                subtitle: "Request for approval".into(),
                url: format!("/approvals/CR-{number}"),
            });
        }
        let filter = FleetFilter {
            tokens: vec![muster_domain::fleet_filter::Token {
                property: muster_domain::fleet_filter::Property::Text,
                operator: muster_domain::fleet_filter::Operator::Contains,
                values: vec![text.to_owned()],
            }],
        };
        let query = FleetQuery {
            filter,
            limit: Some(6),
            ..FleetQuery::default()
        };
        for node in fleet::list(&self.db, &query, scopes, self.clock.now())
            .await?
            .items
        {
            hits.push(SearchHit {
                kind: "Node".into(),
                title: node.name.clone(),
                subtitle: format!(
                    "{} · {} · {}",
                    node.node_id,
                    node.ip_address,
                    node.ping_status.label()
                ),
                url: format!("/fleet/{}", node.node_id),
            });
        }
        let viewer = Viewer {
            scopes,
            user: actor.user_id.as_ref(),
        };
        let query = CommandQuery {
            text: text.to_owned(),
            limit: Some(4),
            ..CommandQuery::default()
        };
        for command in commands::list(&self.db, &query, &viewer).await?.items {
            hits.push(SearchHit {
                kind: "Command".into(),
                title: command.title().to_owned(),
                subtitle: format!(
                    "{} · {} · {}",
                    command.status.label(),
                    command.requested_by,
                    command.command_id
                ),
                url: format!("/commands/{}", command.command_id),
            });
        }
        let runbooks = runbooks::catalogue::found(&self.db, self.connection.id.as_str(), text, 4);
        for (name, description) in runbooks.await? {
            hits.push(SearchHit {
                kind: "Runbook".into(),
                // Names of shared ones are ARNs.
                url: format!("/runbooks/{}", name.replace('/', "%2F")),
                title: name,
                subtitle: description,
            });
        }
        let parameters = crate::parameters::queries::found(&self.db, self.connection.id.as_str(), text, 4);
        for parameter in parameters.await? {
            hits.push(SearchHit {
                kind: "Parameter".into(),
                url: format!("/parameters/view?name={}", parameter.name),
                title: parameter.name,
                subtitle: parameter.description,
            });
        }
        let baselines =
            crate::patching::baseline_queries::found(&self.db, self.connection.id.as_str(), text, 4);
        for baseline in baselines.await? {
            hits.push(SearchHit {
                kind: "Baseline".into(),
                url: format!("/patching/baselines/{}", baseline.short_id()),
                title: baseline.name,
                subtitle: system_label(&baseline.operating_system).to_owned(),
            });
        }
        if actor.may(Action::DeploymentsRead) {
            let query = ApplicationQuery {
                text: text.to_owned(),
                limit: Some(4),
                ..ApplicationQuery::default()
            };
            let found = crate::deployments::queries::list(&self.db, self.connection.id.as_str(), &query);
            for application in found.await?.0.items {
                hits.push(SearchHit {
                    kind: "Application".into(),
                    url: format!("/deployments/{}", application.id),
                    title: application.settings.name,
                    subtitle: application.settings.description,
                });
            }
        }
        if actor.may(Action::WindowsRead) {
            let query = muster_domain::windows::WindowQuery {
                text: text.to_owned(),
                limit: Some(4),
                ..Default::default()
            };
            let found = crate::windows::queries::list(&self.db, self.connection.id.as_str(), &query);
            for window in found.await?.page.items {
                hits.push(SearchHit {
                    kind: "Window".into(),
                    url: format!("/windows/{}", window.id),
                    title: window.name,
                    subtitle: window.description,
                });
            }
        }
        if actor.may(Action::UsersRead) {
            let mut sql = Sql::new("select name, display_name from users where lower(name) like ");
            let pattern = contains_pattern(text);
            sql.text(pattern.clone())
                .push(" escape '\\' or lower(display_name) like ")
                .text(pattern)
                .push(" escape '\\' order by name limit 3");
            for row in sql.all(self.db.reader()).await? {
                hits.push(SearchHit {
                    kind: "User".into(),
                    title: row.text("name")?,
                    subtitle: row.text("display_name")?,
                    url: "/settings/users".into(),
                });
            }
        }
        Ok(hits)
    }
}

#[cfg(test)]
mod tests {
    use super::request_number;

    #[test]
    fn a_request_is_called_by_its_number() {
        assert_eq!(request_number("CR-12"), Some(12));
        assert_eq!(request_number("cr-7"), Some(7));
        for other in ["CR-", "CR-0", "CR-x", "12", "CR-1-2", "xCR-1"] {
            assert_eq!(request_number(other), None, "{other}");
        }
    }
}
