//! What the charts of the overview are made of: the time that is looked at, and what the
//! store counts and measures in it.

use std::time::Duration;

use uuid::Uuid;
use vestibule_launch::UnixTime;
use vestibule_store::{
    AppointmentFilter, Grouping, LaunchCount, LaunchFilter, Measure, Part, Per, Step, Store,
    StoreError, Summary, TimeRange,
};

use super::{filter::Chosen, frame::chosen_profile, in_time::InTime, leads::Leads};
use crate::{admin::Admin, clock::rfc3339};

/// The time that is looked at, in steps.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) from: UnixTime,
    pub(super) step: Step,
    pub(super) count: usize,
    /// When the oldest launch began that is not forgotten.
    oldest: Option<UnixTime>,
}

/// What the charts are made of. What took too long is none.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) span: Span,
    /// Whether it could be read in time where the data begins.
    pub(super) has_beginning: bool,
    pub(super) by_error: Option<Vec<LaunchCount>>,
    pub(super) by_department: Option<Vec<LaunchCount>>,
    pub(super) joined: Measured,
    pub(super) waited: Measured,
    pub(super) length: Measured,
}

/// How long something took: altogether, in each step of time and of each department. What
/// took too long to measure is none.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) all: Option<Vec<Summary>>,
    pub(super) steps: Option<Vec<Summary>>,
    pub(super) departments: Option<Vec<Summary>>,
}

/// What is measured.
#[derive(Clone, Copy)]
pub(super) enum Timed {
    Joined,
    Waited,
    Length,
}

/// Which launches and appointments are looked at.
pub(super) struct Asked {
    pub(super) launches: LaunchFilter,
    pub(super) appointments: AppointmentFilter,
}

/// The times that may be chosen: none of which the beginning would be forgotten.
pub(super) fn times_of(retention: Duration) -> impl Iterator<Item = (&'static str, &'static str)> {
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

impl Figures {
    pub(super) async fn read(
        admin: &Admin,
        chosen: &mut Chosen,
        time: &mut InTime,
    ) -> Result<Self, StoreError> {
        let store = &*admin.tools.store;
        let oldest = time.read(store.oldest_launch()).await?;
        let span = Span {
            oldest: oldest.flatten(),
            ..Span::chosen(chosen, admin.tools.now())
        };
        let asked = Asked::of(&span, chosen);
        let (launches, step) = (&asked.launches, span.step);
        let counting = store.count_launches(launches, step, Grouping::ErrorName);
        let by_error = time.read(counting).await?;
        // It counts the same launches.
        let by_department = match by_error {
            Some(_) => {
                let counting = store.count_launches(launches, step, Grouping::Department);
                time.read(counting).await?
            }
            None => None,
        };
        Ok(Self {
            has_beginning: oldest.is_some(),
            by_error,
            by_department,
            joined: asked.measured(store, Timed::Joined, step, time).await?,
            waited: asked.measured(store, Timed::Waited, step, time).await?,
            length: asked.measured(store, Timed::Length, step, time).await?,
            span,
        })
    }

    pub(super) fn leads(&self, chosen: &Chosen) -> Leads {
        Leads::new(chosen, self.span.from, self.span.step)
    }

    pub(super) fn measured(&self, timed: Timed) -> &Measured {
        match timed {
            Timed::Joined => &self.joined,
            Timed::Waited => &self.waited,
            Timed::Length => &self.length,
        }
    }
}

impl Asked {
    pub(super) fn of(span: &Span, chosen: &mut Chosen) -> Self {
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

    /// How long something took, for each part of it.
    pub(super) async fn summary(
        &self,
        store: &dyn Store,
        timed: Timed,
        per: Per,
    ) -> Result<Vec<Summary>, StoreError> {
        let measure = match timed {
            Timed::Length => return store.summarise_visits(&self.appointments, per).await,
            Timed::Joined => Measure::Joined,
            Timed::Waited => Measure::Waited,
        };
        store.summarise_launches(&self.launches, measure, per).await
    }

    /// Each part measures the same launches or visits: behind one that took too long
    /// the others are not begun.
    async fn measured(
        &self,
        store: &dyn Store,
        timed: Timed,
        step: Step,
        time: &mut InTime,
    ) -> Result<Measured, StoreError> {
        let all = time.read(self.summary(store, timed, Per::All)).await?;
        let steps = match all {
            Some(_) => {
                let steps = self.summary(store, timed, Per::Step(step));
                time.read(steps).await?
            }
            None => None,
        };
        let departments = match steps {
            Some(_) => {
                let departments = self.summary(store, timed, Per::Department);
                time.read(departments).await?
            }
            None => None,
        };
        Ok(Measured {
            all,
            steps,
            departments,
        })
    }
}

/// Median of a department, in milliseconds.
pub(super) fn median_of(departments: &[Summary], name: &Option<String>) -> Option<i64> {
    let mut summaries = departments.iter();
    let summary =
        summaries.find(|summary| matches!(&summary.part, Part::Department(of) if of == name));
    summary.map(|summary| summary.median)
}

impl Span {
    /// The chosen time, and where its data begins.
    pub(super) async fn read(admin: &Admin, chosen: &mut Chosen) -> Result<Self, StoreError> {
        Ok(Self {
            oldest: admin.tools.store.oldest_launch().await?,
            ..Self::chosen(chosen, admin.tools.now())
        })
    }

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
            oldest: None,
        }
    }

    /// Where the data begins, if that is within the time.
    pub(super) fn since(&self) -> Option<UnixTime> {
        self.oldest.filter(|oldest| *oldest > self.from)
    }

    /// Whether there can be data of a step.
    pub(super) fn is_known(&self, step: usize) -> bool {
        let first = self.oldest.and_then(|oldest| self.index(oldest));
        step >= first.unwrap_or(0)
    }

    pub(super) fn index(&self, at: UnixTime) -> Option<usize> {
        let offset = at.as_millis().checked_sub(self.from.as_millis())?;
        let index = usize::try_from(offset.div_euclid(self.step.as_millis())).ok()?;
        (index < self.count).then_some(index)
    }

    pub(super) fn starts(&self) -> impl Iterator<Item = UnixTime> {
        let (from, length) = (self.from.as_millis(), self.step.as_millis());
        (0..self.count)
            .filter_map(|index| i64::try_from(index).ok())
            .map(move |index| UnixTime::from_millis(from + index * length))
    }

    /// Under the bars: `14:00`, or `11-21`.
    pub(super) fn labels(&self) -> Vec<String> {
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
    pub(super) fn names(&self) -> Vec<String> {
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

    pub(super) fn column(&self) -> &'static str {
        match self.step {
            Step::Hour => "Hour (UTC)",
            Step::Day => "Day (UTC)",
        }
    }

    /// Launches and failures in each step.
    pub(super) fn by_step(&self, counts: &[LaunchCount]) -> Vec<(u64, u64)> {
        let mut steps = vec![(0, 0); self.count];
        for count in counts {
            if let Some(index) = self.index(count.at) {
                steps[index].0 += count.launches;
                steps[index].1 += count.failed;
            }
        }
        steps
    }

    /// The summary of each step of which there is one.
    pub(super) fn summaries<'a>(&self, summaries: &'a [Summary]) -> Vec<Option<&'a Summary>> {
        let mut steps = vec![None; self.count];
        for summary in summaries {
            if let Part::Step(at) = summary.part
                && let Some(index) = self.index(at)
            {
                steps[index] = Some(summary);
            }
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2027-01-15T08:00:00Z.
    const EIGHT: UnixTime = UnixTime::from_millis(1_800_000_000_000);

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
        let span = Span::chosen(&mut Chosen::of(None), EIGHT);
        assert_eq!(span.labels().first().map(String::as_str), Some("01-09"));
        assert_eq!(span.labels().last().map(String::as_str), Some("01-15"));
        assert_eq!(span.index(EIGHT), Some(6));
        assert_eq!(span.index(UnixTime::from_millis(0)), None);
        let span = Span::chosen(&mut Chosen::of(Some("time=day")), EIGHT);
        assert_eq!((span.index(EIGHT), span.count), (Some(23), 24));
        assert_eq!(
            span.names().last().map(String::as_str),
            Some("2027-01-15 08:00")
        );
    }

    #[test]
    fn before_the_oldest_launch_nothing_is_known() {
        let day = Duration::from_secs(24 * 60 * 60);
        let span = |oldest| Span {
            oldest,
            ..Span::chosen(&mut Chosen::of(None), EIGHT)
        };
        let known = |span: &Span| (0..span.count).filter(|step| span.is_known(*step)).count();
        let within = span(Some(EIGHT - day * 2));
        assert_eq!((within.since(), known(&within)), (Some(EIGHT - day * 2), 3));
        let before = span(Some(EIGHT - day * 20));
        assert_eq!((before.since(), known(&before)), (None, 7));
        let empty = span(None);
        assert_eq!((empty.since(), known(&empty)), (None, 7));
    }
}
