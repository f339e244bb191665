//! A fleet filter and an actor's scopes as conditions on the table `nodes` (alias `n`).

use muster_domain::Timestamp;
use muster_domain::fleet_filter::{FleetFilter, Operator, Property, Token, parse_age_ms};
use muster_domain::permission::Scope;
use muster_store::sql::contains_pattern;
use muster_store::{Db, Sql};

/// Adds `where` with everything that must hold: of the connection of `db`, within the scopes, as filtered.
pub fn push_where(sql: &mut Sql, db: &Db, filter: &FleetFilter, scopes: &[Scope], now: Timestamp) {
    sql.push(" where ").within("n.connection_id", db).push(" and ");
    push_scopes(sql, scopes);
    for token in &filter.tokens {
        sql.push(" and ");
        push_token(sql, token, now);
    }
}

/// Adds the condition that a node is within one of `scopes`; no scope means no node.
pub fn push_scopes(sql: &mut Sql, scopes: &[Scope]) {
    if scopes.contains(&Scope::All) {
        sql.push("1 = 1");
        return;
    }
    sql.push("(1 = 0");
    for scope in scopes {
        let Scope::Tags(tags) = scope else { continue };
        sql.push(" or (1 = 1");
        for (key, value) in tags {
            sql.push(" and exists (select 1 from node_tags t where t.connection_id = n.connection_id and t.node_id = n.node_id and t.tag_key = ");
            sql.text(key).push(" and t.tag_value = ").text(value).push(")");
        }
        sql.push(")");
    }
    sql.push(")");
}

fn push_token(sql: &mut Sql, token: &Token, now: Timestamp) {
    match &token.property {
        Property::Tag(key) => {
            let negated = token.operator == Operator::IsNot;
            sql.push(if negated { "not exists" } else { "exists" });
            sql.push(" (select 1 from node_tags t where t.connection_id = n.connection_id and t.node_id = n.node_id and t.tag_key = ");
            sql.text(key).push(" and ");
            push_values(
                sql,
                "t.tag_value",
                "lower(t.tag_value)",
                if negated { Operator::Is } else { token.operator },
                &token.values,
            );
            sql.push(")");
        }
        Property::LastPing => {
            let age = token
                .values
                .first()
                .and_then(|value| parse_age_ms(value))
                .unwrap_or_default();
            sql.push(if token.operator == Operator::LongerAgo {
                "n.sort_ping < "
            } else {
                "n.sort_ping >= "
            });
            sql.int(now.plus_ms(-age).0);
        }
        Property::Text => {
            sql.push("(");
            push_values(
                sql,
                "n.sort_name",
                "n.sort_name",
                Operator::Contains,
                &token.values,
            );
            sql.push(" or ");
            push_values(sql, "n.node_id", "n.node_id", Operator::Contains, &token.values);
            sql.push(" or ");
            push_values(
                sql,
                "n.ip_address",
                "n.ip_address",
                Operator::Contains,
                &token.values,
            );
            sql.push(")");
        }
        Property::Status => push_values(
            sql,
            "n.ping_status",
            "lower(n.ping_status)",
            token.operator,
            &token.values,
        ),
        Property::Name => push_values(sql, "n.name", "n.sort_name", token.operator, &token.values),
        Property::Id => push_values(sql, "n.node_id", "n.node_id", token.operator, &token.values),
        Property::Platform => push_values(
            sql,
            "n.sort_platform",
            "lower(n.sort_platform)",
            token.operator,
            &token.values,
        ),
        Property::Agent => push_values(
            sql,
            "n.agent_version",
            "lower(n.agent_version)",
            token.operator,
            &token.values,
        ),
        Property::Address => push_values(sql, "n.ip_address", "n.ip_address", token.operator, &token.values),
    }
}

fn push_values(
    sql: &mut Sql,
    column: &'static str,
    lowered: &'static str,
    operator: Operator,
    values: &[String],
) {
    match operator {
        Operator::Contains => {
            sql.push("(1 = 0");
            for value in values {
                sql.push(" or ")
                    .push(lowered)
                    .push(" like ")
                    .text(contains_pattern(value))
                    .push(" escape '\\'");
            }
            sql.push(")");
        }
        _ => {
            sql.push("(").push(column).push(if operator == Operator::IsNot {
                ") not in ("
            } else {
                ") in ("
            });
            sql.texts(values).push(")");
        }
    }
}
