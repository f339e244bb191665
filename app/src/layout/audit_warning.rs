//! Told to those who may read the audit log, where they look first: the log is behind what was signed.

use super::use_frame;
use crate::components::{Glyph, Icon};
use leptos::prelude::*;

/// The warning, or nothing.
#[component]
pub(crate) fn AuditWarning() -> impl IntoView {
    let frame = use_frame();
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let finding = frame.await.ok().and_then(|frame| frame.audit_warning)?;
                Some(
                    view! {
                        <div class="notice bad audit-warning" role="alert" data-audit-warning="">
                            <Icon glyph=Glyph::Warning />
                            <div>
                                <strong>"The audit log is not the one that was signed."</strong>
                                " "
                                {finding.message}
                                " Find out what happened before you trust what it says around row "
                                {finding.sequence}
                                ". The whole log is checked with Verify in the "
                                <a href="/audit">"audit log"</a>
                                ", or with "
                                <code>"muster audit verify"</code>
                                "."
                            </div>
                        </div>
                    },
                )
            })}
        </Transition>
    }
}
