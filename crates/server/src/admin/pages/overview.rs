//! `/admin`: how launches go. Figures of now, and charts over the chosen time.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use serde::Serialize;
use vestibule_store::{
    AppointmentFilter, LaunchProgress, Page, StoreError, VisitProgress, WriteBackFilter,
    WriteBackProgress,
};

use super::{
    charts::{Chart, none, shown},
    figures::{Figures, times_of},
    filter::{Chosen, Filter},
    frame::{PageError, PageOf, Section, chosen_profile, profile_choices},
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
    figures: Vec<Figure>,
    charts: Vec<Chart>,
}

#[derive(Debug, Serialize)]
struct Figure {
    label: &'static str,
    value: String,
    path: Option<String>,
}

pub(super) async fn page(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let mut chosen = Chosen::of(query.as_deref());
    let figures = Figures::read(&admin, &mut chosen).await?;
    let times = times_of(admin.retention);
    let departments = admin.tools.store.departments(CHOICES).await?;
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
        figures: head(&admin, &figures, &chosen).await?,
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
    let figures = Figures::read(admin, &mut chosen).await?;
    let head = head(admin, &figures, &chosen).await?;
    Ok(format!("{head:?} {figures:?}"))
}

async fn head(
    admin: &Admin,
    figures: &Figures,
    chosen: &Chosen,
) -> Result<Vec<Figure>, StoreError> {
    let store = &admin.tools.store;
    let leads = figures.leads(chosen);
    let profile = chosen_profile(&mut chosen.clone());
    let department = chosen.get("department").map(ToOwned::to_owned);
    // Write-backs have no department.
    let [unsent, given_up] = match department {
        None => ["write-backs unsent", "write-backs given up"],
        Some(_) => [
            "write-backs unsent (all departments)",
            "write-backs given up (all departments)",
        ],
    };
    let running = AppointmentFilter {
        progress: Some(VisitProgress::Running),
        profile,
        department,
        ..AppointmentFilter::default()
    };
    let running = store.list_appointments(&running, counted()).await?.len();
    let mut write_backs = [0; 2];
    let states = [WriteBackProgress::Unsent, WriteBackProgress::GivenUp];
    for (count, progress) in write_backs.iter_mut().zip(states) {
        let filter = WriteBackFilter {
            progress: Some(progress),
            profile,
            ..WriteBackFilter::default()
        };
        *count = store.list_write_backs(&filter, counted()).await?.len();
    }
    let launches: u64 = figures.by_error.iter().map(|count| count.launches).sum();
    let failed: u64 = figures.by_error.iter().map(|count| count.failed).sum();
    let joined = figures.joined.all.first();
    let count = joined.map_or(0, |joined| joined.count);
    let median = joined.map(|joined| shown(joined.median));
    Ok(vec![
        Figure::of("launches", launches.to_string(), Some(leads.launches(&[]))),
        Figure::of(
            "failed",
            failed.to_string(),
            Some(leads.launches(&[("state", LaunchProgress::Failed.as_str())])),
        ),
        Figure::of(
            "joined",
            count.to_string(),
            Some(leads.launches(&[("state", LaunchProgress::Joined.as_str())])),
        ),
        Figure::of(
            "from button to joined (median)",
            median.unwrap_or_else(none),
            None,
        ),
        Figure::of("visits now", up_to(running, COUNTED), Some(leads.visits())),
        Figure::of(
            unsent,
            up_to(write_backs[0], COUNTED),
            Some(leads.write_backs(WriteBackProgress::Unsent.as_str())),
        ),
        Figure::of(
            given_up,
            up_to(write_backs[1], COUNTED),
            Some(leads.write_backs(WriteBackProgress::GivenUp.as_str())),
        ),
    ])
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
    fn of(label: &'static str, value: String, path: Option<String>) -> Self {
        Self { label, value, path }
    }
}
