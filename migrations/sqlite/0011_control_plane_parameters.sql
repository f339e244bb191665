-- Parameter Store of the embedded control plane, and the keys that its secrets are sealed with.
-- Times are epoch milliseconds; `region` separates one region's state from another's.
-- One row for each version of a parameter. `name_key` is the name without its leading slash: `foo` and `/foo` are one
-- parameter. `parent` is that up to its last slash. A SecureString's `value` is sealed, never plain.
create table ssm_parameters (
    region text not null,
    name_key text not null,
    parent text not null,
    name text not null,
    version bigint not null,
    is_current bigint not null,
    type text not null,
    value text not null,
    key_id text not null,
    description text not null,
    allowed_pattern text not null,
    tier text not null,
    data_type text not null,
    policies text not null,
    policy_due_at bigint,
    modified_at bigint not null,
    modified_by text not null,
    primary key (region, name_key, version)
);
create unique index ssm_parameters_current on ssm_parameters (region, name_key) where is_current = 1;
create index ssm_parameters_by_parent on ssm_parameters (region, parent, name_key) where is_current = 1;
create index ssm_parameters_by_tier on ssm_parameters (region, tier) where is_current = 1;
create index ssm_parameters_due on ssm_parameters (policy_due_at) where policy_due_at is not null;
create table ssm_parameter_labels (
    region text not null,
    name_key text not null,
    label text not null,
    version bigint not null,
    primary key (region, name_key, label)
);
-- What happened by itself and somebody may want to hear of.
create table ssm_events (
    event_id text not null primary key,
    region text not null,
    at bigint not null,
    detail_type text not null,
    resource text not null,
    detail text not null
);
create index ssm_events_by_time on ssm_events (region, at, event_id);
create index ssm_events_by_age on ssm_events (at);
-- Keys of the key management service; `sealed` is under the master key, which is not in the database.
create table kms_keys (
    region text not null,
    key_id text not null,
    manager text not null,
    description text not null,
    sealed blob not null,
    created_at bigint not null,
    primary key (region, key_id)
);
create table kms_aliases (
    region text not null,
    alias text not null,
    key_id text not null,
    created_at bigint not null,
    primary key (region, alias)
);
create index kms_aliases_by_key on kms_aliases (region, key_id, alias);
-- Parameters of the same name in two regions have tags of their own.
create table ssm_tags_by_region (
    resource_type text not null,
    resource_id text not null,
    region text not null,
    tag_key text not null,
    tag_value text not null,
    primary key (resource_type, resource_id, tag_key, region)
);
insert into ssm_tags_by_region select resource_type, resource_id, region, tag_key, tag_value from ssm_tags;
drop table ssm_tags;
alter table ssm_tags_by_region rename to ssm_tags;
create index ssm_tags_by_key on ssm_tags (region, tag_key, tag_value);
-- What a command's parameters are after their references to Parameter Store were followed; empty where it has none.
alter table ssm_commands add column resolved_parameters text not null default '';
-- With which accounts a document is shared.
create table ssm_document_permissions (
    region text not null,
    name text not null,
    account_id text not null,
    shared_version text not null,
    primary key (region, name, account_id)
);
-- Settings of the service that are not what they are by default.
create table ssm_service_settings (
    region text not null,
    setting_id text not null,
    value text not null,
    modified_at bigint not null,
    modified_by text not null,
    primary key (region, setting_id)
);
