-- Parameters as the portal knows them: what each is, never its value. `name_key` is the name without its leading slash
-- (`foo` and `/foo` are one parameter), `parent` that up to its last slash. Times are epoch milliseconds.
create table parameters (
    connection_id text not null,
    name_key text not null,
    parent text not null,
    name text not null,
    type text not null,
    tier text not null,
    data_type text not null,
    version bigint not null,
    modified_at bigint not null,
    modified_by text not null,
    description text not null,
    key_id text not null,
    allowed_pattern text not null,
    policies text not null,
    -- Until when a version that the portal is about to write keeps others from writing the same.
    claimed_until bigint not null default 0,
    -- When labels were last looked up.
    labels_at bigint not null default 0,
    synced_at bigint not null,
    primary key (connection_id, name_key)
);
create index parameters_by_parent on parameters (connection_id, parent, name_key);
create index parameters_by_type on parameters (connection_id, type, name_key);
create index parameters_by_tier on parameters (connection_id, tier, name_key);
create index parameters_by_age on parameters (connection_id, synced_at);
create index parameters_by_labels on parameters (connection_id, labels_at);
-- How many parameters are below each folder; the outermost one is empty, and its parent is null.
create table parameter_folders (
    connection_id text not null,
    path text not null,
    parent text,
    parameters bigint not null,
    primary key (connection_id, path)
);
create index parameter_folders_by_parent on parameter_folders (connection_id, parent, path);
create table parameter_labels (
    connection_id text not null,
    name_key text not null,
    label text not null,
    version bigint not null,
    primary key (connection_id, name_key, label)
);
create index parameter_labels_by_label on parameter_labels (connection_id, label, name_key);
-- When all parameters of a connection were last copied.
create table parameter_copies (
    connection_id text not null primary key,
    copied_at bigint not null
);
