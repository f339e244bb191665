//! Policies as sentences, so that nobody has to read TOML to know what holds. Pure.

use super::words::{joined, minutes, one_of};
use muster_domain::approvals::{Act, Demand, Effect, Freeze, Level, Policy, Window, glob};

/// What policies that are written for the first time can begin with.
pub(super) const EXAMPLE: &str = r#"# Policies: which acts take a second pair of eyes. What no policy is about is allowed.
default = "allow"

[groups]
sre = ["alice", "bob"]

[[policy]]
name = "Production changes"
acts = ["commands.run", "sessions.start"]
nodes = "Environment=Production"
reason = true
ticket = "[A-Z]+-[0-9]+"
levels = [{ approvals = 1, of = ["group:sre", "role:approver"] }]
break_glass = ["group:sre"]

[[policy]]
name = "Roles for a time"
acts = ["access.hold_role"]
reason = true
levels = [{ approvals = 1, of = ["role:approver"] }]

[[policy]]
name = "Production parameters"
acts = ["parameters.*"]
parameters = ["/production/*"]
reason = true
levels = [{ approvals = 1, of = ["role:approver"] }]

[[policy]]
name = "Production maintenance windows"
acts = ["windows.*"]
maintenance_windows = ["prod-*"]
levels = [{ approvals = 1, of = ["role:approver"] }]

[[policy]]
name = "Production deployments"
acts = ["deployments.*"]
environments = ["Production"]
reason = true
levels = [{ approvals = 1, of = ["role:approver"] }]

[[policy]]
name = "Policies are changed by two"
acts = ["approvals.change_policies"]
levels = [{ approvals = 1, of = ["role:approver"] }]
"#;

/// `running a command or opening a terminal`, as in `Run a command`.
fn acts(patterns: &[String]) -> String {
    if patterns.iter().any(|pattern| pattern == "*") {
        return "Any act".into();
    }
    let words: Vec<String> = patterns
        .iter()
        .map(|pattern| {
            let meant: Vec<&str> = Act::ALL
                .into_iter()
                .filter(|act| glob(pattern, act.as_str()))
                .map(Act::label)
                .collect();
            match meant.as_slice() {
                [one] => (*one).to_owned(),
                _ => pattern.clone(),
            }
        })
        .collect();
    joined(words, "or")
}

/// What a policy is about.
pub(super) fn about(policy: &Policy) -> String {
    let mut said = acts(&policy.acts);
    let mut add = |text: String| {
        said.push_str(", ");
        said.push_str(&text);
    };
    if !policy.documents.is_empty() {
        add(format!("with {}", joined(policy.documents.clone(), "or")));
    }
    if !policy.connections.is_empty() {
        add(format!(
            "at the connections {}",
            joined(policy.connections.clone(), "or")
        ));
    }
    match policy.nodes.trim() {
        "" => {}
        "*" => add("on any node".into()),
        tags => add(format!("where a node has {}", tags.replace(',', " and "))),
    }
    if let Some(above) = policy.more_than_nodes {
        add(format!("on more than {above} nodes"));
    }
    if !policy.os_users.is_empty() {
        add(format!("as {}", joined(policy.os_users.clone(), "or")));
    }
    if !policy.parameters.is_empty() {
        add(format!(
            "of the parameters {}",
            joined(policy.parameters.clone(), "or")
        ));
    }
    if !policy.maintenance_windows.is_empty() {
        add(format!(
            "of the maintenance windows {}",
            joined(policy.maintenance_windows.clone(), "or")
        ));
    }
    if !policy.applications.is_empty() {
        add(format!(
            "of the applications {}",
            joined(policy.applications.clone(), "or")
        ));
    }
    if !policy.environments.is_empty() {
        add(format!(
            "to the environments {}",
            joined(policy.environments.clone(), "or")
        ));
    }
    if !policy.requesters.is_empty() {
        add(format!("by {}", one_of(&policy.requesters)));
    }
    if let Some(hours) = &policy.at {
        let place = if hours.outside { "outside" } else { "within" };
        add(format!("{place} {} ({})", hours.hours, hours.time_zone));
    }
    said
}

/// `2 of group sre, then 1 of role approver (after 30 minutes also group leads)`.
pub(super) fn levels(levels: &[Level]) -> String {
    let said: Vec<String> = levels
        .iter()
        .map(|level| {
            let later = match level.escalate_after_minutes {
                Some(after) if !level.escalate_to.is_empty() => {
                    format!(" (after {} also {})", minutes(after), one_of(&level.escalate_to))
                }
                _ => String::new(),
            };
            format!("{} of {}{later}", level.approvals, one_of(&level.of))
        })
        .collect();
    said.join(", then ")
}

fn windows(windows: &[Window]) -> String {
    let said = windows
        .iter()
        .map(|window| {
            let long = minutes(window.hours.saturating_mul(60));
            format!("{} for {long} ({})", window.schedule, window.time_zone)
        })
        .collect();
    joined(said, "or")
}

/// What follows from a policy, in sentences.
pub(super) fn follows(policy: &Policy) -> Vec<String> {
    match policy.effect {
        Effect::Allow => return vec!["It is allowed at once.".into()],
        Effect::Deny => return vec!["It is forbidden.".into()],
        Effect::Approve => {}
    }
    let mut said = vec![format!("Approval by {}.", levels(&policy.levels))];
    match (&policy.ticket, policy.reason) {
        (Some(ticket), true) => said.push(format!("A reason and a ticket like {ticket} are needed.")),
        (Some(ticket), false) => said.push(format!("A ticket like {ticket} is needed.")),
        (None, true) => said.push("A reason is needed.".into()),
        (None, false) => {}
    }
    said.push(format!(
        "Waits {}; once approved it can be used for {}.",
        minutes(policy.expires_minutes),
        minutes(policy.usable_minutes)
    ));
    if !policy.windows.is_empty() {
        said.push(format!("Runs only inside {}.", windows(&policy.windows)));
    }
    if policy.bulk {
        said.push("Several that ask for the same can be approved together.".into());
    }
    said.push(if policy.break_glass.is_empty() {
        "Nobody may break the glass.".into()
    } else {
        format!(
            "The glass may be broken by {}, and that is reviewed within {}.",
            one_of(&policy.break_glass),
            minutes(policy.review_hours.saturating_mul(60))
        )
    });
    said
}

/// What is asked for, of an act that several policies may be about.
pub(super) fn demand(demand: &Demand) -> Vec<String> {
    let mut said: Vec<String> = demand
        .tracks
        .iter()
        .map(|track| {
            format!(
                "“{}” asks for approval by {}.",
                track.policy,
                levels(&track.levels)
            )
        })
        .collect();
    if demand.reason {
        said.push("A reason is needed.".into());
    }
    for ticket in &demand.tickets {
        said.push(format!("A ticket like {ticket} is needed."));
    }
    for either in &demand.windows {
        said.push(format!("It runs only inside {}.", windows(either)));
    }
    if !demand.tracks.is_empty() {
        said.push(format!(
            "The request waits {}; once approved it can be used for {}.",
            minutes(demand.expires_minutes),
            minutes(demand.usable_minutes)
        ));
        let names: Vec<String> = demand.break_glass.iter().cloned().collect();
        said.push(if names.is_empty() {
            "Nobody may break the glass.".into()
        } else {
            format!("The glass may be broken by {}.", one_of(&names))
        });
    }
    said
}

/// What a freeze stops.
pub(super) fn frozen(freeze: &Freeze) -> String {
    let what = if freeze.acts.is_empty() {
        "Every act".to_owned()
    } else {
        acts(&freeze.acts)
    };
    let place = match freeze.nodes.trim() {
        "" | "*" => String::new(),
        tags => format!(" where a node has {}", tags.replace(',', " and ")),
    };
    format!(
        "{what}{place} is stopped from {} to {} (UTC), also what was approved.",
        freeze.from, freeze.until
    )
}

/// What holds for what no policy is about.
pub(super) const fn by_default(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "What no policy is about is allowed at once.",
        Effect::Approve => "What no policy is about needs one approval.",
        Effect::Deny => "What no policy is about is forbidden.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        serde_json::from_value(serde_json::json!({
            "name": "Production",
            "acts": ["commands.run", "sessions.*"],
            "nodes": "Environment=Production,Team=web",
            "more_than_nodes": 10,
            "os_users": ["root"],
            "at": {"hours": "Mon-Fri 08:00-18:00", "time_zone": "Europe/Berlin", "outside": true},
            "levels": [
                {"approvals": 2, "of": ["group:sre"], "escalate_after_minutes": 30, "escalate_to": ["group:leads"]},
                {"of": ["role:approver"]},
            ],
            "reason": true,
            "ticket": "OPS-[0-9]+",
            "break_glass": ["group:oncall"],
        }))
        .unwrap()
    }

    #[test]
    fn a_policy_reads_as_sentences() {
        let policy = policy();
        assert_eq!(
            about(&policy),
            "Run a command or sessions.*, where a node has Environment=Production and Team=web, on more than 10 nodes, \
             as root, outside Mon-Fri 08:00-18:00 (Europe/Berlin)"
        );
        assert_eq!(
            follows(&policy),
            [
                "Approval by 2 of group sre (after 30 minutes also group leads), then 1 of role approver.",
                "A reason and a ticket like OPS-[0-9]+ are needed.",
                "Waits 4 hours; once approved it can be used for 4 hours.",
                "The glass may be broken by group oncall, and that is reviewed within 1 day.",
            ]
        );
    }

    #[test]
    fn what_asks_for_nothing_says_so() {
        let mut policy = policy();
        policy.effect = Effect::Deny;
        assert_eq!(follows(&policy), ["It is forbidden."]);
        policy.acts = vec!["*".into()];
        assert!(about(&policy).starts_with("Any act"));
        assert!(demand(&Demand::default()).is_empty());
    }

    #[test]
    fn a_freeze_names_what_it_stops() {
        let freeze: Freeze = serde_json::from_value(serde_json::json!({
            "name": "Holidays",
            "from": "2026-12-20T00:00Z",
            "until": "2027-01-04T00:00Z",
            "nodes": "Environment=Production",
        }))
        .unwrap();
        assert_eq!(
            frozen(&freeze),
            "Every act where a node has Environment=Production is stopped from 2026-12-20T00:00Z to 2027-01-04T00:00Z \
             (UTC), also what was approved."
        );
    }
}
