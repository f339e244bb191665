//! Forms that work without script: what was typed into a refused form, and the answer to one that was
//! taken, come back with the next page. With script neither is needed: the page stays as it is.

#[cfg(feature = "ssr")]
pub mod keep;

use crate::error::AppError;
use crate::url::use_query;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The part of an address that says which kept form belongs to it.
pub(crate) const KEPT: &str = "__kept";

/// A form that a browser without script sent, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptForm {
    /// The number in the address.
    pub(crate) id: String,
    /// Where it was sent.
    pub(crate) path: String,
    /// What was typed; nothing secret.
    pub(crate) fields: Vec<(String, String)>,
    /// The answer, as JSON, when it was taken.
    pub(crate) answer: Option<String>,
}

/// The form that belongs to the page's address.
#[derive(Clone)]
struct OfThisPage(Arc<Option<KeptForm>>);

/// The fields of the form around: they begin with what was typed.
#[derive(Clone)]
struct Typed(Arc<Vec<(String, String)>>);

/// Takes what the server kept along with the page. Once, for the whole portal.
pub(crate) fn provide_kept_form() {
    #[cfg(feature = "ssr")]
    let kept = SharedValue::new(keep::taken);
    #[cfg(not(feature = "ssr"))]
    let kept = SharedValue::new(|| None::<KeptForm>);
    provide_context(OfThisPage(Arc::new(kept.into_inner())));
}

/// Reads from the kept form of this page, when it was sent to `path`.
fn kept<T>(path: &str, read: impl FnOnce(&KeptForm) -> Option<T>) -> Option<T> {
    let page = use_context::<OfThisPage>()?;
    let form = page.0.as_ref().as_ref()?;
    let here = use_query().with_untracked(|query| query.get(KEPT) == Some(form.id.as_str()));
    (here && form.path == path).then(|| read(form)).flatten()
}

/// The fields of the form for `S`, made in the component that calls this, begin with what was typed when
/// the form was refused.
pub(crate) fn keep_fields<S: ServerFn>() {
    if let Some(fields) = kept(S::PATH, |form| {
        (form.answer.is_none()).then(|| form.fields.clone())
    }) {
        provide_context(Typed(Arc::new(fields)));
    }
}

/// What was typed into the field `name` of the form around; `None` when that is not known.
pub(crate) fn typed(name: &str) -> Option<String> {
    let fields = use_context::<Typed>()?;
    fields
        .0
        .iter()
        .find(|(field, _)| field == name)
        .map(|(_, value)| value.clone())
}

/// Whether a box was ticked in the form around; `None` when that is not known.
pub(crate) fn ticked(name: &str) -> Option<bool> {
    let fields = use_context::<Typed>()?;
    Some(fields.0.iter().any(|(field, _)| field == name))
}

/// All that was sent as the field `name` with a form that was refused: which boxes were ticked. For fields that stand outside
/// their form.
pub(crate) fn kept_values<S: ServerFn>(name: &str) -> Vec<String> {
    let values = kept(S::PATH, |form| {
        let fields = form.fields.iter().filter(|(field, _)| field == name);
        form.answer
            .is_none()
            .then(|| fields.map(|(_, value)| value.clone()).collect())
    });
    values.unwrap_or_default()
}

/// What a form's last submission brought, with script or without. Called where the page is made.
pub(crate) fn action_answer<S>(action: ServerAction<S>) -> Signal<Option<Result<S::Output, AppError>>>
where
    S: ServerFn<Error = AppError> + Clone + Send + Sync + 'static,
    S::Output: Clone + Send + Sync + DeserializeOwned + 'static,
{
    let before = kept(S::PATH, |form| {
        serde_json::from_str::<S::Output>(form.answer.as_deref()?).ok()
    });
    let value = action.value();
    Signal::derive(move || value.get().or_else(|| before.clone().map(Ok)))
}
