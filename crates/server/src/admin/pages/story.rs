//! `/admin/launches/{telehealth_request_id}`: one launch's whole story.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use serde::Serialize;
use vestibule_launch::{DeviceTest, ErrorName, RequestId, UnixTime};
use vestibule_store::{
    Attendee, AuditAction, AuditSubject, LaunchEventRecord, LaunchRow, LaunchState, LaunchStep,
    Page, Reported, StepTaken, WriteBackFilter, WriteBackRow,
};

use super::{
    again,
    csv::Csv,
    csv_stream,
    frame::{PageError, PageOf, Section, launch_path, launch_profile},
    moment::{Moment, between, duration},
    words::{self, StateWord},
    write_back_rows,
};
use crate::{
    admin::{Admin, Administrator, Role},
    clock::rfc3339,
    error_reference,
};

/// Most write-backs of one launch that are shown.
const WRITE_BACKS: u32 = 200;

#[derive(Serialize)]
pub(super) struct View {
    launch: Facts,
    steps: Vec<Line>,
    write_backs: Vec<write_back_rows::Row>,
    may_send: bool,
}

#[derive(Serialize)]
struct Facts {
    request_id: String,
    state: StateWord,
    profile: String,
    profile_path: Option<String>,
    role: &'static str,
    department: Option<String>,
    appointment: Option<Link>,
    failure: Option<Failure>,
    csv: String,
}

#[derive(Serialize)]
struct Link {
    path: String,
    name: String,
}

#[derive(Serialize)]
struct Failure {
    error_name: &'static str,
    actor: &'static str,
    advice: &'static str,
    page: &'static str,
}

#[derive(Serialize)]
struct Line {
    at: Moment,
    after: String,
    word: &'static str,
    class: &'static str,
    text: String,
    advice: Option<&'static str>,
}

/// Something that happened.
struct Step {
    at: UnixTime,
    word: &'static str,
    class: &'static str,
    text: String,
    advice: Option<&'static str>,
}

pub(super) async fn page(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    Path(request_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let view = view(&admin, &who, &request_id).await?;
    let page = PageOf {
        admin: &admin,
        who: &who,
        section: Section::Launches,
        here: format!("/admin/launches/{}", view.launch.request_id),
    };
    let (_, notice) = again::said(query.as_deref());
    page.render_with("launch.html", &view, notice)
}

pub(super) async fn csv(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    Path(request_id): Path<String>,
) -> Result<Response, PageError> {
    let told = told(&admin, &request_id).await?;
    let subject = AuditSubject::launch(told.row.launch.request_id);
    who.record(&admin, AuditAction::Exported, Some(subject), "")
        .await?;
    let mut csv = Csv::new(&["time", "seconds_after_the_step_before", "what", "more"]);
    let mut before = told.row.launch.created_at;
    for step in told.steps(admin.tools.now()) {
        let after = step.at.since(before).as_secs_f64().to_string();
        csv.row(&[rfc3339(step.at).as_str(), &after, step.word, &step.text]);
        before = step.at;
    }
    Ok(csv_stream::file("launch", csv.into_text()))
}

/// What the store has of a launch.
struct Told {
    row: LaunchRow,
    events: Vec<LaunchEventRecord>,
    attendees: Vec<Attendee>,
    write_backs: Vec<WriteBackRow>,
}

async fn told(admin: &Admin, request_id: &str) -> Result<Told, PageError> {
    let request_id: RequestId = request_id.parse().map_err(|_| PageError::Missing)?;
    let store = &admin.tools.store;
    let row = store.launch_row(request_id).await?;
    let row = row.ok_or(PageError::Missing)?;
    let mut attendees = match row.launch.appointment {
        Some(appointment) => store.attendees(appointment).await?,
        None => Vec::new(),
    };
    attendees.retain(|attendee| {
        attendee
            .launch
            .is_some_and(|(launch, _)| launch == request_id)
    });
    let filter = WriteBackFilter {
        request_id: Some(request_id),
        ..WriteBackFilter::default()
    };
    let page = Page {
        after: None,
        limit: WRITE_BACKS,
    };
    Ok(Told {
        events: store.events_of(request_id).await?,
        write_backs: store.list_write_backs(&filter, page).await?,
        row,
        attendees,
    })
}

pub(super) async fn view(
    admin: &Admin,
    who: &Administrator,
    request_id: &str,
) -> Result<View, PageError> {
    let told = told(admin, request_id).await?;
    let row = &told.row;
    let launch = &row.launch;
    let profile = launch
        .profile
        .and_then(|uuid| admin.registry.find_uuid(uuid));
    let mut before = launch.created_at;
    let lines = told.steps(admin.tools.now()).into_iter().map(|step| {
        let line = Line {
            after: format!("+{}", between(before, step.at)),
            at: Moment::of(step.at),
            word: step.word,
            class: step.class,
            text: step.text,
            advice: step.advice,
        };
        before = step.at;
        line
    });
    Ok(View {
        steps: lines.collect(),
        write_backs: write_back_rows::rows(admin, &told.write_backs).await?,
        may_send: who.role >= Role::Operate,
        launch: Facts {
            request_id: launch.request_id.to_string(),
            state: words::of_launch(row, admin.tools.now()),
            profile: launch_profile(admin, launch),
            profile_path: profile.map(|entry| super::profiles::path(&entry)),
            role: words::of_role(launch.role),
            department: row.department.clone(),
            appointment: launch.appointment.map(|appointment| Link {
                path: super::appointments::path(appointment),
                name: format!("number {appointment}"),
            }),
            failure: match launch.state {
                LaunchState::Failed { error_name, .. } => Some(Failure::of(error_name)),
                _ => None,
            },
            csv: format!("{}/csv", launch_path(launch)),
        },
    })
}

impl Failure {
    fn of(error_name: ErrorName) -> Self {
        let entry = error_reference::entry(error_name);
        Self {
            error_name: error_name.as_str(),
            actor: entry.actor.as_str(),
            advice: entry.advice,
            page: entry.page.sentence(),
        }
    }
}

impl Told {
    /// What happened, in the order in which it did.
    fn steps(&self, now: UnixTime) -> Vec<Step> {
        let mut steps = self.launching(now);
        steps.extend(self.events.iter().map(reported));
        for attendee in &self.attendees {
            steps.extend(attended(attendee));
        }
        // What to do stands above, where it is what the launch failed by.
        if let LaunchState::Failed { error_name, .. } = self.row.launch.state {
            let above = error_reference::entry(error_name).advice;
            for step in &mut steps {
                step.advice = step.advice.filter(|advice| *advice != above);
            }
        }
        // Sorting keeps those of the same moment as they were put in.
        steps.sort_by_key(|step| step.at);
        steps
    }

    fn launching(&self, now: UnixTime) -> Vec<Step> {
        let LaunchRow {
            launch,
            completed_at,
            authorised_at,
            ..
        } = &self.row;
        let button = launch.created_at;
        let by = launch.role.map(|role| format!(", by a {}", role.as_str()));
        let mut steps = vec![Step::new(
            button,
            "button",
            "",
            format!("The EHR's button was pressed{}.", by.unwrap_or_default()),
        )];
        // A launch that failed before it was stored began when it failed.
        let taken = |one: &StepTaken| taken(one, button.max(one.at));
        let is_before = |one: &&StepTaken| one.step == LaunchStep::Metadata;
        let all = self.row.steps.iter();
        steps.extend(all.clone().filter(is_before).map(taken));
        steps.extend(authorised_at.map(|at| {
            let text = "The user is back from the EHR's sign-in.";
            Step::new(at, "signed in", "", text.to_owned())
        }));
        steps.extend(all.filter(|one| !is_before(one)).map(taken));
        let sign_in_ends = words::sign_in_ends(&self.row);
        match (launch.state, *completed_at) {
            (LaunchState::Started, _) if now >= sign_in_ends => steps.push(Step::new(
                sign_in_ends,
                "not come back",
                "",
                "Nobody has come back from the EHR's sign-in, whose time is over.".to_owned(),
            )),
            (LaunchState::Started, _) => steps.push(Step::new(
                button,
                "waits",
                "warn",
                "Nobody has come back from the EHR's sign-in yet.".to_owned(),
            )),
            (LaunchState::Authorised, None) => steps.push(Step::new(
                button,
                "waits",
                "warn",
                "The EHR has answered, and no join link was given out.".to_owned(),
            )),
            (_, Some(at)) => steps.push(Step::new(
                at,
                "join link",
                "good",
                "The join link was given out.".to_owned(),
            )),
            _ => {}
        }
        // A failure that the landing page reported stands among its events.
        let told = self
            .events
            .iter()
            .any(|event| matches!(event.event, Reported::Failed(_)));
        if let LaunchState::Failed { error_name, at } = launch.state
            && !told
        {
            let step = self.row.steps.last().filter(|taken| !taken.ok);
            let what = match step {
                Some(taken) => format!("{} failed", words::of_step(taken.step)),
                None => "The server could not go on".to_owned(),
            };
            steps.push(failed(at, error_name, &what));
        }
        steps
    }
}

impl Step {
    fn new(at: UnixTime, word: &'static str, class: &'static str, text: String) -> Self {
        Self {
            at,
            word,
            class,
            text,
            advice: None,
        }
    }
}

/// A step that the server took.
fn taken(taken: &StepTaken, at: UnixTime) -> Step {
    let how = if taken.ok { "took" } else { "failed after" };
    Step::new(
        at,
        taken.step.as_str(),
        if taken.ok { "" } else { "fault" },
        format!(
            "{} {how} {}.",
            words::of_step(taken.step),
            brief(taken.took)
        ),
    )
}

/// To the millisecond where it is short.
fn brief(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        format!("{} ms", took.as_millis())
    } else {
        duration(took)
    }
}

/// What the landing page said.
fn reported(record: &LaunchEventRecord) -> Step {
    let at = record.received_at;
    let (word, class, text) = match record.event {
        Reported::Connecting => (
            "connecting",
            "",
            "The landing page asks the conferencing node for a token.".to_owned(),
        ),
        Reported::Waiting => (
            "waiting",
            "",
            "The landing page waits for the host, or to be let in.".to_owned(),
        ),
        Reported::Joined => ("joined", "good", "The user is in the visit.".to_owned()),
        Reported::Left => ("left", "", "The user has left.".to_owned()),
        Reported::Failed(error_name) => {
            return failed(at, error_name, "The landing page could not go on");
        }
        Reported::DeviceTest(test) => ("device test", "", device_test(&test)),
        Reported::OtherBrowser => (
            "other browser",
            "warn",
            "Somebody came back from the EHR's sign-in in another browser than that in which \
             the launch began, or without its cookie, and was sent away."
                .to_owned(),
        ),
    };
    Step::new(at, word, class, text)
}

fn failed(at: UnixTime, error_name: ErrorName, what: &str) -> Step {
    let entry = error_reference::entry(error_name);
    Step {
        at,
        word: "failed",
        class: "fault",
        text: format!(
            "{what}: {error_name}, for {} to mend.",
            entry.actor.as_str()
        ),
        advice: Some(entry.advice),
    }
}

fn device_test(test: &DeviceTest) -> String {
    let DeviceTest {
        camera,
        microphone,
        speaker,
        connection,
    } = test;
    format!(
        "Camera {}, microphone {}, speaker {}, connection {}.",
        camera.as_str(),
        microphone.as_str(),
        speaker.as_str(),
        connection.as_str()
    )
}

/// What the conferencing node said.
fn attended(attendee: &Attendee) -> Vec<Step> {
    let participant = &attendee.participant;
    let node = &participant.node;
    let mut steps = vec![Step::new(
        participant.connected_at,
        "connected",
        "good",
        format!("The conferencing node {node} has a participant by this launch."),
    )];
    if let Some(at) = participant.disconnected_at {
        let text = format!("The participant is gone from the conferencing node {node}.");
        steps.push(Step::new(at, "disconnected", "", text));
    }
    steps
}
