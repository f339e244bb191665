//! Line icons, drawn inline so that they take the colour of the text beside them.

use super::Fixed;
use leptos::prelude::*;

macro_rules! glyphs {
    ($($(#[$doc:meta])* $name:ident = $path:literal;)*) => {
        /// Which icon.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Glyph { $($(#[$doc])* $name,)* }

        impl Glyph {
            /// The drawing as markup.
            pub(crate) const fn markup(self) -> &'static str {
                match self {
                    $(Self::$name => concat!(
                        "<svg class=\"icon\" viewBox=\"0 0 24 24\" aria-hidden=\"true\" focusable=\"false\"><path d=\"",
                        $path,
                        "\"></path></svg>",
                    ),)*
                }
            }
        }
    };
}

glyphs! {
    Home = "M3 12l9-8 9 8M5 10v10h14V10";
    Fleet = "M4 5h16v5H4zM4 14h16v5H4zM8 7.5h.01M8 16.5h.01";
    Terminal = "M4 5h16v14H4zM7 9l3 3-3 3M12 15h5";
    Command = "M5 4l14 8-14 8z";
    Runbook = "M5 4h6v5H5zM13 15h6v5h-6zM8 9v8h5M11 6.5h8v4";
    /// To another connection.
    Switch = "M7 20V4m0 0L3 8m4-4 4 4m6-4v16m0 0 4-4m-4 4-4-4";
    Deploy = "M12 16V4M7 9l5-5 5 5M4 15v5h16v-5";
    Key = "M8 8a4 4 0 100 8 4 4 0 000-8zM12 12h9M18 12v4";
    Patch = "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM9 12l2 2 4-4";
    Folder = "M3 6h6l2 2h10v11H3z";
    Audit = "M5 4h14v16H5zM8 9h8M8 13h8M8 17h4";
    Settings = "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5";
    Check = "M4 12l5 5L20 6";
    Cross = "M6 6l12 12M18 6L6 18";
    Plus = "M12 5v14M5 12h14";
    Search = "M11 4a7 7 0 100 14 7 7 0 000-14zM20 20l-4-4";
    Down = "M6 9l6 6 6-6";
    Right = "M9 6l6 6-6 6";
    Up = "M6 15l6-6 6 6";
    Copy = "M9 9h11v11H9zM5 15H4V4h11v1";
    Download = "M12 4v11M7 10l5 5 5-5M4 20h16";
    Warning = "M12 4l9 16H3zM12 10v4M12 17v.01";
    Info = "M12 3a9 9 0 100 18 9 9 0 000-18zM12 11v5M12 8v.01";
    Lock = "M6 11h12v9H6zM8 11V8a4 4 0 018 0v3";
    User = "M12 4a4 4 0 100 8 4 4 0 000-8zM4 21c1-4 4-6 8-6s7 2 8 6";
    Bookmark = "M7 4h10v16l-5-4-5 4z";
    Clock = "M12 3a9 9 0 100 18 9 9 0 000-18zM12 7v5l3 2";
    Calendar = "M4 6h16v14H4zM4 10h16M8 3v5M16 3v5";
    Columns = "M4 5h16v14H4zM10 5v14M15 5v14";
    Keyboard = "M3 7h18v11H3zM7 11h.01M11 11h.01M15 11h.01M8 15h8";
    SignOut = "M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9";
    Menu = "M4 7h16M4 12h16M4 17h16";
    Shield = "M12 3l8 4v5c0 5-4 8-8 9-4-1-8-4-8-9V7z";
    Refresh = "M20 11a8 8 0 10-2.3 5.7M20 5v6h-6";
    Spin = "M12 3a9 9 0 109 9";
    Pause = "M8 5v14M16 5v14";
    Share = "M8 12l8-5M8 12l8 5M6 9.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5zM18 3.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5zM18 15.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5z";
    Eye = "M2 12c3-5 6-7 10-7s7 2 10 7c-3 5-6 7-10 7s-7-2-10-7zM12 9a3 3 0 100 6 3 3 0 000-6z";
    Split = "M4 5h16v14H4zM12 5v14";
    Wide = "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5";
    Off = "M12 4a8 8 0 100 16 8 8 0 000-16z";
}

/// One icon. Decoration only: the word beside it says the same.
#[component]
pub(crate) fn Icon(glyph: Glyph) -> impl IntoView {
    // Pages have hundreds: each is one piece of text instead of two elements with their attributes.
    Fixed::bare().icon(glyph).view()
}
