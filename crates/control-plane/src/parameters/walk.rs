//! The walk that answers one page of a list of parameters. The service counts before it filters, and so does this: a
//! page may be short, or empty with a token, and no request reads more than a bounded number of parameters.

use super::TAGS;
use super::filters::{Beside, Question};
use super::queries::{self, ParameterRow, Range};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::tags::queries as tags;
use std::collections::{BTreeMap, BTreeSet};

impl Question {
    fn label(&self) -> Option<&[String]> {
        self.0
            .iter()
            .find(|condition| condition.key == "Label")
            .map(|condition| condition.values.as_slice())
    }

    async fn keep(
        &self,
        plane: &ControlPlane,
        region: &str,
        rows: Vec<ParameterRow>,
    ) -> ApiResult<Vec<ParameterRow>> {
        let mut beside: BTreeMap<String, Beside> = BTreeMap::new();
        if self.0.iter().any(|condition| condition.key.starts_with("tag:")) {
            let keys: Vec<String> = rows.iter().map(|row| row.key.clone()).collect();
            for (key, tag) in tags::of_many(plane.db.reader(), region, TAGS, &keys).await? {
                beside.entry(key).or_default().tags.push(tag);
            }
        }
        let none = Beside::default();
        let mut kept = Vec::new();
        for row in rows {
            let beside = beside.get(&row.key).unwrap_or(&none);
            if self.0.iter().all(|condition| condition.holds(&row, beside)) {
                match self.label() {
                    None => kept.push(row),
                    Some(labels) => kept.extend(labelled(plane, region, &row.key, labels).await?),
                }
            }
        }
        Ok(kept)
    }
}

/// The versions of a parameter that have one of those labels.
async fn labelled(
    plane: &ControlPlane,
    region: &str,
    key: &str,
    labels: &[String],
) -> ApiResult<Vec<ParameterRow>> {
    let mut found: BTreeMap<i64, ParameterRow> = BTreeMap::new();
    let unique: BTreeSet<&String> = labels.iter().collect();
    for label in unique {
        if let Some(row) = queries::labelled(plane.db.reader(), region, key, label).await? {
            found.insert(row.version, row);
        }
    }
    Ok(found.into_values().collect())
}

/// One list.
#[derive(Debug)]
pub(crate) struct Walk {
    /// Ties tokens to operation, region and question.
    pub(crate) scope: String,
    pub(crate) range: Range,
    pub(crate) question: Question,
    /// Parameters of a page at most.
    pub(crate) limit: usize,
}

/// Parameters that one request looks at when it filters, and reads at once.
const LOOKED_AT: usize = 1_000;
const AT_ONCE: usize = 200;

impl Walk {
    /// The page that a token leads to, and the token of the next one.
    pub(crate) async fn page(
        &self,
        plane: &ControlPlane,
        region: &str,
        token: Option<&str>,
    ) -> ApiResult<(Vec<ParameterRow>, Option<String>)> {
        let mut after = match token {
            Some(token) => plane.tokens.open(&self.scope, token)?.swap_remove(0),
            None => String::new(),
        };
        let filters = !self.question.0.is_empty();
        let batch = if filters { AT_ONCE } else { self.limit };
        let mut page: Vec<ParameterRow> = Vec::new();
        let mut looked_at = 0;
        loop {
            let limit = i64::try_from(batch + 1).unwrap_or(i64::MAX);
            let mut rows = queries::list(plane.db.reader(), region, &self.range, &after, limit).await?;
            let is_last = rows.len() <= batch;
            rows.truncate(batch);
            looked_at += rows.len();
            if let Some(last) = rows.last() {
                after.clone_from(&last.key);
            }
            page.extend(self.question.keep(plane, region, rows).await?);
            if page.len() > self.limit {
                page.truncate(self.limit);
                if let Some(last) = page.last() {
                    after.clone_from(&last.key);
                }
                break;
            }
            if is_last {
                return Ok((page, None));
            }
            if page.len() == self.limit || looked_at >= LOOKED_AT {
                break;
            }
        }
        let next = plane.tokens.seal(&self.scope, &[after]);
        Ok((page, Some(next)))
    }
}
