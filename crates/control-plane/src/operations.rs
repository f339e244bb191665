//! Every operation that is answered: its name, whether it changes something, who may call it, and the
//! function behind it. The dispatcher is made from the same list, so neither can miss one.

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::signature::Caller;
use crate::validation::{self, Member, Shape, model};
use muster_domain::Timestamp;
use serde_json::Value;

/// Whether an operation changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It only answers.
    Read,
    /// It only answers, but may answer secrets: calls that ask for them in the clear are audited.
    Reveal,
    /// It changes something; such calls are audited, unless a node merely reports.
    Write,
}

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Holders of the operator's or the portal's key.
    Operator,
    /// Holders of the operator's or the portal's key, and a node about itself.
    OperatorOrNode,
    /// A node, about itself.
    Node,
    /// A node with its own key pair, not with temporary keys.
    NodeKey,
    /// Anybody who signed.
    AnyKey,
    /// Anybody; the request carries its own secret.
    Anonymous,
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The name that the service signs for: `ssm`, `kms`, `ec2`, `sns`, `resource-groups`, `sts`, `ec2messages`, `ssmmessages` or `s3`.
    pub service: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Whether it changes something.
    pub access: Access,
    /// Who may.
    pub who: Who,
}

/// What an operation knows of the call besides its input.
pub(crate) struct Call {
    pub(crate) caller: Caller,
    /// The partition of all state.
    pub(crate) region: String,
    /// An id for what the call makes, chosen before so that the audit log can name it.
    pub(crate) fresh_id: String,
    /// `http://host:port` as the caller wrote it, for URLs in answers.
    pub(crate) base_url: String,
    pub(crate) now: Timestamp,
}

impl Call {
    /// What the control plane does by itself at this moment, as the one that the portal belongs to.
    pub(crate) fn of_server(plane: &ControlPlane, region: &str) -> Self {
        Self {
            caller: Caller::Operator {
                key_id: String::new(),
                is_portal: true,
            },
            region: region.to_owned(),
            fresh_id: plane.random.uuid(),
            base_url: String::new(),
            now: plane.clock.now(),
        }
    }

    /// That a node speaks only of itself.
    pub(crate) fn check_own(&self, node_id: &str) -> ApiResult<()> {
        match &self.caller {
            Caller::Node { node_id: own, .. } | Caller::NodeKey { node_id: own } if own != node_id => {
                Err(ApiError::denied(
                    "A node may only speak of itself: the InstanceId is not the one of its credentials.",
                ))
            }
            _ => Ok(()),
        }
    }
}

macro_rules! operations {
    ($($service:literal $name:ident $access:ident $who:ident $($module:ident)::+;)*
     not dispatched: $($other_service:literal $other:ident $other_access:ident $other_who:ident;)*) => {
        /// All of them.
        pub const OPERATIONS: &[Operation] = &[
            $(Operation { service: $service, name: stringify!($name), access: Access::$access, who: Who::$who },)*
            $(Operation {
                service: $other_service, name: stringify!($other), access: Access::$other_access, who: Who::$other_who,
            },)*
        ];

        /// What the inputs of the dispatched ones are made of.
        const INPUTS: &[(&str, &[Member])] = &[$((stringify!($name), crate::$($module)::+::INPUT),)*];

        /// Checks the input of an operation and does it.
        pub(crate) async fn dispatch(
            plane: &ControlPlane,
            call: &Call,
            name: &str,
            input: Value,
        ) -> ApiResult<Value> {
            match name {
                $(stringify!($name) => {
                    let input = validation::read(crate::$($module)::+::INPUT, input)?;
                    let output = Box::pin(crate::$($module)::+::call(plane, call, input)).await?;
                    serde_json::to_value(output).map_err(ApiError::internal)
                })*
                _ => Err(unknown()),
            }
        }
    };
}

operations! {
    "ssm" AddTagsToResource Write Operator tags::add_tags_to_resource;
    "ssm" CancelCommand Write Operator commands::cancel_command;
    "ssm" CreateDocument Write Operator documents::create_document;
    "ssm" DeleteDocument Write Operator documents::delete_document;
    "ssm" DescribeSessions Read Operator sessions::describe_sessions;
    "ssm" ResumeSession Write Operator sessions::resume_session;
    "ssm" StartSession Write Operator sessions::start_session;
    "ssm" TerminateSession Write Operator sessions::terminate_session;
    "ssm" UpdateDocument Write Operator documents::update_document;
    "ssm" UpdateDocumentDefaultVersion Write Operator documents::update_document_default_version;
    "ssm" CreateActivation Write Operator fleet::create_activation;
    "ssm" DeleteActivation Write Operator fleet::delete_activation;
    "ssm" DeregisterManagedInstance Write Operator fleet::deregister_managed_instance;
    "ssm" DescribeActivations Read Operator fleet::describe_activations;
    "ssm" DescribeDocument Read Operator documents::describe_document;
    "ssm" DescribeDocumentPermission Read Operator documents::describe_document_permission;
    "ssm" ListDocumentVersions Read Operator documents::list_document_versions;
    "ssm" ModifyDocumentPermission Write Operator documents::modify_document_permission;
    "ssm" DescribeInstanceInformation Read Operator fleet::describe_instance_information;
    "ssm" DescribeInstanceProperties Read Operator fleet::describe_instance_properties;
    "ssm" GetCommandInvocation Read Operator commands::get_command_invocation;
    "ssm" GetConnectionStatus Read Operator fleet::get_connection_status;
    "ssm" GetDocument Read Operator documents::get_document;
    "ssm" ListCommandInvocations Read Operator commands::list_command_invocations;
    "ssm" ListCommands Read Operator commands::list_commands;
    "ssm" ListDocuments Read Operator documents::list_documents;
    "ssm" ListTagsForResource Read Operator tags::list_tags_for_resource;
    "ssm" RemoveTagsFromResource Write Operator tags::remove_tags_from_resource;
    "ssm" SendCommand Write Operator commands::send_command;
    "ssm" RegisterManagedInstance Write Anonymous fleet::register_managed_instance;
    "ssm" RequestManagedInstanceRoleToken Read NodeKey fleet::request_managed_instance_role_token;
    "ssm" UpdateManagedInstancePublicKey Write NodeKey fleet::update_managed_instance_public_key;
    "ssm" UpdateInstanceInformation Write Node fleet::update_instance_information;
    "ssm" ListInstanceAssociations Read Node fleet::list_instance_associations;
    "ssm" DeleteParameter Write Operator parameters::delete_parameter;
    "ssm" DeleteParameters Write Operator parameters::delete_parameters;
    "ssm" DescribeParameters Read Operator parameters::describe_parameters;
    "ssm" GetParameter Reveal Operator parameters::get_parameter;
    "ssm" GetParameterHistory Reveal Operator parameters::get_parameter_history;
    "ssm" GetParameters Reveal Operator parameters::get_parameters;
    "ssm" GetParametersByPath Reveal Operator parameters::get_parameters_by_path;
    "ssm" LabelParameterVersion Write Operator parameters::label_parameter_version;
    "ssm" PutParameter Write Operator parameters::put_parameter;
    "ssm" UnlabelParameterVersion Write Operator parameters::unlabel_parameter_version;
    "ssm" GetServiceSetting Read Operator settings::get_service_setting;
    "ssm" ResetServiceSetting Write Operator settings::reset_service_setting;
    "ssm" UpdateServiceSetting Write Operator settings::update_service_setting;
    "ssm" CancelMaintenanceWindowExecution Write Operator windows::cancel_maintenance_window_execution;
    "ssm" CreateMaintenanceWindow Write Operator windows::create_maintenance_window;
    "ssm" DeleteMaintenanceWindow Write Operator windows::delete_maintenance_window;
    "ssm" DeregisterTargetFromMaintenanceWindow Write Operator windows::deregister_target_from_maintenance_window;
    "ssm" DeregisterTaskFromMaintenanceWindow Write Operator windows::deregister_task_from_maintenance_window;
    "ssm" DescribeMaintenanceWindowExecutionTaskInvocations Read Operator windows::describe_maintenance_window_execution_task_invocations;
    "ssm" DescribeMaintenanceWindowExecutionTasks Read Operator windows::describe_maintenance_window_execution_tasks;
    "ssm" DescribeMaintenanceWindowExecutions Read Operator windows::describe_maintenance_window_executions;
    "ssm" DescribeMaintenanceWindowSchedule Read Operator windows::describe_maintenance_window_schedule;
    "ssm" DescribeMaintenanceWindowTargets Read Operator windows::describe_maintenance_window_targets;
    "ssm" DescribeMaintenanceWindowTasks Read Operator windows::describe_maintenance_window_tasks;
    "ssm" DescribeMaintenanceWindows Read Operator windows::describe_maintenance_windows;
    "ssm" DescribeMaintenanceWindowsForTarget Read Operator windows::describe_maintenance_windows_for_target;
    "ssm" GetMaintenanceWindow Read Operator windows::get_maintenance_window;
    "ssm" GetMaintenanceWindowExecution Read Operator windows::get_maintenance_window_execution;
    "ssm" GetMaintenanceWindowExecutionTask Read Operator windows::get_maintenance_window_execution_task;
    "ssm" GetMaintenanceWindowExecutionTaskInvocation Read Operator windows::get_maintenance_window_execution_task_invocation;
    "ssm" GetMaintenanceWindowTask Read Operator windows::get_maintenance_window_task;
    "ssm" RegisterTargetWithMaintenanceWindow Write Operator windows::register_target_with_maintenance_window;
    "ssm" RegisterTaskWithMaintenanceWindow Write Operator windows::register_task_with_maintenance_window;
    "ssm" UpdateMaintenanceWindow Write Operator windows::update_maintenance_window;
    "ssm" UpdateMaintenanceWindowTarget Write Operator windows::update_maintenance_window_target;
    "ssm" UpdateMaintenanceWindowTask Write Operator windows::update_maintenance_window_task;
    "ssm" CreatePatchBaseline Write Operator patches::create_patch_baseline;
    "ssm" DeletePatchBaseline Write Operator patches::delete_patch_baseline;
    "ssm" DeregisterPatchBaselineForPatchGroup Write Operator patches::deregister_patch_baseline_for_patch_group;
    "ssm" DescribeAvailablePatches Read Operator patches::describe_available_patches;
    "ssm" DescribeEffectivePatchesForPatchBaseline Read Operator patches::describe_effective_patches_for_patch_baseline;
    "ssm" DescribeInstancePatchStates Read Operator patches::describe_instance_patch_states;
    "ssm" DescribeInstancePatchStatesForPatchGroup Read Operator patches::describe_instance_patch_states_for_patch_group;
    "ssm" DescribeInstancePatches Read Operator patches::describe_instance_patches;
    "ssm" DescribePatchBaselines Read Operator patches::describe_patch_baselines;
    "ssm" DescribePatchGroupState Read Operator patches::describe_patch_group_state;
    "ssm" DescribePatchGroups Read Operator patches::describe_patch_groups;
    "ssm" DescribePatchProperties Read Operator patches::describe_patch_properties;
    "ssm" GetDefaultPatchBaseline Read Operator patches::get_default_patch_baseline;
    "ssm" GetPatchBaseline Read Operator patches::get_patch_baseline;
    "ssm" GetPatchBaselineForPatchGroup Read Operator patches::get_patch_baseline_for_patch_group;
    "ssm" RegisterDefaultPatchBaseline Write Operator patches::register_default_patch_baseline;
    "ssm" RegisterPatchBaselineForPatchGroup Write Operator patches::register_patch_baseline_for_patch_group;
    "ssm" UpdatePatchBaseline Write Operator patches::update_patch_baseline;
    "ssm" ListInventoryEntries Read Operator inventory::list_inventory_entries;
    "ssm" PutInventory Write OperatorOrNode inventory::put_inventory;
    "ssm" CreateAssociation Write Operator associations::create_association;
    "ssm" CreateAssociationBatch Write Operator associations::create_association_batch;
    "ssm" DeleteAssociation Write Operator associations::delete_association;
    "ssm" DescribeAssociation Read Operator associations::describe_association;
    "ssm" DescribeAssociationExecutionTargets Read Operator associations::describe_association_execution_targets;
    "ssm" DescribeAssociationExecutions Read Operator associations::describe_association_executions;
    "ssm" DescribeEffectiveInstanceAssociations Read Operator associations::describe_effective_instance_associations;
    "ssm" DescribeInstanceAssociationsStatus Read Operator associations::describe_instance_associations_status;
    "ssm" ListAssociationVersions Read Operator associations::list_association_versions;
    "ssm" ListAssociations Read Operator associations::list_associations;
    "ssm" StartAssociationsOnce Write Operator associations::start_associations_once;
    "ssm" UpdateAssociation Write Operator associations::update_association;
    "ssm" ListComplianceItems Read Operator compliance::list_compliance_items;
    "ssm" ListComplianceSummaries Read Operator compliance::list_compliance_summaries;
    "ssm" ListResourceComplianceSummaries Read Operator compliance::list_resource_compliance_summaries;
    "ssm" DescribeAutomationExecutions Read Operator automation::describe_automation_executions;
    "ssm" DescribeAutomationStepExecutions Read Operator automation::describe_automation_step_executions;
    "ssm" GetAutomationExecution Read Operator automation::get_automation_execution;
    "ssm" GetExecutionPreview Read Operator automation::get_execution_preview;
    "ssm" SendAutomationSignal Write Operator automation::send_automation_signal;
    "ssm" StartAutomationExecution Write Operator automation::start_automation_execution;
    "ssm" StartExecutionPreview Read Operator automation::start_execution_preview;
    "ssm" StopAutomationExecution Write Operator automation::stop_automation_execution;
    "ssm" PutComplianceItems Write OperatorOrNode compliance::put_compliance_items;
    "ssm" DeleteInventory Write Operator inventory::delete_inventory;
    "ssm" DescribeInventoryDeletions Read Operator inventory::describe_inventory_deletions;
    "ssm" GetInventory Read Operator inventory::get_inventory;
    "ssm" GetInventorySchema Read Operator inventory::get_inventory_schema;
    "ssm" AssociateOpsItemRelatedItem Write Operator ops_items::associate_ops_item_related_item;
    "ssm" CreateOpsItem Write Operator ops_items::create_ops_item;
    "ssm" DeleteOpsItem Write Operator ops_items::delete_ops_item;
    "ssm" DescribeOpsItems Read Operator ops_items::describe_ops_items;
    "ssm" DisassociateOpsItemRelatedItem Write Operator ops_items::disassociate_ops_item_related_item;
    "ssm" GetOpsItem Read Operator ops_items::get_ops_item;
    "ssm" GetOpsSummary Read Operator ops_items::get_ops_summary;
    "ssm" ListOpsItemEvents Read Operator ops_items::list_ops_item_events;
    "ssm" ListOpsItemRelatedItems Read Operator ops_items::list_ops_item_related_items;
    "ssm" UpdateOpsItem Write Operator ops_items::update_ops_item;
    "ssm" CreateResourceDataSync Write Operator data_sync::create_resource_data_sync;
    "ssm" DeleteResourceDataSync Write Operator data_sync::delete_resource_data_sync;
    "ssm" ListResourceDataSync Read Operator data_sync::list_resource_data_sync;
    "ssm" UpdateResourceDataSync Write Operator data_sync::update_resource_data_sync;
    "kms" CreateAlias Write Operator kms::create_alias;
    "kms" CreateKey Write Operator kms::create_key;
    "kms" Decrypt Reveal Operator kms::decrypt;
    "kms" DescribeKey Read Operator kms::describe_key;
    "kms" Encrypt Read Operator kms::encrypt;
    "kms" GenerateDataKey Reveal Operator kms::generate_data_key;
    "kms" ListAliases Read Operator kms::list_aliases;
    "kms" ListKeys Read Operator kms::list_keys;
    "ec2" CreateSnapshot Write Operator ec2::create_snapshot;
    "ec2" CreateTags Write Operator ec2::create_tags;
    "ec2" DeleteTags Write Operator ec2::delete_tags;
    "ec2" DescribeInstances Read Operator ec2::describe_instances;
    "ec2" DescribeSnapshots Read Operator ec2::describe_snapshots;
    "sns" ConfirmSubscription Write Anonymous topics::confirm_subscription;
    "sns" CreateTopic Write Operator topics::create_topic;
    "sns" DeleteTopic Write Operator topics::delete_topic;
    "sns" GetTopicAttributes Read Operator topics::get_topic_attributes;
    "sns" ListSubscriptions Read Operator topics::list_subscriptions;
    "sns" ListSubscriptionsByTopic Read Operator topics::list_subscriptions_by_topic;
    "sns" ListTopics Read Operator topics::list_topics;
    "sns" Publish Write Operator topics::publish;
    "sns" Subscribe Write Operator topics::subscribe;
    "sns" Unsubscribe Write Operator topics::unsubscribe;
    "resource-groups" CreateGroup Write Operator groups::create_group;
    "resource-groups" DeleteGroup Write Operator groups::delete_group;
    "resource-groups" GetGroup Read Operator groups::get_group;
    "resource-groups" GetGroupQuery Read Operator groups::get_group_query;
    "resource-groups" GetTags Read Operator groups::get_tags;
    "resource-groups" ListGroupResources Read Operator groups::list_group_resources;
    "resource-groups" ListGroups Read Operator groups::list_groups;
    "resource-groups" SearchResources Read Operator groups::search_resources;
    "resource-groups" Tag Write Operator groups::tag;
    "resource-groups" Untag Write Operator groups::untag;
    "resource-groups" UpdateGroup Write Operator groups::update_group;
    "resource-groups" UpdateGroupQuery Write Operator groups::update_group_query;
    "ec2messages" GetMessages Read Node gateway::get_messages;
    not dispatched:
    "sts" GetCallerIdentity Read AnyKey;
    "ssmmessages" CreateControlChannel Read Node;
    "ssmmessages" OpenControlChannel Read Node;
    "ssmmessages" CreateDataChannel Read Node;
    "ssmmessages" OpenDataChannel Read Anonymous;
    "s3" GetObject Read Operator;
}

/// The input of an operation as this endpoint checks it, in a form that tests compare with the service's own model:
/// a record, whose members have a `name`, `required` and a `shape`. `None` for what is not dispatched.
#[must_use]
pub fn input_model(operation: &str) -> Option<Value> {
    let (_, members) = INPUTS.iter().find(|(name, _)| *name == operation)?;
    Some(model::described(&Shape::Record(members)))
}

pub(crate) fn unknown() -> ApiError {
    ApiError::bare("UnknownOperationException")
}

/// The operation that an `X-Amz-Target` header names.
pub(crate) fn of_target(target: &str) -> Option<&'static Operation> {
    let (prefix, name) = target.split_once('.')?;
    let service = match prefix {
        "AmazonSSM" => "ssm",
        "TrentService" => "kms",
        "EC2WindowsMessageDeliveryService" => "ec2messages",
        _ => return None,
    };
    OPERATIONS
        .iter()
        .find(|operation| operation.service == service && operation.name == name)
}

/// The operation of a service that speaks the Query protocol.
pub(crate) fn of_action(service: &str, action: &str) -> Option<&'static Operation> {
    OPERATIONS
        .iter()
        .find(|operation| operation.service == service && operation.name == action)
}

/// Whether an operation is done by [`dispatch`]; the others are ways of their own.
pub(crate) fn is_dispatched(operation: &Operation) -> bool {
    INPUTS.iter().any(|(name, _)| *name == operation.name)
}

/// The members of an operation's input.
pub(crate) fn members(operation: &Operation) -> &'static [Member] {
    INPUTS
        .iter()
        .find(|(name, _)| *name == operation.name)
        .map_or(&[], |(_, members)| *members)
}

/// Whether that caller may call that operation at all.
pub(crate) fn check_may(operation: &Operation, caller: &Caller) -> ApiResult<()> {
    let may = match operation.who {
        Who::Anonymous | Who::AnyKey => true,
        Who::Operator => matches!(caller, Caller::Operator { .. }),
        Who::OperatorOrNode => matches!(caller, Caller::Operator { .. } | Caller::Node { .. }),
        Who::Node => matches!(caller, Caller::Node { .. }),
        Who::NodeKey => matches!(caller, Caller::NodeKey { .. }),
    };
    if may {
        return Ok(());
    }
    Err(ApiError::denied(format!(
        "These credentials are not allowed to call {}:{}.",
        operation.service, operation.name
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_lead_to_operations() {
        assert_eq!(
            of_target("AmazonSSM.SendCommand").map(|o| o.access),
            Some(Access::Write)
        );
        assert_eq!(
            of_target("EC2WindowsMessageDeliveryService.GetMessages").map(|o| o.who),
            Some(Who::Node)
        );
        for other in [
            "",
            "AmazonSSM",
            "AmazonSSM.",
            "AmazonSSM.GetMessages",
            "AmazonSSM.GetObject",
            "S.SendCommand",
        ] {
            assert_eq!(of_target(other), None, "{other}");
        }
    }
}
