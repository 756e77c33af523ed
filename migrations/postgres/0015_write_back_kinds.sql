-- Which of the profile's write-backs tells it is called its kind: a lane would be an order in
-- which it is sent, and those of one launch are sent in one, but for device tests. The check
-- and the index come along, but for their names.
ALTER TABLE write_backs RENAME COLUMN lane TO kind;
ALTER TABLE write_backs RENAME CONSTRAINT write_backs_lane_check TO write_backs_kind_check;
ALTER INDEX write_backs_lane RENAME TO write_backs_unsent_request;
