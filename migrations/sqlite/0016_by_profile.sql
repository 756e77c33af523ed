-- Lists of one telehealth profile, in their order: whoever looks at one of a thousand does
-- not read the launches and appointments of the others.
CREATE INDEX launches_profile ON launches (profile, created_at, request_id);
CREATE INDEX appointments_profile ON appointments (profile, created_at, id);
