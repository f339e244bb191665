//! Who may do what, made from the same table that the door uses.

use crate::components::{Glyph, Icon, PageHead, TableCard};
use leptos::prelude::*;
use muster_domain::action::{Action, Who};
use muster_domain::permission::Role;

/// Acts that are decided by role, grouped by feature in the order of the table.
fn groups() -> Vec<(String, Vec<Action>)> {
    let mut groups: Vec<(String, Vec<Action>)> = Vec::new();
    for action in Action::ALL
        .iter()
        .copied()
        .filter(|action| matches!(action.who(), Who::Roles(_)))
    {
        let (feature, _) = action.as_str().split_once('.').unwrap_or((action.as_str(), ""));
        match groups.iter_mut().find(|(name, _)| name == feature) {
            Some((_, actions)) => actions.push(action),
            None => groups.push((feature.to_owned(), vec![action])),
        }
    }
    groups
}

/// `create_activation` as `Create activation`.
fn spoken(action: Action) -> String {
    let verb = action
        .as_str()
        .split_once('.')
        .map_or(action.as_str(), |(_, verb)| verb)
        .replace('_', " ");
    let mut chars = verb.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// The page.
#[component]
pub(crate) fn RolesPage() -> impl IntoView {
    view! {
        <PageHead
            title="Roles"
            subtitle=|| "What each role allows, within the scope in which a person has it. What is not about nodes (users, the audit log, activations) takes the role everywhere. What is not listed is refused."
        />
        <div class="stats">
            {Role::ALL
                .into_iter()
                .map(|role| {
                    view! {
                        <section class="card card-body role">
                            <h2>{role.as_str()}</h2>
                            <p class="muted small-text">{role.description()}</p>
                        </section>
                    }
                })
                .collect_view()}
        </div>
        <TableCard label="Acts and roles">
            <table class="roles">
                <thead>
                    <tr>
                        <th scope="col">"Act"</th>
                        {Role::ALL
                            .into_iter()
                            .map(|role| view! { <th scope="col" class="centre">{role.as_str()}</th> })
                            .collect_view()}
                        <th scope="col">"Audit log"</th>
                    </tr>
                </thead>
                {groups().into_iter().map(|(feature, actions)| view! { <Group feature actions /> }).collect_view()}
            </table>
        </TableCard>
    }
}

#[component]
fn Group(feature: String, actions: Vec<Action>) -> impl IntoView {
    view! {
        <tbody>
            <tr class="group">
                <th scope="rowgroup" colspan="7">
                    {feature}
                </th>
            </tr>
            {actions
                .into_iter()
                .map(|action| {
                    view! {
                        <tr>
                            <td>
                                {spoken(action)} " " <span class="mono muted small-text">{action.as_str()}</span>
                            </td>
                            {Role::ALL
                                .into_iter()
                                .map(|role| {
                                    view! {
                                        <td class="centre">
                                            {if role.allows(action) {
                                                view! {
                                                    <span class="yes">
                                                        <Icon glyph=Glyph::Check />
                                                        <span class="visually-hidden">"yes"</span>
                                                    </span>
                                                }
                                                    .into_any()
                                            } else {
                                                view! {
                                                    <span class="no">
                                                        <span aria-hidden="true">"–"</span>
                                                        <span class="visually-hidden">"no"</span>
                                                    </span>
                                                }
                                                    .into_any()
                                            }}
                                        </td>
                                    }
                                })
                                .collect_view()}
                            <td class="muted nowrap">{if action.audited() { "every time" } else { "when refused" }}</td>
                        </tr>
                    }
                })
                .collect_view()}
        </tbody>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_that_needs_a_role_is_listed_once() {
        let listed: Vec<Action> = groups().into_iter().flat_map(|(_, actions)| actions).collect();
        let wanted = Action::ALL
            .iter()
            .filter(|action| !action.roles().is_empty())
            .count();
        assert_eq!(listed.len(), wanted);
        assert_eq!(spoken(Action::FleetCreateActivation), "Create activation");
    }
}
