//! What runbooks are made of: actions, what follows on a failure or a cancellation, outputs, variables, steps.

use serde_json::{Map, Value};

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// `aws:runCommand`.
    RunCommand,
    /// `aws:sleep`.
    Sleep,
    /// `aws:pause`.
    Pause,
    /// `aws:approve`.
    Approve,
    /// `aws:branch`.
    Branch,
    /// `aws:updateVariable`.
    UpdateVariable,
    /// `aws:executeAwsApi`.
    ExecuteAwsApi,
    /// `aws:waitForAwsResourceProperty`.
    WaitForProperty,
    /// `aws:assertAwsResourceProperty`.
    AssertProperty,
    /// `aws:executeAutomation`.
    ExecuteAutomation,
    /// `aws:loop`.
    Loop,
    /// `aws:executeScript`.
    ExecuteScript,
    /// `aws:invokeWebhook`.
    InvokeWebhook,
    /// One that the service knows and that is not run here.
    Other(&'static str),
}

/// Actions that are run, by name.
const RUN: [(&str, Action); 13] = [
    ("aws:runCommand", Action::RunCommand),
    ("aws:sleep", Action::Sleep),
    ("aws:pause", Action::Pause),
    ("aws:approve", Action::Approve),
    ("aws:branch", Action::Branch),
    ("aws:updateVariable", Action::UpdateVariable),
    ("aws:executeAwsApi", Action::ExecuteAwsApi),
    ("aws:waitForAwsResourceProperty", Action::WaitForProperty),
    ("aws:assertAwsResourceProperty", Action::AssertProperty),
    ("aws:executeAutomation", Action::ExecuteAutomation),
    ("aws:loop", Action::Loop),
    ("aws:executeScript", Action::ExecuteScript),
    ("aws:invokeWebhook", Action::InvokeWebhook),
];
/// Those that documents may hold and that fail when they are reached.
const OTHERS: [&str; 11] = [
    "aws:changeInstanceState",
    "aws:copyImage",
    "aws:createImage",
    "aws:createStack",
    "aws:createTags",
    "aws:deleteImage",
    "aws:deleteStack",
    "aws:executeStateMachine",
    "aws:invokeLambdaFunction",
    "aws:runInstances",
    "aws:assertResourceProperty",
];

impl Action {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        RUN.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, action)| *action)
            .or_else(|| {
                let known = OTHERS.iter().find(|known| **known == name)?;
                Some(Self::Other(known))
            })
    }

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Other(name) => name,
            other => RUN
                .iter()
                .find(|(_, action)| *action == other)
                .map_or("", |(name, _)| *name),
        }
    }

    /// Whether another step may take its place when it is cancelled (the guide's `onCancel`).
    pub(crate) fn takes_cancel_step(self) -> bool {
        !matches!(
            self,
            Self::Approve
                | Self::Pause
                | Self::Sleep
                | Self::UpdateVariable
                | Self::Loop
                | Self::Other(
                    "aws:copyImage"
                        | "aws:createImage"
                        | "aws:createStack"
                        | "aws:createTags"
                        | "aws:runInstances"
                )
        )
    }
}

/// What comes after a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing: it is over.
    Abort,
    /// What would come after success.
    Continue,
    /// That step.
    Step(String),
}

impl OnFailure {
    /// As it is written.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Abort => "Abort".to_owned(),
            Self::Continue => "Continue".to_owned(),
            Self::Step(name) => format!("step:{name}"),
        }
    }
}

/// What comes when somebody cancels while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnCancel {
    /// Nothing: it is over.
    Abort,
    /// That step, to clean up.
    Step(String),
}

/// Something that a step tells later ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// What it is called.
    pub name: String,
    /// Where it is in the answer.
    pub selector: String,
    /// `String`, `StringList` …
    pub kind: String,
}

/// A variable, with what it begins as.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// `String`, `StringList` …
    pub kind: String,
    /// Where it is given.
    pub default: Option<Value>,
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Unique within the document.
    pub name: String,
    /// What it does.
    pub action: Action,
    /// With references in them.
    pub inputs: Map<String, Value>,
    /// What comes after a failure.
    pub on_failure: OnFailure,
    /// What comes when somebody cancels.
    pub on_cancel: OnCancel,
    /// Whether all fails when it does.
    pub is_critical: bool,
    /// Whether nothing comes after it.
    pub is_end: bool,
    /// What comes after success, where it is not the next one.
    pub next_step: Option<String>,
    /// How often it is tried.
    pub max_attempts: u32,
    /// How long one attempt may take.
    pub timeout_seconds: Option<u64>,
    /// What it tells.
    pub outputs: Vec<Output>,
    /// The place of the loop that it is within.
    pub parent: Option<usize>,
    /// What a loop goes on by, where it has no list of values.
    pub loop_condition: Option<Value>,
}

impl Step {
    /// The text of a script, which is taken as it is written: what it needs comes to it as its payload.
    #[must_use]
    pub fn script(&self) -> Option<&Value> {
        self.inputs
            .get("Script")
            .filter(|_| self.action == Action::ExecuteScript)
    }

    /// The inputs whose references are followed.
    #[must_use]
    pub fn followed(&self) -> Value {
        let mut inputs = self.inputs.clone();
        if self.script().is_some() {
            inputs.remove("Script");
        }
        Value::Object(inputs)
    }
}
