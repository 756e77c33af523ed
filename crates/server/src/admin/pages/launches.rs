//! `/admin/launches`: launches by when they began.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use serde::Serialize;
use vestibule_launch::{EhrRole, ErrorName};
use vestibule_store::{
    AuditAction, AuditSubject, LaunchFilter, LaunchProgress, LaunchRow, LaunchState, Page,
    TimeRange,
};

use super::{
    csv_stream::{self, Sheet},
    filter::{Chosen, Filter, Pager},
    frame::{
        PageError, PageOf, Section, chosen_profile, launch_path, launch_profile, profile_choices,
        profile_name,
    },
    moment::{Moment, between},
    words::{self, StateWord},
};
use crate::admin::{Admin, Administrator};

pub(super) const PATH: &str = "/admin/launches";

/// Rows on a page.
pub(super) const ROWS: u32 = 50;

/// Most departments in a form.
const DEPARTMENTS: u32 = 200;

#[derive(Serialize)]
pub(super) struct View {
    filter: Filter,
    rows: Vec<Row>,
    pager: Pager,
}

/// A launch in a table.
#[derive(Serialize)]
pub(super) struct Row {
    began: Moment,
    path: String,
    request_id: String,
    profile: String,
    role: &'static str,
    department: Option<String>,
    state: StateWord,
    error_name: Option<&'static str>,
    until_joined: Option<String>,
}

pub(super) async fn page(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let chosen = Chosen::of(query.as_deref());
    let here = chosen.here(PATH);
    let view = view(&admin, chosen).await?;
    let page = PageOf {
        admin: &admin,
        who: &who,
        section: Section::Launches,
        here,
    };
    page.render("launches.html", &view)
}

pub(super) async fn csv(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let mut chosen = Chosen::of(query.as_deref());
    let filter = filter_of(&mut chosen);
    chosen.checked()?;
    let table = AuditSubject::table("launches");
    who.record(&admin, AuditAction::Exported, Some(table), &chosen.told())
        .await?;
    let sheet = Sheet {
        name: "launches",
        columns: &[
            "began",
            "request_id",
            "profile_uuid",
            "profile",
            "role",
            "department",
            "state",
            "error_name",
            "signed_in",
            "join_link_given",
            "joined",
            "seconds_until_joined",
        ],
    };
    let shared = Arc::clone(&admin);
    Ok(csv_stream::download(&admin, &who, &sheet, move |page| {
        let (admin, filter) = (Arc::clone(&shared), filter.clone());
        async move {
            let rows = admin.tools.store.list_launches(&filter, page).await?;
            let next = rows.last().map(LaunchRow::position);
            let lines = rows.iter().map(|row| line(&admin, row)).collect();
            Ok((lines, next))
        }
    }))
}

fn line(admin: &Admin, row: &LaunchRow) -> Vec<String> {
    let launch = &row.launch;
    let time = |time: Option<_>| time.map(crate::clock::rfc3339).unwrap_or_default();
    let seconds = row
        .joined_at
        .map(|at| at.since(launch.created_at).as_secs_f64());
    vec![
        time(Some(launch.created_at)),
        launch.request_id.to_string(),
        launch
            .profile
            .map(|uuid| uuid.to_string())
            .unwrap_or_default(),
        launch
            .profile
            .map(|uuid| profile_name(admin, uuid))
            .unwrap_or_default(),
        launch
            .role
            .map(EhrRole::as_str)
            .unwrap_or_default()
            .to_owned(),
        row.department.clone().unwrap_or_default(),
        words::of_launch(row, admin.tools.now()).word.to_owned(),
        error_name(row).unwrap_or_default().to_owned(),
        time(row.authorised_at),
        time(row.completed_at),
        time(row.joined_at),
        seconds
            .map(|seconds| seconds.to_string())
            .unwrap_or_default(),
    ]
}

pub(super) async fn view(admin: &Admin, mut chosen: Chosen) -> Result<View, PageError> {
    let after = chosen.read("after", "a place in the list", |text| text.parse().ok());
    let filter = filter_of(&mut chosen);
    let store = &admin.tools.store;
    let page = Page {
        after,
        limit: ROWS + 1,
    };
    let mut rows = store.list_launches(&filter, page).await?;
    let more = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let next = more.then(|| rows.last().map(|row| row.position().to_string()));
    let departments = store.departments(DEPARTMENTS).await?;
    let any = || (String::new(), "any".to_owned());
    let states = LaunchProgress::ALL.map(|state| {
        (
            state.as_str().to_owned(),
            words::of_launches(state).to_owned(),
        )
    });
    let errors = ErrorName::ALL
        .iter()
        .map(|name| (name.to_string(), name.to_string()));
    let departments = departments.into_iter().map(|name| (name.clone(), name));
    let form = chosen
        .form()
        .chosen_only(&chosen, "appointment", "Appointment")
        .days(&chosen)
        .choice(&chosen, "profile", "Profile", profile_choices(admin))
        .choice(&chosen, "role", "Role", words::roles())
        .choice(
            &chosen,
            "state",
            "State",
            std::iter::once(any()).chain(states),
        )
        .choice(
            &chosen,
            "error",
            "Error name",
            std::iter::once(any()).chain(errors),
        )
        .choice(
            &chosen,
            "department",
            "Department",
            std::iter::once(any()).chain(departments),
        )
        .csv(&chosen, "/admin/launches.csv");
    Ok(View {
        filter: form,
        pager: chosen.pager(PATH, next.flatten().as_deref()),
        rows: rows.iter().map(|row| Row::of(admin, row)).collect(),
    })
}

pub(super) fn filter_of(chosen: &mut Chosen) -> LaunchFilter {
    LaunchFilter {
        time: time_of(chosen),
        profile: chosen_profile(chosen),
        role: chosen.read("role", "patient or provider", |text| {
            let mut roles = [EhrRole::Patient, EhrRole::Provider].into_iter();
            roles.find(|role| role.as_str() == text)
        }),
        progress: chosen.read("state", "a state", |text| {
            let mut states = LaunchProgress::ALL.into_iter();
            states.find(|state| state.as_str() == text)
        }),
        error_name: chosen.read("error", "an error name", |text| text.parse().ok()),
        department: chosen.get("department").map(ToOwned::to_owned),
        appointment: chosen.read("appointment", "an appointment's number", |text| {
            text.parse().ok()
        }),
    }
}

/// The time between the days that were chosen.
pub(super) fn time_of(chosen: &mut Chosen) -> Option<TimeRange> {
    let (from, until) = (chosen.day("from"), chosen.day_after("to"));
    (from.is_some() || until.is_some()).then(|| TimeRange {
        from: from.unwrap_or(vestibule_launch::UnixTime::from_millis(0)),
        until: until.unwrap_or(vestibule_launch::UnixTime::from_millis(i64::MAX)),
    })
}

/// What went wrong, where it did, if only for a while.
pub(super) fn error_name(row: &LaunchRow) -> Option<&'static str> {
    match row.launch.state {
        LaunchState::Failed { error_name, .. } => Some(error_name.as_str()),
        _ => row.overcome.map(ErrorName::as_str),
    }
}

impl Row {
    pub(super) fn of(admin: &Admin, row: &LaunchRow) -> Self {
        let launch = &row.launch;
        Self {
            began: Moment::of(launch.created_at),
            path: launch_path(launch),
            request_id: launch.request_id.to_string(),
            profile: launch_profile(admin, launch),
            role: words::of_role(launch.role),
            department: row.department.clone(),
            state: words::of_launch(row, admin.tools.now()),
            error_name: error_name(row),
            until_joined: row.joined_at.map(|at| between(launch.created_at, at)),
        }
    }
}
