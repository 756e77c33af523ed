//! What the pages show of the hospital: its name, whom to call, and its colour.

use vestibule_landing_page::{Configuration, Theme, themes};

use super::page::{STYLE, escape};

/// The hospital on the pages, from the landing page's configuration.
#[derive(Debug)]
pub(crate) struct Brand {
    name: Option<String>,
    help_line: Option<String>,
    style: String,
}

impl Brand {
    pub(crate) fn of(configuration: &Configuration) -> Self {
        Self {
            name: configuration.hospital.clone(),
            help_line: configuration.help_line.clone(),
            style: style(configuration),
        }
    }

    pub(super) fn style(&self) -> &str {
        &self.style
    }

    /// What stands above the title.
    pub(super) fn head(&self) -> String {
        paragraph("hospital", self.name.as_deref())
    }

    /// What stands below all else.
    pub(super) fn foot(&self) -> String {
        paragraph("help", self.help_line.as_deref())
    }
}

/// The styles of the pages, which the Content-Security-Policy allows by their hash.
pub(crate) fn style(configuration: &Configuration) -> String {
    let accent = configuration.accent.map(|accent| {
        let [light, dark] = themes(accent);
        let dark = rule(&dark);
        format!(
            "{}@media (prefers-color-scheme: dark) {{ {dark} }}\n",
            rule(&light)
        )
    });
    format!("{STYLE}{}", accent.unwrap_or_default())
}

fn rule(theme: &Theme) -> String {
    format!(
        ":root {{ --accent: {}; --strong: {}; --on-accent: {}; }}\n",
        theme.accent, theme.strong, theme.on_accent
    )
}

fn paragraph(class: &str, text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| {
        format!("<p class=\"{class}\"><bdi>{}</bdi></p>\n", escape(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brand(configuration: &str) -> Brand {
        Brand::of(&toml::from_str(configuration).unwrap())
    }

    #[test]
    fn name_and_help_line_are_shown_as_they_are_and_nothing_where_there_is_none() {
        let none = brand("");
        assert_eq!((none.head(), none.foot()), Default::default());
        assert_eq!(none.style(), STYLE);
        let own = brand("hospital = 'A & B <i>'\nhelp_line = '+1 555 0100'");
        assert_eq!(
            own.head(),
            "<p class=\"hospital\"><bdi>A &amp; B &lt;i&gt;</bdi></p>\n"
        );
        assert_eq!(own.foot(), "<p class=\"help\"><bdi>+1 555 0100</bdi></p>\n");
    }

    #[test]
    fn the_accent_comes_after_the_usual_colours_in_either_theme() {
        let own = brand("accent = '#7a1fa2'");
        let own = own.style().strip_prefix(STYLE).unwrap();
        let (light, dark) = own.split_once("prefers-color-scheme: dark").unwrap();
        assert!(light.contains("--accent: #7a1fa2;"), "{own}");
        assert!(
            dark.contains("--accent: #") && !dark.contains("#7a1fa2"),
            "{own}"
        );
    }
}
