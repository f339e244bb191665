//! `docs/ssm-compatibility.md`, made from the dispatcher: what is answered, what really acts on nodes, and what is
//! refused. `MUSTER_WRITE_DOCS=yes cargo test -p muster-control-plane --test it catalogue` writes it anew.

use muster_control_plane::{Access, OPERATIONS, Operation, Who};
use std::fmt::Write as _;
use std::path::Path;

/// All operations of the service's public model (botocore 1.44.5).
const MODEL: &[&str] = &[
    "AddTagsToResource",
    "AssociateOpsItemRelatedItem",
    "CancelCommand",
    "CancelMaintenanceWindowExecution",
    "CreateActivation",
    "CreateAssociation",
    "CreateAssociationBatch",
    "CreateCloudConnector",
    "CreateDocument",
    "CreateMaintenanceWindow",
    "CreateOpsItem",
    "CreateOpsMetadata",
    "CreatePatchBaseline",
    "CreateResourceDataSync",
    "DeleteActivation",
    "DeleteAssociation",
    "DeleteCloudConnector",
    "DeleteDocument",
    "DeleteInventory",
    "DeleteMaintenanceWindow",
    "DeleteOpsItem",
    "DeleteOpsMetadata",
    "DeleteParameter",
    "DeleteParameters",
    "DeletePatchBaseline",
    "DeleteResourceDataSync",
    "DeleteResourcePolicy",
    "DeregisterDefaultHostManagementConfiguration",
    "DeregisterManagedInstance",
    "DeregisterPatchBaselineForPatchGroup",
    "DeregisterTargetFromMaintenanceWindow",
    "DeregisterTaskFromMaintenanceWindow",
    "DescribeActivations",
    "DescribeAssociation",
    "DescribeAssociationExecutionTargets",
    "DescribeAssociationExecutions",
    "DescribeAutomationExecutions",
    "DescribeAutomationStepExecutions",
    "DescribeAvailablePatches",
    "DescribeDocument",
    "DescribeDocumentPermission",
    "DescribeEffectiveInstanceAssociations",
    "DescribeEffectivePatchesForPatchBaseline",
    "DescribeInstanceAssociationsStatus",
    "DescribeInstanceInformation",
    "DescribeInstancePatchStates",
    "DescribeInstancePatchStatesForPatchGroup",
    "DescribeInstancePatches",
    "DescribeInstanceProperties",
    "DescribeInventoryDeletions",
    "DescribeMaintenanceWindowExecutionTaskInvocations",
    "DescribeMaintenanceWindowExecutionTasks",
    "DescribeMaintenanceWindowExecutions",
    "DescribeMaintenanceWindowSchedule",
    "DescribeMaintenanceWindowTargets",
    "DescribeMaintenanceWindowTasks",
    "DescribeMaintenanceWindows",
    "DescribeMaintenanceWindowsForTarget",
    "DescribeOpsItems",
    "DescribeParameters",
    "DescribePatchBaselines",
    "DescribePatchGroupState",
    "DescribePatchGroups",
    "DescribePatchProperties",
    "DescribeSessions",
    "DisassociateOpsItemRelatedItem",
    "GetAccessToken",
    "GetAutomationExecution",
    "GetCalendarState",
    "GetCloudConnector",
    "GetCommandInvocation",
    "GetConnectionStatus",
    "GetDefaultPatchBaseline",
    "GetDeployablePatchSnapshotForInstance",
    "GetDocument",
    "GetExecutionPreview",
    "GetInventory",
    "GetInventorySchema",
    "GetMaintenanceWindow",
    "GetMaintenanceWindowExecution",
    "GetMaintenanceWindowExecutionTask",
    "GetMaintenanceWindowExecutionTaskInvocation",
    "GetMaintenanceWindowTask",
    "GetOpsItem",
    "GetOpsMetadata",
    "GetOpsSummary",
    "GetParameter",
    "GetParameterHistory",
    "GetParameters",
    "GetParametersByPath",
    "GetPatchBaseline",
    "GetPatchBaselineForPatchGroup",
    "GetResourcePolicies",
    "GetServiceSetting",
    "LabelParameterVersion",
    "ListAssociationVersions",
    "ListAssociations",
    "ListCloudConnectors",
    "ListCommandInvocations",
    "ListCommands",
    "ListComplianceItems",
    "ListComplianceSummaries",
    "ListDocumentMetadataHistory",
    "ListDocumentVersions",
    "ListDocuments",
    "ListInventoryEntries",
    "ListNodes",
    "ListNodesSummary",
    "ListOpsItemEvents",
    "ListOpsItemRelatedItems",
    "ListOpsMetadata",
    "ListResourceComplianceSummaries",
    "ListResourceDataSync",
    "ListTagsForResource",
    "ModifyDocumentPermission",
    "PutComplianceItems",
    "PutInventory",
    "PutParameter",
    "PutResourcePolicy",
    "RegisterDefaultHostManagementConfiguration",
    "RegisterDefaultPatchBaseline",
    "RegisterPatchBaselineForPatchGroup",
    "RegisterTargetWithMaintenanceWindow",
    "RegisterTaskWithMaintenanceWindow",
    "RemoveTagsFromResource",
    "ResetServiceSetting",
    "ResumeSession",
    "SendAutomationSignal",
    "SendCommand",
    "StartAccessRequest",
    "StartAssociationsOnce",
    "StartAutomationExecution",
    "StartChangeRequestExecution",
    "StartExecutionPreview",
    "StartSession",
    "StopAutomationExecution",
    "TerminateSession",
    "UnlabelParameterVersion",
    "UpdateAssociation",
    "UpdateAssociationStatus",
    "UpdateCloudConnector",
    "UpdateDocument",
    "UpdateDocumentDefaultVersion",
    "UpdateDocumentMetadata",
    "UpdateMaintenanceWindow",
    "UpdateMaintenanceWindowTarget",
    "UpdateMaintenanceWindowTask",
    "UpdateManagedInstanceRole",
    "UpdateOpsItem",
    "UpdateOpsMetadata",
    "UpdatePatchBaseline",
    "UpdateResourceDataSync",
    "UpdateServiceSetting",
    "ValidateCloudConnector",
];

/// Those that do something on a node.
const EXECUTES: [&str; 13] = [
    "StartAutomationExecution",
    "CancelCommand",
    "CancelMaintenanceWindowExecution",
    "CreateAssociation",
    "CreateAssociationBatch",
    "CreateSnapshot",
    "RegisterTaskWithMaintenanceWindow",
    "ResumeSession",
    "SendCommand",
    "StartAssociationsOnce",
    "StartSession",
    "TerminateSession",
    "UpdateAssociation",
];

/// What somebody should know who expects the service itself.
const NOTES: &[(&str, &str)] = &[
    (
        "GetInventory",
        "Aggregators of two levels; they look at all nodes. What is told of a node itself is its newest sign of life.",
    ),
    ("CreateAlias", "Deleting and updating aliases is not answered."),
    (
        "CreateDocument",
        "Types Command (schema 1.0 to 2.2), Session (1.0) and Automation (0.3), JSON or YAML; no attachments, no `Requires`.",
    ),
    (
        "CreatePatchBaseline",
        "Rules, names and rejections decide on nodes of Debian and Ubuntu (apt) and of Red Hat's family (dnf 4), by \
         `AWS-RunPatchBaseline`; baselines of other systems are kept. Debian and Ubuntu do not tell when an update was \
         released: approval delays do not hold there.",
    ),
    (
        "DescribeAvailablePatches",
        "What the nodes have found in their repositories, for 90 days; so is what is effective for a baseline.",
    ),
    (
        "CreateSnapshot",
        "The node takes one of itself: by its owner's program `/etc/muster-agent/snapshot`, or of a root on btrfs or LVM. A \
         node that has none of these has no volume.",
    ),
    (
        "DescribeInstances",
        "The nodes, as `i-` with the digits of their `mi-`; operators may use either name wherever a node is named.",
    ),
    (
        "CreateKey",
        "Symmetric keys for ENCRYPT_DECRYPT; no key policies, no tags.",
    ),
    (
        "ModifyDocumentPermission",
        "Who a document is shared with is kept; other accounts do not reach this endpoint.",
    ),
    (
        "CreateAssociation",
        "Command documents. It runs at once, on its schedule, after changes and on nodes that newly match; a run that was \
         missed is made up for once. Change calendars, several accounts and target maps are refused.",
    ),
    (
        "PutComplianceItems",
        "For managed nodes. Items of the type Patch come from `AWS-RunPatchBaseline` alone.",
    ),
    (
        "CreateMaintenanceWindow",
        "It opens within a second of its time. A start that the control plane was not there for is recorded as missed and \
         not made up for.",
    ),
    (
        "DescribeMaintenanceWindowSchedule",
        "A year ahead, 1,000 openings at most.",
    ),
    (
        "RegisterTaskWithMaintenanceWindow",
        "Tasks of the types RUN_COMMAND and AUTOMATION are run; the other types are kept, and fail with the reason when the window opens. \
         The document has to be there when the task is registered.",
    ),
    (
        "PutParameter",
        "`--overwrite` with `--tags` is refused, as the service does. A value of the data type aws:ec2:image is checked \
         before the answer, and by its form only. Allowed patterns know no look-around and no back-references.",
    ),
    (
        "SendCommand",
        "Documents may run others (`aws:runDocument`) and download from HTTP, S3 and documents (`aws:downloadContent`; no Git, no \
         folders); which version runs is decided when the command is sent. `AWS-GatherSoftwareInventory` really collects. `AWS-RunPatchBaseline` scans and installs by apt and dnf. A node is rebooted when patches or scripts (status 194) ask \
         for it, and its agent may. Resource groups may be targets. `{{ssm:name}}` is followed when the command is sent; secrets are refused. Output goes to \
         the bucket that is named, once the node's part has ended: to a folder, or to S3 (`bucket_store`), as far as the agent \
         streams it; to CloudWatch it does not. A notification goes to a topic of this endpoint.",
    ),
    (
        "StartAutomationExecution",
        "Runs aws:runCommand, sleep, pause, approve, branch, loop, updateVariable, executeAwsApi (operations of this endpoint; no \
         secrets), waitForAwsResourceProperty, assertAwsResourceProperty, executeAutomation, executeScript and \
         invokeWebhook; those about other services fail with the reason. A loop that fails follows its own onFailure. Scripts \
         (python3, bash, sh; no PowerShell, no attachments) run in a sandbox on this machine, without network and without \
         credentials; references within their text are not followed. A webhook is an integration in Parameter Store, as the \
         service keeps them. Targets are values, tags, groups and maps, each an execution of its own; one account and region. \
         AWS-PatchInstanceWithRollback (snapshot, patches, health check; back by the node's own program \
         /etc/muster-agent/rollback, or it says that it cannot), Muster-DeployApplication and Muster-RestartServices are there.",
    ),
    (
        "StartExecutionPreview",
        "Automation. It is ready at once, and kept for a day.",
    ),
    (
        "SendAutomationSignal",
        "All but Revoke, which is for access requests. StopStep ends the execution. Whoever holds the operator's key decides as one person.",
    ),
    (
        "CreateGroup",
        "A query for nodes by their tags (TAG_FILTERS_1_0), which targets of commands, windows and associations name. No stacks, \
         no Configuration.",
    ),
    (
        "CreateResourceDataSync",
        "To a bucket: a folder of the data directory, or of S3 or what speaks like it (`bucket_store`). One account: no SyncFromSource.",
    ),
    ("UpdateResourceDataSync", "Refused: it is for SyncFromSource."),
    (
        "Subscribe",
        "Webhooks by http and https, after they have confirmed. No filter policies; messages are not signed.",
    ),
    ("CreateTopic", "Standard topics: no FIFO, no tags, no policies."),
    (
        "Publish",
        "To topics. A webhook that does not answer is tried again for a day.",
    ),
    (
        "UpdateServiceSetting",
        "The default tier of parameters and the public sharing of documents hold; the others are kept.",
    ),
    (
        "AddTagsToResource",
        "For managed nodes, parameters, documents, maintenance windows, patch baselines, associations and automation executions; so are the other two.",
    ),
];

fn how(operation: &Operation) -> &'static str {
    if EXECUTES.contains(&operation.name) {
        return "executes";
    }
    match operation.access {
        Access::Read | Access::Write => "answers",
        Access::Reveal => "answers; audited where a secret is told",
    }
}

fn note(name: &str) -> &'static str {
    NOTES
        .iter()
        .find(|(of, _)| *of == name)
        .map_or("", |(_, note)| note)
}

fn table(text: &mut String, title: &str, operations: &[&Operation]) {
    writeln!(
        text,
        "\n## {title}\n\n| Operation | What happens | Worth knowing |\n| --- | --- | --- |"
    )
    .unwrap();
    for operation in operations {
        writeln!(
            text,
            "| `{}` | {} | {} |",
            operation.name,
            how(operation),
            note(operation.name)
        )
        .unwrap();
    }
}

fn document() -> String {
    let of = |service: &str, who: &[Who]| {
        let mut found: Vec<&Operation> = OPERATIONS
            .iter()
            .filter(|o| o.service == service && who.contains(&o.who))
            .collect();
        found.sort_by_key(|operation| operation.name);
        found
    };
    let ssm = of("ssm", &[Who::Operator, Who::OperatorOrNode]);
    let refused: Vec<&&str> = MODEL
        .iter()
        .filter(|name| !OPERATIONS.iter().any(|o| o.service == "ssm" && o.name == **name))
        .collect();
    let mut text = format!(
        "# What the embedded endpoint answers\n\n\
         Made from the dispatcher by a test (`crates/control-plane/tests/it/catalogue.rs`). *executes*: it acts on nodes. \
         *answers*: it keeps\nand tells what is asked. Of the {} operations of Systems Manager's public model, {} are \
         answered; the others get\n`UnknownOperationException` with status 400. What inputs are checked for is compared \
         with that model by `tests/python/model_test.py`.\n",
        MODEL.len(),
        MODEL.len() - refused.len()
    );
    table(&mut text, "Systems Manager", &ssm);
    table(&mut text, "Key Management Service", &of("kms", &[Who::Operator]));
    table(
        &mut text,
        "Beside them",
        &[
            of("ec2", &[Who::Operator]),
            of("sns", &[Who::Operator, Who::Anonymous]),
            of("resource-groups", &[Who::Operator]),
            of("sts", &[Who::AnyKey]),
            of("s3", &[Who::Operator]),
        ]
        .concat(),
    );
    let nodes: Vec<&Operation> = OPERATIONS
        .iter()
        .filter(|o| o.service != "sns" && matches!(o.who, Who::Node | Who::NodeKey | Who::Anonymous))
        .collect();
    table(&mut text, "For agents", &nodes);
    text.push_str("\n## Refused\n\n");
    let names: Vec<String> = refused.iter().map(|name| format!("`{name}`")).collect();
    text.push_str(&names.join(", "));
    text.push_str(".\n");
    text
}

#[test]
fn the_document_says_what_the_dispatcher_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ssm-compatibility.md");
    let expected = document();
    if std::env::var("MUSTER_WRITE_DOCS").is_ok_and(|value| value == "yes") {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/ssm-compatibility.md is not what the dispatcher does: MUSTER_WRITE_DOCS=yes writes it anew"
    );
}

#[test]
fn notes_speak_of_operations_that_are_there() {
    for (name, _) in NOTES {
        assert!(OPERATIONS.iter().any(|o| o.name == *name), "{name}");
    }
    for name in EXECUTES {
        assert!(OPERATIONS.iter().any(|o| o.name == name), "{name}");
    }
}
