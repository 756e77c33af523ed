//! The default error page, and the documented one as a profile may have it.

use std::{fs, path::Path};

use base64ct::{Base64, Encoding as _};
use sha2::{Digest as _, Sha256};
use vestibule_template::{Escaping, Kind, Template, contexts::ErrorPageContext, defaults};

const LINK_NOT_VALID: &str = "BorvoGetTelehealthDirectLaunchTokenError";

/// As asked for, and as the page then says it is.
const LANGUAGES: &[(&str, &str, &str)] = &[
    ("en", "en", "ltr"),
    ("es", "es", "ltr"),
    ("fr", "fr", "ltr"),
    ("de", "de", "ltr"),
    ("zh", "zh-Hans", "ltr"),
    ("vi", "vi", "ltr"),
    ("tl", "tl", "ltr"),
    ("ar", "ar", "rtl"),
];

/// The template that Pexip documents, from the documentation beside the repository.
fn documented() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/seeds");
    let page = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}: it is needed", folder.display()))
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok())
        .find_map(|text| {
            let start = text.find("<!DOCTYPE html>")?;
            let end = text[start..].find("</html>")?;
            Some(text[start..start + end + "</html>".len()].to_owned())
        });
    page.expect("one of the documents has the default template")
}

fn page_in(
    template: &str,
    error_name: &str,
    debug: Option<&str>,
    language: Option<&str>,
) -> String {
    let context = ErrorPageContext {
        error_name: error_name.to_owned(),
        telehealth_request_id: "0f3f2c52-5c1e-4a57-9a51-3f5c0c7c6d1e".to_owned(),
        utc_time: "2026-03-01T09:30:00Z".to_owned(),
        language: language.map(str::to_owned),
        detailed_debug_information: debug.map(str::to_owned),
    };
    Template::parse_as(Kind::ErrorPage, template)
        .expect("the template parses")
        .render(Escaping::Html, &context)
        .expect("the template renders")
}

fn page(template: &str, error_name: &str, debug: Option<&str>) -> String {
    page_in(template, error_name, debug, None)
}

/// The page without its one script, and the script.
fn script(html: &str) -> (String, &str) {
    let (before, rest) = html.split_once("<script>").expect("the page has a script");
    let (script, after) = rest.split_once("</script>").expect("the script ends");
    (format!("{before}{after}"), script)
}

/// What stands between the tags, one text an item.
fn texts(html: &str) -> Vec<&str> {
    let body = html.split_once("<body>").expect("the page has a body").1;
    body.split('>')
        .filter_map(|piece| piece.split_once('<'))
        .map(|(text, _)| text.trim())
        .filter(|text| !text.is_empty())
        .collect()
}

#[test]
fn a_link_that_is_not_valid_is_told_apart_from_every_other_error() {
    for template in [defaults::ERROR_PAGE, &documented()] {
        let link = page(template, LINK_NOT_VALID, None);
        let other = page(template, "ehr_timeout", None);
        assert_ne!(link.replace(LINK_NOT_VALID, "ehr_timeout"), other);
        assert_eq!(
            page(template, "internal_error", None).replace("internal_error", "ehr_timeout"),
            other
        );
        assert!(link.contains("link") && !other.contains("link"));
    }
}

#[test]
fn the_page_says_what_the_help_desk_needs() {
    for error_name in [LINK_NOT_VALID, "ehr_timeout"] {
        let html = page(defaults::ERROR_PAGE, error_name, None);
        for needed in [
            "0f3f2c52-5c1e-4a57-9a51-3f5c0c7c6d1e",
            "2026-03-01T09:30:00Z",
            error_name,
        ] {
            assert!(html.contains(needed), "{needed}");
        }
        assert!(!html.contains("class=\"details\""));
        let html = page(defaults::ERROR_PAGE, error_name, Some("status 502"));
        assert!(html.contains("<dd class=\"details\"><bdi>status 502</bdi></dd>"));
    }
    let html = page(&documented(), "ehr_timeout", Some("status 502"));
    assert!(html.contains("Detailed debugging information: status 502"));
    assert!(!page(&documented(), "ehr_timeout", None).contains("Detailed debugging"));
}

#[test]
fn nothing_in_the_context_becomes_markup() {
    let hostile = "<script>alert('x')</script>\"&";
    for template in [defaults::ERROR_PAGE, &documented()] {
        let html = page(template, hostile, Some(hostile));
        let html = if template == defaults::ERROR_PAGE {
            script(&html).0
        } else {
            html
        };
        assert!(!html.contains("<script"));
        assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&#34;&amp;"));
    }
}

#[test]
fn the_page_has_the_structure_that_assistive_technology_needs() {
    for error_name in [LINK_NOT_VALID, "ehr_timeout"] {
        let html = page(defaults::ERROR_PAGE, error_name, Some("x"));
        for once in [
            "<main>",
            "</main>",
            "<h1>",
            "<title>",
            "<html lang=\"en\" dir=\"ltr\">",
            "name=\"viewport\"",
            "charset=\"utf-8\"",
        ] {
            assert_eq!(html.matches(once).count(), 1, "{once}");
        }
        assert!(html.starts_with("<!DOCTYPE html>"));
        assert!(html.contains("prefers-color-scheme: dark"));
        assert!(
            !html.contains("maximum-scale") && !html.contains("user-scalable"),
            "zooming is not hindered"
        );
        assert!(html.find("<h1>") < html.find("<h2>"));
    }
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_runs_its_script_only() {
    let html = page(defaults::ERROR_PAGE, "ehr_timeout", Some("x"));
    let (html, _) = script(&html);
    for foreign in [
        "<script", "<link", "<img", "<iframe", "<form", "url(", "@import", "http:", "https:", "//",
    ] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    for tag in html
        .split('<')
        .skip(1)
        .filter_map(|tag| tag.split_once('>'))
        .map(|(tag, _)| tag)
    {
        for attribute in [" on", " src", " href", " style", " action", " background"] {
            assert!(!tag.contains(attribute), "{tag}");
        }
    }
}

#[test]
fn the_script_is_the_one_that_the_policy_allows_whatever_the_page_shows() {
    for (language, ..) in LANGUAGES {
        for error_name in [LINK_NOT_VALID, "launch_used"] {
            let html = page_in(defaults::ERROR_PAGE, error_name, Some("x"), Some(language));
            let hash = Base64::encode_string(&Sha256::digest(script(&html).1));
            assert_eq!(hash, defaults::ERROR_PAGE_SCRIPT_SHA256);
        }
    }
}

#[test]
fn the_copy_button_is_hidden_until_the_script_shows_it() {
    let html = page(defaults::ERROR_PAGE, "ehr_timeout", None);
    let (html, script) = script(&html);
    let button = html
        .split('<')
        .find(|tag| tag.starts_with("button"))
        .expect("there is a button");
    assert!(button.starts_with("button id=\"copy\"") && button.contains(" hidden>"));
    assert!(script.contains("button.hidden = false"));
    assert!(html.contains("<bdi id=\"number\">0f3f2c52-5c1e-4a57-9a51-3f5c0c7c6d1e</bdi>"));
}

#[test]
fn the_page_speaks_the_users_language() {
    let mut seen = Vec::new();
    for (asked, language, direction) in LANGUAGES {
        for error_name in [LINK_NOT_VALID, "ehr_timeout"] {
            let html = page_in(defaults::ERROR_PAGE, error_name, Some("x"), Some(asked));
            let root = format!("<html lang=\"{language}\" dir=\"{direction}\">");
            assert!(html.contains(&root), "{html}");
            assert!(!html.contains("{{") && !html.contains("None"), "{html}");
            let (html, _) = script(&html);
            let heading = texts(&html)[0].to_owned();
            assert!(html.contains(&format!("<title>{heading}</title>")));
            assert!(!seen.contains(&heading), "{heading}");
            seen.push(heading);
        }
    }
}

#[test]
fn a_language_that_the_page_lacks_is_english_and_a_region_changes_nothing() {
    let page = |language| page_in(defaults::ERROR_PAGE, "ehr_timeout", None, language);
    let english = page(Some("en"));
    for language in [
        None,
        Some("nl"),
        Some("x"),
        Some("<b>"),
        Some(""),
        Some("-"),
    ] {
        assert_eq!(page(language), english, "{language:?}");
    }
    for (tag, same) in [
        ("es-MX", "es"),
        ("ZH-Hant-TW", "zh"),
        ("fil-PH", "tl"),
        ("EN", "en"),
    ] {
        assert_eq!(page(Some(tag)), page(Some(same)), "{tag}");
    }
}

#[test]
fn what_the_user_can_understand_is_said_and_everything_else_is_one_wording() {
    for (language, ..) in LANGUAGES {
        let page = |error_name: &str| {
            let html = page_in(defaults::ERROR_PAGE, error_name, None, Some(language));
            html.replace(&format!("<bdi>{error_name}</bdi>"), "")
        };
        let other = page("internal_error");
        assert_eq!(page("ehr_timeout"), other);
        let mut told = vec![other, page(LINK_NOT_VALID)];
        for error_name in [
            "launch_used",
            "pin_attempts_exceeded",
            "session_lost",
            "host_did_not_join",
            "oauth2_access_denied",
        ] {
            let html = page(error_name);
            assert!(!told.contains(&html), "{language}: {error_name}");
            told.push(html);
        }
    }
}

#[test]
fn the_default_fits_where_a_profiles_own_template_must_fit() {
    assert!(defaults::ERROR_PAGE.chars().count() <= vestibule_template::limits::MAX_SOURCE_CHARS);
}

/// The colours of both schemes, by name.
fn colours(html: &str) -> Vec<Vec<(String, [f64; 3])>> {
    html.match_indices(":root {")
        .map(|(start, _)| {
            let block = &html[start
                ..start
                    + html[start..]
                        .find('}')
                        .expect("the style is written as `--name: #hex;`")];
            block
                .split(';')
                .filter_map(|declaration| declaration.rsplit_once(": #"))
                .map(|(name, hex)| {
                    let name = name
                        .rsplit_once("--")
                        .expect("the style is written as `--name: #hex;`")
                        .1
                        .to_owned();
                    let hex: String = if hex.len() == 3 {
                        hex.chars().flat_map(|c| [c, c]).collect()
                    } else {
                        hex.to_owned()
                    };
                    let channel = |at: usize| {
                        f64::from(
                            u8::from_str_radix(&hex[at..at + 2], 16)
                                .expect("the style is written as `--name: #hex;`"),
                        ) / 255.0
                    };
                    (name, [channel(0), channel(2), channel(4)])
                })
                .collect()
        })
        .collect()
}

/// Contrast ratio of WCAG 2.2.
fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let luminance = |colour: [f64; 3]| {
        let [r, g, b] = colour.map(|c| {
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn text_is_readable_in_light_and_dark() {
    let schemes = colours(defaults::ERROR_PAGE);
    assert_eq!(schemes.len(), 2);
    for scheme in schemes {
        let colour = |name: &str| scheme.iter().find(|(known, _)| known == name).unwrap().1;
        for (name, at_least) in [("text", 7.0), ("quiet", 4.5), ("act", 4.5), ("line", 3.0)] {
            for behind in ["sheet", "page"] {
                let ratio = contrast(colour(name), colour(behind));
                assert!(ratio >= at_least, "{name} on {behind}: {ratio:.2}");
            }
        }
    }
}
