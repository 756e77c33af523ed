//! The statements of listings and figures, in the words that both databases understand.
//!
//! Words of the store's own (a state) stand in them as they are, and not as parameters: so
//! an index with a condition is of use.

use sqlx::{Database, QueryBuilder};
use uuid::Uuid;
use vestibule_launch::RequestId;

use crate::{
    AppointmentFilter, AppointmentId, AuditFilter, Grouping, LaunchFilter, LaunchProgress, Measure,
    Page, Per, Step, TimeRange, VisitProgress, WriteBackFilter,
    measure::{self, JOINED, LENGTHS, SOMEBODY_JOINED, WAITED},
    period::{push_appointments, push_took_place},
};

/// What a database wants to be asked in words of its own.
pub(crate) trait Sql: Database {
    /// Of an appointment, as columns: `began_at`, when the first came; `ended_at`, when the
    /// last went; and `runs`, whether anybody is there.
    const TIMES: &'static str;
    /// Appointments where somebody was, and nobody is.
    const OVER: &'static str;
    /// Launches of which the profile is known, and the role.
    const PROFILE_KNOWN: &'static str;
    /// See [`Self::PROFILE_KNOWN`].
    const ROLE_KNOWN: &'static str;
    /// Before a column where another condition leaves fewer rows: its index is of no use.
    const FEWER_OTHERWISE: &'static str;

    /// Adds a parameter.
    fn bind_number(query: &mut QueryBuilder<Self>, number: i64);
    /// Adds a parameter.
    fn bind_text(query: &mut QueryBuilder<Self>, text: String);
    /// Adds a parameter.
    fn bind_bytes(query: &mut QueryBuilder<Self>, bytes: Vec<u8>);
}

/// Of an appointment.
const DEPARTMENT: &str = "
    (SELECT department FROM launches
     WHERE launches.appointment = appointments.id AND department IS NOT NULL
     ORDER BY launches.created_at, launches.request_id LIMIT 1) AS department";

pub(crate) fn select_launches<D: Sql>() -> QueryBuilder<D> {
    let mut query = QueryBuilder::new("SELECT launches.*,");
    query.push(JOINED).push(" FROM launches WHERE TRUE");
    query
}

pub(crate) fn select_appointments<D: Sql>() -> QueryBuilder<D> {
    let mut query = QueryBuilder::new(
        "SELECT appointments.id AS appointment_id, profile, encounter_key, sealed, created_at,
         (SELECT CAST(count(*) AS integer) FROM launches
          WHERE launches.appointment = appointments.id) AS launches,",
    );
    query.push(DEPARTMENT).push(",").push(D::TIMES);
    query
}

pub(crate) fn page_of_launches<D: Sql>(
    filter: &LaunchFilter,
    page: Page<RequestId>,
) -> QueryBuilder<D> {
    let mut query = select_launches();
    push_launches(&mut query, filter);
    push_page_of_launches(&mut query, page);
    query
}

pub(crate) fn page_of_appointments<D: Sql>(
    filter: &AppointmentFilter,
    page: Page<AppointmentId>,
) -> QueryBuilder<D> {
    // Those that are running are few, and found at once.
    let is_running = filter.progress == Some(VisitProgress::Running);
    let among = filter.time.filter(|_| !is_running);
    let mut query = select_appointments();
    push_page_of_appointments(&mut query, among, page, |query| {
        if let Some(time) = filter.time {
            push_took_place(query, time);
        }
        push_whose(query, filter);
        match filter.progress {
            None => {}
            Some(VisitProgress::Running) => {
                query.push(" AND appointments.id IN (SELECT appointment FROM running_visits)");
            }
            Some(VisitProgress::Over) => {
                query.push(" AND ").push(D::OVER);
            }
            Some(VisitProgress::Nobody) => {
                query.push(
                    " AND NOT EXISTS (SELECT 1 FROM visit_times
                         WHERE visit_times.appointment = appointments.id)",
                );
            }
        }
    });
    query
}

pub(crate) fn page_of_write_backs<D: Sql>(
    filter: &WriteBackFilter,
    page: Page<i64>,
) -> QueryBuilder<D> {
    let mut query = QueryBuilder::new("SELECT * FROM write_backs WHERE TRUE");
    push_time(&mut query, "created_at", filter.time);
    if let Some(profile) = filter.profile {
        query.push(" AND profile = ");
        D::bind_bytes(&mut query, profile.as_bytes().to_vec());
    }
    if let Some(progress) = filter.progress {
        push_word(&mut query, "state", progress.as_str());
    }
    if let Some(request_id) = filter.request_id {
        query.push(" AND request_id = ");
        D::bind_bytes(&mut query, request_id.as_bytes().to_vec());
    }
    if let Some(appointment) = filter.appointment {
        query.push(" AND request_id IN (SELECT request_id FROM launches WHERE appointment = ");
        D::bind_number(&mut query, appointment.0);
        query.push(")");
    }
    push_page(&mut query, ("created_at", "id"), page, D::bind_number);
    query
}

/// Of the audit log.
pub(crate) fn page_of_entries<D: Sql>(filter: &AuditFilter, page: Page<i64>) -> QueryBuilder<D> {
    let mut query = QueryBuilder::new("SELECT * FROM audit_log WHERE TRUE");
    push_time(&mut query, "at", filter.time);
    if let Some(administrator) = &filter.administrator {
        query.push(" AND administrator = ");
        D::bind_text(&mut query, administrator.clone());
    }
    if let Some(action) = filter.action {
        push_word(&mut query, "action", action.as_str());
    }
    if let Some(kind) = filter.kind {
        push_word(&mut query, "subject_kind", kind.as_str());
    }
    if let Some(subject) = &filter.subject {
        push_word(&mut query, "subject_kind", subject.kind.as_str());
        query.push(" AND subject = ");
        D::bind_text(&mut query, subject.id.clone());
    }
    push_page(&mut query, ("at", "number"), page, D::bind_number);
    query
}

pub(crate) fn counts_of_launches<D: Sql>(
    filter: &LaunchFilter,
    step: Step,
    grouping: Grouping,
) -> QueryBuilder<D> {
    let column = match grouping {
        Grouping::ErrorName => "error_name",
        Grouping::Department => "department",
    };
    let mut query = QueryBuilder::new("SELECT created_at - created_at % ");
    D::bind_number(&mut query, step.as_millis());
    query.push(" AS at, ").push(column);
    query.push(
        ", count(*) AS launches, count(*) FILTER (WHERE state = 'failed') AS failed
         FROM launches WHERE TRUE",
    );
    push_launches(&mut query, filter);
    query.push(" GROUP BY 1, 2 ORDER BY 1, 2 NULLS FIRST");
    query
}

/// Completed launches, but those that failed afterwards, with what can be measured of them.
fn push_measured<D: Sql>(query: &mut QueryBuilder<D>, filter: &LaunchFilter) {
    query.push("SELECT launches.*,");
    query.push(JOINED).push(",").push(WAITED);
    query.push(" FROM launches WHERE launches.state = 'completed'");
    push_launches(query, filter);
}

pub(crate) fn durations_of_launches<D: Sql>(
    filter: &LaunchFilter,
    page: Page<RequestId>,
) -> QueryBuilder<D> {
    let mut query = QueryBuilder::new("");
    push_measured(&mut query, filter);
    push_page_of_launches(&mut query, page);
    query
}

pub(crate) fn summary_of_launches<D: Sql>(
    filter: &LaunchFilter,
    measure: Measure,
    per: Per,
) -> QueryBuilder<D> {
    let mut query = QueryBuilder::new("WITH completed AS (");
    push_measured(&mut query, filter);
    query.push("), measured AS (SELECT created_at AS began, department, ");
    query.push(measure::value(measure));
    query.push(" AS measured FROM completed)");
    measure::push_summary(&mut query, per);
    query
}

/// Of each appointment of a page the length of its visit: null where it is not over. What
/// is measured are the visits of the page: however many pages there are, each visit is
/// measured once.
pub(crate) fn lengths_of_visits<D: Sql>(
    filter: &AppointmentFilter,
    page: Page<AppointmentId>,
) -> QueryBuilder<D> {
    let mut query = QueryBuilder::new("WITH asked AS MATERIALIZED (SELECT id, profile, created_at");
    push_page_of_appointments(&mut query, filter.time, page, |query| {
        push_whose(query, filter);
    });
    query.push("),").push(LENGTHS);
    query.push(" SELECT appointments.id AS appointment, profile, created_at, ");
    query.push(DEPARTMENT);
    query.push(
        ", lengths.began_at, lengths.ended_at, CAST(present AS bigint) AS measured
         FROM asked AS appointments LEFT JOIN lengths ON lengths.appointment = appointments.id
         ORDER BY created_at DESC, appointments.id DESC",
    );
    query
}

pub(crate) fn summary_of_visits<D: Sql>(filter: &AppointmentFilter, per: Per) -> QueryBuilder<D> {
    let mut query = QueryBuilder::new("WITH asked AS (SELECT id");
    push_appointments(&mut query, filter.time, |query| {
        push_whose(query, filter);
    });
    query.push("),").push(LENGTHS);
    query.push(", measured AS (SELECT lengths.began_at AS began, ");
    query.push(DEPARTMENT);
    query.push(
        ", CAST(present AS bigint) AS measured
         FROM lengths JOIN appointments ON appointments.id = lengths.appointment WHERE TRUE",
    );
    push_time(&mut query, "lengths.began_at", filter.time);
    query.push(")");
    measure::push_summary(&mut query, per);
    query
}

/// Those of a time.
fn push_time<D: Sql>(query: &mut QueryBuilder<D>, column: &'static str, time: Option<TimeRange>) {
    if let Some(TimeRange { from, until }) = time {
        query.push(" AND ").push(column).push(" >= ");
        D::bind_number(query, from.as_millis());
        query.push(" AND ").push(column).push(" < ");
        D::bind_number(query, until.as_millis());
    }
}

/// The newest first, behind the last row of the page before. `columns` are those of time
/// and id; `bind` adds an id.
fn push_page<D: Sql, I>(
    query: &mut QueryBuilder<D>,
    columns: (&'static str, &'static str),
    page: Page<I>,
    bind: impl FnOnce(&mut QueryBuilder<D>, I),
) {
    let (time, id) = columns;
    if let Some(after) = page.after {
        query.push(format_args!(" AND ({time}, {id}) < ("));
        D::bind_number(query, after.at.as_millis());
        query.push(", ");
        bind(query, after.id);
        query.push(")");
    }
    query.push(format_args!(" ORDER BY {time} DESC, {id} DESC LIMIT "));
    D::bind_number(query, page.limit.into());
}

fn push_page_of_launches<D: Sql>(query: &mut QueryBuilder<D>, page: Page<RequestId>) {
    let columns = ("launches.created_at", "launches.request_id");
    push_page(query, columns, page, |query, id| {
        D::bind_bytes(query, id.as_bytes().to_vec());
    });
}

/// From the appointments that may be of a time, or all, a page of those that satisfy the
/// conditions. Each part of them has its index, and ends with the page.
fn push_page_of_appointments<D: Sql>(
    query: &mut QueryBuilder<D>,
    time: Option<TimeRange>,
    page: Page<AppointmentId>,
    conditions: impl Fn(&mut QueryBuilder<D>),
) {
    let columns = ("appointments.created_at", "appointments.id");
    let bind = |query: &mut QueryBuilder<D>, id: AppointmentId| D::bind_number(query, id.0);
    push_appointments(query, time, |query| {
        conditions(query);
        if time.is_some() {
            push_page(query, columns, page, bind);
        }
    });
    push_page(query, columns, page, bind);
}

/// Those where a column holds a word of the store's own.
fn push_word<D: Sql>(query: &mut QueryBuilder<D>, column: &'static str, word: &'static str) {
    query.push(format_args!(" AND {column} = '{word}'"));
}

fn push_launches<D: Sql>(query: &mut QueryBuilder<D>, filter: &LaunchFilter) {
    push_time(query, "launches.created_at", filter.time);
    if filter.profile.is_some() {
        query.push(D::PROFILE_KNOWN);
    }
    let has_fewer =
        filter.error_name.is_some() || filter.department.is_some() || filter.appointment.is_some();
    push_profile(query, "launches.profile", filter.profile, has_fewer);
    if let Some(role) = filter.role {
        query.push(D::ROLE_KNOWN);
        push_word(query, "launches.role", role.as_str());
    }
    match filter.progress {
        None => {}
        Some(LaunchProgress::Joined) => {
            push_word(query, "launches.state", "completed");
            query.push(" AND ").push(SOMEBODY_JOINED);
        }
        Some(LaunchProgress::Completed) => {
            push_word(query, "launches.state", "completed");
            query.push(" AND NOT ").push(SOMEBODY_JOINED);
        }
        Some(progress) => push_word(query, "launches.state", progress.as_str()),
    }
    if let Some(error_name) = filter.error_name {
        query.push(" AND launches.error_name = ");
        D::bind_text(query, error_name.as_str().to_owned());
    }
    if let Some(department) = &filter.department {
        query.push(" AND launches.department = ");
        D::bind_text(query, department.clone());
    }
    if let Some(appointment) = filter.appointment {
        query.push(" AND launches.appointment = ");
        D::bind_number(query, appointment.0);
    }
}

/// Those of a profile. They may be nearly all.
fn push_profile<D: Sql>(
    query: &mut QueryBuilder<D>,
    column: &'static str,
    profile: Option<Uuid>,
    has_fewer: bool,
) {
    if let Some(profile) = profile {
        let prefix = if has_fewer { D::FEWER_OTHERWISE } else { "" };
        query.push(format_args!(" AND {prefix}{column} = "));
        D::bind_bytes(query, profile.as_bytes().to_vec());
    }
}

/// Appointments of a profile and of a department.
fn push_whose<D: Sql>(query: &mut QueryBuilder<D>, filter: &AppointmentFilter) {
    let has_fewer = filter.progress == Some(VisitProgress::Running);
    push_profile(query, "appointments.profile", filter.profile, has_fewer);
    if let Some(department) = &filter.department {
        query.push(
            " AND EXISTS (SELECT 1 FROM launches
                 WHERE launches.appointment = appointments.id AND launches.department = ",
        );
        D::bind_text(query, department.clone());
        query.push(")");
    }
}
