//! SQL text that is put together from parts, with numbered placeholders that both dialects read.
//! Only fixed text is ever pushed; everything that comes from outside is bound.

use crate::db::{Db, StoreError};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{AnyExecutor, AssertSqlSafe};

#[derive(Clone, Debug)]
enum Bound {
    Text(String),
    Int(i64),
    NoText,
    NoInt,
    Bytes(Vec<u8>),
}

/// A statement in the making.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    text: String,
    bound: Vec<Bound>,
}

impl Sql {
    /// Begins with fixed text.
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            bound: Vec::new(),
        }
    }

    /// Adds fixed text.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    fn bind(&mut self, value: Bound) -> &mut Self {
        self.bound.push(value);
        self.text.push('$');
        self.text.push_str(&self.bound.len().to_string());
        self
    }

    /// Adds a placeholder for a text.
    pub fn text(&mut self, value: impl Into<String>) -> &mut Self {
        self.bind(Bound::Text(value.into()))
    }

    /// Adds a placeholder for a text or null.
    pub fn text_or_none(&mut self, value: Option<String>) -> &mut Self {
        self.bind(value.map_or(Bound::NoText, Bound::Text))
    }

    /// Adds a placeholder for a whole number. Behind `limit` it is the number itself: SQLite plans by the limit, so a bound one
    /// has the statement parsed and planned anew for every run (`sqlite3ExprIsInteger` marks it so since 3.47).
    pub fn int(&mut self, value: i64) -> &mut Self {
        if self.text.ends_with("limit ") {
            self.text.push_str(&value.to_string());
            return self;
        }
        self.bind(Bound::Int(value))
    }

    /// Adds a placeholder for a whole number or null.
    pub fn int_or_none(&mut self, value: Option<i64>) -> &mut Self {
        self.bind(value.map_or(Bound::NoInt, Bound::Int))
    }

    /// Adds a placeholder for bytes.
    pub fn bytes(&mut self, value: Vec<u8>) -> &mut Self {
        self.bind(Bound::Bytes(value))
    }

    /// Adds the condition that `column`, a connection's id, is the one whose rows `db` means.
    pub fn within(&mut self, column: &'static str, db: &Db) -> &mut Self {
        self.push(column).push(" = ").text(db.connection())
    }

    /// Adds placeholders for several texts, separated by commas.
    pub fn texts(&mut self, values: &[String]) -> &mut Self {
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            self.text(value.clone());
        }
        self
    }

    fn query(self) -> sqlx::query::Query<'static, sqlx::Any, AnyArguments> {
        // The text alone: values are bound, and may be anybody's secret.
        tracing::trace!(target: "muster_store::sql", "{}", self.text);
        let mut query = sqlx::query(AssertSqlSafe(self.text));
        for value in self.bound {
            query = match value {
                Bound::Text(value) => query.bind(value),
                Bound::Int(value) => query.bind(value),
                Bound::NoText => query.bind(None::<String>),
                Bound::NoInt => query.bind(None::<i64>),
                Bound::Bytes(value) => query.bind(value),
            };
        }
        query
    }

    /// Runs it and gives all rows.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn all<'c>(self, on: impl AnyExecutor<'c>) -> Result<Vec<AnyRow>, StoreError> {
        Ok(self.query().fetch_all(on).await?)
    }

    /// The statement's text, for tests that explain it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Runs it and gives the first row, if any.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn first<'c>(self, on: impl AnyExecutor<'c>) -> Result<Option<AnyRow>, StoreError> {
        Ok(self.query().fetch_optional(on).await?)
    }

    /// Runs it and gives its only row.
    ///
    /// # Errors
    /// What the engine says, also when there is no row.
    pub async fn one<'c>(self, on: impl AnyExecutor<'c>) -> Result<AnyRow, StoreError> {
        Ok(self.query().fetch_one(on).await?)
    }

    /// Runs it and gives how many rows it touched.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn run<'c>(self, on: impl AnyExecutor<'c>) -> Result<u64, StoreError> {
        Ok(self.query().execute(on).await?.rows_affected())
    }
}

/// `text` as a pattern for `like … escape '\'` that finds it anywhere.
#[must_use]
pub fn contains_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// `text` as a pattern for `like … escape '\'` that finds what begins with it.
#[must_use]
pub fn prefix_pattern(text: &str) -> String {
    contains_pattern(text).split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_bound_but_for_limits() {
        let mut sql = Sql::new("select name from nodes where name = ");
        sql.text("web' or 1 = 1").push(" and at > ").int(7);
        sql.push(" limit ").int(50).push(" offset ").int(3);
        assert_eq!(
            sql.text,
            "select name from nodes where name = $1 and at > $2 limit 50 offset $3"
        );
    }
}
