//! What the pages of visits in plain HTML show of the hospital, and where they lead to.

use base64ct::{Base64, Encoding as _};
use sha2::{Digest as _, Sha256};

use super::{
    TICKETS,
    browser::{PLAIN, Page, Plain, VISIT},
    join_link,
};
use crate::support::{Launch, TestServer, parameter};

const PEXIP: &str = "[pexip]\npolicy_username = \"p\"\npolicy_password = \"hunter2\"\n";

/// Where the link for another browser leads.
fn elsewhere(page: &Page) -> String {
    let (_, href) = page.text.split_once("<a href=\"http").unwrap();
    format!(
        "http{}",
        href.split_once('"').unwrap().0.replace("&amp;", "&")
    )
}

#[tokio::test]
async fn the_pages_bear_the_hospital_s_name_help_line_and_colour() {
    let page = "[landing_page]\nhospital = \"Klinik <Süd>\"\nhelp_line = \"+49 555 0100\"\n\
        accent = \"#7a1fa2\"\n";
    let server = TestServer::with("", page).await;
    let guest = Plain::new(&server);
    let link = join_link(&server, Launch::PATIENT).await;
    let frame_and_pages = [
        Page::of(server.get(PLAIN).await).await,
        guest.begin(&[("link", &link)]).await,
        guest.status("waiting").await,
        guest.step(&[("step", "leave")]).await,
    ];
    for page in frame_and_pages {
        let (_, style) = page.text.split_once("<style>").unwrap();
        let (style, _) = style.split_once("</style>").unwrap();
        assert!(style.contains("--accent: #7a1fa2;"), "{style}");
        let hash = Base64::encode_string(&Sha256::digest(style));
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains(&format!("style-src 'sha256-{hash}';")),
            "{policy}"
        );
        let is_frame = page.is_a_frame();
        for text in ["<bdi>Klinik &lt;Süd&gt;</bdi>", "<bdi>+49 555 0100</bdi>"] {
            assert_eq!(page.text.contains(text), !is_frame, "{}", page.text);
        }
    }
}

#[tokio::test]
async fn the_link_for_another_browser_leads_to_the_landing_page_s_own_path() {
    let page = "[landing_page]\npaths = [\"/visit/\", \"/webapp/\"]\n";
    let server = TestServer::with("", page).await;
    let link = join_link(&server, Launch::PROVIDER).await;
    let joined = Plain::new(&server).begin(&[("link", &link)]).await;
    let alias = parameter(&link, "conference");
    let there = elsewhere(&joined);
    assert!(
        there.starts_with("https://visit.example.org/visit/#/?conference="),
        "{there}"
    );
    assert_eq!(parameter(&there, "conference"), alias);
    // A launch of another server, on a node that both have: no profile says an address.
    let page = format!(
        "[landing_page]\npaths = [\"/visit/\"]\nnode = \"{}\"\n",
        server.url
    );
    let other = TestServer::with("", &page).await;
    let joined = Plain::new(&other).begin(&[("link", &link)]).await;
    let own = format!("{}/visit/#/?conference=", other.url);
    assert!(elsewhere(&joined).starts_with(&own), "{}", joined.text);
}

#[tokio::test]
async fn an_address_of_the_sender_s_choice_stands_on_no_page() {
    let server = TestServer::with(TICKETS, PEXIP).await;
    let link = join_link(&server, Launch::PROVIDER).await;
    let ticket = parameter(&link, "ticket");
    let own = format!("{}/webapp/#/?ticket={ticket}", server.url);
    for (written, expected) in [
        (link.clone(), &link),
        (
            format!("https://visit.example.org/x/../#/?ticket={ticket}"),
            &link,
        ),
        (
            format!("https://phishing.example/webapp/#/?ticket={ticket}"),
            &own,
        ),
        (
            format!("https://visit.example.org.phishing.example/#/?ticket={ticket}"),
            &own,
        ),
        (
            format!("https://visit.example.org@phishing.example/#/?ticket={ticket}"),
            &own,
        ),
        (format!("javascript:alert(1)//#/?ticket={ticket}"), &own),
    ] {
        let page = Plain::new(&server).begin(&[("link", &written)]).await;
        assert_eq!(page.title(), "Open your visit in Chrome");
        assert_eq!(elsewhere(&page), *expected, "{written}");
        assert!(!page.text.contains("phishing") && !page.text.contains("javascript:"));
    }
    let page = Plain::new(&server).begin(&[("ticket", &ticket)]).await;
    assert_eq!(elsewhere(&page), own);
}

#[tokio::test]
async fn a_wait_can_be_looked_at_again_by_a_link_of_the_page() {
    let server = TestServer::start().await;
    let guest = Plain::new(&server);
    let link = join_link(&server, Launch::PATIENT).await;
    let waiting = guest.begin(&[("link", &link)]).await;
    let again = format!("<a href=\"{VISIT}\">Look again</a>");
    assert!(waiting.text.contains(&again), "{}", waiting.text);
    assert_eq!(waiting.refresh(), Some("50"));
    assert_eq!(guest.status("waiting").await.refresh(), Some("5"));
    let left = guest.step(&[("step", "leave")]).await;
    assert_eq!(left.refresh(), None);
    assert!(!left.text.contains(&again));
}
