//! The nodes that are selected on the Fleet page. Survives paging, filtering and reloading
//! (kept while the tab is open); the server never knows it.

use crate::layout::storage::{keep_for_tab, read_for_tab};
use crate::url::address;
use leptos::prelude::*;
use muster_domain::fleet_filter::{MAX_VALUES, Operator, Property, Token};
use serde::{Deserialize, Serialize};

/// Nodes that an address names one by one at most: some proxies take no more than 8 KiB.
const NAMED: usize = 100;

const KEPT_AS: &str = "muster.selection";

/// What is selected: single nodes, or everything that matches a filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Selected {
    /// Ids, in the order of selecting.
    pub(crate) nodes: Vec<String>,
    /// All nodes that match this filter, with their number when it was chosen.
    pub(crate) matching: Option<(String, u64)>,
    /// Those that were taken out of all that match.
    #[serde(default)]
    pub(crate) without: Vec<String>,
}

impl Selected {
    /// All that match a filter.
    pub(crate) fn all_of(filter: String, count: u64) -> Self {
        Self {
            matching: Some((filter, count)),
            ..Self::default()
        }
    }

    /// How many nodes.
    pub(crate) fn count(&self) -> u64 {
        let number = |ids: &[String]| u64::try_from(ids.len()).unwrap_or(u64::MAX);
        match &self.matching {
            Some((_, count)) => count.saturating_sub(number(&self.without)),
            None => number(&self.nodes),
        }
    }

    /// Whether that node is in it, as far as a list that shows what matches `filter` can tell.
    pub(crate) fn has(&self, node: &str, filter: &str) -> bool {
        let is = |one: &String| one == node;
        match &self.matching {
            Some((of, _)) => of == filter && !self.without.iter().any(is),
            None => self.nodes.iter().any(is),
        }
    }

    /// Adds or removes nodes of a list that shows what matches `filter`. From all that match, single nodes are taken
    /// out and put back; nodes of another list end "all that match": from then on it is single nodes.
    pub(crate) fn set(&mut self, nodes: &[String], on: bool, filter: &str) {
        if self.matching.as_ref().is_some_and(|(of, _)| of == filter) {
            self.without.retain(|one| !nodes.contains(one));
            if !on {
                self.without.extend_from_slice(nodes);
            }
            return;
        }
        self.matching = None;
        self.without.clear();
        self.nodes.retain(|one| !nodes.contains(one));
        if on {
            self.nodes.extend_from_slice(nodes);
        }
    }

    /// The filter that stands for it, if it is all that match one.
    fn filter(&self) -> Option<String> {
        let (filter, _) = self.matching.as_ref()?;
        let without = self.without.chunks(MAX_VALUES).map(|some| Token {
            property: Property::Id,
            operator: Operator::IsNot,
            values: some.to_vec(),
        });
        let parts = std::iter::once(filter.clone()).filter(|filter| !filter.is_empty());
        Some(
            parts
                .chain(without.map(|token| token.to_string()))
                .collect::<Vec<_>>()
                .join(";"),
        )
    }

    /// Single nodes that are too many for an address, joined by commas: a kept list has to stand for them.
    pub(crate) fn too_many(&self) -> Option<String> {
        (self.matching.is_none() && self.nodes.len() > NAMED).then(|| self.nodes.join(","))
    }

    /// Where a command is run on it.
    pub(crate) fn run_address(&self) -> String {
        match self.filter() {
            // A filter that everything matches must not read as "nothing chosen".
            Some(filter) if filter.is_empty() => "/commands/new?all=true".into(),
            Some(filter) => address("/commands/new", [("filter", filter)]),
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
        selected.set(&ids("mi-1 mi-2"), true, "");
        selected.set(&ids("mi-1"), false, "");
        selected.set(&ids("mi-3"), true, "status=Online");
        assert_eq!(selected.run_address(), "/commands/new?nodes=mi-2,mi-3");
        assert!(selected.has("mi-2", "") && !selected.has("mi-1", ""));
    }

    #[test]
    fn single_nodes_are_taken_out_of_all_that_match() {
        let prod = "tag:Env=Prod";
        let mut selected = Selected::all_of(prod.into(), 46);
        assert_eq!((selected.count(), selected.has("mi-9", prod)), (46, true));
        assert_eq!(selected.run_address(), "/commands/new?filter=tag:Env%3DProd");
        selected.set(&ids("mi-2 mi-3"), false, prod);
        selected.set(&ids("mi-3"), true, prod);
        assert_eq!(
            (
                selected.count(),
                selected.has("mi-2", prod),
                selected.has("mi-3", prod)
            ),
            (45, false, true)
        );
        assert_eq!(
            selected.run_address(),
            "/commands/new?filter=tag:Env%3DProd%3Bid!%3Dmi-2"
        );
        // Of a list that shows others nothing is in it, and ticking there begins anew.
        assert!(!selected.has("mi-9", "tag:Env=Dev"));
        selected.set(&ids("mi-7"), true, "tag:Env=Dev");
        assert_eq!(
            (selected.count(), selected.run_address()),
            (1, "/commands/new?nodes=mi-7".into())
        );

        let mut all = Selected::all_of(String::new(), 3);
        assert_eq!(all.run_address(), "/commands/new?all=true");
        all.set(&ids("mi-1"), false, "");
        assert_eq!(all.run_address(), "/commands/new?filter=id!%3Dmi-1");
    }
}
