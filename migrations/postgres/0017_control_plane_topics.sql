-- Topics of the embedded control plane, who has subscribed to them, and what is on its way to subscribers. Times are
-- epoch milliseconds; `region` separates one region's state from another's. `place` is the digest of protocol and
-- endpoint. A message is kept as long as a delivery of it is due.
create table sns_topics (
    region text not null,
    name text not null,
    display_name text not null,
    created_at bigint not null,
    primary key (region, name)
);
create table sns_subscriptions (
    region text not null,
    subscription_id text not null,
    topic text not null,
    protocol text not null,
    endpoint text not null,
    place text not null,
    base_url text not null,
    is_raw bigint not null,
    is_confirmed bigint not null,
    created_at bigint not null,
    primary key (region, subscription_id)
);
create unique index sns_subscriptions_once on sns_subscriptions (region, topic, place);
create index sns_subscriptions_by_topic on sns_subscriptions (region, topic, subscription_id);
create index sns_subscriptions_pending on sns_subscriptions (created_at) where is_confirmed = 0;
create table sns_messages (
    message_id text not null primary key,
    region text not null,
    topic text not null,
    subject text,
    body text not null,
    attributes text not null,
    published_at bigint not null
);
-- `message_id` is empty for the message that asks a new subscriber to confirm.
create table sns_deliveries (
    region text not null,
    subscription_id text not null,
    message_id text not null,
    attempts bigint not null,
    due_at bigint not null,
    primary key (region, subscription_id, message_id)
);
create index sns_deliveries_due on sns_deliveries (due_at);
create index sns_deliveries_by_subscription on sns_deliveries (region, subscription_id, due_at, message_id);
create index sns_deliveries_by_message on sns_deliveries (message_id);
