//! `/admin/charts/…csv`: what a chart counts, and its table where that is another one.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use vestibule_store::{
    AppointmentFilter, AuditAction, AuditSubject, Group, Grouping, LaunchCount, LaunchDurations,
    LaunchFilter, Per, StoreError, Summary, VisitLength,
};

use super::{
    charts::{self, Kind},
    csv::Csv,
    csv_stream::{self, Sheet},
    figures::{Asked, Span, Timed, median_of},
    filter::Chosen,
    frame::PageError,
};
use crate::{
    admin::{Admin, Administrator},
    clock::rfc3339,
};

pub(super) const ROUTE: &str = "/admin/charts/{file}";

/// At the end of the name of a file that has a chart's table.
const TABLE: &str = "-table";

/// Columns and rows.
type Table = (&'static [&'static str], Vec<Vec<String>>);

/// Where a chart's file is, or the file of its table.
pub(super) fn path(kind: Kind, is_table: bool) -> String {
    let end = if is_table { TABLE } else { "" };
    format!("/admin/charts/{}{end}.csv", kind.id())
}

/// One of the files.
pub(super) async fn csv(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let id = file.strip_suffix(".csv").ok_or(PageError::Missing)?;
    let (id, is_table) = match id.strip_suffix(TABLE) {
        Some(id) => (id, true),
        None => (id, false),
    };
    let kind = Kind::ALL.into_iter().find(|kind| kind.id() == id);
    let kind = kind.filter(|kind| !is_table || kind.has_table_file());
    let kind = kind.ok_or(PageError::Missing)?;
    let mut chosen = Chosen::of(query.as_deref());
    let span = Span::read(&admin, &mut chosen).await?;
    let asked = Asked::of(&span, &mut chosen);
    chosen.checked()?;
    let table = AuditSubject::table("charts");
    let details = format!("{}: {}", kind.id(), chosen.told());
    who.record(&admin, AuditAction::Exported, Some(table), &details)
        .await?;
    let store = &*admin.tools.store;
    let counted = async |grouping| {
        let counting = store.count_launches(&asked.launches, span.step, grouping);
        counting.await
    };
    let (columns, rows) = match (kind, kind.timed()) {
        (_, Some(timed)) if is_table => {
            let steps = asked.summary(store, timed, Per::Step(span.step)).await?;
            of_times(&span, &steps)
        }
        (_, Some(Timed::Length)) => return Ok(lengths(&admin, &who, asked.appointments)),
        (_, Some(_)) => return Ok(durations(&admin, &who, kind, asked.launches)),
        (Kind::Departments, None) if is_table => {
            let counts = counted(Grouping::Department).await?;
            of_departments(&admin, &asked, &counts).await?
        }
        (Kind::Departments, None) => departments_by_step(&counted(Grouping::Department).await?),
        (Kind::Errors, None) => errors(&counted(Grouping::ErrorName).await?),
        (_, None) => launches(&span, &counted(Grouping::ErrorName).await?),
    };
    let mut csv = Csv::new(columns);
    for row in &rows {
        csv.row(row);
    }
    Ok(csv_stream::file(kind.id(), csv.into_text()))
}

/// How long each launch took, as many as there are.
fn durations(
    admin: &Arc<Admin>,
    who: &Administrator,
    kind: Kind,
    filter: LaunchFilter,
) -> Response {
    let sheet = Sheet {
        name: kind.id(),
        columns: &[
            "request_id",
            "began",
            "profile_uuid",
            "role",
            "department",
            "seconds_until_joined",
            "seconds_waited",
        ],
    };
    let line = |one: &LaunchDurations| {
        vec![
            one.request_id.to_string(),
            rfc3339(one.created_at),
            one.profile.to_string(),
            one.role.as_str().to_owned(),
            one.department.clone().unwrap_or_default(),
            seconds(one.joined_after),
            seconds(one.waited),
        ]
    };
    let shared = Arc::clone(admin);
    csv_stream::download(admin, who, &sheet, move |page| {
        let (admin, filter) = (Arc::clone(&shared), filter.clone());
        async move {
            let rows = admin.tools.store.launch_durations(&filter, page).await?;
            let next = rows.last().map(LaunchDurations::position);
            Ok((rows.iter().map(line).collect(), next))
        }
    })
}

/// How long each visit was, as many as there are.
fn lengths(admin: &Arc<Admin>, who: &Administrator, filter: AppointmentFilter) -> Response {
    let sheet = Sheet {
        name: Kind::Length.id(),
        columns: &[
            "appointment",
            "profile_uuid",
            "department",
            "began",
            "ended",
            "seconds",
        ],
    };
    let line = |one: &VisitLength| {
        vec![
            one.appointment.to_string(),
            one.profile.to_string(),
            one.department.clone().unwrap_or_default(),
            rfc3339(one.began_at),
            rfc3339(one.ended_at),
            seconds(Some(one.present)),
        ]
    };
    let shared = Arc::clone(admin);
    csv_stream::download(admin, who, &sheet, move |page| {
        let (admin, filter) = (Arc::clone(&shared), filter.clone());
        async move {
            let visits = admin.tools.store.visit_lengths(&filter, page).await?;
            Ok((visits.lengths.iter().map(line).collect(), visits.last))
        }
    })
}

/// Launches and failures in each step; no figures where nothing can be known any more.
fn launches(span: &Span, counts: &[LaunchCount]) -> Table {
    let rows = span.starts().zip(span.by_step(counts)).enumerate();
    let rows = rows.map(|(index, (at, (launches, failed)))| {
        let known = |count: u64| match span.is_known(index) {
            true => count.to_string(),
            false => String::new(),
        };
        vec![rfc3339(at), known(launches), known(failed)]
    });
    (&["from", "launches", "failed"], rows.collect())
}

fn errors(counts: &[LaunchCount]) -> Table {
    let failed = counts.iter().filter(|count| count.failed > 0);
    let rows = failed.map(|count| {
        let (at, failed) = (rfc3339(count.at), count.failed.to_string());
        vec![at, name_of(&count.group), failed]
    });
    (&["from", "error_name", "failed"], rows.collect())
}

fn departments_by_step(counts: &[LaunchCount]) -> Table {
    let rows = counts.iter().map(|count| {
        vec![
            rfc3339(count.at),
            name_of(&count.group),
            count.launches.to_string(),
            count.failed.to_string(),
        ]
    });
    (
        &["from", "department", "launches", "failed"],
        rows.collect(),
    )
}

/// The table of the chart of departments, with its medians in seconds.
async fn of_departments(
    admin: &Admin,
    asked: &Asked,
    counts: &[LaunchCount],
) -> Result<Table, StoreError> {
    let store = &*admin.tools.store;
    let mut medians = Vec::new();
    for timed in [Timed::Joined, Timed::Waited, Timed::Length] {
        medians.push(asked.summary(store, timed, Per::Department).await?);
    }
    let rows = charts::of_departments(counts);
    let rows = rows.into_iter().map(|(name, (launches, failed))| {
        let medians = medians.iter();
        let medians = medians.map(|summaries| seconds(median_of(summaries, &name)));
        let counts = [launches.to_string(), failed.to_string()];
        let name = name.clone().unwrap_or_default();
        let row = std::iter::once(name).chain(counts).chain(medians);
        row.collect()
    });
    Ok((
        &[
            "department",
            "launches",
            "failed",
            "median_seconds_until_joined",
            "median_seconds_waited",
            "median_seconds_of_visit",
        ],
        rows.collect(),
    ))
}

/// The table of a chart of times, in seconds; no figures where nothing can be known any
/// more.
fn of_times(span: &Span, steps: &[Summary]) -> Table {
    let rows = span.starts().zip(span.summaries(steps)).enumerate();
    let rows = rows.map(|(index, (at, summary))| {
        let number = match summary {
            Some(summary) => summary.count.to_string(),
            None if span.is_known(index) => "0".to_owned(),
            None => String::new(),
        };
        vec![
            rfc3339(at),
            number,
            seconds(summary.map(|it| it.median)),
            seconds(summary.map(|it| it.high)),
        ]
    });
    (
        &["from", "number", "median_seconds", "percentile_95_seconds"],
        rows.collect(),
    )
}

fn name_of(group: &Group) -> String {
    match group {
        Group::ErrorName(Some(name)) => name.to_string(),
        Group::Department(Some(name)) => name.clone(),
        _ => String::new(),
    }
}

/// Of milliseconds.
fn seconds(value: Option<i64>) -> String {
    let seconds = value.map(|value| (value as f64 / 1000.0).to_string());
    seconds.unwrap_or_default()
}
