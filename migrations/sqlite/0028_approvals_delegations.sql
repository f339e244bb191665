-- Who carries a request out holds it for a while, by the database's clock.
alter table approval_requests add column held_by text;
alter table approval_requests add column held_until bigint;

-- What was told before it was too late: the end of waiting that it was told of, and how urgent a review was.
alter table approval_requests add column expiry_told bigint;
alter table approval_requests add column review_told bigint not null default 0;
