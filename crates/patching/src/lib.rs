//! Patch baselines: what an operator approves, which updates that means, and how a node stands against it. Used by the
//! control plane, which keeps baselines, and by the agent, which holds its node against one. Pure: no clock, no system
//! inside. Facts: the user guide's "Patch baselines" and "Patch compliance state values", and the API's model.

mod baseline;
mod choose;
mod report;
pub mod rpm;
mod rules;

pub use baseline::{Baseline, Filter, FilterGroup, OPERATING_SYSTEMS, Rule, RuleGroup, Source};
pub use choose::choose;
pub use report::{Assessment, Counts, Installed, Item, State, Update, assess};
pub use rules::{Patch, Verdict, fits, is_like, is_named, verdict};
