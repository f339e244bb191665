-- Snapshots that nodes took of themselves for EC2's CreateSnapshot. How one stands follows from its command.
create table ec2_snapshots (
    region text not null,
    snapshot_id text not null,
    node_id text not null,
    description text not null,
    command_id text not null,
    started_at bigint not null,
    primary key (region, snapshot_id)
);
create index ec2_snapshots_by_node on ec2_snapshots (region, node_id, snapshot_id);
-- How the node can take one: command, btrfs or lvm; empty where it cannot.
alter table ssm_nodes add column snapshots text not null default '';
