//! Whether the server can do its work: the database answers.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use muster_store::{Db, Sql};

/// The routes.
pub fn routes(db: Db) -> Router {
    Router::new().route("/health", get(health)).with_state(db)
}

async fn health(State(db): State<Db>) -> Response {
    match Sql::new("select 1 as one").one(db.reader()).await {
        Ok(_) => (StatusCode::OK, "ok\n").into_response(),
        Err(error) => {
            tracing::error!(%error, "the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}
