//! Lists that renew themselves: when renewing fails, what was shown stays, with its age and the reason.
//! Losing a list because the network blinked would be worse than an old list that says so.

use super::icon::{Glyph, Icon};
use super::time_ago::TimeAgo;
use crate::error::AppError;
use crate::live::clock::use_instant;
use leptos::prelude::*;
use muster_domain::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::sync::Arc;

/// Why something is not the newest, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stale {
    /// When it was the newest.
    pub(crate) at: Timestamp,
    /// What went wrong since.
    pub(crate) error: AppError,
}

/// An answer: the newest, or the last good one to the same question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fresh<T> {
    /// The answer; shared, because each part of a page that waits for it is given one, and lists are long.
    pub(crate) value: Arc<T>,
    /// Set when it is not the newest.
    pub(crate) stale: Option<Stale>,
}

impl<T> Deref for Fresh<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A question that is asked again and again.
pub(crate) type Renewed<T> = Resource<Result<Fresh<T>, AppError>>;

/// The last good answer, to which question, and when.
type Last<S, T> = Option<(S, Arc<T>, Timestamp)>;

/// What to show for an answer, given the last good one.
fn settle<S: PartialEq, T>(
    last: &mut Last<S, T>,
    question: S,
    answer: Result<T, AppError>,
    now: Timestamp,
) -> Result<Fresh<T>, AppError> {
    match (answer, last.as_ref()) {
        (Ok(value), _) => {
            let value = Arc::new(value);
            *last = Some((question, value.clone(), now));
            Ok(Fresh { value, stale: None })
        }
        (Err(error), Some((asked, value, at))) if *asked == question && error.may_pass() => Ok(Fresh {
            value: value.clone(),
            stale: Some(Stale { at: *at, error }),
        }),
        (Err(error), _) => Err(error),
    }
}

/// Asks `fetch` whenever `question` changes or somebody asks again.
pub(crate) fn renewed<S, T, Fut>(
    question: impl Fn() -> S + Copy + Send + Sync + 'static,
    fetch: impl Fn(S) -> Fut + Send + Sync + 'static,
) -> Renewed<T>
where
    S: Clone + PartialEq + Send + Sync + 'static,
    T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
    Fut: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let last: StoredValue<Last<S, T>> = StoredValue::new(None);
    let now = use_instant();
    let first = untrack(question);
    let resource = Resource::new(question, move |question| {
        let answer = fetch(question.clone());
        async move {
            let answer = answer.await;
            // Without the page there is nothing to compare with, and nobody to show it to.
            let mut before = last.try_get_value().flatten();
            let settled = settle(&mut before, question, answer, now());
            last.try_set_value(before);
            settled
        }
    });
    Effect::new(move |_| {
        // What came with the page was not fetched here; it is the first good answer all the same.
        let came = resource.get_untracked();
        if let Some(Ok(fresh)) = came
            && last.with_value(Option::is_none)
        {
            last.set_value(Some((first.clone(), fresh.value, now())));
        }
    });
    resource
}

/// Above what is not the newest.
#[component]
pub(crate) fn StaleNotice(#[prop(into)] stale: Option<Stale>) -> impl IntoView {
    stale.map(|stale| {
        view! {
            <div class="notice warn" role="status" data-stale="">
                <Icon glyph=Glyph::Warning />
                <div>
                    <strong>"Could not be refreshed; shown as of "<TimeAgo at=stale.at />"."</strong>
                    " "
                    {stale.error.to_string()}
                </div>
            </div>
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::PortalError;

    fn cut() -> AppError {
        AppError::Transport("cut".into())
    }

    #[test]
    fn what_was_shown_stays_until_another_question_is_asked() {
        let mut last = None;
        let ask = |last: &mut Last<&'static str, u8>, question, answer, at| {
            settle(last, question, answer, Timestamp(at))
        };
        assert_eq!(ask(&mut last, "a", Err(cut()), 0), Err(cut()), "nothing to keep");
        assert_eq!(ask(&mut last, "a", Ok(1), 1).unwrap().stale, None);
        let kept = ask(&mut last, "a", Err(cut()), 2).unwrap();
        assert_eq!((*kept.value, kept.stale.unwrap().at), (1, Timestamp(1)));
        assert_eq!(
            ask(&mut last, "b", Err(cut()), 3),
            Err(cut()),
            "another question's rows are no answer"
        );
        assert_eq!(*ask(&mut last, "a", Ok(2), 4).unwrap().value, 2);
    }

    #[test]
    fn who_may_not_see_it_any_more_does_not() {
        let mut last = None;
        settle(&mut last, (), Ok(1), Timestamp(0)).unwrap();
        for error in [
            PortalError::SignInRequired,
            PortalError::Forbidden { message: "no".into() },
            PortalError::NotFound { what: "It".into() },
        ] {
            let error = AppError::Portal(error);
            assert_eq!(
                settle(&mut last, (), Err(error.clone()), Timestamp(1)),
                Err(error)
            );
        }
    }
}
