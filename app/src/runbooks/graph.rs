//! Where the steps of a runbook and the ways between them are drawn: steps in the order of the document, one below the
//! other; ways to the next one straight, other ways in lanes, those after failures on the left. Pure.

use muster_domain::runbooks::{EdgeKind, RunbookStep};

/// A way between two steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// The row that it begins at.
    pub(super) from: usize,
    /// The row that it leads to.
    pub(super) to: usize,
    /// When it is taken.
    pub(super) kind: EdgeKind,
    /// How far out it runs, from 1; 0 is straight down to the next row.
    pub(super) lane: usize,
}

impl Way {
    /// Whether it runs on the left.
    pub(super) const fn is_left(&self) -> bool {
        matches!(self.kind, EdgeKind::Failure | EdgeKind::Cancel)
    }
}

/// The ways, each in the innermost lane that is free between its two ends, and how many lanes there are left and right.
pub(super) fn ways(steps: &[RunbookStep]) -> (Vec<Way>, usize, usize) {
    let row = |name: &str| steps.iter().position(|step| step.name == name);
    let mut all: Vec<Way> = steps
        .iter()
        .enumerate()
        .flat_map(|(from, step)| {
            step.edges.iter().filter_map(move |edge| {
                Some(Way {
                    from,
                    to: row(&edge.to)?,
                    kind: edge.kind,
                    lane: 0,
                })
            })
        })
        .collect();
    // Short ones inside, so that few lines cross.
    all.sort_by_key(|way| (way.from.abs_diff(way.to), way.from));
    let mut taken: [Vec<Vec<(usize, usize)>>; 2] = [Vec::new(), Vec::new()];
    for way in &mut all {
        let is_straight = !way.is_left() && way.to == way.from + 1;
        if is_straight {
            continue;
        }
        let side = &mut taken[usize::from(way.is_left())];
        let (first, last) = (way.from.min(way.to), way.from.max(way.to));
        let is_free =
            |lane: &Vec<(usize, usize)>| lane.iter().all(|(begin, end)| last < *begin || first > *end);
        let lane = side.iter().position(is_free).unwrap_or_else(|| {
            side.push(Vec::new());
            side.len() - 1
        });
        if let Some(lane) = side.get_mut(lane) {
            lane.push((first, last));
        }
        way.lane = lane + 1;
    }
    let [right, left] = &taken;
    let counts = (left.len(), right.len());
    (all, counts.0, counts.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::runbooks::StepEdge;

    fn step(name: &str, edges: &[(&str, EdgeKind)]) -> RunbookStep {
        RunbookStep {
            name: name.into(),
            action: "aws:sleep".into(),
            description: String::new(),
            edges: edges
                .iter()
                .map(|(to, kind)| StepEdge {
                    to: (*to).into(),
                    kind: *kind,
                })
                .collect(),
            is_end: false,
            is_critical: true,
            on_failure: "Abort".into(),
            inputs: String::new(),
        }
    }

    #[test]
    fn ways_that_meet_run_in_lanes_of_their_own() {
        use EdgeKind::{Choice, Failure, Next};
        let steps = [
            step("A", &[("B", Next), ("D", Failure)]),
            step("B", &[("C", Choice), ("D", Choice)]),
            step("C", &[("D", Next), ("D", Failure), ("nowhere", Next)]),
            step("D", &[("A", Next)]),
        ];
        let (ways, left, right) = ways(&steps);
        let lane = |from: usize, to: usize, kind| {
            let found = ways
                .iter()
                .find(|way| (way.from, way.to, way.kind) == (from, to, kind));
            found.map(|way| way.lane)
        };
        assert_eq!(lane(0, 1, Next), Some(0));
        assert_eq!(lane(1, 2, Choice), Some(0));
        assert_eq!(lane(1, 3, Choice), Some(1));
        assert_eq!(lane(3, 0, Next), Some(2), "outside of the shorter one");
        assert_eq!(lane(2, 3, Failure), Some(1));
        assert_eq!(lane(0, 3, Failure), Some(2));
        assert_eq!((left, right), (2, 2));
        assert_eq!(ways.len(), 7, "a way to nowhere is not drawn");
    }
}
