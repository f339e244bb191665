-- Output that is to be copied to a bucket of somebody's own, once a node's part of a command has ended. Times are epoch
-- milliseconds.
create table ssm_output_copies (
    region text not null,
    command_id text not null,
    node_id text not null,
    attempts bigint not null,
    due_at bigint not null,
    primary key (command_id, node_id)
);
create index ssm_output_copies_due on ssm_output_copies (due_at);
-- Messages are given up by their age.
create index sns_messages_by_age on sns_messages (published_at);
