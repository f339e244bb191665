-- OpsItems of the embedded control plane. Times are epoch milliseconds; `region` separates one region's state from
-- another's. `dedup` is the digest of what an item is known by among those of its source that are open, or empty.
create table ssm_ops_items (
    region text not null,
    ops_item_id text not null,
    title text not null,
    source text not null,
    status text not null,
    priority bigint,
    category text not null,
    severity text not null,
    ops_item_type text not null,
    dedup text not null,
    is_open bigint not null,
    definition text not null,
    version bigint not null,
    created_at bigint not null,
    created_by text not null,
    modified_at bigint not null,
    modified_by text not null,
    primary key (region, ops_item_id)
);
create index ssm_ops_items_by_time on ssm_ops_items (region, created_at, ops_item_id);
create unique index ssm_ops_items_by_dedup on ssm_ops_items (region, source, dedup) where dedup <> '' and is_open = 1;
create table ssm_ops_item_related (
    region text not null,
    ops_item_id text not null,
    association_id text not null,
    association_type text not null,
    resource_type text not null,
    resource_uri text not null,
    created_at bigint not null,
    created_by text not null,
    primary key (region, ops_item_id, association_id)
);
create unique index ssm_ops_item_related_once on ssm_ops_item_related (region, ops_item_id, resource_uri);
create table ssm_ops_item_events (
    region text not null,
    ops_item_id text not null,
    event_id text not null,
    detail_type text not null,
    detail text not null,
    created_at bigint not null,
    created_by text not null,
    primary key (region, ops_item_id, event_id)
);
create index ssm_ops_item_events_by_time on ssm_ops_item_events (region, created_at, event_id);
