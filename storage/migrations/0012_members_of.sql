-- Which audiences a customer is in, answered by the index alone.
-- depends: 0003_audiences

-- migrate: apply

-- Judging an event asks it of its customer, whose memberships lie all over the table.
CREATE INDEX audience_members_of ON audience_members (customer, audience);
DROP INDEX audience_members_customer;

-- migrate: rollback
