//! `Subscribe`: a webhook that is to be told. It is asked first whether it wants to be: until the token of that message
//! comes back, it is told nothing.

use super::delivery_queries as deliveries;
use super::queries::{self, SubscriptionRow};
use super::shown::subscription_arn;
use super::{invalid, not_found, topic_name};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, Shape, optional, required};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) const INPUT: &[Member] = &[
    required("TopicArn", ANY_TEXT),
    required("Protocol", ANY_TEXT),
    optional("Endpoint", ANY_TEXT),
    optional("Attributes", Shape::Map(&ANY_TEXT)),
    optional("ReturnSubscriptionArn", Shape::Flag),
];
const MAX_ENDPOINT_CHARS: usize = 2_048;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    topic_arn: String,
    protocol: String,
    endpoint: Option<String>,
    attributes: Option<BTreeMap<String, String>>,
    return_subscription_arn: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    subscription_arn: String,
}

/// That messages can be posted there.
fn check_endpoint(protocol: &str, endpoint: &str) -> ApiResult<()> {
    if !matches!(protocol, "http" | "https") {
        return Err(invalid(
            "Protocol Reason: This control plane delivers to webhooks: http or https.",
        ));
    }
    let address = reqwest::Url::parse(endpoint).ok();
    let begins = endpoint
        .strip_prefix(protocol)
        .is_some_and(|rest| rest.starts_with("://") && !rest.starts_with(":///"));
    let fits = begins
        && endpoint.chars().count() <= MAX_ENDPOINT_CHARS
        && address.is_some_and(|address| address.scheme() == protocol && address.has_host());
    if fits {
        return Ok(());
    }
    Err(invalid(&format!(
        "Endpoint Reason: An address that begins with {protocol}:// and has at most {MAX_ENDPOINT_CHARS} characters."
    )))
}

fn is_raw(attributes: &BTreeMap<String, String>) -> ApiResult<bool> {
    let mut is_raw = false;
    for (name, value) in attributes {
        match (name.as_str(), value.as_str()) {
            ("RawMessageDelivery", "true") => is_raw = true,
            ("RawMessageDelivery", "false") => {}
            _ => {
                return Err(invalid(&format!(
                    "Attributes Reason: {name}: subscriptions have RawMessageDelivery, true or false; there are no filter \
                     policies and no delivery policies here."
                )));
            }
        }
    }
    Ok(is_raw)
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let topic = topic_name(plane, &call.region, &input.topic_arn)?;
    let endpoint = input.endpoint.unwrap_or_default();
    check_endpoint(&input.protocol, &endpoint)?;
    let is_raw = is_raw(&input.attributes.unwrap_or_default())?;
    let mut transaction = plane.db.begin().await?;
    if !queries::lock_topic(&mut *transaction, &call.region, topic).await? {
        return Err(not_found("Topic"));
    }
    let place = queries::place(&input.protocol, &endpoint);
    let known = queries::at_place(&mut *transaction, &call.region, topic, &place).await?;
    let row = match known {
        Some(row) if row.is_raw != is_raw => {
            return Err(invalid(
                "Attributes Reason: Subscription already exists with different attributes",
            ));
        }
        Some(row) if row.is_confirmed => row,
        Some(row) => {
            let row = SubscriptionRow {
                base_url: call.base_url.clone(),
                created_at: call.now,
                ..row
            };
            queries::renew(&mut *transaction, &row).await?;
            row
        }
        None => {
            let row = SubscriptionRow {
                region: call.region.clone(),
                id: call.fresh_id.clone(),
                topic: topic.to_owned(),
                protocol: input.protocol,
                endpoint,
                base_url: call.base_url.clone(),
                is_raw,
                is_confirmed: false,
                created_at: call.now,
            };
            queries::put_subscription(&mut *transaction, &row, &place).await?;
            row
        }
    };
    if !row.is_confirmed {
        // Asked anew whenever somebody subscribes again, as the service does.
        deliveries::put(&mut *transaction, &row.region, &row.id, "", call.now).await?;
    }
    transaction.commit().await?;
    plane.letters.notify_one();
    Ok(Output {
        subscription_arn: if row.is_confirmed || input.return_subscription_arn == Some(true) {
            subscription_arn(plane, &row)
        } else {
            "pending confirmation".into()
        },
    })
}

#[cfg(test)]
mod tests {
    use super::check_endpoint;

    #[test]
    fn endpoints_are_addresses_of_their_protocol() {
        for (protocol, endpoint, fits) in [
            ("http", "http://127.0.0.1:8080/hook", true),
            ("https", "https://hooks.test/a?b=c", true),
            ("https", "http://hooks.test", false),
            ("http", "http://", false),
            ("http", "http:user:pw@host/", false),
            ("http", "http:///user:pw@host", false),
            ("http", "hooks.test", false),
            ("http", "", false),
            ("email", "ann@hooks.test", false),
        ] {
            assert_eq!(check_endpoint(protocol, endpoint).is_ok(), fits, "{endpoint}");
        }
    }
}
