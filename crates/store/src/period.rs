//! Appointments of a time: those that were launched in it, or at which somebody was.
//!
//! An appointment has the time of its first launch and of its last, and nearly always they
//! are close to each other. So few are looked at: those that were first launched not long
//! before the time, by an index, and of all that are older the few that were used for long,
//! by an index that holds no others.

use sqlx::QueryBuilder;

use crate::{TimeRange, listing::Sql, measure::LONGEST_WAY};

/// The columns of an appointment.
const COLUMNS: &str = "id, profile, encounter_key, sealed, created_at, last_used_at";

/// From the appointments that may be of a time, or from all. `conditions` are added to each
/// part of them, and may have an order and an end. Whoever comes long after the last launch
/// (see [`LONGEST_WAY`]) is left out.
pub(crate) fn push_appointments<D: Sql>(
    query: &mut QueryBuilder<D>,
    time: Option<TimeRange>,
    conditions: impl Fn(&mut QueryBuilder<D>),
) {
    let Some(TimeRange { from, until }) = time else {
        query.push(" FROM appointments WHERE TRUE");
        return conditions(query);
    };
    // Of older ones those that were not used for long are not used any more.
    let earliest = (from - LONGEST_WAY - LONGEST_WAY).as_millis();
    let part = |query: &mut QueryBuilder<D>, latest: i64| {
        query.push(" AND created_at < ");
        D::bind_number(query, latest);
        query.push(" AND last_used_at >= ");
        D::bind_number(query, (from - LONGEST_WAY).as_millis());
        conditions(query);
    };
    query.push(format_args!(
        " FROM (SELECT * FROM (SELECT {COLUMNS} FROM appointments WHERE created_at >= "
    ));
    D::bind_number(query, earliest);
    part(query, until.as_millis());
    // In the words of `appointments_long` and `appointments_profile_long`.
    query.push(format_args!(
        ") AS late UNION ALL SELECT * FROM (SELECT {COLUMNS} FROM appointments
         WHERE last_used_at - created_at > {}",
        LONGEST_WAY.as_millis()
    ));
    part(query, earliest);
    query.push(") AS long) AS appointments WHERE TRUE");
}

/// Those that were launched in a time, or at which somebody was. Each look is at the few
/// rows of the appointment.
pub(crate) fn push_took_place<D: Sql>(query: &mut QueryBuilder<D>, time: TimeRange) {
    let (from, until) = (time.from.as_millis(), time.until.as_millis());
    let bind = |query: &mut QueryBuilder<D>, before: &str, number: i64| {
        query.push(before);
        D::bind_number(query, number);
    };
    bind(query, " AND created_at < ", until);
    bind(query, " AND (created_at >= ", from);
    // Counted: for EXISTS, with OR beside it, PostgreSQL may hash the whole table.
    bind(
        query,
        " OR (SELECT count(*) FROM launches
              WHERE launches.appointment = appointments.id AND launches.created_at >= ",
        from,
    );
    bind(query, " AND launches.created_at < ", until);
    for (table, began_at, ended_at) in [
        ("conferences", "started_at", "ended_at"),
        ("participants", "connected_at", "disconnected_at"),
    ] {
        let began = format!(
            ") > 0 OR (SELECT count(*) FROM {table}
              WHERE {table}.appointment = appointments.id AND {began_at} < "
        );
        bind(query, &began, until);
        let lasted = format!(" AND ({ended_at} IS NULL OR {ended_at} >= ");
        bind(query, &lasted, from);
        query.push(")");
    }
    query.push(") > 0)");
}
