-- How nodes stand against their patch baselines, as their last scan found: counts of patches. A node without a row was never
-- scanned. Times are epoch milliseconds.
create table patch_states (
    connection_id text not null,
    node_id text not null,
    baseline_id text not null,
    patch_group text not null,
    snapshot_id text not null,
    operation text not null,
    ended_at bigint not null,
    installed bigint not null,
    installed_other bigint not null,
    pending_reboot bigint not null,
    rejected bigint not null,
    missing bigint not null,
    failed bigint not null,
    critical bigint not null,
    security bigint not null,
    other bigint not null,
    primary key (connection_id, node_id)
);
create index patch_states_by_baseline on patch_states (connection_id, baseline_id);
-- When the states of all nodes of a connection were last copied.
create table patch_copies (
    connection_id text not null primary key,
    states_at bigint,
    baselines_at bigint
);
-- Patch baselines as they are now. The content is JSON in a fixed order; its SHA-256 says whether it is the same.
create table patch_baselines (
    connection_id text not null,
    baseline_id text not null,
    name text not null,
    operating_system text not null,
    is_given bigint not null,
    is_default bigint not null,
    patch_groups text not null,
    content text not null,
    sha256 text not null,
    modified_at bigint not null,
    -- Until when a change that the portal is about to make keeps others from changing the same content.
    claimed_until bigint not null default 0,
    synced_at bigint not null,
    primary key (connection_id, baseline_id)
);
-- What a baseline has said, each time that the portal found it different: Systems Manager keeps no versions. Who changed it is
-- known where it was done here.
create table patch_baseline_versions (
    connection_id text not null,
    baseline_id text not null,
    number bigint not null,
    content text not null,
    sha256 text not null,
    seen_at bigint not null,
    changed_by text not null,
    request_id text not null,
    primary key (connection_id, baseline_id, number)
);
