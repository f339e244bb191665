-- Who carries a request out holds it for a while, by the database's clock.
alter table approval_requests add column held_by text;
alter table approval_requests add column held_until bigint;

-- Who hands their part in approvals over to whom, and for how long; and for whom a decision was given.
create table approval_delegations (
    delegation_id text not null primary key,
    from_user text not null,
    from_account text not null,
    to_user text not null,
    to_account text not null,
    reason text not null,
    made_at bigint not null,
    until_at bigint not null,
    ended_at bigint
);
create unique index approval_delegations_one on approval_delegations (from_user) where ended_at is null;
create index approval_delegations_to on approval_delegations (to_user, until_at);
create index approval_delegations_end on approval_delegations (ended_at, until_at);
alter table approval_decisions add column for_user_id text;
alter table approval_decisions add column for_account text;
alter table approval_decisions add column for_person text;
alter table approval_decisions add column delegation_id text;

-- What was told before it was too late: the end of waiting that it was told of, and how urgent a review was.
alter table approval_requests add column expiry_told bigint;
alter table approval_requests add column review_told bigint not null default 0;
