//! The server functions of the frame itself.

use crate::error::AppError;
use crate::wire::Json;
#[cfg(feature = "ssr")]
use crate::{backend::call, layout::theme::Theme};
use leptos::prelude::*;
use muster_domain::Timestamp;
use muster_domain::access::Profile;
use muster_domain::audit::Finding;
use muster_domain::overview::{ConnectionView, SearchHit};
use serde::{Deserialize, Serialize};

/// What the frame shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// Who is signed in.
    pub(crate) profile: Profile,
    /// The connections; none when this person may not see them.
    pub(crate) connections: Vec<ConnectionView>,
    /// What is wrong with the audit log, for those who may read it.
    pub(crate) audit_warning: Option<Finding>,
    /// How many requests for approval wait for this person.
    pub(crate) waiting: u32,
    /// The server's time.
    pub(crate) as_of: Timestamp,
}

impl Frame {
    /// Whether this person may do that act at least somewhere.
    pub(crate) fn may(&self, action: muster_domain::action::Action) -> bool {
        self.profile.may.iter().any(|name| name == action.as_str())
    }
}

/// Who is signed in, and the connections.
#[server(prefix = "/api", endpoint = "overview/frame", output = Json)]
pub(crate) async fn get_frame() -> Result<Frame, AppError> {
    use muster_domain::time::Clock;
    call(|backend, actor| async move {
        Ok(Frame {
            profile: backend.access.profile(&actor).await?,
            // Somebody without any role still gets a page that says so.
            connections: backend.overview.connections(&actor).await.unwrap_or_default(),
            audit_warning: backend.audit.warning(&actor),
            waiting: backend
                .approvals
                .waiting(&actor)
                .await
                .map(|waiting| waiting.count)
                .unwrap_or_default(),
            as_of: muster_domain::system::SystemClock.now(),
        })
    })
    .await
}

/// Hits for the command palette.
#[server(prefix = "/api", endpoint = "overview/search", output = Json)]
pub(crate) async fn search(text: String) -> Result<Vec<SearchHit>, AppError> {
    call(|backend, actor| async move { backend.overview.search(&actor, text).await }).await
}

/// Keeps the choice of colours in a cookie, for browsers without script.
#[server(prefix = "/api", endpoint = "settings/theme", output = Json)]
pub(crate) async fn set_theme(theme: String) -> Result<(), AppError> {
    use muster_domain::PortalError;
    let response = use_context::<leptos_axum::ResponseOptions>();
    call(|_, _| async move {
        let theme = Theme::parse(&theme)
            .ok_or_else(|| PortalError::invalid("theme", "Choose system, light or dark."))?;
        if let (Some(response), Ok(cookie)) = (response, http::HeaderValue::from_str(&theme.cookie())) {
            response.append_header(http::header::SET_COOKIE, cookie);
        }
        Ok(())
    })
    .await
}
