//! Where the figures and charts of the overview lead: to what they count, with everything
//! that was chosen.

use vestibule_launch::UnixTime;
use vestibule_store::Step;

use super::{appointments, filter::Chosen, launches, write_backs};
use crate::clock::rfc3339;

/// Links to what is counted since a time.
pub(super) struct Leads {
    kept: Chosen,
    from: UnixTime,
    step: Step,
}

impl Leads {
    /// Of what was chosen, since `from`, which begins a step.
    pub(super) fn new(chosen: &Chosen, from: UnixTime, step: Step) -> Self {
        Self {
            kept: chosen.only(&["profile", "department"]),
            from,
            step,
        }
    }

    /// To the launches of the whole time, by these fields of their form too.
    pub(super) fn launches(&self, fields: &[(&str, &str)]) -> String {
        let from = self.written(self.from);
        let chosen = self.kept.clone().with("from", &from);
        with(chosen, fields).here(launches::PATH)
    }

    /// To the launches of one step, by these fields of their form too.
    pub(super) fn launches_of(&self, at: UnixTime, fields: &[(&str, &str)]) -> String {
        with(self.step_of(at), fields).here(launches::PATH)
    }

    /// To the appointments of one step.
    pub(super) fn appointments_of(&self, at: UnixTime) -> String {
        self.step_of(at).here(appointments::PATH)
    }

    /// To the visits of now.
    pub(super) fn visits(&self) -> String {
        let chosen = self.kept.clone().with("state", "active");
        chosen.here(appointments::PATH)
    }

    /// To the write-backs in a state, which have no department.
    pub(super) fn write_backs(&self, state: &str) -> String {
        let chosen = self.kept.only(&["profile"]).with("state", state);
        chosen.here(write_backs::PATH)
    }

    fn step_of(&self, at: UnixTime) -> Chosen {
        let end = match self.step {
            // The last day that is meant.
            Step::Day => at,
            // The minute before which it is.
            Step::Hour => UnixTime::from_millis(at.as_millis() + self.step.as_millis()),
        };
        let chosen = self.kept.clone().with("from", &self.written(at));
        chosen.with("to", &self.written(end))
    }

    fn written(&self, at: UnixTime) -> String {
        let text = rfc3339(at);
        let part = match self.step {
            Step::Hour => text.get(..16),
            Step::Day => text.get(..10),
        };
        part.unwrap_or_default().to_owned()
    }
}

fn with(chosen: Chosen, fields: &[(&str, &str)]) -> Chosen {
    let with = |chosen: Chosen, (name, value): &(&str, &str)| chosen.with(name, value);
    fields.iter().fold(chosen, with)
}

#[cfg(test)]
mod tests {
    use vestibule_store::{LaunchProgress, WriteBackProgress};

    use super::*;

    /// 2027-01-15T08:00:00Z.
    const EIGHT: UnixTime = UnixTime::from_millis(1_800_000_000_000);

    fn leads(step: Step) -> Leads {
        let chosen = Chosen::of(Some("time=day&profile=7&department=Radiology&after=9"));
        Leads::new(&chosen, EIGHT, step)
    }

    #[test]
    fn what_was_chosen_is_carried_along() {
        assert_eq!(
            leads(Step::Day).launches(&[("state", "failed"), ("error", "ehr_timeout")]),
            "/admin/launches?department=Radiology&error=ehr_timeout&from=2027-01-15\
             &profile=7&state=failed"
        );
        assert_eq!(
            leads(Step::Day).launches(&[("department", "Ear & nose")]),
            "/admin/launches?department=Ear+%26+nose&from=2027-01-15&profile=7"
        );
        assert_eq!(
            leads(Step::Day).write_backs("unsent"),
            "/admin/write-backs?profile=7&state=unsent"
        );
        for state in WriteBackProgress::ALL {
            let link = leads(Step::Day).write_backs(state.as_str());
            let mut chosen = Chosen::of(link.split_once('?').map(|(_, query)| query));
            let filter = write_backs::filter_of(&mut chosen);
            assert_eq!(filter.progress, Some(state));
        }
        for state in LaunchProgress::ALL {
            let link = leads(Step::Day).launches(&[("state", state.as_str())]);
            let mut chosen = Chosen::of(link.split_once('?').map(|(_, query)| query));
            let filter = launches::filter_of(&mut chosen);
            assert_eq!(filter.progress, Some(state));
        }
        assert_eq!(
            leads(Step::Day).visits(),
            "/admin/appointments?department=Radiology&profile=7&state=active"
        );
    }

    #[test]
    fn a_step_leads_to_its_own_time() {
        let rest = "&profile=7&to=2027-01-15";
        let day = format!("/admin/appointments?department=Radiology&from=2027-01-15{rest}");
        assert_eq!(leads(Step::Day).appointments_of(EIGHT), day);
        let failed = [("state", "failed"), ("error", "ehr_timeout")];
        assert_eq!(
            leads(Step::Day).launches_of(EIGHT, &failed),
            "/admin/launches?department=Radiology&error=ehr_timeout&from=2027-01-15\
             &profile=7&state=failed&to=2027-01-15"
        );
        let hour = leads(Step::Hour).launches_of(EIGHT, &[]);
        let mut chosen = Chosen::of(hour.split_once('?').map(|(_, query)| query));
        assert_eq!(chosen.day("from"), Some(EIGHT));
        let nine = EIGHT + std::time::Duration::from_secs(3600);
        assert_eq!(chosen.day_after("to"), Some(nine));
    }
}
