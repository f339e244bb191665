//! A plan for everybody who is meant, and what it is for those that report now. Whether a node reports when something runs is
//! chance: it belongs to what is approved all the same, and is left out only when it would be refused.

use muster_domain::PortalError;
use muster_domain::error::FieldError;
use muster_domain::fleet::ExcludedNode;
use muster_domain::runbooks::StartPlan;

/// What would run, for everybody who is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meant {
    /// The plan; nodes that do not report now are in it.
    pub plan: StartPlan,
    /// Those of its nodes that do not report now and would be refused.
    pub(super) silent: Vec<ExcludedNode>,
    /// Whether a parameter names the nodes, rather than a choice of them.
    pub(super) is_named: bool,
}

impl Meant {
    /// Those of its nodes that do not report now and would be left out, and why.
    #[must_use]
    pub fn silent(&self) -> &[ExcludedNode] {
        &self.silent
    }

    /// The plan for those that report now. Nodes that a parameter names are left out only where `may_leave_out`: whoever has
    /// typed them and waits for the answer is told instead.
    ///
    /// # Errors
    /// When none of the nodes is left, or one that was typed may not be left out.
    pub fn reporting(self, may_leave_out: bool) -> Result<StartPlan, PortalError> {
        let Self {
            mut plan,
            silent,
            is_named,
        } = self;
        let Some(targets) = plan.targets.as_mut() else {
            return Ok(plan);
        };
        if is_named && !may_leave_out {
            let field = format!("parameters.{}", targets.parameter);
            let complaints: Vec<FieldError> = silent
                .iter()
                .map(|node| FieldError::new(field.as_str(), format!("{}: {}", node.node_id, node.reason)))
                .collect();
            PortalError::from_fields(complaints)?;
        }
        let is_silent = |id: &str| silent.iter().any(|node| node.node_id.as_str() == id.trim());
        let meant = targets.nodes.len();
        targets.nodes.retain(|node| !is_silent(node.node_id.as_str()));
        if let Some(first) = silent.first()
            && targets.nodes.is_empty()
        {
            return Err(PortalError::invalid(
                "targets",
                format!(
                    "None of the {meant} nodes can be reached; the first: {}",
                    first.reason
                ),
            ));
        }
        if let Some(values) = plan.parameters.get_mut(&targets.parameter) {
            values.retain(|value| !is_silent(value));
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::ids::NodeId;
    use muster_domain::runbooks::{PlannedNode, PlannedTargets};
    use std::collections::BTreeMap;

    fn meant(silent: &[&str], is_named: bool) -> Meant {
        let ids = ["mi-1", "mi-2"];
        let nodes = ids
            .iter()
            .map(|id| PlannedNode {
                node_id: NodeId::new(*id),
                name: String::new(),
                environment: String::new(),
            })
            .collect();
        Meant {
            plan: StartPlan {
                document: "Own-A".into(),
                document_version: "1".into(),
                content_hash: "h".into(),
                parameters: BTreeMap::from([(
                    "InstanceIds".into(),
                    ids.iter().map(|id| format!(" {id}")).collect(),
                )]),
                targets: Some(PlannedTargets {
                    parameter: "InstanceIds".into(),
                    nodes,
                    one_each: false,
                }),
                max_concurrency: "10".into(),
                max_errors: "0".into(),
                reaches_further: false,
            },
            silent: silent
                .iter()
                .map(|id| ExcludedNode {
                    node_id: NodeId::new(*id),
                    name: String::new(),
                    reason: "It does not report.".into(),
                })
                .collect(),
            is_named,
        }
    }

    #[test]
    fn who_does_not_report_is_left_out_or_said_at_the_field_where_it_was_typed() {
        assert_eq!(meant(&[], true).reporting(false), Ok(meant(&[], true).plan));
        for (is_named, may_leave_out) in [(false, false), (false, true), (true, true)] {
            let plan = meant(&["mi-2"], is_named).reporting(may_leave_out).unwrap();
            assert_eq!(plan.nodes().len(), 1);
            assert_eq!(plan.parameters["InstanceIds"], [" mi-1"]);
        }
        let error = meant(&["mi-2"], true).reporting(false).unwrap_err();
        assert!(error.about("parameters.InstanceIds").unwrap().contains("mi-2"));
        let error = meant(&["mi-1", "mi-2"], false).reporting(true).unwrap_err();
        assert!(
            error
                .about("targets")
                .unwrap()
                .contains("None of the 2 nodes can be reached")
        );
    }
}
