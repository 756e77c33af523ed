//! The pages: plain HTML without script, of one piece with the server's other pages.

use std::fmt::Write as _;

use super::{answer::PinsWanted, brand::Brand, form::Given, looking::Person, words::Words};
use crate::button_page;
use vestibule_launch::Role;

/// The styles, without the hospital's colour.
pub(super) const STYLE: &str =
    concat!(include_str!("../button_page.css"), include_str!("page.css"));

/// What a page says.
pub(crate) enum Page<'a> {
    /// Asks for the link; the one before was none.
    Link { faulty: bool, given: &'a Given },
    /// Asks for the name; the one before was none.
    Name { faulty: bool },
    /// Asks for role or PIN.
    Pin {
        role: Option<Role>,
        wanted: PinsWanted,
        wrong: bool,
    },
    /// The node cannot be asked; `reference` is for support.
    Unreached { reference: &'a str },
    /// Waits for the host.
    Waiting,
    /// Waits to be let in.
    LetIn,
    /// Waits for the node.
    Reconnecting,
    /// In.
    Joined {
        role: Role,
        /// None where they are not known at the moment.
        people: Option<&'a [Person]>,
        /// The visit's link for another browser.
        link: &'a str,
        /// The PIN with which to use it.
        pin: Option<&'a str>,
    },
    /// Not to be joined here, but elsewhere by the same link and PIN.
    Elsewhere { link: &'a str, pin: Option<&'a str> },
    /// Put out, or forgotten by the node.
    Out,
    /// Out.
    Left,
    /// Over.
    Ended,
    /// The browser sent no visit along.
    Lost,
}

impl Page<'_> {
    /// The page in the language with this tag, or in English.
    pub(crate) fn render(&self, brand: &Brand, language: Option<&str>) -> String {
        let words = Words::of(language);
        let (title, body) = self.content(words);
        let picture = button_page::PICTURE;
        let frame = self.frame(words);
        let inside = format!(
            "<main>\n{picture}\n{}<h1>{title}</h1>\n{body}{frame}{}{}</main>\n",
            brand.head(),
            self.way_out(words),
            brand.foot(),
        );
        document(words, &title, brand, "<body>", &inside)
    }

    fn way_out(&self, words: &Words) -> String {
        match self {
            Self::Name { .. }
            | Self::Pin { .. }
            | Self::Unreached { .. }
            | Self::Waiting
            | Self::LetIn
            | Self::Reconnecting
            | Self::Joined { .. }
            | Self::Out => step("leave", "", &quiet(&words.get("leave"))),
            _ => String::new(),
        }
    }

    /// Title and body.
    pub(super) fn content(&self, words: &Words) -> (String, String) {
        let says = |text: String| says(&text);
        match self {
            Self::Link { faulty, given } => link(words, *faulty, given),
            Self::Name { faulty } => {
                let field = field(
                    &words.get("name.label"),
                    "name=\"name\" type=\"text\" autocomplete=\"name\" maxlength=\"200\"",
                    faulty.then(|| words.get("name.fault")),
                );
                let form = step("name", &field, &button(&words.get("continue")));
                (words.get("name.title"), form)
            }
            Self::Pin {
                role,
                wanted,
                wrong,
            } => pin(words, *role, *wanted, *wrong),
            Self::Unreached { reference } => {
                let reference = format!(
                    "<p class=\"reference\"><bdi>{}</bdi></p>\n",
                    escape(reference)
                );
                let again = step("again", "", &button(&words.get("retry.again")));
                let text = says(words.get("retry.text"));
                (words.get("retry.title"), text + &reference + &again)
            }
            Self::Waiting => (words.get("waiting.title"), says(words.get("waiting.text"))),
            Self::LetIn => (words.get("let-in.title"), says(words.get("let-in.text"))),
            Self::Reconnecting => (
                words.get("reconnecting.title"),
                says(words.get("reconnecting.text")),
            ),
            Self::Joined {
                role, link, pin, ..
            } => {
                let title = match role {
                    Role::Host => words.get("joined.host"),
                    Role::Guest => words.get("joined.guest"),
                };
                (title, elsewhere(words, link, *pin))
            }
            Self::Elsewhere { link, pin } => {
                (words.get("elsewhere.title"), elsewhere(words, link, *pin))
            }
            Self::Out => {
                let again = step("again", "", &button(&words.get("out.rejoin")));
                (words.get("out.title"), says(words.get("out.text")) + &again)
            }
            Self::Left => (words.get("left.title"), says(words.get("left.text"))),
            Self::Ended => (words.get("ended.title"), says(words.get("ended.text"))),
            Self::Lost => (words.get("lost.title"), says(words.get("lost.text"))),
        }
    }
}

pub(super) fn document(
    words: &Words,
    title: &str,
    brand: &Brand,
    body: &str,
    inside: &str,
) -> String {
    let (language, direction, style) = (words.language, words.direction(), brand.style());
    format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\" dir=\"{direction}\">\n<head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"robots\" content=\"noindex, nofollow\">\n\
         <title>{title}</title>\n<style>{style}</style>\n</head>\n{body}\n{inside}</body>\n</html>\n"
    )
}

pub(super) fn says(text: &str) -> String {
    format!("<p>{text}</p>\n")
}

/// The form for the link, with what another site's page or this browser brought along.
fn link(words: &Words, faulty: bool, given: &Given) -> (String, String) {
    let attributes = format!(
        "name=\"link\" type=\"text\" inputmode=\"url\" autocomplete=\"off\" maxlength=\"8192\" value=\"{}\"",
        escape(&given.link)
    );
    let mut inside = field(
        &words.get("link.label"),
        &attributes,
        faulty.then(|| words.get("link.fault")),
    );
    for (name, value) in [
        ("tab", &given.tab),
        ("browser", &given.browser),
        ("language", &given.language),
    ] {
        if !value.is_empty() {
            let value = escape(value);
            writeln!(
                inside,
                "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">"
            )
            .expect("a string takes everything");
        }
    }
    let form = form(super::PATH, &inside, &button(&words.get("continue")));
    let text = format!("<p>{}</p>\n", words.get("link.text"));
    (words.get("link.title"), text + &form)
}

/// Where it is not known who somebody is and only one of the two needs a PIN, the
/// question is put with the PIN.
fn pin(words: &Words, role: Option<Role>, wanted: PinsWanted, wrong: bool) -> (String, String) {
    let label = match (role, wanted.host, wanted.guest) {
        (Some(Role::Host), ..) | (None, true, false) => words.get("pin.host"),
        (Some(Role::Guest), _, true) | (None, false, true) => words.get("pin.guest"),
        // A guest who needs none was refused without: whoever has one may use it.
        _ => words.get("pin.any"),
    };
    let field = field(
        &label,
        "name=\"pin\" type=\"text\" inputmode=\"tel\" autocomplete=\"one-time-code\" maxlength=\"21\"",
        wrong.then(|| words.get("pin.fault")),
    );
    let by_pin = step("pin", &field, &button(&words.get("pin.join")));
    if wanted.guest {
        return (words.get("pin.title"), by_pin);
    }
    let guest = format!("<p>{}</p>\n", words.get("role.guest.text"));
    let guest = step("guest", &guest, &quiet(&words.get("role.guest")));
    let host = format!("<p>{}</p>\n", words.get("role.host.text"));
    let title = words.get("role.title");
    (title, host + &by_pin + "<hr>\n" + &guest)
}

/// That there is neither picture nor sound here, and where there is.
fn elsewhere(words: &Words, link: &str, pin: Option<&str>) -> String {
    let link = escape(link);
    let mut body = format!(
        "<p>{}</p>\n<p><a href=\"{link}\" target=\"_blank\" rel=\"noopener noreferrer\"><bdi dir=\"ltr\">{link}</bdi></a></p>\n",
        words.get("joined.no-video"),
    );
    if let Some(pin) = pin {
        writeln!(
            body,
            "<p>{} <strong><bdi dir=\"ltr\">{}</bdi></strong></p>",
            words.get("joined.pin"),
            escape(pin),
        )
        .expect("a string takes everything");
    }
    body
}

fn step(name: &str, inside: &str, button: &str) -> String {
    let inside = format!("<input type=\"hidden\" name=\"step\" value=\"{name}\">\n{inside}");
    form(&format!("{}/visit", super::PATH), &inside, button)
}

fn form(action: &str, inside: &str, button: &str) -> String {
    format!("<form method=\"post\" action=\"{action}\">\n{inside}{button}</form>\n")
}

fn button(text: &str) -> String {
    format!("<button type=\"submit\">{text}</button>\n")
}

fn quiet(text: &str) -> String {
    format!("<button type=\"submit\" class=\"quiet\">{text}</button>\n")
}

/// A field that has the focus when the page opens, with what is wrong with it.
fn field(label: &str, attributes: &str, fault: Option<String>) -> String {
    let (invalid, fault) = match fault {
        Some(fault) => (
            " aria-invalid=\"true\" aria-describedby=\"fault\"",
            format!("<p class=\"fault\" id=\"fault\" role=\"alert\">{fault}</p>\n"),
        ),
        None => ("", String::new()),
    };
    format!(
        "<label for=\"field\">{label}</label>\n\
         <input id=\"field\" {attributes}{invalid} required autofocus>\n{fault}"
    )
}

/// For text and double-quoted attributes.
pub(super) fn escape(text: &str) -> String {
    button_page::escape(text)
}

#[cfg(test)]
mod tests {
    use super::{super::frame::render_unknown, *};

    fn brand() -> Brand {
        Brand::of(&vestibule_landing_page::Configuration::default())
    }

    fn rendered(page: &Page<'_>) -> String {
        page.render(&brand(), None)
    }

    fn status(page: &Page<'_>, shown: &str) -> String {
        page.render_status(shown, &brand(), None)
    }

    const HOSTILE: &str = "\"><script>alert(1)</script>&amp;\u{202e}";

    fn person(name: &str, own: bool) -> Person {
        Person {
            name: name.to_owned(),
            role: Role::Guest,
            own,
        }
    }

    fn all(people: &[Person]) -> Vec<String> {
        let wanted = |host, guest| PinsWanted { host, guest };
        let given = Given {
            link: HOSTILE.to_owned(),
            tab: HOSTILE.to_owned(),
            ..Given::default()
        };
        let pages = [
            Page::Link {
                faulty: true,
                given: &given,
            },
            Page::Name { faulty: true },
            Page::Pin {
                role: None,
                wanted: wanted(true, false),
                wrong: true,
            },
            Page::Unreached { reference: HOSTILE },
            Page::Waiting,
            Page::LetIn,
            Page::Reconnecting,
            Page::Elsewhere {
                link: HOSTILE,
                pin: Some("1234"),
            },
            Page::Out,
            Page::Joined {
                role: Role::Host,
                people: Some(people),
                link: "/webapp/#/?conference=\"x\"&role=host",
                pin: Some("1234"),
            },
            Page::Left,
            Page::Ended,
            Page::Lost,
        ];
        let both = |page: &Page<'_>| [rendered(page), status(page, page.name())];
        let unknown = render_unknown(&brand(), None);
        pages.iter().flat_map(both).chain([unknown]).collect()
    }

    #[test]
    fn nothing_that_others_say_becomes_markup() {
        for page in all(&[person(HOSTILE, true)]) {
            assert!(!page.contains("<script"), "{page}");
            assert!(!page.contains("conference=\"x"), "{page}");
        }
        let people = [person(HOSTILE, true)];
        let listed = |page: &String| page.contains("<li><bdi>&quot;&gt;&lt;script&gt;");
        assert_eq!(all(&people).iter().filter(|page| listed(page)).count(), 1);
    }

    #[test]
    fn pages_run_and_fetch_nothing_and_say_what_language_they_are_in() {
        for page in all(&[]) {
            let page = page.replace("<iframe src=\"/api/", "");
            let page = page.replace("<iframe class=\"people\" src=\"/api/", "");
            for bad in ["<script", "src=", "url(", "@import", " onclick=", "http:"] {
                assert!(!page.contains(bad), "{bad} in {page}");
            }
            assert!(page.contains("<html lang=\"en\" dir=\"ltr\">"));
            let is_status = page.contains("<body class=\"status\">");
            assert_eq!(page.matches("<h1>").count(), usize::from(!is_status));
        }
    }

    #[test]
    fn the_pin_page_asks_for_the_role_where_only_one_needs_a_pin() {
        let render = |role, host, guest| {
            let wanted = PinsWanted { host, guest };
            let wrong = false;
            rendered(&Page::Pin {
                role,
                wanted,
                wrong,
            })
        };
        let question = render(None, true, false);
        assert!(question.contains("I am a guest") && question.contains("Host PIN"));
        // A role that was chosen wrongly can be left.
        assert!(render(Some(Role::Host), true, false).contains("I am a guest"));
        let both = render(None, true, true);
        assert!(!both.contains("I am a guest") && both.contains("Host or guest PIN"));
        assert!(render(Some(Role::Guest), true, true).contains("Guest PIN"));
    }
}
