-- Resource data syncs of the embedded control plane: buckets that are kept up to date with the inventory of nodes. The
-- position is the last report that was written. Times are epoch milliseconds.
create table ssm_data_syncs (
    region text not null,
    sync_name text not null,
    destination text not null,
    status text not null,
    message text not null,
    position_at bigint not null,
    position_node text not null,
    position_type text not null,
    created_at bigint not null,
    tried_at bigint,
    succeeded_at bigint,
    primary key (region, sync_name)
);
create index ssm_inventory_by_time on ssm_inventory (region, modified_at, node_id, type_name);
