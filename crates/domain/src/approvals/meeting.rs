//! What an act meets: which policies match, and what follows from all of them. Pure.

use super::machine::Track;
use super::policy::{Act, Effect, Freeze, Hours, Level, Policies, Policy, Window, a_day, four_hours};
use crate::parameters::with_slash;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An act that is about to be done, as policies see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Which.
    pub act: Option<Act>,
    /// With which document.
    pub document: String,
    /// As which user of the operating system; empty is the agent's own choice.
    pub os_user: String,
    /// Of which parameter.
    #[serde(default)]
    pub parameter: String,
    /// Of which maintenance window, by name; by both where it is given another one.
    #[serde(default)]
    pub maintenance_windows: Vec<String>,
    /// Of which application a release would be deployed.
    #[serde(default)]
    pub application: String,
    /// To which of its environments.
    #[serde(default)]
    pub environment: String,
    /// At which connection; empty where nobody has said.
    #[serde(default)]
    pub connection: String,
    /// The tags of each node.
    pub nodes: Vec<Vec<(String, String)>>,
    /// Whether it may also act on nodes that are not named: a role everywhere, a runbook that reaches further.
    #[serde(default)]
    pub anywhere: bool,
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
    /// Whether the act may reach nodes that are not named: then every freeze about nodes is about it.
    #[serde(default)]
    pub anywhere: bool,
    /// Whether all policies let it be approved together with others that ask for the same.
    #[serde(default)]
    pub bulk: bool,
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

/// Whether a parameter is meant: with and without its leading slash it is one.
fn is_meant(parameters: &[String], name: &str) -> bool {
    let pattern_of = |pattern: &String| {
        let pattern = pattern.trim();
        if pattern.starts_with(['/', '*']) {
            pattern.to_owned()
        } else {
            with_slash(pattern)
        }
    };
    !name.is_empty()
        && parameters
            .iter()
            .any(|pattern| glob(&pattern_of(pattern), &with_slash(name)))
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
        if !self.connections.is_empty() && !self.means_connection(proposal) {
            return Some(format!(
                "It is about the connections {}.",
                self.connections.join(", ")
            ));
        }
        if !self.nodes.is_empty() {
            let covered = |tags: &Vec<(String, String)>| covers(&self.nodes, tags);
            // To forbid or to ask, one node is enough, or that it may be any; to allow, it takes all of them.
            let is_meant = if self.effect == Effect::Allow {
                !proposal.anywhere && !proposal.nodes.is_empty() && proposal.nodes.iter().all(covered)
            } else {
                proposal.anywhere || proposal.nodes.iter().any(covered)
            };
            if !is_meant {
                return Some(format!("No node is {}.", self.nodes));
            }
        }
        if let Some(above) = self.more_than_nodes
            && proposal.nodes.len() as u64 <= above
            && (!proposal.anywhere || self.effect == Effect::Allow)
        {
            return Some(format!("It is about more than {above} nodes."));
        }
        if !self.os_users.is_empty() && !self.means_user(proposal) {
            return Some(format!("It is about the users {}.", self.os_users.join(", ")));
        }
        if !self.parameters.is_empty() && !is_meant(&self.parameters, &proposal.parameter) {
            return Some(format!(
                "It is about the parameters {}.",
                self.parameters.join(", ")
            ));
        }
        if !self.maintenance_windows.is_empty() && !self.means_window(proposal) {
            return Some(format!(
                "It is about the maintenance windows {}.",
                self.maintenance_windows.join(", ")
            ));
        }
        for (what, names, name) in [
            ("applications", &self.applications, &proposal.application),
            ("environments", &self.environments, &proposal.environment),
        ] {
            let is_meant = |pattern: &String| !name.is_empty() && glob(pattern.trim(), name);
            if !names.is_empty() && !names.iter().any(is_meant) {
                return Some(format!("It is about the {what} {}.", names.join(", ")));
            }
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

    /// Whether it is about what is done at that connection. A role and the policies are the whole server's, wherever they are asked
    /// for: to forbid or to ask, that is meant, and to allow, it is not.
    fn means_connection(&self, proposal: &Proposal) -> bool {
        if matches!(proposal.act, Some(Act::HoldRole | Act::ChangePolicies)) {
            return self.effect != Effect::Allow;
        }
        self.connections
            .iter()
            .any(|name| glob(name.trim(), &proposal.connection))
    }

    /// Whether it is about the user of the operating system as whom a terminal is opened. Who names none gets the one that the
    /// preferences of sessions or the agent choose, which nobody knows here: to forbid or to ask, that may be any, and to allow,
    /// it is none.
    fn means_user(&self, proposal: &Proposal) -> bool {
        if proposal.os_user.trim().is_empty() {
            return proposal.act == Some(Act::OpenTerminal) && self.effect != Effect::Allow;
        }
        self.os_users.iter().any(|user| glob(user, &proposal.os_user))
    }

    /// Whether it is about a maintenance window of that name. Where one is given another name, to forbid or to ask, either
    /// is enough, and to allow, it takes both.
    fn means_window(&self, proposal: &Proposal) -> bool {
        let is_meant = |name: &String| {
            let mut patterns = self.maintenance_windows.iter();
            patterns.any(|pattern| glob(pattern.trim(), name))
        };
        let names = &proposal.maintenance_windows;
        if self.effect == Effect::Allow {
            !names.is_empty() && names.iter().all(is_meant)
        } else {
            names.iter().any(is_meant)
        }
    }

    /// Why it is meant, in words.
    fn why(&self, proposal: &Proposal) -> String {
        let mut said = vec![proposal.act.map_or("", Act::as_str).to_owned()];
        if !self.documents.is_empty() {
            said.push(format!("the document {}", proposal.document));
        }
        if !self.connections.is_empty() {
            said.push(format!("the connection {}", proposal.connection));
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
            said.push(if proposal.os_user.trim().is_empty() {
                "no user is named, so it may be any".into()
            } else {
                format!("the user {}", proposal.os_user)
            });
        }
        if !self.parameters.is_empty() {
            said.push(format!("the parameter {}", proposal.parameter));
        }
        if !self.maintenance_windows.is_empty() {
            said.push(format!(
                "the maintenance window {}",
                proposal.maintenance_windows.join(" or ")
            ));
        }
        if !self.applications.is_empty() {
            said.push(format!("the application {}", proposal.application));
        }
        if !self.environments.is_empty() {
            said.push(format!("the environment {}", proposal.environment));
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
        self.bulk = policy.bulk && (first || self.bulk);
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
        demand.anywhere = proposal.anywhere;
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
            connections: Vec::new(),
            parameters: Vec::new(),
            maintenance_windows: Vec::new(),
            applications: Vec::new(),
            environments: Vec::new(),
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
            bulk: false,
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
        // The one that ends last is what there is to wait for.
        let all = self.freezes_of(proposal, is_on).into_iter();
        all.max_by_key(|freeze| Timestamp::parse(&freeze.until))
    }

    /// All freezes that stop the act.
    #[must_use]
    pub fn freezes_of(&self, proposal: &Proposal, is_on: &dyn Fn(&Freeze) -> bool) -> Vec<&Freeze> {
        let act = proposal.act.map_or("", Act::as_str);
        let stops = |freeze: &&Freeze| {
            is_on(freeze)
                && (freeze.acts.is_empty() || freeze.acts.iter().any(|pattern| glob(pattern, act)))
                && (freeze.nodes.is_empty()
                    || proposal.anywhere
                    || proposal.nodes.iter().any(|tags| covers(&freeze.nodes, tags)))
        };
        self.freezes.iter().filter(stops).collect()
    }
}

#[cfg(test)]
#[path = "meeting_tests.rs"]
mod tests;
