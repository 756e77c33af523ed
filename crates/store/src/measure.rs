//! What is measured of launches and visits: the parts of statements that both back-ends
//! understand.

use std::time::Duration;

use sqlx::{Database, QueryBuilder};

use crate::{Measure, Per};

/// How long after the last launch to an appointment somebody may come for the first time:
/// longer than sign-in and alias last together. Nearly all appointments are not used for
/// longer.
pub(crate) const LONGEST_WAY: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// Of a launch: when the landing page first said that somebody joined, and when the
/// conferencing node did.
pub(crate) const JOINED: &str = "
    (SELECT min(received_at) FROM launch_events
     WHERE launch_events.request_id = launches.request_id AND event = 'joined') AS joined_at,
    (SELECT min(connected_at) FROM participants
     JOIN aliases ON aliases.alias_hash = participants.alias_hash
     WHERE participants.appointment = launches.appointment
         AND aliases.request_id = launches.request_id) AS connected_at";

/// Of a launch: when the landing page first waited, and when the first provider came.
pub(crate) const WAITED: &str = "
    (SELECT min(received_at) FROM launch_events
     WHERE launch_events.request_id = launches.request_id
         AND event = 'waiting') AS waiting_at,
    (SELECT min(participants.connected_at) FROM participants
     JOIN aliases ON aliases.alias_hash = participants.alias_hash
     JOIN launches AS other ON other.request_id = aliases.request_id
     WHERE participants.appointment = launches.appointment
         AND other.role = 'provider') AS provider_at";

/// Whether somebody was in the conference by a launch.
pub(crate) const SOMEBODY_JOINED: &str = "
    (EXISTS (SELECT 1 FROM launch_events
         WHERE launch_events.request_id = launches.request_id AND event = 'joined')
     OR EXISTS (SELECT 1 FROM participants
         JOIN aliases ON aliases.alias_hash = participants.alias_hash
         WHERE participants.appointment = launches.appointment
             AND aliases.request_id = launches.request_id))";

/// Appointments on which nobody is any more, of those in `asked`, each with the time in
/// which somebody or something was there: where times overlap, once, and without the
/// gaps between them.
pub(crate) const LENGTHS: &str = "
    times AS
        (SELECT appointment, began_at, ended_at,
             max(ended_at) OVER
                 (PARTITION BY appointment ORDER BY began_at, ended_at
                  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered
         FROM visit_times WHERE appointment IN (SELECT id FROM asked)),
    lengths AS
        (SELECT appointment, min(began_at) AS began_at, max(ended_at) AS ended_at,
             sum(CASE WHEN covered IS NULL OR covered <= began_at THEN ended_at - began_at
                      WHEN covered < ended_at THEN ended_at - covered
                      ELSE 0 END) AS present
         FROM times GROUP BY appointment HAVING count(*) = count(ended_at))";

/// A launch of which the columns of [`JOINED`] and [`WAITED`] are known, measured in
/// milliseconds; null where there is nothing to measure.
pub(crate) const fn value(measure: Measure) -> &'static str {
    match measure {
        Measure::Joined => {
            "CASE WHEN coalesce(joined_at, connected_at) > created_at
                  THEN coalesce(joined_at, connected_at) - created_at
                  WHEN coalesce(joined_at, connected_at) IS NOT NULL THEN 0 END"
        }
        Measure::Waited => {
            "CASE WHEN role <> 'patient' THEN NULL
                  WHEN joined_at > waiting_at THEN joined_at - waiting_at
                  WHEN joined_at IS NOT NULL THEN 0
                  WHEN provider_at > connected_at THEN provider_at - connected_at
                  WHEN provider_at IS NOT NULL AND connected_at IS NOT NULL THEN 0 END"
        }
    }
}

/// From rows of `measured`, with a column of that name, `department` and `began`: how many
/// there are of each group, and two of them by the nearest rank.
pub(crate) fn push_summary<D: Database>(query: &mut QueryBuilder<D>, per: Per) {
    query.push(", grouped AS (SELECT ");
    match per {
        Per::All => query.push("CAST(NULL AS bigint)"),
        Per::Step(step) => query.push(format_args!("began - began % {}", step.as_millis())),
        Per::Department => query.push("department"),
    };
    query.push(
        " AS part, measured FROM measured WHERE measured IS NOT NULL),
         ranked AS
             (SELECT part, measured,
                  row_number() OVER (PARTITION BY part ORDER BY measured) AS place,
                  count(*) OVER (PARTITION BY part) AS many
              FROM grouped)
         SELECT part, many,
             min(measured) FILTER (WHERE place >= (many * 50 + 99) / 100) AS median,
             min(measured) FILTER (WHERE place >= (many * 95 + 99) / 100) AS high
         FROM ranked GROUP BY part, many ORDER BY part NULLS FIRST",
    );
}
