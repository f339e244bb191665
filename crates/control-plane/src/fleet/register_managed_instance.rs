//! `RegisterManagedInstance`, called unsigned by an agent: the activation's code is the secret. The same
//! machine with the same key gets the same node id again, so a lost answer costs nothing.

use super::queries::{self, NodeRow, activation, insert_node, take_registration};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::tags::{NODE, queries as tags};
use crate::validation::{Member, one_of, required, sensitive, text};
use muster_agent_protocol::calls::{RegisterManagedInstanceRequest, RegisterManagedInstanceResponse};
use muster_agent_protocol::signing::{NodeKey, sha256_hex};

pub(crate) const INPUT: &[Member] = &[
    sensitive(required("ActivationCode", text(20, 250))),
    required("ActivationId", text(36, 36)),
    required("Fingerprint", text(1, 512)),
    required("PublicKey", text(1, 4096)),
    required("PublicKeyType", one_of(&["Rsa", "Ed25519"])),
];

pub(crate) async fn call(
    plane: &ControlPlane,
    call: &Call,
    input: RegisterManagedInstanceRequest,
) -> ApiResult<RegisterManagedInstanceResponse> {
    let invalid = || {
        ApiError::new(
            "InvalidActivation",
            "The activation is not valid: its id or code is wrong, it was deleted, it has expired, or all of its \
             registrations are used.",
        )
    };
    if NodeKey::parse(&input.public_key_type, &input.public_key).is_none() {
        return Err(ApiError::validation(format!(
            "PublicKey is not a key of type {}.",
            input.public_key_type
        )));
    }
    let mut transaction = plane.db.begin().await?;
    let given = sha256_hex(input.activation_code.as_bytes());
    let activation = activation(&mut *transaction, &input.activation_id)
        .await?
        .filter(|row| {
            bool::from(subtle::ConstantTimeEq::ct_eq(
                row.code_hash.as_bytes(),
                given.as_bytes(),
            ))
        })
        .ok_or_else(invalid)?;
    let mut sql = queries::nodes_sql();
    sql.push("where n.activation_id = ")
        .text(&activation.activation_id);
    sql.push(" and n.fingerprint = ").text(&input.fingerprint);
    sql.push(" and n.public_key = ").text(&input.public_key);
    if let Some(known) = queries::nodes(sql, &mut *transaction).await?.first() {
        return Ok(RegisterManagedInstanceResponse {
            instance_id: known.node_id.clone(),
        });
    }
    if !take_registration(&mut *transaction, &activation.activation_id, call.now).await? {
        return Err(invalid());
    }
    let digits = plane.random.hex(9);
    let node = NodeRow {
        node_id: format!("mi-{}", digits.get(..17).unwrap_or_default()),
        region: activation.region,
        activation_id: activation.activation_id,
        iam_role: activation.iam_role,
        name: activation.default_instance_name,
        fingerprint: input.fingerprint,
        public_key: input.public_key,
        public_key_type: input.public_key_type,
        registered_at: call.now,
        last_ping_at: call.now,
        agent_version: String::new(),
        platform_type: String::new(),
        platform_name: String::new(),
        platform_version: String::new(),
        computer_name: String::new(),
        ip_address: String::new(),
        snapshots: String::new(),
    };
    insert_node(&mut *transaction, &node).await?;
    for tag in &activation.tags {
        tags::put(&mut *transaction, &node.region, NODE, &node.node_id, tag).await?;
    }
    transaction.commit().await?;
    plane.nodes_have_changed();
    Ok(RegisterManagedInstanceResponse {
        instance_id: node.node_id,
    })
}
