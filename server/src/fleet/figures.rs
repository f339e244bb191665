//! What looking at the fleet gives: totals, the values to filter by, and the pages of the list. Counting costs more
//! the larger the fleet is, every page wants it, and many people look at the same page, which renews itself: so it is
//! done once for all who may see the same nodes, and again when a node changed or it is as old as [`OLDEST_MS`].

use crate::fleet::queries;
use muster_domain::Timestamp;
use muster_domain::fleet::{Facet, FleetQuery, NodeSummary};
use muster_domain::fleet_filter::FleetFilter;
use muster_domain::paging::Page;
use muster_domain::patching::PatchTotals;
use muster_domain::permission::Scope;
use muster_store::{Db, StoreError};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// Figures are never older than this: a filter on the age of the last ping changes with time alone.
pub const OLDEST_MS: i64 = 5_000;
/// More questions than this are not remembered: filters are free text.
const MOST: usize = 256;

/// How many nodes match, and how many of them do not report.
type Counts = (u64, u64);

/// One answer on its way or here; everybody who asks the same waits for the same.
#[derive(Debug)]
struct Kept<T> {
    version: u64,
    at: Timestamp,
    answer: Arc<OnceCell<T>>,
}

type Shelf<T> = Mutex<HashMap<String, Kept<T>>>;

/// Counted once for many pages.
#[derive(Clone, Debug, Default)]
pub struct Figures(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    version: AtomicU64,
    counts: Shelf<Counts>,
    facets: Shelf<Arc<Vec<Facet>>>,
    pages: Shelf<Arc<Page<NodeSummary>>>,
    patches: Shelf<PatchTotals>,
}

impl Figures {
    /// Nodes changed: what was counted before does not count any more.
    pub fn changed(&self) {
        self.0.version.fetch_add(1, Ordering::AcqRel);
    }

    /// How many nodes match, and how many of them do not report.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count(
        &self,
        db: &Db,
        filter: &FleetFilter,
        scopes: &[Scope],
        now: Timestamp,
    ) -> Result<Counts, StoreError> {
        let question = format!("{filter}\n{scopes:?}");
        self.cell(&self.0.counts, question, now)
            .get_or_try_init(|| queries::count(db, filter, scopes, now))
            .await
            .copied()
    }

    /// Properties and the values that occur among nodes within the scopes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn facets(
        &self,
        db: &Db,
        scopes: &[Scope],
        now: Timestamp,
    ) -> Result<Arc<Vec<Facet>>, StoreError> {
        self.cell(&self.0.facets, format!("{scopes:?}"), now)
            .get_or_try_init(async || queries::facets(db, scopes).await.map(Arc::new))
            .await
            .cloned()
    }

    /// How many nodes that match stand how against their patch baselines.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn patches(
        &self,
        db: &Db,
        filter: &FleetFilter,
        scopes: &[Scope],
        now: Timestamp,
    ) -> Result<PatchTotals, StoreError> {
        let question = format!("{filter}\n{scopes:?}");
        self.cell(&self.0.patches, question, now)
            .get_or_try_init(|| crate::patching::queries::totals(db, filter, scopes, now))
            .await
            .copied()
    }

    /// A page of the list.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn page(
        &self,
        db: &Db,
        query: &FleetQuery,
        scopes: &[Scope],
        now: Timestamp,
    ) -> Result<Arc<Page<NodeSummary>>, StoreError> {
        self.cell(&self.0.pages, format!("{query:?}\n{scopes:?}"), now)
            .get_or_try_init(async || queries::list(db, query, scopes, now).await.map(Arc::new))
            .await
            .cloned()
    }

    /// The place of an answer; an empty one when there is none that still holds. The lock is held only here.
    fn cell<T>(&self, shelf: &Shelf<T>, question: String, now: Timestamp) -> Arc<OnceCell<T>> {
        let version = self.0.version.load(Ordering::Acquire);
        let holds = |kept: &Kept<T>| {
            kept.version == version && (0..OLDEST_MS).contains(&(now.0.saturating_sub(kept.at.0)))
        };
        let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = shelf.get(&question).filter(|kept| holds(kept)) {
            return Arc::clone(&kept.answer);
        }
        if shelf.len() >= MOST {
            shelf.retain(|_, kept| holds(kept));
            if shelf.len() >= MOST {
                shelf.clear();
            }
        }
        let answer = Arc::new(OnceCell::new());
        let kept = Kept {
            version,
            at: now,
            answer: Arc::clone(&answer),
        };
        shelf.insert(question, kept);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_until_a_node_changes_or_it_is_old() {
        let figures = Figures::default();
        let ask = |at: i64| figures.cell(&figures.0.counts, "all".into(), Timestamp(at));
        let first = ask(1_000);
        first.set((3, 1)).unwrap();
        assert!(Arc::ptr_eq(&first, &ask(1_000 + OLDEST_MS - 1)));
        assert!(!Arc::ptr_eq(&first, &ask(1_000 + OLDEST_MS)), "too old");
        let second = ask(1_000 + OLDEST_MS);
        figures.changed();
        assert!(!Arc::ptr_eq(&second, &ask(1_000 + OLDEST_MS)), "a node changed");
        assert!(!Arc::ptr_eq(&ask(50_000), &ask(40_000)), "the clock was put back");
    }

    #[test]
    fn one_scope_never_gets_the_answer_of_another_and_memory_is_bounded() {
        let figures = Figures::default();
        let now = Timestamp(1);
        let of = |question: &str| figures.cell(&figures.0.counts, question.to_owned(), now);
        assert!(!Arc::ptr_eq(&of("a"), &of("b")));
        for number in 0..MOST * 3 {
            of(&number.to_string());
        }
        assert!(figures.0.counts.lock().unwrap().len() <= MOST);
    }
}
