//! Idempotency tokens: a call that is repeated with its token answers what it answered the first time and does nothing.

use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use muster_agent_protocol::signing::sha256_hex;
use muster_store::{RowExt, Sql};
use serde::Serialize;
use sqlx::{Any, Transaction};

/// How long a token is known. The service says nothing; SDKs repeat within minutes.
const KEPT_MS: i64 = 24 * 3_600_000;

/// A call with a token, or without.
#[derive(Debug)]
pub(crate) struct Once {
    operation: &'static str,
    token: Option<String>,
    request: String,
}

impl Once {
    /// `request` is what has to be the same when the token is the same, without the token itself.
    pub(crate) fn new(
        operation: &'static str,
        token: Option<String>,
        request: &impl Serialize,
    ) -> ApiResult<Self> {
        let request = serde_json::to_vec(request).map_err(ApiError::internal)?;
        Ok(Self {
            operation,
            token,
            request: sha256_hex(&request),
        })
    }

    /// What was answered to this call before. Ask in the transaction that does it, before anything else.
    pub(crate) async fn answered(
        &self,
        transaction: &mut Transaction<'static, Any>,
        call: &Call,
    ) -> ApiResult<Option<String>> {
        let Some(token) = &self.token else {
            return Ok(None);
        };
        let mut old = Sql::new("delete from ssm_client_tokens where at < ");
        old.int(call.now.plus_ms(-KEPT_MS).0);
        old.run(&mut **transaction).await?;
        let mut sql = Sql::new("select request_sha256, answer from ssm_client_tokens where region = ");
        sql.text(&call.region)
            .push(" and operation = ")
            .text(self.operation);
        sql.push(" and client_token = ").text(token);
        let Some(row) = sql.first(&mut **transaction).await? else {
            return Ok(None);
        };
        if row.text("request_sha256")? != self.request {
            return Err(ApiError::new(
                "IdempotentParameterMismatch",
                "This ClientToken was used for a request with other parameters. Use a new one.",
            ));
        }
        Ok(Some(row.text("answer")?))
    }

    /// Remembers what is answered.
    pub(crate) async fn keep(
        &self,
        transaction: &mut Transaction<'static, Any>,
        call: &Call,
        answer: &str,
    ) -> ApiResult<()> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        let mut sql = Sql::new(
            "insert into ssm_client_tokens (region, operation, client_token, request_sha256, answer, at) values (",
        );
        for text in [&call.region, self.operation, token, &self.request, answer] {
            sql.text(text).push(", ");
        }
        sql.int(call.now.0).push(")");
        sql.run(&mut **transaction).await?;
        Ok(())
    }
}
