//! Keeps what a view made alive as long as the view itself. A `Suspend` that runs again (another
//! page of a list, a refresh) first disposes of all signals that its last run made, while the old
//! view is still on show or the new one is about to be drawn; reading such a signal then ends the
//! page. Invariant: views made in a `Suspend` that can run again go through a `Keeper`.

use super::late::once;
use leptos::prelude::*;
use leptos::tachys::reactive_graph::OwnedView;

/// The place that views are kept under: the component in which it was made.
#[derive(Clone)]
pub(crate) struct Keeper(Owner);

impl Keeper {
    /// Under the component that is being made right now.
    pub(crate) fn here() -> Self {
        Self(Owner::current().unwrap_or_default())
    }

    /// Makes a view whose signals go when it goes.
    pub(crate) fn view<V: IntoView + 'static>(&self, make: impl FnOnce() -> V + Send + 'static) -> AnyView {
        let owner = self.0.with(Owner::new);
        let view = owner.with(|| once(make));
        OwnedView::new_with_owner(view, owner).into_any()
    }
}
