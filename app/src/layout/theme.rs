//! Light, dark or as the system has it. Kept in a cookie, so that the server already renders
//! the right one.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;

/// What the person chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system has it.
    System,
    /// Dark ink on light ground.
    Light,
    /// Light ink on dark ground.
    Dark,
}

impl Theme {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word in the cookie.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// As people read it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::System => "As the system",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text)
    }

    /// The choice in a `Cookie` header, which only the server sees.
    #[cfg(feature = "ssr")]
    pub(crate) fn from_cookies(header: &str) -> Option<Self> {
        header
            .split(';')
            .find_map(|pair| Self::parse(pair.trim().strip_prefix("theme=")?))
    }

    /// The value of `data-theme`; none leaves it to the system.
    pub(crate) const fn attribute(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }

    /// The `Set-Cookie` value that keeps the choice for a year. Readable by script on purpose:
    /// it is a taste, not a secret.
    pub(crate) fn cookie(self) -> String {
        format!("theme={}; Path=/; Max-Age=31536000; SameSite=Lax", self.as_str())
    }
}

/// The choice of the page on show. Read in the browser only.
pub(crate) fn current_theme() -> Theme {
    document()
        .document_element()
        .and_then(|root| root.get_attribute("data-theme"))
        .and_then(|word| Theme::parse(&word))
        .unwrap_or(Theme::System)
}

/// Applies and keeps a choice. In the browser only.
pub(crate) fn apply_theme(theme: Theme) {
    if let Some(root) = document().document_element() {
        let _ = match theme.attribute() {
            Some(word) => root.set_attribute("data-theme", word),
            None => root.remove_attribute("data-theme"),
        };
    }
    if let Ok(document) = document().dyn_into::<web_sys::HtmlDocument>() {
        let _ = document.set_cookie(&theme.cookie());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_read_from_among_other_cookies() {
        assert_eq!(Theme::from_cookies("a=1; theme=dark; b=2"), Some(Theme::Dark));
        assert_eq!(Theme::from_cookies("theme=pink"), None);
        assert_eq!(Theme::from_cookies("mytheme=dark"), None);
    }

    #[test]
    fn the_systems_dark_is_the_chosen_dark() {
        let tokens = include_str!("../../../style/tokens.css");
        let block = |from: &str| {
            let start = tokens.find(from).unwrap() + from.len();
            let text = &tokens[start..];
            text[..text.find('}').unwrap()]
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(block("\n[data-theme=dark] {"), block(":root:not([data-theme]) {"));
    }
}
