//! `/admin`: how launches go. Charts over the chosen time, each a table and a CSV file
//! too.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use serde::Serialize;
use uuid::Uuid;
use vestibule_launch::UnixTime;
use vestibule_store::{
    AppointmentFilter, AuditAction, AuditSubject, Group, Grouping, LaunchCount, LaunchDurations,
    LaunchFilter, Measure, Page, Part, Per, Step, Store, StoreError, Summary, TimeRange,
    VisitLength, VisitProgress, WriteBackFilter, WriteBackProgress,
};

use super::{
    chart::{self, NotDrawn, OverTime},
    csv::Csv,
    csv_stream::{self, Sheet},
    filter::{Chosen, Filter},
    frame::{PageError, PageOf, Section, chosen_profile, profile_choices},
    moment::{Moment, duration},
};
use crate::{
    admin::{Admin, Administrator},
    clock::rfc3339,
};

pub(super) const PATH: &str = "/admin";

/// Most departments in the chart, and in the form.
const DEPARTMENTS: usize = 12;
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
    path: Option<&'static str>,
}

#[derive(Serialize)]
struct Chart {
    id: &'static str,
    title: &'static str,
    summary: String,
    /// None where there is nothing to show.
    svg: Option<String>,
    legend: Vec<&'static str>,
    lines: bool,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// What is to be known of it.
    note: Option<&'static str>,
    csv: String,
}

/// The time that is looked at, in steps.
#[derive(Debug)]
struct Span {
    from: UnixTime,
    step: Step,
    count: usize,
}

/// What the charts are made of.
#[derive(Debug)]
struct Figures {
    span: Span,
    /// When the oldest launch began that is not forgotten.
    oldest: Option<UnixTime>,
    by_error: Vec<LaunchCount>,
    by_department: Vec<LaunchCount>,
    joined: Measured,
    waited: Measured,
    length: Measured,
}

/// How long something took: altogether, in each step of time and of each department.
#[derive(Debug)]
struct Measured {
    all: Vec<Summary>,
    steps: Vec<Summary>,
    departments: Vec<Summary>,
}

/// Which launches and appointments are looked at.
struct Asked {
    launches: LaunchFilter,
    appointments: AppointmentFilter,
}

/// Which chart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Launches,
    Errors,
    Joined,
    Waited,
    Length,
    Departments,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Launches,
        Self::Errors,
        Self::Joined,
        Self::Waited,
        Self::Length,
        Self::Departments,
    ];

    fn id(self) -> &'static str {
        match self {
            Self::Launches => "launches",
            Self::Errors => "errors",
            Self::Joined => "joined",
            Self::Waited => "waited",
            Self::Length => "length",
            Self::Departments => "departments",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Launches => "Launches and failures",
            Self::Errors => "Failures by error name",
            Self::Joined => "Time from button to joined",
            Self::Waited => "Waiting time of patients",
            Self::Length => "Visit length",
            Self::Departments => "Launches by department",
        }
    }
}

pub(super) async fn page(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let mut chosen = Chosen::of(query.as_deref());
    let figures = figures(&admin, &mut chosen).await?;
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
    let charts = Kind::ALL.map(|kind| figures.chart(kind, &chosen));
    let view = View {
        filter,
        since: figures.since().map(Moment::with_zone),
        figures: head(&admin, &figures).await?,
        charts: charts.into_iter().collect::<Result<_, _>>()?,
    };
    let page = PageOf {
        admin: &admin,
        who: &who,
        section: Section::Overview,
        here: chosen.here(PATH),
    };
    page.render("overview.html", &view)
}

/// The table of a chart.
pub(super) async fn csv(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let id = file.strip_suffix(".csv").ok_or(PageError::Missing)?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.id() == id);
    let kind = kind.ok_or(PageError::Missing)?;
    let mut chosen = Chosen::of(query.as_deref());
    let span = Span::chosen(&mut chosen, admin.tools.now());
    let asked = Asked::of(&span, &mut chosen);
    let table = AuditSubject::table("charts");
    who.record(&admin, AuditAction::Exported, Some(table), kind.id())
        .await?;
    let grouping = match kind {
        Kind::Joined | Kind::Waited => return Ok(durations_csv(admin, kind, asked.launches)),
        Kind::Length => return Ok(lengths_csv(admin, asked.appointments)),
        Kind::Launches | Kind::Errors => Grouping::ErrorName,
        Kind::Departments => Grouping::Department,
    };
    let store = &admin.tools.store;
    let counts = store.count_launches(&asked.launches, span.step, grouping);
    let (columns, rows) = counted_rows(kind, &span, &counts.await?);
    let mut csv = Csv::new(columns);
    for row in &rows {
        csv.row(row);
    }
    Ok(csv_stream::file(kind.id(), csv.into_text()))
}

/// What changes on the page.
pub(super) async fn pulse(admin: &Admin, mut chosen: Chosen) -> Result<String, PageError> {
    let figures = figures(admin, &mut chosen).await?;
    let head = head(admin, &figures).await?;
    Ok(format!("{head:?} {figures:?}"))
}

async fn figures(admin: &Admin, chosen: &mut Chosen) -> Result<Figures, PageError> {
    let span = Span::chosen(chosen, admin.tools.now());
    let asked = Asked::of(&span, chosen);
    let store = &admin.tools.store;
    let step = span.step;
    Ok(Figures {
        oldest: store.oldest_launch().await?,
        by_error: store
            .count_launches(&asked.launches, step, Grouping::ErrorName)
            .await?,
        by_department: store
            .count_launches(&asked.launches, step, Grouping::Department)
            .await?,
        joined: asked.measured(&**store, Kind::Joined, step).await?,
        waited: asked.measured(&**store, Kind::Waited, step).await?,
        length: asked.measured(&**store, Kind::Length, step).await?,
        span,
    })
}

impl Asked {
    fn of(span: &Span, chosen: &mut Chosen) -> Self {
        let time = Some(TimeRange {
            from: span.from,
            until: UnixTime::from_millis(i64::MAX),
        });
        let profile: Option<Uuid> = chosen_profile(chosen);
        let department = chosen.get("department").map(ToOwned::to_owned);
        Self {
            launches: LaunchFilter {
                time,
                profile,
                department: department.clone(),
                ..LaunchFilter::default()
            },
            appointments: AppointmentFilter {
                time,
                profile,
                department,
                progress: None,
            },
        }
    }

    async fn measured(
        &self,
        store: &dyn Store,
        kind: Kind,
        step: Step,
    ) -> Result<Measured, StoreError> {
        let summary = async |per| match kind {
            Kind::Length => store.summarise_visits(&self.appointments, per).await,
            Kind::Waited => {
                let measure = Measure::Waited;
                store.summarise_launches(&self.launches, measure, per).await
            }
            _ => {
                let measure = Measure::Joined;
                store.summarise_launches(&self.launches, measure, per).await
            }
        };
        Ok(Measured {
            all: summary(Per::All).await?,
            steps: summary(Per::Step(step)).await?,
            departments: summary(Per::Department).await?,
        })
    }
}

impl Measured {
    fn of_department(&self, name: &Option<String>) -> Option<i64> {
        let part = Part::Department(name.clone());
        let mut summaries = self.departments.iter();
        let summary = summaries.find(|summary| summary.part == part);
        summary.map(|summary| summary.median)
    }
}

/// The times that may be chosen: none of which the beginning would be forgotten.
fn times_of(retention: Duration) -> impl Iterator<Item = (&'static str, &'static str)> {
    let day = Duration::from_secs(24 * 60 * 60);
    [
        ("", "7 days", 0),
        ("day", "24 hours", 0),
        ("month", "30 days", 30),
        ("quarter", "90 days", 90),
    ]
    .into_iter()
    .filter(move |(.., days)| day * *days <= retention)
    .map(|(value, label, _)| (value, label))
}

/// How long each launch took, as many as there are.
fn durations_csv(admin: Arc<Admin>, kind: Kind, filter: LaunchFilter) -> Response {
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
            in_a_file(one.joined_after),
            in_a_file(one.waited),
        ]
    };
    csv_stream::download(&sheet, move |after| {
        let (admin, filter) = (Arc::clone(&admin), filter.clone());
        async move {
            let limit = csv_stream::ROWS;
            let page = Page { after, limit };
            let rows = admin.tools.store.launch_durations(&filter, page).await?;
            let next = rows.last().map(LaunchDurations::position);
            Ok((rows.iter().map(line).collect(), next))
        }
    })
}

/// How long each visit was, as many as there are.
fn lengths_csv(admin: Arc<Admin>, filter: AppointmentFilter) -> Response {
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
            in_a_file(Some(one.present)),
        ]
    };
    csv_stream::download(&sheet, move |after| {
        let (admin, filter) = (Arc::clone(&admin), filter.clone());
        async move {
            let limit = csv_stream::ROWS;
            let page = Page { after, limit };
            let rows = admin.tools.store.visit_lengths(&filter, page).await?;
            let next = rows.last().map(VisitLength::position);
            Ok((rows.iter().map(line).collect(), next))
        }
    })
}

/// Milliseconds, in seconds.
fn in_a_file(value: Option<i64>) -> String {
    value
        .map(|value| (value as f64 / 1000.0).to_string())
        .unwrap_or_default()
}

/// What the CSV of a chart of numbers has.
fn counted_rows(
    kind: Kind,
    span: &Span,
    counts: &[LaunchCount],
) -> (&'static [&'static str], Vec<Vec<String>>) {
    let name = |group: &Group| match group {
        Group::ErrorName(Some(name)) => name.to_string(),
        Group::Department(Some(name)) => name.clone(),
        _ => String::new(),
    };
    match kind {
        Kind::Errors => {
            let failed = counts.iter().filter(|count| count.failed > 0);
            let rows = failed.map(|count| {
                let (at, failed) = (rfc3339(count.at), count.failed.to_string());
                vec![at, name(&count.group), failed]
            });
            (&["from", "error_name", "failed"], rows.collect())
        }
        Kind::Departments => {
            let rows = counts.iter().map(|count| {
                let (launches, failed) = (count.launches, count.failed);
                vec![
                    rfc3339(count.at),
                    name(&count.group),
                    launches.to_string(),
                    failed.to_string(),
                ]
            });
            (
                &["from", "department", "launches", "failed"],
                rows.collect(),
            )
        }
        _ => {
            let rows = span.starts().zip(by_step(span, counts));
            let rows = rows.map(|(at, (launches, failed))| {
                vec![rfc3339(at), launches.to_string(), failed.to_string()]
            });
            (&["from", "launches", "failed"], rows.collect())
        }
    }
}

/// Launches and failures in each step.
fn by_step(span: &Span, counts: &[LaunchCount]) -> Vec<(u64, u64)> {
    let mut steps = vec![(0, 0); span.count];
    for count in counts {
        if let Some(index) = span.index(count.at) {
            steps[index].0 += count.launches;
            steps[index].1 += count.failed;
        }
    }
    steps
}

async fn head(admin: &Admin, figures: &Figures) -> Result<Vec<Figure>, StoreError> {
    let store = &admin.tools.store;
    let running = AppointmentFilter {
        progress: Some(VisitProgress::Running),
        ..AppointmentFilter::default()
    };
    let running = store.list_appointments(&running, counted()).await?.len();
    let mut write_backs = [0; 2];
    let states = [WriteBackProgress::Unsent, WriteBackProgress::GivenUp];
    for (count, progress) in write_backs.iter_mut().zip(states) {
        let filter = WriteBackFilter {
            progress: Some(progress),
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
        Figure::of("launches", launches.to_string(), Some("/admin/launches")),
        Figure::of(
            "failed",
            failed.to_string(),
            Some("/admin/launches?state=failed"),
        ),
        Figure::of("joined", count.to_string(), None),
        Figure::of(
            "from button to joined (median)",
            median.unwrap_or_else(none),
            None,
        ),
        Figure::of(
            "visits now",
            up_to(running, COUNTED),
            Some("/admin/appointments?state=active"),
        ),
        Figure::of(
            "write-backs unsent",
            up_to(write_backs[0], COUNTED),
            Some("/admin/write-backs?state=unsent"),
        ),
        Figure::of(
            "write-backs given up",
            up_to(write_backs[1], COUNTED),
            Some("/admin/write-backs?state=given_up"),
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

fn none() -> String {
    "–".to_owned()
}

impl Figure {
    fn of(label: &'static str, value: String, path: Option<&'static str>) -> Self {
        Self { label, value, path }
    }
}

impl Span {
    /// Whole steps, the last of which is that of `now`.
    fn chosen(chosen: &mut Chosen, now: UnixTime) -> Self {
        let known = chosen.read("time", "day, month or quarter", |text| match text {
            "day" => Some((Step::Hour, 24)),
            "month" => Some((Step::Day, 30)),
            "quarter" => Some((Step::Day, 90)),
            _ => None,
        });
        let (step, count) = known.unwrap_or((Step::Day, 7));
        let length = step.as_millis();
        let this = now.as_millis().div_euclid(length) * length;
        let before = length * i64::try_from(count).unwrap_or(1);
        Self {
            from: UnixTime::from_millis(this + length - before),
            step,
            count,
        }
    }

    fn index(&self, at: UnixTime) -> Option<usize> {
        let offset = at.as_millis().checked_sub(self.from.as_millis())?;
        let index = usize::try_from(offset.div_euclid(self.step.as_millis())).ok()?;
        (index < self.count).then_some(index)
    }

    fn starts(&self) -> impl Iterator<Item = UnixTime> {
        let (from, length) = (self.from.as_millis(), self.step.as_millis());
        (0..self.count)
            .filter_map(|index| i64::try_from(index).ok())
            .map(move |index| UnixTime::from_millis(from + index * length))
    }

    /// Under the bars: `14:00`, or `11-21`.
    fn labels(&self) -> Vec<String> {
        let part = |at| {
            let text = rfc3339(at);
            let part = match self.step {
                Step::Hour => text.get(11..16),
                Step::Day => text.get(5..10),
            };
            part.unwrap_or_default().to_owned()
        };
        self.starts().map(part).collect()
    }

    /// In tables: `2026-11-21 14:00`, or `2026-11-21`.
    fn names(&self) -> Vec<String> {
        let part = |at| {
            let text = rfc3339(at).replace('T', " ");
            let part = match self.step {
                Step::Hour => text.get(..16),
                Step::Day => text.get(..10),
            };
            part.unwrap_or_default().to_owned()
        };
        self.starts().map(part).collect()
    }

    fn column(&self) -> &'static str {
        match self.step {
            Step::Hour => "Hour (UTC)",
            Step::Day => "Day (UTC)",
        }
    }
}

impl Figures {
    fn chart(&self, kind: Kind, chosen: &Chosen) -> Result<Chart, NotDrawn> {
        let mut chart = match kind {
            Kind::Launches => self.launches(),
            Kind::Errors => self.errors(),
            Kind::Departments => self.departments(),
            Kind::Joined | Kind::Waited | Kind::Length => self.times(kind),
        }?;
        chart.csv = chosen.here(&format!("/admin/charts/{}.csv", kind.id()));
        Ok(chart)
    }

    /// Where the data begins, if that is within the time.
    fn since(&self) -> Option<UnixTime> {
        self.oldest.filter(|oldest| *oldest > self.span.from)
    }

    /// Whether there can be data of a step.
    fn is_known(&self, step: usize) -> bool {
        let first = self.oldest.and_then(|oldest| self.span.index(oldest));
        step >= first.unwrap_or(0)
    }

    fn launches(&self) -> Result<Chart, NotDrawn> {
        let steps = by_step(&self.span, &self.by_error);
        let all = steps.iter().map(|(launches, _)| Some(*launches as f64));
        let failed = steps.iter().map(|(_, failed)| Some(*failed as f64));
        let series = [all.collect(), failed.collect::<Vec<_>>()];
        let (launches, failed) = steps
            .iter()
            .fold((0, 0), |(one, other), (launches, failed)| {
                (one + launches, other + failed)
            });
        let labels = self.span.labels();
        let drawing = OverTime {
            spans: &labels,
            series: &series,
            unit: whole,
        };
        let rows = self.span.names().into_iter().zip(&steps);
        let rows = rows.enumerate().map(|(index, (name, (launches, failed)))| {
            match self.is_known(index) {
                true => vec![name, launches.to_string(), failed.to_string()],
                false => vec![name, none(), none()],
            }
        });
        Ok(Chart {
            svg: (launches > 0).then(|| drawing.bars()).transpose()?,
            legend: vec!["launches", "of which failed"],
            columns: vec![self.span.column(), "Launches", "Failed"],
            rows: rows.collect(),
            ..Chart::of(
                Kind::Launches,
                format!("{launches} launches, {failed} failed"),
            )
        })
    }

    /// Failures by error name, the most frequent first, and in the table by step of time.
    fn errors(&self) -> Result<Chart, NotDrawn> {
        let mut errors = HashMap::new();
        let mut rows = Vec::new();
        let names = self.span.names();
        for count in &self.by_error {
            if let Group::ErrorName(Some(name)) = count.group
                && let Some(index) = self.span.index(count.at)
            {
                *errors.entry(name.to_string()).or_insert(0) += count.failed;
                let (at, failed) = (names[index].clone(), count.failed.to_string());
                rows.push(vec![at, name.to_string(), failed]);
            }
        }
        Ok(Chart {
            columns: vec![self.span.column(), "Error name", "Number"],
            rows,
            ..named(Kind::Errors, most_first(errors))?
        })
    }

    /// Launches by department, the most frequent first.
    fn departments(&self) -> Result<Chart, NotDrawn> {
        let mut departments: HashMap<Option<String>, (u64, u64)> = HashMap::new();
        for count in &self.by_department {
            if let Group::Department(name) = &count.group {
                let of = departments.entry(name.clone()).or_default();
                of.0 += count.launches;
                of.1 += count.failed;
            }
        }
        let called = |name: &Option<String>| {
            let name = name.as_deref();
            name.unwrap_or("not known").to_owned()
        };
        let launches = departments
            .iter()
            .map(|(name, (count, _))| (called(name), *count));
        let mut bars = most_first(launches.collect());
        bars.truncate(DEPARTMENTS);
        let mut sorted: Vec<_> = departments.into_iter().collect();
        sorted.sort_by(|(one, (few, _)), (other, (many, _))| (many, one).cmp(&(few, other)));
        let rows = sorted.iter().map(|(name, (launches, failed))| {
            let median =
                |measured: &Measured| measured.of_department(name).map_or_else(none, shown);
            vec![
                called(name),
                launches.to_string(),
                failed.to_string(),
                median(&self.joined),
                median(&self.waited),
                median(&self.length),
            ]
        });
        Ok(Chart {
            columns: vec![
                "Department",
                "Launches",
                "Failed",
                "Until joined (median)",
                "Waited (median)",
                "Visit length (median)",
            ],
            rows: rows.collect(),
            note: Some(
                "The department is known once the EHR has said where a launch leads: of \
                 launches that fail or end before that it is not.",
            ),
            ..named(Kind::Departments, bars)?
        })
    }

    fn measured(&self, kind: Kind) -> &Measured {
        match kind {
            Kind::Waited => &self.waited,
            Kind::Length => &self.length,
            _ => &self.joined,
        }
    }

    /// Median and 95th percentile in each step.
    fn times(&self, kind: Kind) -> Result<Chart, NotDrawn> {
        let measured = self.measured(kind);
        let mut figures = vec![None; self.span.count];
        for summary in &measured.steps {
            if let Part::Step(at) = summary.part
                && let Some(index) = self.span.index(at)
            {
                figures[index] = Some((summary.median, summary.high, summary.count));
            }
        }
        let seconds = |value: i64| value as f64 / 1000.0;
        let medians = figures
            .iter()
            .map(|one| one.map(|(median, ..)| seconds(median)));
        let highest = figures
            .iter()
            .map(|one| one.map(|(_, high, _)| seconds(high)));
        let series = [medians.collect(), highest.collect::<Vec<_>>()];
        let labels = self.span.labels();
        let drawing = OverTime {
            spans: &labels,
            series: &series,
            unit: in_seconds,
        };
        let rows = self.span.names().into_iter().zip(&figures).enumerate();
        let rows = rows.map(|(index, (name, figures))| {
            let count = match figures {
                Some((.., count)) => count.to_string(),
                None if self.is_known(index) => "0".to_owned(),
                None => none(),
            };
            let shown = |value: Option<i64>| value.map_or_else(none, shown);
            let (median, high) = (figures.map(|it| it.0), figures.map(|it| it.1));
            vec![name, count, shown(median), shown(high)]
        });
        let all = measured.all.first();
        let summary = all.map(|all| {
            let (median, high) = (shown(all.median), shown(all.high));
            let (title, count) = (kind.title(), all.count);
            format!("{title}: median {median}, 95th percentile {high}, of {count}")
        });
        Ok(Chart {
            svg: all.map(|_| drawing.lines()).transpose()?,
            legend: vec!["median (circles)", "95th percentile (triangles)"],
            lines: true,
            columns: vec![self.span.column(), "Number", "Median", "95th percentile"],
            rows: rows.collect(),
            ..Chart::of(kind, summary.unwrap_or_default())
        })
    }
}

impl Chart {
    fn of(kind: Kind, summary: String) -> Self {
        Self {
            id: kind.id(),
            title: kind.title(),
            summary,
            svg: None,
            legend: Vec::new(),
            lines: false,
            columns: Vec::new(),
            rows: Vec::new(),
            note: None,
            csv: String::new(),
        }
    }
}

/// A bar for each name; the table is for the caller to fill.
fn named(kind: Kind, bars: Vec<(String, u64)>) -> Result<Chart, NotDrawn> {
    let shown = bars.iter().map(|(name, count)| format!("{name}: {count}"));
    let summary = shown.collect::<Vec<_>>().join(", ");
    Ok(Chart {
        svg: (!bars.is_empty())
            .then(|| chart::named_bars(&bars))
            .transpose()?,
        ..Chart::of(kind, summary)
    })
}

fn most_first(counts: HashMap<String, u64>) -> Vec<(String, u64)> {
    // By name first, so that those of the same number have an order.
    let by_name: BTreeMap<_, _> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    let mut sorted: Vec<_> = by_name.into_iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sorted
}

fn shown(milliseconds: i64) -> String {
    duration(Duration::from_millis(
        u64::try_from(milliseconds).unwrap_or(0),
    ))
}

fn whole(value: f64) -> String {
    // Half a launch is no place for a line.
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        String::new()
    }
}

fn in_seconds(value: f64) -> String {
    if value >= 120.0 {
        format!("{:.0} min", value / 60.0)
    } else {
        // The axis has steps of tenths where everything is quick.
        let tenths = (value * 10.0).round() / 10.0;
        format!("{tenths} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_offered_whose_beginning_is_forgotten() {
        let offered = |days: u64| {
            let times = times_of(Duration::from_secs(days * 24 * 60 * 60));
            times.map(|(value, _)| value).collect::<Vec<_>>()
        };
        assert_eq!(offered(1), ["", "day"]);
        assert_eq!(offered(30), ["", "day", "month"]);
        assert_eq!(offered(400), ["", "day", "month", "quarter"]);
    }

    #[test]
    fn the_time_is_whole_steps_of_which_the_last_is_now() {
        // 2027-01-15T08:00:00Z.
        let now = UnixTime::from_millis(1_800_000_000_000);
        let span = Span::chosen(&mut Chosen::of(None), now);
        assert_eq!(span.labels().first().map(String::as_str), Some("01-09"));
        assert_eq!(span.labels().last().map(String::as_str), Some("01-15"));
        assert_eq!(span.index(now), Some(6));
        assert_eq!(span.index(UnixTime::from_millis(0)), None);
        let span = Span::chosen(&mut Chosen::of(Some("time=day")), now);
        assert_eq!((span.index(now), span.count), (Some(23), 24));
        assert_eq!(
            span.names().last().map(String::as_str),
            Some("2027-01-15 08:00")
        );
    }

    #[test]
    fn the_most_frequent_come_first() {
        let counts = [("b", 1), ("a", 1), ("c", 5), ("d", 0)];
        let counts = counts.map(|(name, count)| (name.to_owned(), count));
        let sorted = most_first(counts.into());
        let names: Vec<_> = sorted.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["c", "a", "b"]);
    }
}
