//! The templates of the pages, parsed.

use minijinja::{Environment, UndefinedBehavior, Value};

const SOURCES: &[(&str, &str)] = &[
    (
        "appointment.html",
        include_str!("templates/appointment.html"),
    ),
    (
        "appointment_table.html",
        include_str!("templates/appointment_table.html"),
    ),
    (
        "appointments.html",
        include_str!("templates/appointments.html"),
    ),
    ("audit.html", include_str!("templates/audit.html")),
    ("filter.html", include_str!("templates/filter.html")),
    ("found.html", include_str!("templates/found.html")),
    ("launch.html", include_str!("templates/launch.html")),
    ("launches.html", include_str!("templates/launches.html")),
    ("layout.html", include_str!("templates/layout.html")),
    ("live.html", include_str!("templates/live.html")),
    ("lookup.html", include_str!("templates/lookup.html")),
    ("message.html", include_str!("templates/message.html")),
    ("overview.html", include_str!("templates/overview.html")),
    ("pager.html", include_str!("templates/pager.html")),
    ("profile.html", include_str!("templates/profile.html")),
    ("profiles.html", include_str!("templates/profiles.html")),
    ("sign_in.html", include_str!("templates/sign_in.html")),
    (
        "write_back_table.html",
        include_str!("templates/write_back_table.html"),
    ),
    (
        "write_backs.html",
        include_str!("templates/write_backs.html"),
    ),
];

/// Renders pages. Everything that is put into one is escaped.
pub(super) struct Templates(Environment<'static>);

impl Templates {
    pub(super) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        for (name, source) in SOURCES {
            environment
                .add_template(name, source)
                .expect("the templates are part of the program and a test parses each");
        }
        Self(environment)
    }

    /// A page.
    ///
    /// # Errors
    /// Where the template fails.
    pub(super) fn render(&self, name: &str, context: Value) -> Result<String, minijinja::Error> {
        self.0.get_template(name)?.render(context)
    }
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    #[test]
    fn every_template_is_parsed() {
        Templates::new();
    }

    #[test]
    fn what_is_put_into_a_page_is_text() {
        let page = Templates::new()
            .render(
                "message.html",
                context! { heading => "<b>", text => "a & \"b\"" },
            )
            .unwrap();
        assert!(page.contains("<h1>&lt;b&gt;</h1>"), "{page}");
        assert!(page.contains("a &amp; &quot;b&quot;"), "{page}");
    }
}
