//! `/admin/appointments`: active and past, with who was there. Service name and
//! participants' names are shown to whose role sees them.

use std::{collections::HashSet, sync::Arc, time::Duration};

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use serde::Serialize;
use vestibule_launch::UnixTime;
use vestibule_store::{
    AppointmentFilter, AppointmentId, AppointmentRow, Attendee, AuditAction, AuditSubject,
    LaunchFilter, Page, VisitProgress, WriteBackFilter,
};

use super::{
    again, attempts,
    csv::Csv,
    csv_stream::{self, Sheet},
    filter::{Chosen, Filter, Pager},
    frame::{PageError, PageOf, Section, chosen_profile, profile_choices, profile_name},
    launches::{self, time_of},
    moment::{Moment, between, duration},
    words::{self, StateWord},
    write_back_rows, write_backs,
};
use crate::{
    admin::{
        Admin, Administrator, Role,
        names::{self, AppointmentNames},
    },
    clock::rfc3339,
    conferencing::Seen,
};

pub(super) const PATH: &str = "/admin/appointments";

/// Appointments on a page.
const ROWS: u32 = 25;

/// Most launches, and most write-backs, of one appointment that are shown.
const MOST: u32 = 100;

/// The columns of the file.
const COLUMNS: &[&str] = &[
    "appointment",
    "service_name",
    "profile_uuid",
    "profile",
    "department",
    "state",
    "participant",
    "role",
    "joined",
    "left",
];

/// In the place of a name that is not shown.
const HIDDEN: &str = "hidden";

#[derive(Serialize)]
struct View {
    filter: Filter,
    appointments: Vec<Row>,
    names_shown: bool,
    pager: Pager,
}

#[derive(Serialize)]
struct OneView {
    appointments: Vec<Row>,
    names_shown: bool,
    launches: Vec<launches::Row>,
    write_backs: Vec<write_back_rows::Row>,
    may_send: bool,
    /// The tables as files.
    csv: Csvs,
    /// Where there is more than is shown here.
    all_launches: Option<String>,
    all_write_backs: Option<String>,
}

#[derive(Serialize)]
struct Csvs {
    appointment: String,
    launches: String,
    write_backs: String,
    attempts: String,
}

#[derive(Serialize)]
struct Row {
    path: String,
    service_name: String,
    state: StateWord,
    profile: String,
    department: Option<String>,
    joined: Option<Moment>,
    left: Option<Moment>,
    length: Option<String>,
    participants: Vec<Somebody>,
}

#[derive(Serialize)]
struct Somebody {
    name: String,
    role: String,
    joined: Moment,
    left: Option<Moment>,
    here: &'static str,
    length: String,
}

/// An appointment and who was there.
struct Attended {
    row: AppointmentRow,
    attendees: Vec<Attendee>,
}

/// Where an appointment is shown.
pub(super) fn path(appointment: AppointmentId) -> String {
    format!("{PATH}/{appointment}")
}

pub(super) async fn page(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let mut chosen = Chosen::of(query.as_deref());
    let (shown, next) = shown(&admin, &mut chosen).await?;
    let names = names_of(&admin, &who, &shown).await?;
    let any = ("", "any");
    let states = [
        VisitProgress::Running,
        VisitProgress::Over,
        VisitProgress::Nobody,
    ];
    let states = states.map(|state| (state_word(state), words::of_visit(state).word));
    let departments = admin.tools.store.departments(MOST).await?;
    let departments = departments.into_iter().map(|name| (name.clone(), name));
    let no_department = (String::new(), "any".to_owned());
    let filter = chosen
        .form()
        .choice(
            &chosen,
            "state",
            "State",
            std::iter::once(any).chain(states),
        )
        .days(&chosen)
        .called("from", "Launched or attended from (UTC)")
        .called("to", "Launched or attended to (UTC)")
        .choice(&chosen, "profile", "Profile", profile_choices(&admin))
        .choice(
            &chosen,
            "department",
            "Department",
            std::iter::once(no_department).chain(departments),
        )
        .csv(&chosen, "/admin/appointments.csv");
    let view = View {
        filter,
        pager: chosen.pager(PATH, next.as_deref()),
        appointments: rows(&admin, &shown, names.as_deref()),
        names_shown: names.is_some(),
    };
    let page = PageOf {
        admin: &admin,
        who: &who,
        section: Section::Appointments,
        here: chosen.here(PATH),
    };
    page.render("appointments.html", &view)
}

pub(super) async fn one(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    Path(appointment): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let appointment: AppointmentId = appointment.parse().map_err(|_| PageError::Missing)?;
    let store = &admin.tools.store;
    let row = store.appointment_row(appointment).await?;
    let attended = [Attended {
        row: row.ok_or(PageError::Missing)?,
        attendees: store.attendees(appointment).await?,
    }];
    let names = names_of(&admin, &who, &attended).await?;
    let filter = LaunchFilter {
        appointment: Some(appointment),
        ..LaunchFilter::default()
    };
    let mut launches = store.list_launches(&filter, first()).await?;
    let filter = WriteBackFilter {
        appointment: Some(appointment),
        ..WriteBackFilter::default()
    };
    let mut write_backs = store.list_write_backs(&filter, first()).await?;
    let of = |path: &str| format!("{path}?appointment={appointment}");
    let more = |count: usize| count > MOST as usize;
    let all_launches = more(launches.len()).then(|| of(launches::PATH));
    let all_write_backs = more(write_backs.len()).then(|| of(write_backs::PATH));
    launches.truncate(MOST as usize);
    write_backs.truncate(MOST as usize);
    let view = OneView {
        csv: Csvs {
            appointment: of("/admin/appointments.csv"),
            launches: of("/admin/launches.csv"),
            write_backs: of("/admin/write-backs.csv"),
            attempts: of(attempts::CSV),
        },
        all_launches,
        all_write_backs,
        appointments: rows(&admin, &attended, names.as_deref()),
        names_shown: names.is_some(),
        launches: launches
            .iter()
            .map(|row| launches::Row::of(&admin, row))
            .collect(),
        write_backs: write_back_rows::rows(&admin, &write_backs).await?,
        may_send: who.role >= Role::Operate,
    };
    let page = PageOf {
        admin: &admin,
        who: &who,
        section: Section::Appointments,
        here: path(appointment),
    };
    let (_, notice) = again::said(query.as_deref());
    page.render_with("appointment.html", &view, notice)
}

fn first<I>() -> Page<I> {
    Page {
        after: None,
        limit: MOST + 1,
    }
}

pub(super) async fn csv(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let mut chosen = Chosen::of(query.as_deref());
    let filter = filter_of(&mut chosen);
    // One by its number, whatever else is chosen.
    let one = chosen.get("appointment").map(str::parse);
    let one: Option<AppointmentId> = one.transpose().map_err(|_| PageError::Missing)?;
    chosen.checked()?;
    let table = AuditSubject::table("appointments");
    let names = if who.may_see_names { "with" } else { "without" };
    let details = format!("{}; {names} names", chosen.told());
    who.record(&admin, AuditAction::Exported, Some(table), &details)
        .await?;
    let sheet = Sheet {
        name: "appointments",
        columns: COLUMNS,
    };
    if let Some(one) = one {
        let row = admin.tools.store.appointment_row(one).await?;
        let row = row.ok_or(PageError::Missing)?;
        let shown = attended(&admin, vec![row]).await?;
        let names = names_of(&admin, &who, &shown).await?;
        let mut csv = Csv::new(sheet.columns);
        for line in lines_of(&admin, &shown, names.as_deref()) {
            csv.row(&line);
        }
        return Ok(csv_stream::file(sheet.name, csv.into_text()));
    }
    let (shared, by) = (Arc::clone(&admin), who.clone());
    Ok(csv_stream::download(&admin, &who, &sheet, move |page| {
        let (admin, who, filter) = (Arc::clone(&shared), by.clone(), filter.clone());
        async move {
            let rows = admin.tools.store.list_appointments(&filter, page).await?;
            let next = rows.last().map(AppointmentRow::position);
            let shown = attended(&admin, rows).await?;
            let names = names_of(&admin, &who, &shown).await?;
            Ok((lines_of(&admin, &shown, names.as_deref()), next))
        }
    }))
}

fn lines_of(
    admin: &Admin,
    shown: &[Attended],
    names: Option<&[AppointmentNames]>,
) -> Vec<Vec<String>> {
    let lines = |(index, one)| lines(admin, one, names.and_then(|names| names.get(index)));
    shown.iter().enumerate().flat_map(lines).collect()
}

/// A line for each participant; where nobody came, one for the appointment.
fn lines(admin: &Admin, one: &Attended, names: Option<&AppointmentNames>) -> Vec<Vec<String>> {
    let AppointmentRow {
        appointment,
        progress,
        department,
        ..
    } = &one.row;
    let head = [
        appointment.id.to_string(),
        service_name(names),
        appointment.profile.to_string(),
        profile_name(admin, appointment.profile),
        department.clone().unwrap_or_default(),
        words::of_visit(*progress).word.to_owned(),
    ];
    let with = |rest: [String; 4]| head.iter().cloned().chain(rest).collect();
    if one.attendees.is_empty() {
        return vec![with(Default::default())];
    }
    let line = |attendee: &Attendee| {
        let participant = &attendee.participant;
        let left = participant.disconnected_at.map(rfc3339);
        with([
            name_of(names, attendee),
            role(admin, appointment.profile, attendee),
            rfc3339(participant.connected_at),
            left.unwrap_or_default(),
        ])
    };
    one.attendees.iter().map(line).collect()
}

/// The page of the list that was chosen, and where the next begins.
async fn shown(
    admin: &Admin,
    chosen: &mut Chosen,
) -> Result<(Vec<Attended>, Option<String>), PageError> {
    let after = chosen.read("after", "a place in the list", |text| text.parse().ok());
    let filter = filter_of(chosen);
    let page = Page {
        after,
        limit: ROWS + 1,
    };
    let store = &admin.tools.store;
    let mut rows = store.list_appointments(&filter, page).await?;
    let more = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let next = more.then(|| rows.last().map(|row| row.position().to_string()));
    if filter.progress.is_none() {
        // What runs stands before all others, whenever it was first launched.
        let filter = AppointmentFilter {
            progress: Some(VisitProgress::Running),
            ..filter
        };
        let running = store.list_appointments(&filter, first()).await?;
        let ids: HashSet<_> = running.iter().map(|row| row.appointment.id).collect();
        rows.retain(|row| !ids.contains(&row.appointment.id));
        if after.is_none() {
            rows.splice(..0, running);
        }
    }
    Ok((attended(admin, rows).await?, next.flatten()))
}

/// What changes on the page, without names.
pub(super) async fn pulse(admin: &Admin, mut chosen: Chosen) -> Result<String, PageError> {
    let (shown, _) = shown(admin, &mut chosen).await?;
    let rows = shown.iter().map(|one| (&one.row, &one.attendees));
    Ok(format!("{:?}", rows.collect::<Vec<_>>()))
}

/// The same of one appointment.
pub(super) async fn pulse_of(admin: &Admin, appointment: &str) -> Result<String, PageError> {
    let appointment: AppointmentId = appointment.parse().map_err(|_| PageError::Missing)?;
    let store = &admin.tools.store;
    let row = store.appointment_row(appointment).await?;
    let attendees = store.attendees(appointment).await?;
    let filter = WriteBackFilter {
        appointment: Some(appointment),
        ..WriteBackFilter::default()
    };
    let write_backs = store.list_write_backs(&filter, first()).await?;
    Ok(format!("{row:?} {attendees:?} {write_backs:?}"))
}

async fn attended(
    admin: &Admin,
    rows: Vec<AppointmentRow>,
) -> Result<Vec<Attended>, vestibule_store::StoreError> {
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let attendees = admin.tools.store.attendees(row.appointment.id).await?;
        shown.push(Attended { row, attendees });
    }
    Ok(shown)
}

async fn names_of(
    admin: &Admin,
    who: &Administrator,
    shown: &[Attended],
) -> Result<Option<Vec<AppointmentNames>>, vestibule_store::StoreError> {
    let asked: Vec<_> = shown
        .iter()
        .map(|one| (&one.row.appointment, one.attendees.as_slice()))
        .collect();
    names::of_appointments(admin, who, &asked).await
}

fn rows(admin: &Admin, shown: &[Attended], names: Option<&[AppointmentNames]>) -> Vec<Row> {
    let row = |(index, one): (usize, &Attended)| {
        Row::of(admin, one, names.and_then(|names| names.get(index)))
    };
    shown.iter().enumerate().map(row).collect()
}

impl Row {
    fn of(admin: &Admin, one: &Attended, names: Option<&AppointmentNames>) -> Self {
        let AppointmentRow {
            appointment,
            progress,
            began_at,
            ended_at,
            department,
            ..
        } = &one.row;
        let number = appointment.id;
        Self {
            path: path(number),
            service_name: match names {
                Some(_) => service_name(names),
                None => format!("Appointment {number}"),
            },
            state: words::of_visit(*progress),
            profile: profile_name(admin, appointment.profile),
            department: department.clone(),
            joined: began_at.map(Moment::of),
            left: ended_at.map(Moment::of),
            length: began_at.zip(*ended_at).map(|(from, to)| {
                let times = one.attendees.iter().map(|attendee| &attendee.participant);
                let times = times.map(|it| (it.connected_at, it.disconnected_at));
                presence(times).map_or_else(|| between(from, to), duration)
            }),
            participants: one
                .attendees
                .iter()
                .map(|attendee| Somebody::of(admin, appointment.profile, attendee, names))
                .collect(),
        }
    }
}

impl Somebody {
    fn of(
        admin: &Admin,
        profile: uuid::Uuid,
        attendee: &Attendee,
        names: Option<&AppointmentNames>,
    ) -> Self {
        let participant = &attendee.participant;
        let (joined, left) = (participant.connected_at, participant.disconnected_at);
        let waiting = seen(admin, profile, attendee).is_some_and(|seen| seen.waiting);
        Self {
            name: name_of(names, attendee),
            role: role(admin, profile, attendee),
            joined: Moment::of(joined),
            left: left.map(Moment::of),
            here: if waiting { "waiting" } else { "here" },
            length: match left {
                Some(left) => between(joined, left),
                // In whole minutes, so that the page does not change every second.
                None => in_minutes(joined, admin.tools.now()),
            },
        }
    }
}

/// How long anybody was there, of those who have left: without the time between, in which
/// nobody was.
fn presence(times: impl Iterator<Item = (UnixTime, Option<UnixTime>)>) -> Option<Duration> {
    let mut times: Vec<_> = times
        .filter_map(|(joined, left)| Some((joined, left?)))
        .collect();
    times.sort_unstable();
    let (mut from, mut until) = *times.first()?;
    let mut present = Duration::ZERO;
    for (joined, left) in times {
        if joined > until {
            present += until.since(from);
            (from, until) = (joined, left);
        } else {
            until = until.max(left);
        }
    }
    Some(present + until.since(from))
}

fn in_minutes(from: UnixTime, to: UnixTime) -> String {
    match to.since(from).as_secs() / 60 {
        0 => "under 1 min".to_owned(),
        minutes if minutes < 60 => format!("{minutes} min"),
        minutes => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

fn seen(admin: &Admin, profile: uuid::Uuid, attendee: &Attendee) -> Option<Seen> {
    Seen::open(&admin.tools.sealer, profile, &attendee.participant).ok()
}

/// What somebody is in the EHR and in the conference.
fn role(admin: &Admin, profile: uuid::Uuid, attendee: &Attendee) -> String {
    let launched = attendee.launch.map(|(_, role)| role.as_str());
    let role = seen(admin, profile, attendee).and_then(|seen| seen.role);
    match (launched, role) {
        (Some(launched), Some(role)) => format!("{launched}, {}", role.as_str()),
        (Some(one), None) => one.to_owned(),
        (None, Some(role)) => role.as_str().to_owned(),
        (None, None) => "–".to_owned(),
    }
}

fn service_name(names: Option<&AppointmentNames>) -> String {
    let name = names.and_then(|names| names.service_name.clone());
    name.unwrap_or_else(|| HIDDEN.to_owned())
}

fn name_of(names: Option<&AppointmentNames>, attendee: &Attendee) -> String {
    let participant = attendee.participant.participant;
    let mut known = names.into_iter().flat_map(|names| &names.participants);
    let found = known.find(|(one, _)| *one == participant);
    let name = found.and_then(|(_, name)| name.clone());
    name.unwrap_or_else(|| HIDDEN.to_owned())
}

fn state_word(progress: VisitProgress) -> &'static str {
    match progress {
        VisitProgress::Running => "active",
        VisitProgress::Over => "past",
        VisitProgress::Nobody => "nobody",
    }
}

fn filter_of(chosen: &mut Chosen) -> AppointmentFilter {
    AppointmentFilter {
        time: time_of(chosen),
        profile: chosen_profile(chosen),
        department: chosen.get("department").map(ToOwned::to_owned),
        progress: chosen.read("state", "a state", |text| match text {
            "active" => Some(VisitProgress::Running),
            "past" => Some(VisitProgress::Over),
            "nobody" => Some(VisitProgress::Nobody),
            _ => None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_in_which_nobody_was_there_is_no_part_of_a_visit() {
        let at = |second: i64| UnixTime::from_millis(second * 1000);
        let present = |times: &[(i64, Option<i64>)]| {
            let times = times.iter();
            presence(times.map(|(joined, left)| (at(*joined), left.map(at))))
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(present(&[]), None);
        assert_eq!(present(&[(5, None)]), None);
        assert_eq!(present(&[(5, Some(15))]), seconds(10));
        // One within the other, and one after the other without and with a gap.
        assert_eq!(present(&[(5, Some(15)), (6, Some(7))]), seconds(10));
        assert_eq!(present(&[(15, Some(20)), (5, Some(15))]), seconds(15));
        assert_eq!(present(&[(100, Some(110)), (5, Some(15))]), seconds(20));
    }
}
