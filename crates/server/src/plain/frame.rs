//! The frame of a page of somebody who is in or waits: it looks how the visit is.

use std::{fmt::Write as _, time::Duration};

use vestibule_launch::Role;

use super::{
    PATH,
    brand::Brand,
    looking::Person,
    page::{Page, document, escape, says},
    words::Words,
};

/// How often who waits looks again.
const WAITING: Duration = Duration::from_secs(5);

/// How often who is in looks again: well before the node's token ends.
const JOINED: Duration = Duration::from_secs(30);

/// How often the page around looks again, for when its frame has failed to: the node's
/// token ends after two minutes, and one look may fail. Never when the frame looks, or both
/// would renew the token at once.
const AROUND: Duration = Duration::from_secs(50);

impl Page<'_> {
    /// The small document of the page's frame. It is loaded again by itself, so that the
    /// page need be seldom, which is read out anew each time: it shows who is there,
    /// and leads on where the visit is no longer as the page, named `shown`, says.
    pub(crate) fn render_status(
        &self,
        shown: &str,
        brand: &Brand,
        language: Option<&str>,
    ) -> String {
        let words = Words::of(language);
        let body = match self {
            Self::Joined { people, .. } if self.name() == shown => people.map_or_else(
                || says(&words.get("status.same")),
                |people| list(words, people),
            ),
            _ if self.refresh().is_some() && self.name() == shown => {
                says(&words.get("status.same"))
            }
            _ => {
                let (title, _) = self.content(words);
                let address = format!("{PATH}/visit");
                says(&format!(
                    "{} <a href=\"{address}\" target=\"_parent\">{title}</a>",
                    words.get("status.changed")
                ))
            }
        };
        status_document(words, brand, &body)
    }

    /// After how long the page is loaded again by itself; none where nothing will change.
    pub(crate) fn refresh_around(&self) -> Option<Duration> {
        self.refresh().map(|_| AROUND)
    }

    /// After how long its frame is loaded again; none where nothing will change.
    pub(crate) fn refresh(&self) -> Option<Duration> {
        match self {
            Self::Waiting | Self::LetIn | Self::Reconnecting => Some(WAITING),
            Self::Joined { .. } => Some(JOINED),
            _ => None,
        }
    }

    /// By which the frame knows what the page around it says; none where nothing changes
    /// by itself.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::LetIn => "let-in",
            Self::Reconnecting => "reconnecting",
            Self::Joined {
                role: Role::Host, ..
            } => "host",
            Self::Joined { .. } => "guest",
            _ => "",
        }
    }

    /// The frame, as an element of the page.
    pub(super) fn frame(&self, words: &Words) -> String {
        if self.refresh().is_none() {
            return String::new();
        }
        let shown = self.name();
        let (class, title) = match self {
            Self::Joined { .. } => (" class=\"people\"", words.get("joined.people")),
            _ => ("", words.get("status.title")),
        };
        format!(
            "<iframe{class} src=\"{PATH}/visit/status?shown={shown}\" title=\"{title}\"></iframe>\n\
             <p><a href=\"{PATH}/visit\">{}</a></p>\n",
            words.get("status.look"),
        )
    }
}

/// How long a frame waits that cannot say how the visit is: as long as whoever refused it
/// says, within reason.
pub(crate) fn refresh_unknown(retry_after: Option<Duration>) -> Duration {
    retry_after.unwrap_or(JOINED).clamp(WAITING, JOINED)
}

/// The document of a page's frame where it is not known how the visit is.
pub(crate) fn render_unknown(brand: &Brand, language: Option<&str>) -> String {
    let words = Words::of(language);
    status_document(words, brand, &says(&words.get("status.unknown")))
}

fn status_document(words: &Words, brand: &Brand, inside: &str) -> String {
    let title = words.get("status.title");
    document(words, &title, brand, "<body class=\"status\">", inside)
}

fn list(words: &Words, people: &[Person]) -> String {
    let mut list = format!("<h2>{}</h2>\n<ul>\n", words.get("joined.people"));
    for person in people {
        let name = escape(&person.name);
        let you = if person.own {
            format!(" ({})", words.get("joined.you"))
        } else {
            String::new()
        };
        writeln!(list, "<li><bdi>{name}</bdi>{you}</li>").expect("a string takes everything");
    }
    list + "</ul>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brand() -> Brand {
        Brand::of(&vestibule_landing_page::Configuration::default())
    }

    fn status(page: &Page<'_>, shown: &str) -> String {
        page.render_status(shown, &brand(), None)
    }

    #[test]
    fn every_wait_looks_again_by_itself_and_has_a_way_out() {
        for page in [Page::Waiting, Page::LetIn, Page::Reconnecting] {
            assert_eq!(page.refresh(), Some(WAITING));
            let text = page.render(&brand(), None);
            assert!(text.contains(&format!("/visit/status?shown={}\" title=", page.name())));
            assert!(text.contains("/plain/visit\">Look again</a>"));
            assert_eq!(page.refresh_around(), Some(AROUND));
            assert!(text.contains("value=\"leave\""));
        }
        for page in [Page::Left, Page::Ended, Page::Lost] {
            assert_eq!(page.refresh(), None);
            assert_eq!(page.refresh_around(), None);
            assert!(!page.render(&brand(), None).contains("<iframe"));
        }
    }

    #[test]
    fn the_page_around_looks_seldomer_than_its_frame_and_before_a_token_ends() {
        assert!(WAITING < JOINED && JOINED < AROUND);
        assert!(AROUND * 2 <= Duration::from_secs(120));
        assert_ne!(AROUND.as_secs() % JOINED.as_secs(), 0);
        for (retry_after, refresh) in [(None, 30), (Some(1), 5), (Some(20), 20), (Some(90), 30)] {
            let refreshed = refresh_unknown(retry_after.map(Duration::from_secs));
            assert_eq!(refreshed, Duration::from_secs(refresh), "{retry_after:?}");
        }
    }

    #[test]
    fn the_frame_leads_on_where_the_visit_is_no_longer_as_the_page_says() {
        let joined = Page::Joined {
            role: Role::Guest,
            people: Some(&[]),
            link: "",
            pin: None,
        };
        let changed = status(&joined, "waiting");
        assert!(changed.contains("target=\"_parent\">You have joined</a>"));
        assert!(!status(&joined, "guest").contains("<a "));
        let same = Page::Waiting.render_status("waiting", &brand(), Some("de"));
        assert!(same.contains("lang=\"de\"") && !same.contains("<a "));
        for over in [Page::Ended, Page::Out, Page::Lost] {
            assert!(status(&over, "waiting").contains("<a "));
            assert!(status(&over, "").contains("<a "));
        }
    }
}
