//! One figure with its name and a line of context.

use leptos::prelude::*;

/// `value` large, `unit` small behind it, `children` below.
#[component]
pub(crate) fn StatCard(
    #[prop(into)] label: String,
    #[prop(into)] value: String,
    #[prop(optional, into)] unit: String,
    /// Where the rows behind the figure are.
    #[prop(optional, into)]
    href: Option<String>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let name = match href {
        Some(href) => view! { <a class="stat-link" href=href>{label}</a> }.into_any(),
        None => label.into_any(),
    };
    view! {
        <section class="card stat">
            <h2>{name}</h2>
            <div class="stat-value">
                {value} <small>{unit}</small>
            </div>
            <div class="stat-foot">{children.map(|children| children())}</div>
        </section>
    }
}
