-- What became of inventory that was deleted, and types that are not taken any more. Times are epoch milliseconds.
create table ssm_inventory_deletions (
    region text not null,
    deletion_id text not null,
    type_name text not null,
    summary text not null,
    started_at bigint not null,
    primary key (region, deletion_id)
);
create index ssm_inventory_deletions_by_time on ssm_inventory_deletions (region, started_at, deletion_id);
create table ssm_inventory_disabled (
    region text not null,
    type_name text not null,
    schema_version text not null,
    primary key (region, type_name, schema_version)
);
