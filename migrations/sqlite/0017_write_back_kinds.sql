-- Which of the profile's write-backs tells it is called its kind: a lane would be an order in
-- which it is sent, and those of one launch are sent in one, but for device tests. The check
-- and the index come along.
ALTER TABLE write_backs RENAME COLUMN lane TO kind;
