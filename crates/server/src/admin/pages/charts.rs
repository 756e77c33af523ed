//! The charts of the overview, each with its table.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use serde::Serialize;
use vestibule_store::{Group, LaunchCount, Summary};

use super::{
    chart::{self, NotDrawn, OverTime},
    chart_files,
    figures::{Figures, Timed, median_of},
    filter::Chosen,
    in_time::{TOO_LONG, narrower},
    leads::Leads,
    moment::duration,
};

/// Most departments in the drawing.
const DEPARTMENTS: usize = 12;

/// In the place of a department.
const NOT_KNOWN: &str = "not known";

/// A chart as the page shows it.
#[derive(Serialize)]
pub(super) struct Chart {
    id: &'static str,
    title: &'static str,
    summary: String,
    /// None where there is nothing to show.
    svg: Option<String>,
    /// In its place where it took too long: what to do.
    too_slow: Option<String>,
    legend: Vec<&'static str>,
    lines: bool,
    columns: Vec<&'static str>,
    rows: Vec<Row>,
    /// What is to be known of it.
    note: Option<&'static str>,
    csv: String,
    /// The table itself as CSV, where `csv` has more.
    table_csv: Option<String>,
}

/// A row of the table.
#[derive(Serialize)]
struct Row {
    cells: Vec<String>,
    /// Where it leads, if anywhere.
    link: Option<String>,
}

/// Which chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Launches,
    Errors,
    Joined,
    Waited,
    Length,
    Departments,
}

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::Launches,
        Self::Errors,
        Self::Joined,
        Self::Waited,
        Self::Length,
        Self::Departments,
    ];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Launches => "launches",
            Self::Errors => "errors",
            Self::Joined => "joined",
            Self::Waited => "waited",
            Self::Length => "length",
            Self::Departments => "departments",
        }
    }

    /// What it shows medians of, where it shows them over time.
    pub(super) fn timed(self) -> Option<Timed> {
        match self {
            Self::Joined => Some(Timed::Joined),
            Self::Waited => Some(Timed::Waited),
            Self::Length => Some(Timed::Length),
            Self::Launches | Self::Errors | Self::Departments => None,
        }
    }

    /// Whether its table is another one than its file.
    pub(super) fn has_table_file(self) -> bool {
        self.timed().is_some() || self == Self::Departments
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

impl Figures {
    /// Every chart, with links that keep what was chosen.
    pub(super) fn charts(&self, chosen: &Chosen) -> Result<Vec<Chart>, NotDrawn> {
        let leads = self.leads(chosen);
        let chart = |kind: Kind| {
            let chart = match (kind, kind.timed()) {
                (_, Some(timed)) => self.times(kind, timed, &leads),
                (Kind::Errors, _) => self.errors(&leads),
                (Kind::Departments, _) => self.departments(&leads),
                _ => self.launches(&leads),
            }?;
            let chart = chart.unwrap_or_else(|| Chart {
                too_slow: Some(narrower(chosen)),
                ..Chart::of(kind, String::new())
            });
            Ok(Chart {
                csv: chosen.here(&chart_files::path(kind, false)),
                table_csv: kind
                    .has_table_file()
                    .then(|| chosen.here(&chart_files::path(kind, true))),
                ..chart
            })
        };
        Kind::ALL.into_iter().map(chart).collect()
    }

    fn launches(&self, leads: &Leads) -> Result<Option<Chart>, NotDrawn> {
        let span = &self.span;
        let Some(by_error) = &self.by_error else {
            return Ok(None);
        };
        let steps = span.by_step(by_error);
        let all = steps.iter().map(|(launches, _)| Some(*launches as f64));
        let failed = steps.iter().map(|(_, failed)| Some(*failed as f64));
        let series = [all.collect(), failed.collect::<Vec<_>>()];
        let (launches, failed) = steps
            .iter()
            .fold((0, 0), |(one, other), (launches, failed)| {
                (one + launches, other + failed)
            });
        let labels = span.labels();
        let drawing = OverTime {
            spans: &labels,
            series: &series,
            unit: whole,
        };
        let rows = span.names().into_iter().zip(span.starts()).zip(&steps);
        let rows = rows
            .enumerate()
            .map(|(index, ((name, at), (launches, failed)))| {
                let cells = match span.is_known(index) {
                    true => vec![name, launches.to_string(), failed.to_string()],
                    false => vec![name, none(), none()],
                };
                let link = Some(leads.launches_of(at, &[]));
                Row { cells, link }
            });
        Ok(Some(Chart {
            svg: (launches > 0).then(|| drawing.bars()).transpose()?,
            legend: vec!["launches", "of which failed"],
            columns: vec![span.column(), "Launches", "Failed"],
            rows: rows.collect(),
            ..Chart::of(
                Kind::Launches,
                match launches {
                    1 => format!("1 launch, {failed} failed"),
                    _ => format!("{launches} launches, {failed} failed"),
                },
            )
        }))
    }

    /// Failures by error name, the most frequent first, and in the table by step of time.
    fn errors(&self, leads: &Leads) -> Result<Option<Chart>, NotDrawn> {
        let Some(by_error) = &self.by_error else {
            return Ok(None);
        };
        let mut errors = HashMap::new();
        let mut rows = Vec::new();
        let names = self.span.names();
        for count in by_error {
            if let Group::ErrorName(Some(name)) = count.group
                && let Some(index) = self.span.index(count.at)
            {
                let name = name.to_string();
                let failures = [("state", "failed"), ("error", name.as_str())];
                let link = Some(leads.launches_of(count.at, &failures));
                let (at, failed) = (names[index].clone(), count.failed.to_string());
                *errors.entry(name.clone()).or_insert(0) += count.failed;
                rows.push(Row {
                    cells: vec![at, name, failed],
                    link,
                });
            }
        }
        Ok(Some(Chart {
            columns: vec![self.span.column(), "Error name", "Number"],
            rows,
            ..named(Kind::Errors, &most_first(errors))?
        }))
    }

    /// Launches by department, the most frequent first.
    fn departments(&self, leads: &Leads) -> Result<Option<Chart>, NotDrawn> {
        let Some(by_department) = &self.by_department else {
            return Ok(None);
        };
        let departments = of_departments(by_department);
        let called = |name: &Option<String>| {
            let name = name.as_deref();
            name.unwrap_or(NOT_KNOWN).to_owned()
        };
        let launches = departments
            .iter()
            .map(|(name, (count, _))| (called(name), *count));
        let mut bars = most_first(launches.collect());
        bars.truncate(DEPARTMENTS);
        let rows = departments.iter().map(|(name, (launches, failed))| {
            let median = |summaries: &Option<Vec<Summary>>| match summaries {
                Some(summaries) => median_of(summaries, name).map_or_else(none, shown),
                None => TOO_LONG.to_owned(),
            };
            let cells = vec![
                called(name),
                launches.to_string(),
                failed.to_string(),
                median(&self.joined.departments),
                median(&self.waited.departments),
                median(&self.length.departments),
            ];
            let link = name.as_deref();
            let link = link.map(|name| leads.launches(&[("department", name)]));
            Row { cells, link }
        });
        Ok(Some(Chart {
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
            ..named(Kind::Departments, &bars)?
        }))
    }

    /// Median and 95th percentile in each step.
    fn times(&self, kind: Kind, timed: Timed, leads: &Leads) -> Result<Option<Chart>, NotDrawn> {
        let (span, measured) = (&self.span, self.measured(timed));
        let (Some(all), Some(steps)) = (&measured.all, &measured.steps) else {
            return Ok(None);
        };
        let steps = span.summaries(steps);
        let top = steps.iter().flatten().map(|summary| summary.high).max();
        let unit = TimeUnit::of(top.unwrap_or(0));
        let medians = steps
            .iter()
            .map(|one| one.map(|summary| unit.of_millis(summary.median)));
        let highest = steps
            .iter()
            .map(|one| one.map(|summary| unit.of_millis(summary.high)));
        let series = [medians.collect(), highest.collect::<Vec<_>>()];
        let labels = span.labels();
        let drawing = OverTime {
            spans: &labels,
            series: &series,
            unit: unit.written,
        };
        let rows = span.names().into_iter().zip(span.starts()).zip(&steps);
        let rows = rows.enumerate().map(|(index, ((name, at), summary))| {
            let count = match summary {
                Some(summary) => summary.count.to_string(),
                None if span.is_known(index) => "0".to_owned(),
                None => none(),
            };
            let shown = |value: Option<i64>| value.map_or_else(none, shown);
            Row {
                cells: vec![
                    name,
                    count,
                    shown(summary.map(|it| it.median)),
                    shown(summary.map(|it| it.high)),
                ],
                link: Some(match timed {
                    Timed::Length => leads.appointments_of(at),
                    Timed::Joined | Timed::Waited => leads.launches_of(at, &[]),
                }),
            }
        });
        let all = all.first();
        let summary = all.map(|all| {
            let (median, high) = (shown(all.median), shown(all.high));
            let (title, count) = (kind.title(), all.count);
            format!("{title}: median {median}, 95th percentile {high}, of {count}")
        });
        Ok(Some(Chart {
            svg: all.map(|_| drawing.lines()).transpose()?,
            legend: vec!["median (circles)", "95th percentile (triangles)"],
            lines: true,
            columns: vec![span.column(), "Number", "Median", "95th percentile"],
            rows: rows.collect(),
            ..Chart::of(kind, summary.unwrap_or_default())
        }))
    }
}

impl Chart {
    fn of(kind: Kind, summary: String) -> Self {
        Self {
            id: kind.id(),
            title: kind.title(),
            summary,
            svg: None,
            too_slow: None,
            legend: Vec::new(),
            lines: false,
            columns: Vec::new(),
            rows: Vec::new(),
            note: None,
            csv: String::new(),
            table_csv: None,
        }
    }
}

/// Launches and failures of each department, the most frequent first.
pub(super) fn of_departments(counts: &[LaunchCount]) -> Vec<(Option<String>, (u64, u64))> {
    let mut departments: HashMap<Option<String>, (u64, u64)> = HashMap::new();
    for count in counts {
        if let Group::Department(name) = &count.group {
            let of = departments.entry(name.clone()).or_default();
            of.0 += count.launches;
            of.1 += count.failed;
        }
    }
    let mut sorted: Vec<_> = departments.into_iter().collect();
    sorted.sort_by(|(one, (few, _)), (other, (many, _))| (many, one).cmp(&(few, other)));
    sorted
}

/// A bar for each name; the table is for the caller to fill.
fn named(kind: Kind, bars: &[(String, u64)]) -> Result<Chart, NotDrawn> {
    let shown = bars.iter().map(|(name, count)| format!("{name}: {count}"));
    let summary = shown.collect::<Vec<_>>().join(", ");
    Ok(Chart {
        svg: (!bars.is_empty())
            .then(|| chart::named_bars(bars))
            .transpose()?,
        ..Chart::of(kind, summary)
    })
}

/// Where there is nothing to say.
pub(super) fn none() -> String {
    "–".to_owned()
}

fn most_first(counts: HashMap<String, u64>) -> Vec<(String, u64)> {
    // By name first, so that those of the same number have an order.
    let by_name: BTreeMap<_, _> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    let mut sorted: Vec<_> = by_name.into_iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sorted
}

pub(super) fn shown(milliseconds: i64) -> String {
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
