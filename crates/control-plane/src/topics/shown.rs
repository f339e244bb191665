//! Subscriptions as lists tell them.

use super::arn;
use super::queries::SubscriptionRow;
use crate::control_plane::ControlPlane;
use serde::Serialize;

/// A subscription.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ShownSubscription {
    subscription_arn: String,
    owner: String,
    protocol: String,
    endpoint: String,
    topic_arn: String,
}

/// A page of them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Page {
    pub(crate) subscriptions: Vec<ShownSubscription>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_token: Option<String>,
}

/// Its ARN.
pub(crate) fn subscription_arn(plane: &ControlPlane, row: &SubscriptionRow) -> String {
    format!("{}:{}", arn(plane, &row.region, &row.topic), row.id)
}

/// An address without the password that may be in it.
fn without_password(endpoint: &str) -> String {
    let Some((scheme, rest)) = endpoint.split_once("://") else {
        return endpoint.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let Some((user, host)) = authority.rsplit_once('@') else {
        return endpoint.to_owned();
    };
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:****@{host}{path}")
}

pub(crate) fn shown(plane: &ControlPlane, row: SubscriptionRow) -> ShownSubscription {
    ShownSubscription {
        subscription_arn: if row.is_confirmed {
            subscription_arn(plane, &row)
        } else {
            "PendingConfirmation".into()
        },
        owner: plane.config.account.clone(),
        topic_arn: arn(plane, &row.region, &row.topic),
        endpoint: without_password(&row.endpoint),
        protocol: row.protocol,
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn passwords_are_not_told() {
        for (endpoint, told) in [
            ("https://hooks.test/a@b?c=d@e", "https://hooks.test/a@b?c=d@e"),
            (
                "https://ann:s3cr:et@hooks.test/a",
                "https://ann:****@hooks.test/a",
            ),
            ("http://ann@hooks.test", "http://ann:****@hooks.test"),
            ("https://a:b@c@hooks.test?x", "https://a:****@hooks.test?x"),
        ] {
            assert_eq!(without_password(endpoint), told);
        }
    }
}
