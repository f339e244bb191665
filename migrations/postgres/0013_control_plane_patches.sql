-- Patch Manager and inventory of the embedded control plane. Times are epoch milliseconds; `region` separates one region's
-- state from another's. Baselines that come with the control plane are in the program, not here.
create table ssm_patch_baselines (
    region text not null,
    baseline_id text not null,
    definition text not null,
    created_at bigint not null,
    modified_at bigint not null,
    primary key (region, baseline_id)
);
-- Which baseline holds where nothing else is said, for operating systems where somebody chose one.
create table ssm_patch_defaults (
    region text not null,
    operating_system text not null,
    baseline_id text not null,
    primary key (region, operating_system)
);
create table ssm_patch_groups (
    region text not null,
    patch_group text not null,
    operating_system text not null,
    baseline_id text not null,
    primary key (region, patch_group, operating_system)
);
create index ssm_patch_groups_by_baseline on ssm_patch_groups (region, baseline_id);
-- A baseline as it was when a run began: all nodes of the run are held against the same.
create table ssm_patch_snapshots (
    region text not null,
    snapshot_id text not null,
    baseline_id text not null,
    content text not null,
    created_at bigint not null,
    primary key (region, snapshot_id, baseline_id)
);
create index ssm_patch_snapshots_by_age on ssm_patch_snapshots (created_at);
-- How a node stands: the last scan or installation. Its patches are in its inventory.
create table ssm_patch_states (
    region text not null,
    node_id text not null,
    patch_group text not null,
    baseline_id text not null,
    snapshot_id text not null,
    owner_information text not null,
    operation text not null,
    reboot_option text not null,
    started_at bigint not null,
    ended_at bigint not null,
    last_no_reboot_at bigint,
    installed_count bigint not null,
    installed_other_count bigint not null,
    installed_pending_reboot_count bigint not null,
    installed_rejected_count bigint not null,
    missing_count bigint not null,
    failed_count bigint not null,
    available_security_update_count bigint not null,
    critical_non_compliant_count bigint not null,
    security_non_compliant_count bigint not null,
    other_non_compliant_count bigint not null,
    primary key (region, node_id)
);
create index ssm_patch_states_by_group on ssm_patch_states (region, patch_group, node_id);
-- Updates that nodes have found to be available.
create table ssm_available_patches (
    region text not null,
    patch_key text not null,
    operating_system text not null,
    definition text not null,
    seen_at bigint not null,
    primary key (region, patch_key)
);
create index ssm_available_patches_by_age on ssm_available_patches (region, seen_at);
-- What nodes have: one row for each type, its content as it was sent.
create table ssm_inventory (
    region text not null,
    node_id text not null,
    type_name text not null,
    schema_version text not null,
    capture_time text not null,
    content_hash text not null,
    content text not null,
    entries bigint not null,
    modified_at bigint not null,
    primary key (region, node_id, type_name)
);
create index ssm_inventory_by_type on ssm_inventory (region, type_name, node_id);
