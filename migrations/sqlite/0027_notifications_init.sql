-- Notices on their way to the channels that are set: one row for each channel, and for mail one for each address. Times
-- are epoch milliseconds. `message_id` is a digest of what is said, so the same notice is written once. Rows are told in
-- the order of `sequence`; one that was not taken several times steps aside (`is_aside`) and holds up nobody. `tries` grows
-- when a try begins, and until `leased_until` the row belongs to whoever began it.
create table notifications (
    message_id text not null,
    channel text not null,
    recipient text not null,
    sequence bigint not null,
    kind text not null,
    about text not null,
    title text not null,
    body text not null,
    href text not null,
    happened_at bigint not null,
    told text not null,
    is_urgent bigint not null,
    state text not null,
    tries bigint not null,
    next_at bigint not null,
    leased_until bigint not null,
    is_aside bigint not null,
    is_woken bigint not null,
    last_error text not null,
    ended_at bigint,
    primary key (message_id, channel, recipient)
);
create index notifications_by_sequence on notifications (channel, sequence);
create index notifications_in_line on notifications (channel, sequence, message_id) where state = 'waiting' and is_aside = 0;
create index notifications_aside on notifications (channel, next_at, sequence) where state = 'waiting' and is_aside = 1;
create index notifications_waiting on notifications (happened_at) where state = 'waiting';
create index notifications_waiting_by_channel on notifications (channel, happened_at) where state = 'waiting';
create index notifications_ended on notifications (ended_at) where ended_at is not null;
