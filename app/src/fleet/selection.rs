//! The nodes that are selected on the Fleet page. Survives paging, filtering and reloading
//! (kept while the tab is open); the server never knows it.

use crate::layout::storage::{keep_for_tab, read_for_tab};
use crate::url::address;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

const KEPT_AS: &str = "muster.selection";

/// What is selected: single nodes, or everything that matches a filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Selected {
    /// Ids, in the order of selecting.
    pub(crate) nodes: Vec<String>,
    /// All nodes that match this filter, with their number when it was chosen.
    pub(crate) matching: Option<(String, u64)>,
}

impl Selected {
    /// How many nodes.
    pub(crate) fn count(&self) -> u64 {
        match &self.matching {
            Some((_, count)) => *count,
            None => u64::try_from(self.nodes.len()).unwrap_or(u64::MAX),
        }
    }

    /// Whether that node is in it.
    pub(crate) fn has(&self, node: &str) -> bool {
        self.matching.is_some() || self.nodes.iter().any(|one| one == node)
    }

    /// Adds or removes nodes. Ends "everything that matches": from now on it is single nodes.
    pub(crate) fn set(&mut self, nodes: &[String], on: bool) {
        self.matching = None;
        self.nodes.retain(|one| !nodes.contains(one));
        if on {
            self.nodes.extend_from_slice(nodes);
        }
    }

    /// Where a command is run on it.
    pub(crate) fn run_address(&self) -> String {
        match &self.matching {
            // A filter that everything matches must not read as "nothing chosen".
            Some((filter, _)) if filter.is_empty() => "/commands/new?all=true".into(),
            Some((filter, _)) => address("/commands/new", [("filter", filter.clone())]),
            None => address("/commands/new", [("nodes", self.nodes.join(","))]),
        }
    }
}

/// The selection, shared by all pages.
#[derive(Clone, Copy)]
pub(crate) struct Selection(pub(crate) RwSignal<Selected>);

impl Selection {
    /// Changes it and keeps it for the tab.
    pub(crate) fn change(self, change: impl FnOnce(&mut Selected)) {
        self.0.update(change);
        if let Ok(text) = serde_json::to_string(&self.0.get_untracked()) {
            keep_for_tab(KEPT_AS, &text);
        }
    }
}

/// Makes the selection. Once, in the frame.
pub(crate) fn provide_selection() {
    let selection = Selection(RwSignal::new(Selected::default()));
    provide_context(selection);
    Effect::new(move |_| {
        if let Some(kept) = read_for_tab(KEPT_AS).and_then(|text| serde_json::from_str(&text).ok()) {
            selection.0.set(kept);
        }
    });
}

/// The selection.
pub(crate) fn use_selection() -> Selection {
    use_context::<Selection>().unwrap_or_else(|| Selection(RwSignal::new(Selected::default())))
}

/// The rows from the last clicked to the one clicked now, in the order of the table.
pub(crate) fn range<'a>(rows: &'a [String], last: Option<&str>, now: &str) -> &'a [String] {
    let at = |id: &str| rows.iter().position(|row| row == id);
    match (last.and_then(at), at(now)) {
        (Some(last), Some(now)) => &rows[last.min(now)..=last.max(now)],
        (None, Some(now)) => &rows[now..=now],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        text.split(' ').map(ToOwned::to_owned).collect()
    }

    #[test]
    fn a_range_runs_both_ways_and_survives_rows_that_are_gone() {
        let rows = ids("a b c d");
        assert_eq!(range(&rows, Some("d"), "b"), ids("b c d").as_slice());
        assert_eq!(range(&rows, Some("gone"), "b"), ids("b").as_slice());
        assert!(range(&rows, None, "gone").is_empty());
    }

    #[test]
    fn a_selection_says_how_many_and_where_to_run() {
        let mut selected = Selected::default();
        selected.set(&ids("mi-1 mi-2"), true);
        selected.set(&ids("mi-1"), false);
        selected.set(&ids("mi-3"), true);
        assert_eq!(selected.run_address(), "/commands/new?nodes=mi-2,mi-3");
        selected.matching = Some(("tag:Env=Prod".into(), 46));
        assert_eq!((selected.count(), selected.has("mi-9")), (46, true));
        assert_eq!(selected.run_address(), "/commands/new?filter=tag:Env%3DProd");
        selected.set(&ids("mi-2"), false);
        assert_eq!(selected.count(), 1);
    }
}
