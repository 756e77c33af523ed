-- Of a launch that was turned away at the button the role may not be known, and it may be
-- of no profile.
ALTER TABLE launches
    ALTER COLUMN profile DROP NOT NULL,
    ALTER COLUMN role DROP NOT NULL,
    -- When the user came back from the EHR's sign-in.
    ADD COLUMN authorised_at bigint,
    -- The steps that were taken, each with when it was over, how long it took and how it
    -- went.
    ADD COLUMN steps text NOT NULL DEFAULT '',
    -- A failure after which somebody joined all the same.
    ADD COLUMN overcome text;

-- Write-backs that are not true any more have a state of their own. Those that are here
-- have one of the others: they need not be looked at.
ALTER TABLE write_backs
    DROP CONSTRAINT write_backs_state_check,
    ADD CONSTRAINT write_backs_state_check
        CHECK (state IN ('unsent', 'sent', 'given_up', 'not_needed')) NOT VALID,
    -- Why the last attempt came to nothing, in a word of the program's.
    ADD COLUMN last_reason text;

ALTER TABLE write_back_attempts ADD COLUMN reason text;
