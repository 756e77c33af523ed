//! The EHR's pages, rendered on the server.

mod schedule;

use minijinja::{Environment, UndefinedBehavior, Value, context, value::Serde};
use serde::Serialize;

use self::schedule::{clinician_rows, patient_rows};
use crate::{ehr::VisitLinks, journal::Entry, launch_link::LaunchLink};

/// The templates, parsed.
pub(crate) struct Pages(Environment<'static>);

const TEMPLATES: [(&str, &str); 9] = [
    ("layout.html", include_str!("../templates/layout.html")),
    ("home.html", include_str!("../templates/home.html")),
    (
        "clinician.html",
        include_str!("../templates/clinician.html"),
    ),
    ("patient.html", include_str!("../templates/patient.html")),
    ("continue.html", include_str!("../templates/continue.html")),
    ("status.html", include_str!("../templates/status.html")),
    ("error.html", include_str!("../templates/error.html")),
    ("links.html", include_str!("../templates/links.html")),
    ("names.html", include_str!("../templates/names.html")),
];

/// A line of the status page.
#[derive(Serialize)]
struct Line {
    at: String,
    sentence: String,
}

impl Pages {
    pub(crate) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in TEMPLATES {
            environment
                .add_template(name, source)
                .expect("the templates are part of the program and a test parses each");
        }
        Self(environment)
    }

    /// Where one chooses whose side to see.
    pub(crate) fn home(&self) -> String {
        self.render("home.html", context! {})
    }

    /// The schedule, as the clinician sees it.
    pub(crate) fn clinician(&self, links: &[VisitLinks]) -> String {
        let rows = Serde(clinician_rows(links));
        self.render("clinician.html", context! { rows })
    }

    /// The same appointments, one for each patient.
    pub(crate) fn patient(&self, links: &[VisitLinks]) -> String {
        let rows = Serde(patient_rows(links));
        self.render("patient.html", context! { rows })
    }

    /// The form that launches Vestibule by POST.
    pub(crate) fn continue_to_visit(&self, link: &LaunchLink) -> String {
        self.render(
            "continue.html",
            context! { action => link.action(), fields => Serde(link.fields()) },
        )
    }

    /// What the EHR did and was told.
    pub(crate) fn status(&self, entries: Vec<Entry>) -> String {
        let lines: Vec<_> = entries
            .into_iter()
            .map(|entry| Line {
                sentence: entry.event.sentence(),
                at: entry.at,
            })
            .collect();
        self.render("status.html", context! { lines => Serde(lines) })
    }

    /// What went wrong and what to do.
    pub(crate) fn error(&self, heading: &str, detail: &str) -> String {
        self.render("error.html", context! { heading, detail })
    }

    fn render(&self, name: &str, context: Value) -> String {
        self.0
            .get_template(name)
            .and_then(|template| template.render(context))
            .expect("the templates are part of the program and a test renders each")
    }
}
