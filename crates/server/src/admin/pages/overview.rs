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
    LaunchFilter, Page, Step, StoreError, TimeRange, VisitLength, VisitProgress, WriteBackFilter,
    WriteBackProgress,
};

use super::{
    chart::{self, NotDrawn, OverTime},
    csv::Csv,
    csv_stream,
    filter::{Chosen, Filter},
    frame::{PageError, PageOf, Section, chosen_profile, profile_choices},
    leads::Leads,
    moment::duration,
};
use crate::{
    admin::{Admin, Administrator},
    clock::rfc3339,
};

pub(super) const PATH: &str = "/admin";

/// Most rows of figures, and most durations, from which charts are made: the newest.
const MOST: u32 = 20_000;

/// At the end of the name of a file that has a chart's table, and not each launch.
const TABLE: &str = "-table";

/// In the place of a department.
const NOT_KNOWN: &str = "not known";

/// Most departments in the chart, and in the form.
const DEPARTMENTS: usize = 12;
const CHOICES: u32 = 200;

/// Up to here a figure is counted; beyond it has a plus sign.
const COUNTED: u32 = 1000;

#[derive(Serialize)]
struct View {
    filter: Filter,
    figures: Vec<Figure>,
    charts: Vec<Chart>,
}

#[derive(Debug, Serialize)]
struct Figure {
    label: &'static str,
    value: String,
    path: Option<String>,
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
    /// For each row where it leads, if anywhere.
    links: Vec<Option<String>>,
    csv: String,
    /// The table itself as CSV, where `csv` has each launch or visit.
    table_csv: Option<String>,
}

/// The time that is looked at, in steps.
struct Span {
    from: UnixTime,
    step: Step,
    count: usize,
}

/// What the charts are made of.
struct Figures {
    span: Span,
    by_error: Vec<LaunchCount>,
    by_department: Vec<LaunchCount>,
    durations: Vec<LaunchDurations>,
    lengths: Vec<VisitLength>,
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

    /// Whether it shows medians of times.
    fn is_of_times(self) -> bool {
        matches!(self, Self::Joined | Self::Waited | Self::Length)
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
    let departments = admin.tools.store.departments(CHOICES).await?;
    let any = (String::new(), "any".to_owned());
    let departments = departments.into_iter().map(|name| (name.clone(), name));
    let filter = chosen
        .form()
        .choice(
            &chosen,
            "time",
            "Time",
            [
                ("", "7 days"),
                ("day", "24 hours"),
                ("month", "30 days"),
                ("quarter", "90 days"),
            ],
        )
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
        figures: head(&admin, &figures, &chosen).await?,
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
    let (id, is_table) = match id.strip_suffix(TABLE) {
        Some(id) => (id, true),
        None => (id, false),
    };
    let kind = Kind::ALL.into_iter().find(|kind| kind.id() == id);
    let kind = kind.filter(|kind| !is_table || kind.is_of_times());
    let kind = kind.ok_or(PageError::Missing)?;
    let mut chosen = Chosen::of(query.as_deref());
    let figures = figures(&admin, &mut chosen).await?;
    chosen.checked()?;
    let table = AuditSubject::table("charts");
    let details = format!("{}: {}", kind.id(), chosen.told());
    who.record(&admin, AuditAction::Exported, Some(table), &details)
        .await?;
    let (columns, rows) = match is_table {
        true => figures.exported_times(kind),
        false => figures.exported(kind),
    };
    let mut csv = Csv::new(columns);
    for row in &rows {
        csv.row(row);
    }
    Ok(csv_stream::file(kind.id(), csv.into_text()))
}

/// What changes on the page.
pub(super) async fn pulse(admin: &Admin, mut chosen: Chosen) -> Result<String, PageError> {
    let figures = figures(admin, &mut chosen).await?;
    let head = head(admin, &figures, &chosen).await?;
    let Figures {
        by_error,
        by_department,
        durations,
        lengths,
        ..
    } = &figures;
    Ok(format!(
        "{head:?} {by_error:?} {by_department:?} {durations:?} {lengths:?}"
    ))
}

async fn figures(admin: &Admin, chosen: &mut Chosen) -> Result<Figures, PageError> {
    let span = Span::chosen(chosen, admin.tools.now());
    let time = Some(TimeRange {
        from: span.from,
        until: UnixTime::from_millis(i64::MAX),
    });
    let profile: Option<Uuid> = chosen_profile(chosen);
    let department = chosen.get("department").map(ToOwned::to_owned);
    let launches = LaunchFilter {
        time,
        profile,
        department: department.clone(),
        ..LaunchFilter::default()
    };
    let appointments = AppointmentFilter {
        time,
        profile,
        department,
        progress: None,
    };
    let store = &admin.tools.store;
    let step = span.step;
    let by_error = store
        .count_launches(&launches, step, Grouping::ErrorName, MOST)
        .await?;
    let by_department = store
        .count_launches(&launches, step, Grouping::Department, MOST)
        .await?;
    Ok(Figures {
        by_error,
        by_department,
        durations: store.launch_durations(&launches, MOST).await?,
        lengths: store.visit_lengths(&appointments, MOST).await?,
        span,
    })
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
    let mut joined: Vec<_> = figures
        .durations
        .iter()
        .filter_map(|one| one.joined_after)
        .collect();
    let count = joined.len();
    let median = median_and_95th(&mut joined).map(|(median, _)| shown(median));
    Ok(vec![
        Figure::of("launches", launches.to_string(), Some(leads.launches(&[]))),
        Figure::of(
            "failed",
            failed.to_string(),
            Some(leads.launches(&[("state", "failed")])),
        ),
        Figure::of("joined", up_to(count, MOST), None),
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

fn none() -> String {
    "–".to_owned()
}

impl Figure {
    fn of(label: &'static str, value: String, path: Option<String>) -> Self {
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

    /// The values of each step.
    fn sorted(&self, values: impl Iterator<Item = (UnixTime, i64)>) -> Vec<Vec<i64>> {
        let mut sorted = vec![Vec::new(); self.count];
        for (at, value) in values {
            if let Some(index) = self.index(at) {
                sorted[index].push(value);
            }
        }
        sorted
    }
}

impl Figures {
    fn chart(&self, kind: Kind, chosen: &Chosen) -> Result<Chart, NotDrawn> {
        let mut chart = match kind {
            Kind::Launches => self.launches(),
            Kind::Errors => named(kind, "Error name", self.errors()),
            Kind::Departments => named(kind, "Department", self.departments()),
            Kind::Joined | Kind::Waited | Kind::Length => self.times(kind),
        }?;
        let csv = |end: &str| chosen.here(&format!("/admin/charts/{}{end}.csv", kind.id()));
        chart.csv = csv("");
        chart.table_csv = kind.is_of_times().then(|| csv(TABLE));
        chart.links = self.links(kind, &chart.rows, &self.leads(chosen));
        Ok(chart)
    }

    fn leads(&self, chosen: &Chosen) -> Leads {
        Leads::new(chosen, self.span.from, self.span.step)
    }

    /// Where each row of a chart's table leads.
    fn links(&self, kind: Kind, rows: &[Vec<String>], leads: &Leads) -> Vec<Option<String>> {
        let named = |field| {
            let name = |row: &Vec<String>| {
                let name = row.first().filter(|name| *name != NOT_KNOWN)?;
                Some(match kind {
                    Kind::Errors => leads.launches(&[("state", "failed"), (field, name)]),
                    _ => leads.launches(&[(field, name)]),
                })
            };
            rows.iter().map(name).collect()
        };
        match kind {
            Kind::Errors => named("error"),
            Kind::Departments => named("department"),
            Kind::Launches | Kind::Joined | Kind::Waited => {
                let starts = self.span.starts();
                starts.map(|at| Some(leads.launches_of(at))).collect()
            }
            Kind::Length => {
                let starts = self.span.starts();
                starts.map(|at| Some(leads.appointments_of(at))).collect()
            }
        }
    }

    /// Launches and failures in each step.
    fn by_step(&self) -> Vec<(u64, u64)> {
        let mut steps = vec![(0, 0); self.span.count];
        for count in &self.by_error {
            if let Some(index) = self.span.index(count.at) {
                steps[index].0 += count.launches;
                steps[index].1 += count.failed;
            }
        }
        steps
    }

    fn launches(&self) -> Result<Chart, NotDrawn> {
        let steps = self.by_step();
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
        let rows = rows
            .map(|(name, (launches, failed))| vec![name, launches.to_string(), failed.to_string()]);
        Ok(Chart {
            svg: (launches > 0).then(|| drawing.bars()).transpose()?,
            legend: vec!["launches", "of which failed"],
            columns: vec![self.span.column(), "Launches", "Failed"],
            rows: rows.collect(),
            ..Chart::of(
                Kind::Launches,
                match launches {
                    1 => format!("1 launch, {failed} failed"),
                    _ => format!("{launches} launches, {failed} failed"),
                },
            )
        })
    }

    /// Failures by error name, the most frequent first.
    fn errors(&self) -> Vec<(String, u64)> {
        let mut errors = HashMap::new();
        for count in &self.by_error {
            if let Group::ErrorName(Some(name)) = count.group {
                *errors.entry(name.to_string()).or_insert(0) += count.failed;
            }
        }
        most_first(errors)
    }

    /// Launches by department, the most frequent first.
    fn departments(&self) -> Vec<(String, u64)> {
        let mut departments = HashMap::new();
        for count in &self.by_department {
            if let Group::Department(name) = &count.group {
                let name = name.clone().unwrap_or_else(|| NOT_KNOWN.to_owned());
                *departments.entry(name).or_insert(0) += count.launches;
            }
        }
        let mut sorted = most_first(departments);
        sorted.truncate(DEPARTMENTS);
        sorted
    }

    fn values(&self, kind: Kind) -> Vec<Vec<i64>> {
        let durations = self.durations.iter();
        match kind {
            Kind::Waited => self
                .span
                .sorted(durations.filter_map(|one| Some((one.created_at, one.waited?)))),
            Kind::Length => self.span.sorted(self.lengths.iter().map(|one| {
                let length = one.ended_at.as_millis() - one.began_at.as_millis();
                (one.began_at, length)
            })),
            _ => self
                .span
                .sorted(durations.filter_map(|one| Some((one.created_at, one.joined_after?)))),
        }
    }

    /// Median and 95th percentile in each step.
    fn times(&self, kind: Kind) -> Result<Chart, NotDrawn> {
        let mut values = self.values(kind);
        let mut all: Vec<i64> = values.iter().flatten().copied().collect();
        let counts: Vec<usize> = values.iter().map(Vec::len).collect();
        let figures: Vec<_> = values.iter_mut().map(|one| median_and_95th(one)).collect();
        let top = figures.iter().flatten().map(|(_, high)| *high).max();
        let unit = TimeUnit::of(top.unwrap_or(0));
        let medians = figures
            .iter()
            .map(|one| one.map(|(median, _)| unit.of_millis(median)));
        let highest = figures
            .iter()
            .map(|one| one.map(|(_, high)| unit.of_millis(high)));
        let series = [medians.collect(), highest.collect::<Vec<_>>()];
        let labels = self.span.labels();
        let drawing = OverTime {
            spans: &labels,
            series: &series,
            unit: unit.written,
        };
        let rows = self.span.names().into_iter().zip(counts).zip(&figures);
        let rows = rows.map(|((name, count), figures)| {
            let shown = |value: Option<i64>| value.map_or_else(none, shown);
            let (median, high) = (figures.map(|it| it.0), figures.map(|it| it.1));
            vec![name, count.to_string(), shown(median), shown(high)]
        });
        let count = all.len();
        let summary = match median_and_95th(&mut all) {
            Some((median, high)) => format!(
                "{}: median {}, 95th percentile {}, of {count}",
                kind.title(),
                shown(median),
                shown(high)
            ),
            None => String::new(),
        };
        Ok(Chart {
            svg: (count > 0).then(|| drawing.lines()).transpose()?,
            legend: vec!["median (circles)", "95th percentile (triangles)"],
            lines: true,
            columns: vec![self.span.column(), "Number", "Median", "95th percentile"],
            rows: rows.collect(),
            ..Chart::of(kind, summary)
        })
    }

    /// The table of a chart of times, in seconds.
    fn exported_times(&self, kind: Kind) -> (&'static [&'static str], Vec<Vec<String>>) {
        let rows = self.span.starts().zip(self.values(kind));
        let rows = rows.map(|(at, mut values)| {
            let figures = median_and_95th(&mut values);
            let seconds = |value: Option<i64>| {
                let seconds = value.map(|value| (value as f64 / 1000.0).to_string());
                seconds.unwrap_or_default()
            };
            vec![
                rfc3339(at),
                values.len().to_string(),
                seconds(figures.map(|it| it.0)),
                seconds(figures.map(|it| it.1)),
            ]
        });
        (
            &["from", "number", "median_seconds", "percentile_95_seconds"],
            rows.collect(),
        )
    }

    /// What the CSV of a chart has: more than the chart shows, where there is more.
    fn exported(&self, kind: Kind) -> (&'static [&'static str], Vec<Vec<String>>) {
        let name = |group: &Group| match group {
            Group::ErrorName(Some(name)) => name.to_string(),
            Group::Department(Some(name)) => name.clone(),
            _ => String::new(),
        };
        let seconds = |value: Option<i64>| {
            value
                .map(|value| (value as f64 / 1000.0).to_string())
                .unwrap_or_default()
        };
        match kind {
            Kind::Launches => {
                let rows = self.span.starts().zip(self.by_step());
                let rows = rows.map(|(at, (launches, failed))| {
                    vec![rfc3339(at), launches.to_string(), failed.to_string()]
                });
                (&["from", "launches", "failed"], rows.collect())
            }
            Kind::Errors => {
                let failed = self.by_error.iter().filter(|count| count.failed > 0);
                let rows = failed.map(|count| {
                    vec![
                        rfc3339(count.at),
                        name(&count.group),
                        count.failed.to_string(),
                    ]
                });
                (&["from", "error_name", "failed"], rows.collect())
            }
            Kind::Departments => {
                let rows = self.by_department.iter().map(|count| {
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
            Kind::Joined | Kind::Waited => {
                let rows = self.durations.iter().map(|one| {
                    vec![
                        one.request_id.to_string(),
                        rfc3339(one.created_at),
                        one.profile.to_string(),
                        one.role.as_str().to_owned(),
                        one.department.clone().unwrap_or_default(),
                        seconds(one.joined_after),
                        seconds(one.waited),
                    ]
                });
                let columns = &[
                    "request_id",
                    "began",
                    "profile_uuid",
                    "role",
                    "department",
                    "seconds_until_joined",
                    "seconds_waited",
                ];
                (columns, rows.collect())
            }
            Kind::Length => {
                let rows = self.lengths.iter().map(|one| {
                    let length = one.ended_at.as_millis() - one.began_at.as_millis();
                    vec![
                        one.appointment.to_string(),
                        one.profile.to_string(),
                        one.department.clone().unwrap_or_default(),
                        rfc3339(one.began_at),
                        rfc3339(one.ended_at),
                        seconds(Some(length)),
                    ]
                });
                let columns = &[
                    "appointment",
                    "profile_uuid",
                    "department",
                    "began",
                    "ended",
                    "seconds",
                ];
                (columns, rows.collect())
            }
        }
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
            links: Vec::new(),
            csv: String::new(),
            table_csv: None,
        }
    }
}

fn named(kind: Kind, column: &'static str, bars: Vec<(String, u64)>) -> Result<Chart, NotDrawn> {
    let shown = bars.iter().map(|(name, count)| format!("{name}: {count}"));
    let summary = shown.collect::<Vec<_>>().join(", ");
    Ok(Chart {
        svg: (!bars.is_empty())
            .then(|| chart::named_bars(&bars))
            .transpose()?,
        columns: vec![column, "Number"],
        rows: bars
            .into_iter()
            .map(|(name, count)| vec![name, count.to_string()])
            .collect(),
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

/// By the nearest rank.
fn median_and_95th(values: &mut [i64]) -> Option<(i64, i64)> {
    values.sort_unstable();
    let rank = |percent: usize| {
        let rank = (values.len() * percent).div_ceil(100);
        values.get(rank.saturating_sub(1)).copied()
    };
    rank(50).zip(rank(95))
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

/// In what the times of one chart are written: the same along its whole axis.
#[derive(Clone, Copy)]
struct TimeUnit {
    millis: f64,
    written: fn(f64) -> String,
}

impl TimeUnit {
    /// By the longest of them, in milliseconds.
    fn of(longest: i64) -> Self {
        match longest {
            1..1_000 => Self {
                millis: 1.0,
                written: |value| format!("{value:.0} ms"),
            },
            ..=0 | 1_000..180_000 => Self {
                millis: 1_000.0,
                written: |value| format!("{} s", tenths(value)),
            },
            180_000..10_800_000 => Self {
                millis: 60_000.0,
                written: |value| format!("{} min", tenths(value)),
            },
            _ => Self {
                millis: 3_600_000.0,
                written: |value| format!("{} h", tenths(value)),
            },
        }
    }

    fn of_millis(self, value: i64) -> f64 {
        value as f64 / self.millis
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_there_were() {
        assert_eq!(median_and_95th(&mut []), None);
        assert_eq!(median_and_95th(&mut [7]), Some((7, 7)));
        let mut values: Vec<i64> = (1..=100).rev().collect();
        assert_eq!(median_and_95th(&mut values), Some((50, 95)));
        assert_eq!(median_and_95th(&mut [3, 1, 2]), Some((2, 3)));
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
    fn the_times_of_a_chart_are_written_in_one_unit() {
        let written = |longest: i64| {
            let unit = TimeUnit::of(longest);
            let steps = (1..=4).map(|step| longest * step / 4);
            let steps = steps.map(|step| (unit.written)(unit.of_millis(step)));
            steps.collect::<Vec<_>>()
        };
        assert_eq!(written(0), ["0 s"; 4]);
        assert_eq!(written(400), ["100 ms", "200 ms", "300 ms", "400 ms"]);
        assert_eq!(written(100_000), ["25 s", "50 s", "75 s", "100 s"]);
        assert_eq!(written(600_000), ["2.5 min", "5 min", "7.5 min", "10 min"]);
        assert_eq!(written(14_400_000), ["1 h", "2 h", "3 h", "4 h"]);
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
