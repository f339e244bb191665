//! Runbooks: Automation documents of schema 0.3, the values that their steps are given, and which step comes next. Pure: no
//! clock, no database, nothing that acts. Facts: the user guide's pages on runbook elements, actions and variables, and the
//! API's model.

mod choice;
mod document;
mod elements;
mod iterations;
mod machine;
mod reading;
mod retry;
mod selector;
mod status;
mod values;

pub use choice::{chosen, is_met};
pub use document::Document;
pub use elements::{Action, OnCancel, OnFailure, Output, Step, Variable};
pub use iterations::{Iterations, MOST_ITERATIONS};
pub use machine::{Decision, Executed, MOST_EXECUTED, Within, next};
pub use retry::{NoRetry, retry};
pub use selector::select;
pub use status::{RunStatus, StepStatus, Stop};
pub use values::{MOST_BYTES, references, resolve, text_of, texts_of};
