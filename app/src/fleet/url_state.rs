//! What the address of the Fleet page says, and the addresses of its neighbours. Everything in
//! it is checked; what cannot be read is reported and the rest still holds.

use crate::url::{Query, address};
use muster_domain::fleet::FleetSort;
use muster_domain::fleet_filter::{FleetFilter, Property, Token};

/// The columns beside the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Status,
    Platform,
    Agent,
    Address,
    Tags,
    LastPing,
}

impl Column {
    pub(super) const ALL: [Self; 6] = [
        Self::Status,
        Self::Platform,
        Self::Agent,
        Self::Address,
        Self::Tags,
        Self::LastPing,
    ];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Platform => "platform",
            Self::Agent => "agent",
            Self::Address => "address",
            Self::Tags => "tags",
            Self::LastPing => "ping",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Status => "Status",
            Self::Platform => "Platform",
            Self::Agent => "Agent",
            Self::Address => "Address",
            Self::Tags => "Tags",
            Self::LastPing => "Last ping",
        }
    }

    /// The order that its header offers, when it can be ordered by.
    pub(super) const fn sort(self) -> Option<FleetSort> {
        match self {
            Self::Status => Some(FleetSort::Status),
            Self::Platform => Some(FleetSort::Platform),
            Self::Agent => Some(FleetSort::Agent),
            Self::Address => Some(FleetSort::Address),
            Self::Tags => None,
            Self::LastPing => Some(FleetSort::LastPing),
        }
    }
}

/// The state of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FleetUrl {
    pub(super) filter: FleetFilter,
    /// What could not be read, as sentences.
    pub(super) problems: Vec<String>,
    /// A condition of the filter that could not be read. Then nothing is looked up: nodes that the whole filter
    /// leaves out would be shown, chosen and exported.
    pub(super) unreadable: Option<String>,
    /// The condition being added, when it could not be read: its fields are shown again.
    pub(super) draft: Option<Draft>,
    /// Whether the address is not the plain one of this state, because a form made it.
    pub(super) untidy: bool,
    pub(super) sort: FleetSort,
    pub(super) descending: bool,
    /// `None` shows all.
    pub(super) columns: Option<Vec<Column>>,
    pub(super) cursor: Option<String>,
    /// The node in the split panel.
    pub(super) node: Option<String>,
}

/// A condition as typed into the form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) property: String,
    pub(super) operator: String,
    pub(super) value: String,
}

/// Splits at `;` that no `\` precedes.
fn split_conditions(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ';' => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The condition that the fields of the form say.
///
/// # Errors
/// A sentence that says what is wrong.
fn read_draft(draft: &Draft) -> Result<Option<Token>, String> {
    let value = draft.value.trim();
    let is_tag = draft.property.starts_with("tag:");
    if value.is_empty() && !is_tag {
        return Ok(None);
    }
    if draft.property.is_empty() || draft.property == Property::Text.word() {
        // Typed whole, as in `tag:Team=web`, or a bare word.
        return Token::parse(value).map(Some);
    }
    // Ages only make sense for the last ping, and the last ping only by age.
    let operator = match (draft.property.as_str(), draft.operator.as_str()) {
        ("ping", "<") => "<",
        ("ping", _) => ">",
        (_, operator @ ("=" | "!=" | "~")) => operator,
        _ => "=",
    };
    Token::parse(&format!(
        "{}{operator}{}",
        draft.property,
        value.replace(';', "\\;")
    ))
    .map(Some)
}

impl FleetUrl {
    /// Reads the query of the address.
    pub(super) fn read(query: &Query) -> Self {
        let mut state = Self::default();
        for part in split_conditions(query.get("filter").unwrap_or_default()) {
            match Token::parse(part) {
                Ok(token) => state.filter.tokens.push(token),
                Err(problem) => {
                    state.unreadable.get_or_insert_with(|| problem.clone());
                    state.problems.push(problem);
                }
            }
        }
        if query.get("value").is_some() {
            let field = |name: &str| query.get(name).unwrap_or_default().to_owned();
            let draft = Draft {
                property: field("property"),
                operator: field("operator"),
                value: field("value"),
            };
            match read_draft(&draft) {
                Ok(token) => state
                    .filter
                    .tokens
                    .extend(token.filter(|token| !state.filter.tokens.contains(token))),
                Err(problem) => {
                    state.problems.push(problem);
                    state.draft = Some(draft);
                }
            }
        }
        if let Err(error) = FleetFilter::parse(&state.filter.to_string()) {
            state.unreadable = error.about("filter").map(ToOwned::to_owned);
            state.problems.extend(state.unreadable.clone());
            state
                .filter
                .tokens
                .truncate(muster_domain::fleet_filter::MAX_TOKENS);
        }
        if let Some(sort) = query.text("sort") {
            match FleetSort::parse(&sort) {
                Some(sort) => state.sort = sort,
                None => state
                    .problems
                    .push(format!("“{sort}” is not a column to order by.")),
            }
        }
        state.descending = matches!(query.get("desc"), Some("1" | "true"));
        let words: Vec<&str> = query.all("cols").flat_map(|value| value.split(',')).collect();
        if !words.is_empty() {
            let columns: Vec<Column> = Column::ALL
                .into_iter()
                .filter(|column| words.contains(&column.word()))
                .collect();
            state.columns = (columns.len() < Column::ALL.len()).then_some(columns);
        }
        state.cursor = query.text("cursor");
        state.node = query.text("node");
        state.untidy = !query.is_said_by(&state.address());
        state
    }

    /// The columns to show.
    pub(super) fn shown(&self) -> Vec<Column> {
        self.columns.clone().unwrap_or_else(|| Column::ALL.to_vec())
    }

    /// The address of this state.
    pub(super) fn address(&self) -> String {
        address("/fleet", self.pairs())
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let columns = self.columns.as_ref().map(|columns| {
            let words: Vec<&str> = ["node"]
                .into_iter()
                .chain(columns.iter().map(|c| c.word()))
                .collect();
            words.join(",")
        });
        vec![
            ("filter", self.filter.to_string()),
            (
                "sort",
                if self.sort == FleetSort::default() {
                    String::new()
                } else {
                    self.sort.as_str().into()
                },
            ),
            (
                "desc",
                if self.descending {
                    "1".into()
                } else {
                    String::new()
                },
            ),
            ("cols", columns.unwrap_or_default()),
            ("cursor", self.cursor.clone().unwrap_or_default()),
            ("node", self.node.clone().unwrap_or_default()),
        ]
    }

    /// What a form has to carry along besides its own fields; never the page or the panel.
    pub(super) fn hidden(&self, except: &[&str]) -> Vec<(&'static str, String)> {
        self.pairs()
            .into_iter()
            .filter(|(name, value)| {
                !value.is_empty() && !matches!(*name, "cursor" | "node") && !except.contains(name)
            })
            .collect()
    }

    /// The part of the address that a saved view keeps.
    pub(super) fn saved(&self) -> String {
        let whole = Self {
            cursor: None,
            node: None,
            ..self.clone()
        }
        .address();
        whole
            .split_once('?')
            .map(|(_, query)| query.to_owned())
            .unwrap_or_default()
    }

    /// The same without one condition.
    pub(super) fn without(&self, at: usize) -> Self {
        let mut next = self.first_page();
        if at < next.filter.tokens.len() {
            next.filter.tokens.remove(at);
        }
        next
    }

    /// The same without any condition.
    pub(super) fn without_filter(&self) -> Self {
        Self {
            filter: FleetFilter::default(),
            problems: Vec::new(),
            unreadable: None,
            ..self.first_page()
        }
    }

    /// The same from its first page.
    pub(super) fn first_page(&self) -> Self {
        Self {
            cursor: None,
            ..self.clone()
        }
    }

    /// The same from another page on.
    pub(super) fn page(&self, cursor: String) -> Self {
        Self {
            cursor: Some(cursor),
            ..self.clone()
        }
    }

    /// The same ordered by a column; once more turns the order round.
    pub(super) fn ordered(&self, sort: FleetSort) -> Self {
        let descending = self.sort == sort && !self.descending;
        Self {
            sort,
            descending,
            ..self.first_page()
        }
    }

    /// The same with a node in the split panel, or without.
    pub(super) fn with_node(&self, node: Option<String>) -> Self {
        Self { node, ..self.clone() }
    }

    /// The address of an export of the same rows.
    pub(super) fn export(&self, kind: &str) -> String {
        let pairs = self
            .pairs()
            .into_iter()
            .filter(|(name, _)| matches!(*name, "filter" | "sort" | "desc"));
        address(&format!("/export/fleet.{kind}"), pairs)
    }
}

#[cfg(test)]
mod tests;
