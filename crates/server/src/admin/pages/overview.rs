//! `/admin`: how launches go. Figures of now, and charts over the chosen time.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use serde::Serialize;
use vestibule_store::{
    AppointmentFilter, LaunchCount, LaunchProgress, Page, StoreError, VisitProgress,
    WriteBackFilter, WriteBackProgress,
};

use super::{
    charts::{Chart, none, shown},
    figures::{Figures, times_of},
    filter::{Chosen, Filter},
    frame::{PageError, PageOf, Section, chosen_profile, profile_choices},
    in_time::{InTime, SOON, narrower},
    moment::Moment,
};
use crate::admin::{Admin, Administrator};

pub(super) const PATH: &str = "/admin";

/// Most departments in the form.
const CHOICES: u32 = 200;

/// Up to here a figure is counted; beyond it has a plus sign.
const COUNTED: u32 = 1000;

#[derive(Serialize)]
struct View {
    filter: Filter,
    /// Where the data begins, if that is within the time.
    since: Option<Moment>,
    /// Whether that could be read in time.
    has_beginning: bool,
    figures: Vec<Figure>,
    charts: Vec<Chart>,
}

#[derive(Debug, Serialize)]
struct Figure {
    label: &'static str,
    value: String,
    path: Option<String>,
    /// What to do where there is no value because it took too long.
    too_slow: Option<String>,
}

/// What is so now, whatever time is looked at: appointments and write-backs, up to
/// [`COUNTED`]. What took too long to count is none.
struct Now {
    running: Option<usize>,
    unsent: Option<usize>,
    given_up: Option<usize>,
}

pub(super) async fn page(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let mut chosen = Chosen::of(query.as_deref());
    let mut time = InTime::new();
    let now = Now::read(&admin, &chosen, &mut time).await?;
    let departments = admin.tools.store.departments(CHOICES);
    let departments = time.read(departments).await?;
    let figures = Figures::read(&admin, &mut chosen, &mut time).await?;
    time.any()?;
    let times = times_of(admin.retention);
    // Without the others, the one that is chosen stays so.
    let departments = departments.unwrap_or_else(|| {
        let department = chosen.get("department").map(ToOwned::to_owned);
        department.into_iter().collect()
    });
    let any = (String::new(), "any".to_owned());
    let departments = departments.into_iter().map(|name| (name.clone(), name));
    let filter = chosen
        .form()
        .choice(&chosen, "time", "Time", times)
        .choice(&chosen, "profile", "Profile", profile_choices(&admin))
        .choice(
            &chosen,
            "department",
            "Department",
            std::iter::once(any).chain(departments),
        );
    let view = View {
        filter,
        since: figures.span.since().map(Moment::with_zone),
        has_beginning: figures.has_beginning,
        figures: head(&now, &figures, &chosen),
        charts: figures.charts(&chosen)?,
    };
    let page = PageOf {
        admin: &admin,
        who: &who,
        section: Section::Overview,
        here: chosen.here(PATH),
    };
    page.render("overview.html", &view)
}

/// What changes on the page.
pub(super) async fn pulse(admin: &Admin, mut chosen: Chosen) -> Result<String, PageError> {
    let mut time = InTime::new();
    let now = Now::read(admin, &chosen, &mut time).await?;
    let figures = Figures::read(admin, &mut chosen, &mut time).await?;
    time.any()?;
    let head = head(&now, &figures, &chosen);
    Ok(format!("{head:?} {figures:?}"))
}

impl Now {
    async fn read(admin: &Admin, chosen: &Chosen, time: &mut InTime) -> Result<Self, StoreError> {
        let store = &admin.tools.store;
        let profile = chosen_profile(&mut chosen.clone());
        let running = AppointmentFilter {
            progress: Some(VisitProgress::Running),
            profile,
            department: chosen.get("department").map(ToOwned::to_owned),
            ..AppointmentFilter::default()
        };
        let running = time.read(store.list_appointments(&running, counted()));
        let running = running.await?.map(|listed| listed.len());
        let mut write_backs = [None; 2];
        let states = [WriteBackProgress::Unsent, WriteBackProgress::GivenUp];
        for (count, progress) in write_backs.iter_mut().zip(states) {
            let filter = WriteBackFilter {
                progress: Some(progress),
                profile,
                ..WriteBackFilter::default()
            };
            let listed = time.read(store.list_write_backs(&filter, counted()));
            *count = listed.await?.map(|listed| listed.len());
        }
        let [unsent, given_up] = write_backs;
        Ok(Self {
            running,
            unsent,
            given_up,
        })
    }
}

fn head(now: &Now, figures: &Figures, chosen: &Chosen) -> Vec<Figure> {
    let leads = figures.leads(chosen);
    // Write-backs have no department.
    let [unsent, given_up] = match chosen.get("department") {
        None => ["write-backs unsent", "write-backs given up"],
        Some(_) => [
            "write-backs unsent (all departments)",
            "write-backs given up (all departments)",
        ],
    };
    let by_error = figures.by_error.as_ref();
    let sum = |of: fn(&LaunchCount) -> u64| {
        let sum = by_error.map(|counts| counts.iter().map(of).sum::<u64>());
        sum.map(|sum| sum.to_string())
    };
    let joined = figures.joined.all.as_ref().map(|all| all.first());
    let count = joined.map(|joined| joined.map_or(0, |joined| joined.count));
    let median = joined.map(|joined| joined.map_or_else(none, |joined| shown(joined.median)));
    let of_time = |label, value, path| Figure::of(label, value, path, || narrower(chosen));
    let of_now = |label, count: Option<usize>, path| {
        let value = count.map(|count| up_to(count, COUNTED));
        Figure::of(label, value, Some(path), || SOON.to_owned())
    };
    vec![
        of_time(
            "launches",
            sum(|count| count.launches),
            Some(leads.launches(&[])),
        ),
        of_time(
            "failed",
            sum(|count| count.failed),
            Some(leads.launches(&[("state", LaunchProgress::Failed.as_str())])),
        ),
        of_time(
            "joined",
            count.map(|count| count.to_string()),
            Some(leads.launches(&[("state", LaunchProgress::Joined.as_str())])),
        ),
        of_time("from button to joined (median)", median, None),
        of_now("visits now", now.running, leads.visits()),
        of_now(
            unsent,
            now.unsent,
            leads.write_backs(WriteBackProgress::Unsent.as_str()),
        ),
        of_now(
            given_up,
            now.given_up,
            leads.write_backs(WriteBackProgress::GivenUp.as_str()),
        ),
    ]
}

fn counted<I>() -> Page<I> {
    Page {
        after: None,
        limit: COUNTED,
    }
}

fn up_to(count: usize, most: u32) -> String {
    let plus = if count >= most as usize { "+" } else { "" };
    format!("{count}{plus}")
}

impl Figure {
    /// Without a value it took too long to read.
    fn of(
        label: &'static str,
        value: Option<String>,
        path: Option<String>,
        too_slow: impl FnOnce() -> String,
    ) -> Self {
        Self {
            label,
            too_slow: value.is_none().then(too_slow),
            value: value.unwrap_or_else(none),
            path,
        }
    }
}
