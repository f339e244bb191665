-- The portal's own copy of the fleet, saved views, and how synchronising stands.
create table connections (
    connection_id text not null primary key,
    name text not null,
    account text not null,
    region text not null,
    mode text not null,
    synced_at bigint,
    state text not null,
    message text not null
);
create table nodes (
    connection_id text not null,
    node_id text not null,
    name text not null,
    computer_name text not null,
    ping_status text not null,
    last_ping_at bigint,
    platform_type text not null,
    platform_name text not null,
    platform_version text not null,
    agent_version text not null,
    ip_address text not null,
    resource_type text not null,
    activation_id text,
    iam_role text,
    registered_at bigint,
    synced_at bigint not null,
    tags_synced_at bigint not null,
    sweep bigint not null,
    sort_name text not null,
    primary key (connection_id, node_id)
);
create index nodes_by_name on nodes (sort_name, node_id);
create index nodes_by_status on nodes (ping_status, sort_name, node_id);
create index nodes_by_id on nodes (node_id);
create table node_tags (
    connection_id text not null,
    node_id text not null,
    tag_key text not null,
    tag_value text not null,
    primary key (connection_id, node_id, tag_key)
);
create index node_tags_by_value on node_tags (tag_key, tag_value, node_id);
create table saved_views (
    view_id text not null primary key,
    owner_id text not null,
    owner_name text not null,
    name text not null,
    query text not null,
    shared bigint not null,
    created_at bigint not null,
    unique (owner_id, name)
);
create table documents (
    connection_id text not null,
    name text not null,
    owner text not null,
    description text not null,
    platform_types text not null,
    document_type text not null,
    default_version text not null,
    content text not null,
    hash text not null,
    synced_at bigint not null,
    primary key (connection_id, name)
);
