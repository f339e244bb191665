//! `PutParameter`: makes a parameter, or a new version of one.

use super::label_queries;
use super::name::Name;
use super::policies::{self, Policy};
use super::queries::{self, ParameterRow};
use super::shown::{place, seal};
use super::tiers::{self, ADVANCED, Ask, STANDARD};
use super::{NAME, SECURE, TAGS, TYPE};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::kms::resolve::DEFAULT_ALIAS;
use crate::operations::Call;
use crate::settings;
use crate::tags::queries as tags;
use crate::tags::{TagInput, check_new};
use crate::validation::{
    self, ANY_TEXT, Member, Pattern, Shape, matching, one_of, optional, required, sensitive, text,
};
use serde::{Deserialize, Serialize};

/// Versions that are kept.
const MAX_VERSIONS: i64 = 100;
/// How often a write is tried again when another process was faster.
const TRIES: usize = 8;

const KEY_ID: Pattern = Pattern {
    text: "^([a-zA-Z0-9:/_-]+)$",
    holds: |text| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b":/_-".contains(&b))
    },
};

pub(crate) const INPUT: &[Member] = &[
    required("Name", NAME),
    optional("Description", text(0, 1024)),
    sensitive(required("Value", ANY_TEXT)),
    optional("Type", TYPE),
    optional("KeyId", matching(1, 256, KEY_ID)),
    optional("Overwrite", Shape::Flag),
    optional("AllowedPattern", text(0, 1024)),
    optional("Tags", validation::TAGS),
    optional("Tier", one_of(&["Standard", "Advanced", "Intelligent-Tiering"])),
    optional("Policies", text(1, 4096)),
    optional("DataType", text(0, 128)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    description: Option<String>,
    value: String,
    #[serde(rename = "Type")]
    kind: Option<String>,
    key_id: Option<String>,
    overwrite: Option<bool>,
    allowed_pattern: Option<String>,
    tags: Option<Vec<TagInput>>,
    tier: Option<String>,
    policies: Option<String>,
    data_type: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    version: i64,
    tier: String,
}

fn check_request(input: &Input) -> ApiResult<()> {
    if input.value.is_empty() {
        return Err(ApiError::validation(
            "1 validation error detected: Value at 'value' failed to satisfy constraint: Member must have length greater \
             than or equal to 1",
        ));
    }
    if input.overwrite == Some(true) && input.tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
        return Err(ApiError::validation(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove \
             overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or \
             RemoveTagsFromResource.",
        ));
    }
    Ok(())
}

fn decide_type(input: &Input, old: Option<&ParameterRow>) -> ApiResult<String> {
    match (&input.kind, old) {
        (Some(kind), Some(old)) if *kind != old.kind => Err(ApiError::new(
            "HierarchyTypeMismatchException",
            format!(
                "Parameter Store doesn't support changing a parameter's type: {} is a {}, not a {kind}. Delete it first, \
                 or use another name.",
                old.name, old.kind
            ),
        )),
        (Some(kind), _) => Ok(kind.clone()),
        (None, Some(old)) => Ok(old.kind.clone()),
        (None, None) => Err(ApiError::validation(
            "A parameter type is required when you create a parameter.",
        )),
    }
}

fn decide_data_type(input: &Input, old: Option<&ParameterRow>, kind: &str) -> ApiResult<String> {
    let data_type = input
        .data_type
        .clone()
        .or_else(|| old.map(|old| old.data_type.clone()))
        .unwrap_or_else(|| "text".to_owned());
    match data_type.as_str() {
        "text" | "aws:ssm:integration" => {}
        "aws:ec2:image" => {
            let digits = input.value.strip_prefix("ami-").unwrap_or_default();
            let is_image = matches!(digits.len(), 8 | 17) && digits.bytes().all(|b| b.is_ascii_hexdigit());
            if kind != "String" || !is_image {
                return Err(ApiError::validation(
                    "A parameter of the DataType aws:ec2:image is of the Type String, and its value an image's id: \
                     ami- and 8 or 17 hexadecimal digits.",
                ));
            }
        }
        other => {
            return Err(ApiError::validation(format!(
                "The following data type is not supported: {other} (Data type names are all lowercase.)"
            )));
        }
    }
    Ok(data_type)
}

fn check_pattern(pattern: &str, value: &str) -> ApiResult<()> {
    if pattern.is_empty() {
        return Ok(());
    }
    let whole = regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(1 << 20)
        .build()
        .map_err(|_| {
            ApiError::new(
                "InvalidAllowedPatternException",
                "The request does not meet the regular expression requirement: AllowedPattern cannot be read. \
                 Look-around and back-references are not known here.",
            )
        })?;
    if whole.is_match(value) {
        return Ok(());
    }
    Err(ApiError::new(
        "ParameterPatternMismatchException",
        format!("Parameter value, cannot be validated against allowedPattern: {pattern}"),
    ))
}

async fn decide_tier(
    plane: &ControlPlane,
    call: &Call,
    input: &Input,
    old: Option<&ParameterRow>,
    has_policies: bool,
) -> ApiResult<&'static str> {
    let count =
        async |tier: &str, most: i64| queries::count(plane.db.reader(), &call.region, tier, most).await;
    // Only a new parameter can be one too many.
    let standard_has_room =
        old.is_some() || count(STANDARD, tiers::STANDARD_COUNT).await? < tiers::STANDARD_COUNT;
    // What is said for all new parameters holds where nothing is said of this one.
    let usual = match (&input.tier, old) {
        (None, None) => Some(settings::value_of(plane, &call.region, settings::PARAMETER_TIER).await?),
        _ => None,
    };
    let tier = tiers::decide(Ask {
        wanted: input.tier.as_deref().or(usual.as_deref()),
        has: old.map(|old| old.tier.as_str()),
        chars: input.value.chars().count(),
        has_policies,
        standard_has_room,
    })?;
    let is_new_there = tier == ADVANCED && old.is_none_or(|old| old.tier != ADVANCED);
    if is_new_there && count(ADVANCED, tiers::ADVANCED_COUNT).await? >= tiers::ADVANCED_COUNT {
        return Err(tiers::full(tiers::ADVANCED_COUNT, "advanced"));
    }
    Ok(tier)
}

/// The key that the value is sealed with; empty when it is not sealed.
fn decide_key(input: &Input, old: Option<&ParameterRow>, kind: &str) -> ApiResult<String> {
    if kind != SECURE {
        return match &input.key_id {
            None => Ok(String::new()),
            Some(_) => Err(ApiError::validation(format!(
                "KeyId is for parameters of the Type SecureString only, and this one is a {kind}: leave it out."
            ))),
        };
    }
    let named = input.key_id.clone().or_else(|| old.map(|old| old.key_id.clone()));
    Ok(named.unwrap_or_else(|| DEFAULT_ALIAS.to_owned()))
}

/// Everything but the version's number, checked.
async fn next_version(
    plane: &ControlPlane,
    call: &Call,
    input: &Input,
    name: &Name,
    old: Option<&ParameterRow>,
) -> ApiResult<ParameterRow> {
    let kind = decide_type(input, old)?;
    let data_type = decide_data_type(input, old, &kind)?;
    let kept = |given: &Option<String>, of: fn(&ParameterRow) -> &String| {
        given
            .clone()
            .or_else(|| old.map(|old| of(old).clone()))
            .unwrap_or_default()
    };
    let allowed_pattern = kept(&input.allowed_pattern, |old| &old.allowed_pattern);
    check_pattern(&allowed_pattern, &input.value)?;
    let policies: Vec<Policy> = match &input.policies {
        Some(text) => policies::read(text, call.now)?,
        None => policies::renewed(old.map(|old| old.policies.clone()).unwrap_or_default()),
    };
    let tier = decide_tier(plane, call, input, old, !policies.is_empty()).await?;
    let key_id = decide_key(input, old, &kind)?;
    let value = if kind == SECURE {
        seal(plane, call, &name.key, &key_id, &input.value).await?
    } else {
        input.value.clone()
    };
    Ok(ParameterRow {
        region: call.region.clone(),
        key: name.key.clone(),
        name: old.map_or_else(|| name.spelled.clone(), |old| old.name.clone()),
        version: old.map_or(1, |old| old.version + 1),
        kind,
        value,
        key_id,
        description: kept(&input.description, |old| &old.description),
        allowed_pattern,
        tier: tier.to_owned(),
        data_type,
        policy_due_at: policies::first_due(&policies, call.now),
        policies,
        modified_at: call.now,
        modified_by: crate::caller_identity::arn(plane, &call.caller),
    })
}

/// Makes room for one more version: the oldest one goes, unless it has a label.
async fn make_room(
    transaction: &mut sqlx::Transaction<'static, sqlx::Any>,
    row: &ParameterRow,
) -> ApiResult<()> {
    let (oldest, count) = queries::oldest(&mut **transaction, &row.region, &row.key).await?;
    if count < MAX_VERSIONS {
        return Ok(());
    }
    let labels = label_queries::labels_of(&mut **transaction, &row.region, &row.key, Some(oldest)).await?;
    if !labels.is_empty() {
        return Err(ApiError::new(
            "ParameterMaxVersionLimitExceeded",
            format!(
                "You attempted to create a new version of {} by calling the PutParameter API with the overwrite flag. \
                 Version {oldest}, the oldest version, can't be deleted because it has a label associated with it. Move \
                 the label to another version of the parameter, and try again.",
                row.name
            ),
        ));
    }
    queries::delete_version(&mut **transaction, &row.region, &row.key, oldest).await
}

/// Writes a version down; `false` when somebody else wrote one in between.
async fn write(
    plane: &ControlPlane,
    row: &ParameterRow,
    name: &Name,
    old: Option<&ParameterRow>,
    new_tags: &[(String, String)],
) -> ApiResult<bool> {
    let mut transaction = plane.db.begin().await?;
    if let Some(old) = old {
        if !queries::retire(&mut *transaction, old).await? {
            return Ok(false);
        }
        make_room(&mut transaction, row).await?;
    }
    match queries::insert(&mut *transaction, row, name.parent()).await {
        Err(error) if error.is_unique_violation() => return Ok(false),
        other => other?,
    }
    for tag in new_tags {
        tags::put(&mut *transaction, &row.region, TAGS, &row.key, tag).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, mut input: Input) -> ApiResult<Output> {
    check_request(&input)?;
    let name = Name::for_writing(&input.name, place(plane, call))?;
    let new_tags = check_new(input.tags.take().unwrap_or_default())?;
    let _turn = plane
        .parameter_turns
        .of((call.region.as_str(), name.key.as_str()))
        .await;
    for _ in 0..TRIES {
        let old = queries::current(plane.db.reader(), &call.region, &name.key).await?;
        if old.is_some() && input.overwrite != Some(true) {
            return Err(ApiError::new(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
            ));
        }
        let row = next_version(plane, call, &input, &name, old.as_ref()).await?;
        if write(plane, &row, &name, old.as_ref(), &new_tags).await? {
            return Ok(Output {
                version: row.version,
                tier: row.tier,
            });
        }
    }
    Err(ApiError::new(
        "TooManyUpdates",
        "There are concurrent updates for a resource that supports one update at a time: try again.",
    ))
}
