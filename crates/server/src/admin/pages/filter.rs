//! What a page is to show: the form above a table, and the links that keep what was
//! chosen in it.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use serde::Serialize;
use url::form_urlencoded;
use vestibule_launch::UnixTime;

use super::frame::PageError;

/// Most parameters that are read, and the longest value of one, in bytes.
const MOST: usize = 16;
const LONGEST: usize = 200;

/// Longest name of a parameter that is repeated in a fault, in characters.
const LONGEST_NAME: usize = 40;

/// What was chosen, by the names of the form's fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Chosen {
    values: BTreeMap<String, String>,
    faults: Vec<String>,
}

/// The form.
#[derive(Debug, Default, Serialize)]
pub(super) struct Filter {
    fields: Vec<Field>,
    csv: Option<String>,
    faults: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Field {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: String,
    options: Vec<Choice>,
}

#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

/// Links to other pages of the same table.
#[derive(Debug, Default, Serialize)]
pub(super) struct Pager {
    first: Option<String>,
    next: Option<String>,
}

impl Chosen {
    /// What a query says. Empty fields of the form say nothing.
    pub(super) fn of(query: Option<&str>) -> Self {
        let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let mut chosen = Self::default();
        for (name, value) in pairs.by_ref().take(MOST) {
            let value = value.trim();
            if value.len() > LONGEST {
                let name: String = name.chars().take(LONGEST_NAME).collect();
                let fault = format!("{name}: longer than {LONGEST} bytes");
                chosen.faults.push(fault);
            } else if !value.is_empty() {
                chosen.values.insert(name.into_owned(), value.to_owned());
            }
        }
        if pairs.next().is_some() {
            chosen.faults.push(format!("more than {MOST} fields"));
        }
        chosen
    }

    /// Goes on where everything that was chosen could be read: for files, which have no
    /// place to say what filters nothing.
    ///
    /// # Errors
    /// [`PageError::Faults`].
    pub(super) fn checked(&self) -> Result<(), PageError> {
        match self.faults.as_slice() {
            [] => Ok(()),
            faults => Err(PageError::Faults(faults.join("; "))),
        }
    }

    /// What was chosen, for the audit log.
    pub(super) fn told(&self) -> String {
        let told = self
            .values
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        match told.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "everything".to_owned(),
            told => told,
        }
    }

    /// What was chosen in a field.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The choice in these fields only.
    pub(super) fn only(&self, names: &[&str]) -> Self {
        let kept = self.values.iter();
        let kept = kept.filter(|(name, _)| names.contains(&name.as_str()));
        Self {
            values: kept
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            faults: Vec::new(),
        }
    }

    /// The same choice with this in a field.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.values.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same choice without this field.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.values.remove(name);
        self
    }

    /// What was chosen in a field, read; what cannot be read is said on the page, and filters nothing.
    pub(super) fn read<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.get(name)?;
        let value = read(text);
        if value.is_none() {
            self.faults.push(format!("{name}: not {expected}"));
        }
        value
    }

    /// The start of the day that a field names, in UTC; or the minute, where it names one.
    pub(super) fn day(&mut self, name: &str) -> Option<UnixTime> {
        self.read(name, "a day such as 2026-11-21", |text| {
            match minute(text) {
                Some(minute) => Some(minute),
                None => start_of(text.parse().ok()?),
            }
        })
    }

    /// The end of the day that a field names, in UTC; or the minute, where it names one.
    pub(super) fn day_after(&mut self, name: &str) -> Option<UnixTime> {
        self.read(name, "a day such as 2026-11-21", |text| {
            match minute(text) {
                Some(minute) => Some(minute),
                None => start_of(text.parse::<Date>().ok()?.tomorrow().ok()?),
            }
        })
    }

    /// Whether something was chosen that cannot be read.
    pub(super) fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// A link to `path` with what was chosen, but for `name`, which becomes `value`.
    pub(super) fn link(&self, path: &str, name: &str, value: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let kept = self.values.iter().filter(|(kept, _)| *kept != name);
        query.extend_pairs(kept);
        if let Some(value) = value {
            query.append_pair(name, value);
        }
        match query.finish() {
            none if none.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// A link to `path` with everything that was chosen.
    pub(super) fn here(&self, path: &str) -> String {
        self.link(path, "", None)
    }

    /// Links from this page of a table to the next and to the first. `next` is what the
    /// field `after` has to say.
    pub(super) fn pager(&self, path: &str, next: Option<&str>) -> Pager {
        Pager {
            first: self.get("after").map(|_| self.link(path, "after", None)),
            next: next.map(|next| self.link(path, "after", Some(next))),
        }
    }

    /// A form to fill.
    pub(super) fn form(&self) -> Filter {
        Filter {
            fields: Vec::new(),
            csv: None,
            faults: self.faults.clone(),
        }
    }
}

impl Filter {
    /// A field for text, or of another type of `input`.
    pub(super) fn input(
        mut self,
        chosen: &Chosen,
        name: &'static str,
        label: &'static str,
        kind: &'static str,
    ) -> Self {
        self.fields.push(Field {
            name,
            label,
            kind,
            value: chosen.get(name).unwrap_or_default().to_owned(),
            options: Vec::new(),
        });
        self
    }

    /// The same where something was chosen in it by a link: so it stays chosen, and can be
    /// taken away.
    pub(super) fn chosen_only(
        self,
        chosen: &Chosen,
        name: &'static str,
        label: &'static str,
    ) -> Self {
        match chosen.get(name) {
            Some(_) => self.input(chosen, name, label, "text"),
            None => self,
        }
    }

    /// The first and the last day; or minutes, where a link has chosen those.
    pub(super) fn days(self, chosen: &Chosen) -> Self {
        let minutes = ["from", "to"]
            .iter()
            .filter_map(|name| chosen.get(name))
            .any(|text| text.contains('T'));
        if minutes {
            self.input(chosen, "from", "From (UTC)", "datetime-local")
                .input(chosen, "to", "Before (UTC)", "datetime-local")
        } else {
            self.input(chosen, "from", "From day (UTC)", "date").input(
                chosen,
                "to",
                "To day (UTC)",
                "date",
            )
        }
    }

    /// The same with this label for a field that it has.
    pub(super) fn called(mut self, name: &str, label: &'static str) -> Self {
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            field.label = label;
        }
        self
    }

    /// A choice; the first is what holds where nothing was chosen.
    pub(super) fn choice<V: Into<String>, L: Into<String>>(
        mut self,
        chosen: &Chosen,
        name: &'static str,
        label: &'static str,
        options: impl IntoIterator<Item = (V, L)>,
    ) -> Self {
        let now = chosen.get(name).unwrap_or_default();
        let options = options.into_iter().map(|(value, label)| {
            let (value, label) = (value.into(), label.into());
            let chosen = value == now;
            Choice {
                value,
                label,
                chosen,
            }
        });
        self.fields.push(Field {
            name,
            label,
            kind: "select",
            value: String::new(),
            options: options.collect(),
        });
        self
    }

    /// With a link to the same as CSV.
    pub(super) fn csv(mut self, chosen: &Chosen, path: &str) -> Self {
        self.csv = Some(chosen.link(path, "after", None));
        self
    }
}

/// The minute that a text such as `2026-11-21T14:00` names, in UTC.
fn minute(text: &str) -> Option<UnixTime> {
    let time: DateTime = text.contains('T').then(|| text.parse().ok())??;
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(UnixTime::from_millis(time.timestamp().as_millisecond()))
}

fn start_of(date: Date) -> Option<UnixTime> {
    let start = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(UnixTime::from_millis(start.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_choose_nothing_and_the_rest_stays_in_links() {
        let chosen = Chosen::of(Some("role=&state=failed&error=Oauth2+Launch+Error&after=9"));
        assert_eq!(chosen.get("role"), None);
        assert_eq!(chosen.get("error"), Some("Oauth2 Launch Error"));
        assert_eq!(
            chosen.link("/admin/launches.csv", "after", None),
            "/admin/launches.csv?error=Oauth2+Launch+Error&state=failed"
        );
        let pager = chosen.pager("/admin/launches", Some("8"));
        assert_eq!(
            pager.next.as_deref(),
            Some("/admin/launches?error=Oauth2+Launch+Error&state=failed&after=8")
        );
        assert!(pager.first.is_some());
        assert!(Chosen::of(None).pager("/x", None).first.is_none());
        assert_eq!(Chosen::of(None).here("/x"), "/x");
    }

    #[test]
    fn days_begin_and_end_in_utc_and_what_is_no_day_is_said() {
        let mut chosen = Chosen::of(Some("from=2027-01-15&to=2027-01-15&late=soon"));
        let day = UnixTime::from_millis(1_799_971_200_000);
        assert_eq!(chosen.day("from"), Some(day));
        let after = day + std::time::Duration::from_secs(86_400);
        assert_eq!(chosen.day_after("to"), Some(after));
        assert_eq!(chosen.day("late"), None);
        let form = chosen.form();
        assert_eq!(form.faults, ["late: not a day such as 2026-11-21"]);
    }

    #[test]
    fn minutes_are_chosen_by_links() {
        let mut chosen = Chosen::of(Some("from=2027-01-15T08:00&to=2027-01-15T09:00&no=T"));
        let eight = UnixTime::from_millis(1_800_000_000_000);
        assert_eq!(chosen.day("from"), Some(eight));
        let nine = eight + std::time::Duration::from_secs(3600);
        assert_eq!(chosen.day_after("to"), Some(nine));
        assert_eq!(chosen.day("no"), None);
        assert!(chosen.has_faults());
        let form = chosen.form().days(&chosen);
        assert!(form.fields.iter().all(|it| it.kind == "datetime-local"));
    }

    #[test]
    fn a_long_query_is_cut() {
        let query: String = (0..100).map(|number| format!("f{number}=1&")).collect();
        assert_eq!(Chosen::of(Some(&query)).values.len(), MOST);
        let long = format!("f={}", "x".repeat(LONGEST + 1));
        assert_eq!(Chosen::of(Some(&long)).get("f"), None);
    }

    #[test]
    fn what_cannot_be_read_is_no_filter_for_a_file() {
        let many: String = (0..=MOST).map(|number| format!("f{number}=1&")).collect();
        let long = format!("f={}", "x".repeat(LONGEST + 1));
        for (query, told) in [
            (many.as_str(), "more than 16 fields"),
            (long.as_str(), "f: longer than 200 bytes"),
            ("from=yesterday", "from: not a day such as 2026-11-21"),
        ] {
            let mut chosen = Chosen::of(Some(query));
            chosen.day("from");
            let Err(PageError::Faults(faults)) = chosen.checked() else {
                panic!("{query} is taken");
            };
            assert_eq!(faults, told);
        }
        let mut chosen = Chosen::of(Some("from=2027-01-15&state=past&role="));
        chosen.day("from");
        assert!(chosen.checked().is_ok());
        assert_eq!(chosen.told(), "from=2027-01-15, state=past");
        assert_eq!(Chosen::of(None).told(), "everything");
    }
}
