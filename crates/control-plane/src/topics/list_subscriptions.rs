//! `ListSubscriptions`, 100 to a page; [`listed`] is `ListSubscriptionsByTopic`'s as well.

use super::queries;
use super::shown::{Page, shown};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, optional};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[optional("NextToken", NEXT_TOKEN)];
const PAGE: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    next_token: Option<String>,
}

/// A page of all subscriptions, or of those to one topic.
pub(crate) async fn listed(
    plane: &ControlPlane,
    call: &Call,
    topic: Option<&str>,
    token: Option<&str>,
) -> ApiResult<Page> {
    let scope = format!("ListSubscriptions|{}|{}", call.region, topic.unwrap_or_default());
    let after = plane.tokens.after(&scope, token)?;
    let rows = queries::subscriptions(plane.db.reader(), &call.region, topic, &after, PAGE + 1).await?;
    let (rows, next_token) = page(&plane.tokens, &scope, rows, PAGE, |row| vec![row.id.clone()]);
    Ok(Page {
        subscriptions: rows.into_iter().map(|row| shown(plane, row)).collect(),
        next_token,
    })
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Page> {
    listed(plane, call, None, input.next_token.as_deref()).await
}
