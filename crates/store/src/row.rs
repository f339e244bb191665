//! Typed values out of rows, with errors that name the column.

use crate::db::StoreError;
use muster_domain::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

/// Reads columns by name.
pub trait RowExt {
    /// A text.
    ///
    /// # Errors
    /// [`StoreError::Column`] when it is missing, null or of another type. The same holds for all others.
    fn text(&self, column: &str) -> Result<String, StoreError>;
    /// A text, or nothing where the column is null.
    ///
    /// # Errors
    /// As [`RowExt::text`].
    fn text_or_none(&self, column: &str) -> Result<Option<String>, StoreError>;
    /// A whole number.
    ///
    /// # Errors
    /// As [`RowExt::text`].
    fn int(&self, column: &str) -> Result<i64, StoreError>;
    /// A whole number, or nothing where the column is null.
    ///
    /// # Errors
    /// As [`RowExt::text`].
    fn int_or_none(&self, column: &str) -> Result<Option<i64>, StoreError>;
    /// Bytes.
    ///
    /// # Errors
    /// As [`RowExt::text`].
    fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError>;
    /// A point in time.
    ///
    /// # Errors
    /// As [`RowExt::text`].
    fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp)
    }
    /// A point in time, or nothing where the column is null.
    ///
    /// # Errors
    /// As [`RowExt::text`].
    fn time_or_none(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.int_or_none(column)?.map(Timestamp))
    }
    /// A 0/1 flag.
    ///
    /// # Errors
    /// As [`RowExt::text`].
    fn flag(&self, column: &str) -> Result<bool, StoreError> {
        self.int(column).map(|value| value != 0)
    }
}

fn named(column: &str) -> impl FnOnce(sqlx::Error) -> StoreError {
    let column = column.to_owned();
    move |error| StoreError::Column {
        column,
        message: error.to_string(),
    }
}

impl RowExt for AnyRow {
    fn text(&self, column: &str) -> Result<String, StoreError> {
        self.try_get(column).map_err(named(column))
    }

    fn text_or_none(&self, column: &str) -> Result<Option<String>, StoreError> {
        self.try_get(column).map_err(named(column))
    }

    fn int(&self, column: &str) -> Result<i64, StoreError> {
        self.try_get(column).map_err(named(column))
    }

    fn int_or_none(&self, column: &str) -> Result<Option<i64>, StoreError> {
        self.try_get(column).map_err(named(column))
    }

    fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        self.try_get(column).map_err(named(column))
    }
}
