//! `ListTopics`, 100 to a page.

use super::{arn, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, optional};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[optional("NextToken", NEXT_TOKEN)];
const PAGE: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ShownTopic {
    topic_arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    topics: Vec<ShownTopic>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let scope = format!("ListTopics|{}", call.region);
    let after = plane.tokens.after(&scope, input.next_token.as_deref())?;
    let rows = queries::topics(plane.db.reader(), &call.region, &after, PAGE + 1).await?;
    let (rows, next_token) = page(&plane.tokens, &scope, rows, PAGE, |name| vec![name.clone()]);
    Ok(Output {
        topics: rows
            .into_iter()
            .map(|name| ShownTopic {
                topic_arn: arn(plane, &call.region, &name),
            })
            .collect(),
        next_token,
    })
}
