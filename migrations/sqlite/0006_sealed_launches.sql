-- The few launches that still hold something sealed are looked for every few minutes.
CREATE INDEX launches_sealed ON launches (expires_at) WHERE sealed IS NOT NULL;
