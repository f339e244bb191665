//! Policies: which acts on which resources need whose approval. Pure: what an act meets follows from what is given.

use super::machine::Track;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An act that policies may speak about, by the name that it has in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Act {
    /// Run a command.
    #[serde(rename = "commands.run")]
    RunCommand,
    /// Open a terminal.
    #[serde(rename = "sessions.start")]
    OpenTerminal,
    /// Open a tunnel.
    #[serde(rename = "sessions.tunnel")]
    OpenTunnel,
    /// Start a runbook.
    #[serde(rename = "runbooks.start")]
    StartRunbook,
    /// Have a role for a time.
    #[serde(rename = "access.hold_role")]
    HoldRole,
    /// Change the policies themselves.
    #[serde(rename = "approvals.change_policies")]
    ChangePolicies,
    /// Go on with a step of a runbook that waits for an approval. Never met by a policy: the runbook itself asks.
    #[serde(rename = "runbooks.signal")]
    AnswerStep,
}

impl Act {
    /// All that policies may name.
    pub const ALL: [Self; 6] = [
        Self::RunCommand,
        Self::OpenTerminal,
        Self::OpenTunnel,
        Self::StartRunbook,
        Self::HoldRole,
        Self::ChangePolicies,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunCommand => "commands.run",
            Self::OpenTerminal => "sessions.start",
            Self::OpenTunnel => "sessions.tunnel",
            Self::StartRunbook => "runbooks.start",
            Self::HoldRole => "access.hold_role",
            Self::ChangePolicies => "approvals.change_policies",
            Self::AnswerStep => "runbooks.signal",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::RunCommand => "Run a command",
            Self::OpenTerminal => "Open a terminal",
            Self::OpenTunnel => "Open a tunnel",
            Self::StartRunbook => "Start a runbook",
            Self::HoldRole => "Hold a role for a time",
            Self::ChangePolicies => "Change the policies",
            Self::AnswerStep => "Go on with a runbook",
        }
    }

    /// The act of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .chain([Self::AnswerStep])
            .find(|act| act.as_str() == text)
    }
}

/// What a policy makes of an act that it matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It may be done at once.
    Allow,
    /// It needs approval.
    #[default]
    Approve,
    /// It may not be done at all.
    Deny,
}

/// One level of approval: so many of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// How many different people have to approve.
    #[serde(default = "one")]
    pub approvals: u32,
    /// Who may: `role:approver`, `group:sre`, `user:alice`.
    pub of: Vec<String>,
    /// After so many minutes without a decision …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_after_minutes: Option<u32>,
    /// … these may as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalate_to: Vec<String>,
}

const fn one() -> u32 {
    1
}

/// Hours of the week in which a policy holds, or outside of which it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// `Mon-Fri 08:00-18:00`.
    pub hours: String,
    /// The time zone's name.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// Whether the policy holds outside these hours instead.
    #[serde(default)]
    pub outside: bool,
}

fn utc() -> String {
    "UTC".into()
}

/// A window of time in which what was approved may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// When it opens: a cron or rate expression as in maintenance windows.
    pub schedule: String,
    /// For how many hours.
    pub hours: u32,
    /// The time zone's name.
    #[serde(default = "utc")]
    pub time_zone: String,
}

/// A time in which acts are stopped, also those that were approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// What it is called.
    pub name: String,
    /// From when, UTC: `2026-12-20T00:00Z`.
    pub from: String,
    /// Until when.
    pub until: String,
    /// Which acts; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<String>,
    /// Which nodes, by tags: `Environment=Production`; all when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub nodes: String,
    /// Who may break the glass all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub break_glass: Vec<String>,
}

/// One policy. An act matches when everything holds that the policy says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What it is called: shown to everybody who meets it.
    pub name: String,
    /// Which acts, by name; `*` stands for any text.
    pub acts: Vec<String>,
    /// Only these documents; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<String>,
    /// Only where a node carries these tags (`Environment=Production`), or `*`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub nodes: String,
    /// Only above so many nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than_nodes: Option<u64>,
    /// Only terminals as these users of the operating system; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub os_users: Vec<String>,
    /// Only for these people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requesters: Vec<String>,
    /// Only at these times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Hours>,
    /// What follows.
    #[serde(default)]
    pub effect: Effect,
    /// Who has to approve, one level after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// Whether a reason has to be given.
    #[serde(default)]
    pub reason: bool,
    /// What a ticket has to look like (a regular expression); one has to be given then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Minutes after which a request that nobody decided on is over.
    #[serde(default = "four_hours")]
    pub expires_minutes: u32,
    /// Minutes for which an approval can be used.
    #[serde(default = "four_hours")]
    pub usable_minutes: u32,
    /// Windows in which what was approved may run; any time when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// Who may break the glass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub break_glass: Vec<String>,
    /// Hours within which that has to be reviewed.
    #[serde(default = "a_day")]
    pub review_hours: u32,
}

const fn four_hours() -> u32 {
    240
}

const fn a_day() -> u32 {
    24
}

/// All policies, with the words that they use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// What holds for an act that no policy matches.
    #[serde(default = "allow")]
    pub default: Effect,
    /// Groups, by name: account names.
    #[serde(default)]
    pub groups: BTreeMap<String, Vec<String>>,
    /// People who have several accounts, by name: account names.
    #[serde(default)]
    pub people: BTreeMap<String, Vec<String>>,
    /// Times in which nothing is done.
    #[serde(default, rename = "freeze", skip_serializing_if = "Vec::is_empty")]
    pub freezes: Vec<Freeze>,
    /// The policies, in the order in which they are written.
    #[serde(default, rename = "policy", skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
}

const fn allow() -> Effect {
    Effect::Allow
}

/// An act that is about to be done, as policies see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Which.
    pub act: Option<Act>,
    /// With which document.
    pub document: String,
    /// As which user of the operating system; empty is the agent's own choice.
    pub os_user: String,
    /// The tags of each node.
    pub nodes: Vec<Vec<(String, String)>>,
    /// What the requester is: `user:alice`, `group:sre`, `role:operator`.
    pub requester: BTreeSet<String>,
}

/// What an act met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// The policies that match, with why; and those that do not, with why not.
    pub judgements: Vec<Judgement>,
    /// What follows from all of them.
    pub effect: Effect,
    /// Why, in a sentence.
    pub because: String,
    /// What is asked for, where approval is.
    pub demand: Demand,
}

/// How one policy stands to an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Which policy.
    pub policy: String,
    /// Whether it matches.
    pub matches: bool,
    /// Why, or why not.
    pub why: String,
    /// What it makes of the act.
    pub effect: Effect,
}

/// What has to be given and who has to approve: the strictest of all policies that match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// Each policy's levels: all have to be passed.
    pub tracks: Vec<Track>,
    /// Whether a reason has to be given.
    pub reason: bool,
    /// What the ticket has to look like.
    pub tickets: Vec<String>,
    /// Minutes until the request is over.
    pub expires_minutes: u32,
    /// Minutes for which the approval can be used.
    pub usable_minutes: u32,
    /// Windows of each policy: it has to be within one of each.
    pub windows: Vec<Vec<Window>>,
    /// Who may break the glass: whom all policies let.
    pub break_glass: BTreeSet<String>,
    /// Hours within which that is reviewed.
    pub review_hours: u32,
}

/// Whether `text` is what `pattern` says; `*` stands for any text, and case does not matter.
#[must_use]
pub fn glob(pattern: &str, text: &str) -> bool {
    fn at(pattern: &[char], text: &[char]) -> bool {
        // Where the last star stands and how much it has swallowed: no recursion, so no pattern takes long.
        let (mut p, mut t, mut star) = (0, 0, None);
        while t < text.len() {
            match pattern.get(p) {
                Some('*') => {
                    star = Some((p, t));
                    p += 1;
                }
                Some(c) if *c == text[t] => {
                    p += 1;
                    t += 1;
                }
                _ => match star {
                    Some((before, swallowed)) => {
                        star = Some((before, swallowed + 1));
                        p = before + 1;
                        t = swallowed + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern[p..].iter().all(|c| *c == '*')
    }
    let chars = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    at(&chars(pattern), &chars(text))
}

/// Whether a node with these tags is meant by `Key=Value,Key=Value` (all have to be there) or `*`.
fn covers(nodes: &str, tags: &[(String, String)]) -> bool {
    nodes.trim() == "*"
        || nodes.split(',').all(|part| {
            part.split_once('=').is_some_and(|(key, value)| {
                tags.iter().any(|(k, v)| k == key.trim() && glob(value.trim(), v))
            })
        })
}

/// Whether somebody who is all of `names` is one of `of`.
pub(super) fn is_one_of(of: &[String], names: &BTreeSet<String>) -> bool {
    of.iter().any(|name| names.contains(name))
}

impl Policy {
    /// Why the act is not meant, if it is not.
    fn why_not(&self, proposal: &Proposal, in_hours: &dyn Fn(&Hours) -> bool) -> Option<String> {
        let act = proposal.act.map_or("", Act::as_str);
        if !self.acts.iter().any(|pattern| glob(pattern, act)) {
            return Some(format!("It is about {}.", self.acts.join(", ")));
        }
        if !self.documents.is_empty() && !self.documents.iter().any(|name| glob(name, &proposal.document)) {
            return Some(format!(
                "It is about the documents {}.",
                self.documents.join(", ")
            ));
        }
        if !self.nodes.is_empty() && !proposal.nodes.iter().any(|tags| covers(&self.nodes, tags)) {
            return Some(format!("No node is {}.", self.nodes));
        }
        if let Some(above) = self.more_than_nodes
            && proposal.nodes.len() as u64 <= above
        {
            return Some(format!("It is about more than {above} nodes."));
        }
        if !self.os_users.is_empty() && !self.os_users.iter().any(|user| glob(user, &proposal.os_user)) {
            return Some(format!("It is about the users {}.", self.os_users.join(", ")));
        }
        if !self.requesters.is_empty() && !is_one_of(&self.requesters, &proposal.requester) {
            return Some(format!("It is about {}.", self.requesters.join(", ")));
        }
        if let Some(hours) = &self.at
            && in_hours(hours) == hours.outside
        {
            let where_ = if hours.outside { "outside" } else { "within" };
            return Some(format!(
                "It holds {where_} {} ({}).",
                hours.hours, hours.time_zone
            ));
        }
        None
    }

    /// Why it is meant, in words.
    fn why(&self, proposal: &Proposal) -> String {
        let mut said = vec![proposal.act.map_or("", Act::as_str).to_owned()];
        if !self.documents.is_empty() {
            said.push(format!("the document {}", proposal.document));
        }
        if !self.nodes.is_empty() {
            let count = proposal
                .nodes
                .iter()
                .filter(|tags| covers(&self.nodes, tags))
                .count();
            let noun = if count == 1 { "node is" } else { "nodes are" };
            said.push(format!("{count} {noun} {}", self.nodes));
        }
        if let Some(above) = self.more_than_nodes {
            said.push(format!("{} nodes are more than {above}", proposal.nodes.len()));
        }
        if !self.os_users.is_empty() {
            said.push(format!("the user {}", proposal.os_user));
        }
        if !self.requesters.is_empty() {
            said.push("this requester".into());
        }
        if self.at.is_some() {
            said.push("this time".into());
        }
        said.join(", ")
    }
}

impl Demand {
    fn add(&mut self, policy: &Policy, first: bool) {
        self.tracks.push(Track {
            policy: policy.name.clone(),
            levels: policy.levels.clone(),
        });
        self.reason |= policy.reason;
        self.tickets.extend(policy.ticket.clone());
        let least = |now: u32, other: u32| if first { other } else { now.min(other) };
        self.expires_minutes = least(self.expires_minutes, policy.expires_minutes);
        self.usable_minutes = least(self.usable_minutes, policy.usable_minutes);
        self.review_hours = least(self.review_hours, policy.review_hours);
        if !policy.windows.is_empty() {
            self.windows.push(policy.windows.clone());
        }
        let allowed: BTreeSet<String> = policy.break_glass.iter().cloned().collect();
        self.break_glass = if first {
            allowed
        } else {
            self.break_glass.intersection(&allowed).cloned().collect()
        };
    }
}

impl Policies {
    /// What an act meets: to deny beats to ask for approval, which beats to allow; where several policies ask for
    /// approval, all of them have to be satisfied.
    #[must_use]
    pub fn meet(&self, proposal: &Proposal, in_hours: &dyn Fn(&Hours) -> bool) -> Meeting {
        let mut judgements = Vec::new();
        let mut demand = Demand::default();
        let mut strictest: Option<Effect> = None;
        let mut because = String::new();
        for policy in &self.policies {
            let why_not = policy.why_not(proposal, in_hours);
            let matches = why_not.is_none();
            if matches {
                let rank = |effect: Effect| match effect {
                    Effect::Allow => 0,
                    Effect::Approve => 1,
                    Effect::Deny => 2,
                };
                if strictest.is_none_or(|now| rank(policy.effect) > rank(now)) {
                    strictest = Some(policy.effect);
                    because = match policy.effect {
                        Effect::Allow => format!("The policy “{}” allows it.", policy.name),
                        Effect::Approve => format!("The policy “{}” asks for approval.", policy.name),
                        Effect::Deny => format!("The policy “{}” forbids it.", policy.name),
                    };
                }
                if policy.effect == Effect::Approve {
                    demand.add(policy, demand.tracks.is_empty());
                }
            }
            judgements.push(Judgement {
                policy: policy.name.clone(),
                matches,
                why: why_not.unwrap_or_else(|| policy.why(proposal)),
                effect: policy.effect,
            });
        }
        let effect = strictest.unwrap_or(self.default);
        if strictest.is_none() {
            because = match self.default {
                Effect::Allow => "No policy is about it.".into(),
                Effect::Approve => "No policy is about it, and then approval is asked for.".into(),
                Effect::Deny => "No policy is about it, and then nothing is allowed.".into(),
            };
            if self.default == Effect::Approve {
                demand.add(&Self::fallback(), true);
            }
        }
        Meeting {
            judgements,
            effect,
            because,
            demand,
        }
    }

    /// What holds by default where that is to ask: one approver.
    fn fallback() -> Policy {
        Policy {
            name: "default".into(),
            acts: vec!["*".into()],
            documents: Vec::new(),
            nodes: String::new(),
            more_than_nodes: None,
            os_users: Vec::new(),
            requesters: Vec::new(),
            at: None,
            effect: Effect::Approve,
            levels: vec![Level {
                approvals: 1,
                of: vec!["role:approver".into()],
                escalate_after_minutes: None,
                escalate_to: Vec::new(),
            }],
            reason: false,
            ticket: None,
            expires_minutes: four_hours(),
            usable_minutes: four_hours(),
            windows: Vec::new(),
            break_glass: Vec::new(),
            review_hours: a_day(),
        }
    }

    /// The person behind an account: the one that lists it, or itself.
    #[must_use]
    pub fn person(&self, account: &str) -> String {
        self.people
            .iter()
            .find(|(_, accounts)| accounts.iter().any(|name| name.eq_ignore_ascii_case(account)))
            .map_or_else(
                || account.to_lowercase(),
                |(person, _)| format!("person:{person}"),
            )
    }

    /// The groups that an account is in.
    pub fn groups_of<'a>(&'a self, account: &'a str) -> impl Iterator<Item = &'a str> {
        self.groups
            .iter()
            .filter(|(_, accounts)| accounts.iter().any(|name| name.eq_ignore_ascii_case(account)))
            .map(|(group, _)| group.as_str())
    }

    /// The freeze that stops the act at `now`, if one does. `time` reads what a freeze says.
    #[must_use]
    pub fn frozen(&self, proposal: &Proposal, is_on: &dyn Fn(&Freeze) -> bool) -> Option<&Freeze> {
        let act = proposal.act.map_or("", Act::as_str);
        self.freezes.iter().find(|freeze| {
            is_on(freeze)
                && (freeze.acts.is_empty() || freeze.acts.iter().any(|pattern| glob(pattern, act)))
                && (freeze.nodes.is_empty() || proposal.nodes.iter().any(|tags| covers(&freeze.nodes, tags)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str, effect: Effect) -> Policy {
        Policy {
            name: name.into(),
            acts: vec!["commands.run".into()],
            effect,
            ..Policies::fallback()
        }
    }

    fn proposal(environment: &str, nodes: usize) -> Proposal {
        Proposal {
            act: Some(Act::RunCommand),
            document: "AWS-RunShellScript".into(),
            nodes: vec![vec![("Environment".into(), environment.into())]; nodes],
            requester: ["user:alice".to_owned()].into(),
            ..Proposal::default()
        }
    }

    fn effect_of(policies: Vec<Policy>, proposal: &Proposal) -> Effect {
        let policies = Policies {
            policies,
            default: Effect::Allow,
            ..Policies::default()
        };
        policies.meet(proposal, &|_| true).effect
    }

    #[test]
    fn to_deny_beats_to_ask_which_beats_to_allow() {
        let act = proposal("Production", 1);
        let (allow, ask, deny) = (
            policy("a", Effect::Allow),
            policy("b", Effect::Approve),
            policy("c", Effect::Deny),
        );
        assert_eq!(effect_of(vec![], &act), Effect::Allow);
        assert_eq!(effect_of(vec![allow.clone(), ask.clone()], &act), Effect::Approve);
        assert_eq!(effect_of(vec![ask.clone(), allow.clone()], &act), Effect::Approve);
        assert_eq!(
            effect_of(vec![deny.clone(), ask.clone(), allow.clone()], &act),
            Effect::Deny
        );
        assert_eq!(effect_of(vec![allow, ask, deny], &act), Effect::Deny);
    }

    #[test]
    fn every_condition_has_to_hold() {
        let mut strict = policy("strict", Effect::Approve);
        strict.nodes = "Environment=Prod*".into();
        strict.more_than_nodes = Some(2);
        strict.documents = vec!["AWS-Run*Script".into()];
        let is = |policy: &Policy, act: &Proposal| effect_of(vec![policy.clone()], act) == Effect::Approve;
        assert!(is(&strict, &proposal("Production", 3)));
        assert!(!is(&strict, &proposal("Production", 2)), "not above two nodes");
        assert!(!is(&strict, &proposal("Staging", 3)), "not in production");
        let mut other = proposal("Production", 3);
        other.document = "AWS-RunPatchBaseline".into();
        assert!(!is(&strict, &other), "another document");
        other.act = Some(Act::OpenTerminal);
        assert!(!is(&strict, &other), "another act");
        let mut mixed = proposal("Staging", 3);
        mixed.nodes[1] = vec![("Environment".into(), "Production".into())];
        assert!(is(&strict, &mixed), "one node in production is enough");
    }

    #[test]
    fn several_policies_ask_for_everything_that_each_asks_for() {
        let mut one = policy("one", Effect::Approve);
        one.expires_minutes = 60;
        one.break_glass = vec!["user:alice".into(), "role:administrator".into()];
        let mut two = policy("two", Effect::Approve);
        two.reason = true;
        two.ticket = Some("OPS-[0-9]+".into());
        two.break_glass = vec!["role:administrator".into()];
        let policies = Policies {
            policies: vec![one, two],
            ..Policies::default()
        };
        let demand = policies.meet(&proposal("Production", 1), &|_| true).demand;
        assert_eq!(demand.tracks.len(), 2);
        assert!(demand.reason);
        assert_eq!(demand.tickets, ["OPS-[0-9]+"]);
        assert_eq!(demand.expires_minutes, 60);
        assert_eq!(demand.break_glass, ["role:administrator".to_owned()].into());
    }

    #[test]
    fn accounts_of_one_person_are_one_person() {
        let policies = Policies {
            people: [(
                "Alice".to_owned(),
                vec!["alice".to_owned(), "alice-admin".to_owned()],
            )]
            .into(),
            ..Policies::default()
        };
        assert_eq!(policies.person("Alice-Admin"), policies.person("alice"));
        assert_ne!(policies.person("bob"), policies.person("alice"));
        assert_eq!(policies.person("Bob"), "bob");
    }

    #[test]
    fn globs_find_what_they_say() {
        for (pattern, text, is) in [
            ("*", "", true),
            ("AWS-*", "aws-runshellscript", true),
            ("AWS-*Script", "AWS-RunPatchBaseline", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
            ("", "x", false),
            ("*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(glob(pattern, text), is, "{pattern} and {text}");
        }
    }

    #[test]
    fn hours_hold_within_or_outside() {
        let mut at_night = policy("night", Effect::Approve);
        at_night.at = Some(Hours {
            hours: "Mon-Fri 08:00-18:00".into(),
            time_zone: "UTC".into(),
            outside: true,
        });
        let policies = Policies {
            policies: vec![at_night],
            default: Effect::Allow,
            ..Policies::default()
        };
        let act = proposal("Production", 1);
        assert_eq!(policies.meet(&act, &|_| true).effect, Effect::Allow);
        assert_eq!(policies.meet(&act, &|_| false).effect, Effect::Approve);
    }
}
