//! The walk that answers one page of a list of parameters. The service counts before it filters, and so does this: a
//! page may be short, or empty with a token, and no request reads more than a bounded number of parameters.

use super::TAGS;
use super::filters::{Beside, Question};
use super::queries::{self, ParameterRow, Range};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::tags::queries as tags;
use std::collections::BTreeMap;

impl Question {
    fn label(&self) -> Option<&[String]> {
        self.0
            .iter()
            .find(|condition| condition.key == "Label")
            .map(|condition| condition.values.as_slice())
    }

    /// Of these parameters the versions that are asked for: the current ones, or those with a label.
    async fn versions(
        &self,
        plane: &ControlPlane,
        region: &str,
        rows: Vec<ParameterRow>,
    ) -> ApiResult<Vec<ParameterRow>> {
        let Some(labels) = self.label() else {
            return Ok(rows);
        };
        let keys: Vec<String> = rows.into_iter().map(|row| row.key).collect();
        queries::labelled_of(plane.db.reader(), region, &keys, labels).await
    }

    /// Of these versions the ones for which all conditions hold.
    async fn keep(
        &self,
        plane: &ControlPlane,
        region: &str,
        mut rows: Vec<ParameterRow>,
    ) -> ApiResult<Vec<ParameterRow>> {
        let mut beside: BTreeMap<String, Beside> = BTreeMap::new();
        if self.0.iter().any(|condition| condition.key.starts_with("tag:")) {
            let keys: Vec<String> = rows.iter().map(|row| row.key.clone()).collect();
            for (key, tag) in tags::of_many(plane.db.reader(), region, TAGS, &keys).await? {
                beside.entry(key).or_default().tags.push(tag);
            }
        }
        let none = Beside::default();
        rows.retain(|row| {
            let beside = beside.get(&row.key).unwrap_or(&none);
            self.0.iter().all(|condition| condition.holds(row, beside))
        });
        Ok(rows)
    }
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

/// Where a list goes on: behind that version of that parameter, of which there may be more than one in a list.
#[derive(Clone, Debug, Default)]
struct Position {
    key: String,
    version: i64,
}

/// Behind all versions of a parameter.
const ALL_VERSIONS: i64 = i64::MAX;

impl Position {
    fn after(row: &ParameterRow) -> Self {
        Self {
            key: row.key.clone(),
            version: row.version,
        }
    }

    fn read(parts: &[String]) -> Self {
        Self {
            key: parts.first().cloned().unwrap_or_default(),
            version: parts
                .get(1)
                .and_then(|text| text.parse().ok())
                .unwrap_or(ALL_VERSIONS),
        }
    }

    fn parts(&self) -> [String; 2] {
        [self.key.clone(), self.version.to_string()]
    }
}

impl Walk {
    /// What is left of the parameter in whose versions the last page ended.
    async fn rest(
        &self,
        plane: &ControlPlane,
        region: &str,
        position: &Position,
    ) -> ApiResult<Vec<ParameterRow>> {
        let Some(labels) = self.question.label().filter(|_| position.version < ALL_VERSIONS) else {
            return Ok(Vec::new());
        };
        let keys = [position.key.clone()];
        let mut rows = queries::labelled_of(plane.db.reader(), region, &keys, labels).await?;
        rows.retain(|row| row.version > position.version);
        self.question.keep(plane, region, rows).await
    }

    /// The page that a token leads to, and the token of the next one.
    pub(crate) async fn page(
        &self,
        plane: &ControlPlane,
        region: &str,
        token: Option<&str>,
    ) -> ApiResult<(Vec<ParameterRow>, Option<String>)> {
        let mut position = match token {
            Some(token) => Position::read(&plane.tokens.open(&self.scope, token)?),
            None => Position::default(),
        };
        let filters = !self.question.0.is_empty();
        let batch = if filters { AT_ONCE } else { self.limit };
        let mut page = self.rest(plane, region, &position).await?;
        let mut looked_at = 0;
        while page.len() <= self.limit {
            let limit = i64::try_from(batch + 1).unwrap_or(i64::MAX);
            let mut rows =
                queries::list(plane.db.reader(), region, &self.range, &position.key, limit).await?;
            let is_last = rows.len() <= batch;
            rows.truncate(batch);
            looked_at += rows.len();
            if let Some(last) = rows.last() {
                position = Position {
                    key: last.key.clone(),
                    version: ALL_VERSIONS,
                };
            }
            let rows = self.question.versions(plane, region, rows).await?;
            page.extend(self.question.keep(plane, region, rows).await?);
            if is_last && page.len() <= self.limit {
                return Ok((page, None));
            }
            if page.len() == self.limit || looked_at >= LOOKED_AT {
                break;
            }
        }
        if page.len() > self.limit {
            page.truncate(self.limit);
            if let Some(last) = page.last() {
                position = Position::after(last);
            }
        }
        let next = plane.tokens.seal(&self.scope, &position.parts());
        Ok((page, Some(next)))
    }
}
