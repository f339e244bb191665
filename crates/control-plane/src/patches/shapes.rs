//! What the inputs of operations on patches are made of, in the service's own model.

use crate::validation::{
    Member, Pattern, Shape, TAG_PATTERN, list, matching, one_of, optional, required, sensitive, text, whole,
};

pub(crate) const OPERATING_SYSTEM: Shape = one_of(&muster_patching::OPERATING_SYSTEMS);
pub(crate) const COMPLIANCE_LEVEL: Shape = one_of(&[
    "CRITICAL",
    "HIGH",
    "MEDIUM",
    "LOW",
    "INFORMATIONAL",
    "UNSPECIFIED",
]);

fn is_baseline_id(text: &str) -> bool {
    (20..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-:/".contains(&b))
}

pub(crate) const BASELINE_ID: Shape = matching(
    20,
    128,
    Pattern {
        text: "^[a-zA-Z0-9_\\-:/]{20,128}$",
        holds: is_baseline_id,
    },
);
pub(crate) const BASELINE_NAME: Shape = matching(
    3,
    128,
    Pattern {
        text: "^[a-zA-Z0-9_\\-.]{3,128}$",
        holds: |text| (3..=128).contains(&text.len()) && crate::documents::is_plain(text),
    },
);
pub(crate) const PATCH_GROUP: Shape = matching(1, 256, TAG_PATTERN);

const FILTER_KEY: Shape = one_of(&[
    "ARCH",
    "ADVISORY_ID",
    "BUGZILLA_ID",
    "PATCH_SET",
    "PRODUCT",
    "PRODUCT_FAMILY",
    "CLASSIFICATION",
    "CVE_ID",
    "EPOCH",
    "MSRC_SEVERITY",
    "NAME",
    "PATCH_ID",
    "SECTION",
    "PRIORITY",
    "REPOSITORY",
    "RELEASE",
    "SEVERITY",
    "SECURITY",
    "VERSION",
]);
const FILTER_GROUP: Shape = Shape::Record(&[required(
    "PatchFilters",
    list(
        0,
        4,
        &Shape::Record(&[
            required("Key", FILTER_KEY),
            required("Values", list(1, 20, &text(1, 64))),
        ]),
    ),
)]);
const RULES: Shape = Shape::Record(&[required(
    "PatchRules",
    list(
        0,
        10,
        &Shape::Record(&[
            required("PatchFilterGroup", FILTER_GROUP),
            optional("ComplianceLevel", COMPLIANCE_LEVEL),
            optional("ApproveAfterDays", whole(0, 360)),
            optional("ApproveUntilDate", text(1, 10)),
            optional("EnableNonSecurity", Shape::Flag),
        ]),
    ),
)]);
const SOURCE_NAME: Shape = matching(
    0,
    usize::MAX,
    Pattern {
        text: "^[a-zA-Z0-9_\\-.]{3,50}$",
        holds: |text| (3..=50).contains(&text.len()) && crate::documents::is_plain(text),
    },
);
const SOURCE: Shape = Shape::Record(&[
    required("Name", SOURCE_NAME),
    required("Products", list(1, 20, &text(1, 128))),
    sensitive(required("Configuration", text(1, 1024))),
]);
const PATCH_ID: Shape = text(1, 100);

/// Members that making and changing a baseline share.
pub(crate) const GLOBAL_FILTERS: Member = optional("GlobalFilters", FILTER_GROUP);
pub(crate) const APPROVAL_RULES: Member = optional("ApprovalRules", RULES);
pub(crate) const APPROVED_PATCHES: Member = optional("ApprovedPatches", list(0, 50, &PATCH_ID));
pub(crate) const APPROVED_LEVEL: Member = optional("ApprovedPatchesComplianceLevel", COMPLIANCE_LEVEL);
pub(crate) const APPROVED_NON_SECURITY: Member = optional("ApprovedPatchesEnableNonSecurity", Shape::Flag);
pub(crate) const REJECTED_PATCHES: Member = optional("RejectedPatches", list(0, 50, &PATCH_ID));
pub(crate) const REJECTED_ACTION: Member =
    optional("RejectedPatchesAction", one_of(&["ALLOW_AS_DEPENDENCY", "BLOCK"]));
pub(crate) const DESCRIPTION: Member = optional("Description", text(1, 1024));
pub(crate) const SOURCES: Member = optional("Sources", list(0, 20, &SOURCE));
pub(crate) const AVAILABLE_STATUS: Member = optional(
    "AvailableSecurityUpdatesComplianceStatus",
    one_of(&["COMPLIANT", "NON_COMPLIANT"]),
);
