//! In which language visits in plain HTML speak.

use super::{TICKETS, browser::Plain, join_link};
use crate::support::{Launch, TestServer};

#[tokio::test]
async fn a_visit_is_left_in_its_language() {
    let server = TestServer::start().await;
    let link = join_link(&server, Launch::PATIENT).await;
    let guest = Plain::new(&server);
    guest.begin(&[("link", &link), ("language", "ar")]).await;
    let left = guest.step(&[("step", "leave")]).await;
    assert!(
        left.text.contains("<html lang=\"ar\" dir=\"rtl\">"),
        "{}",
        left.text
    );
    let form = [
        ("conference", "nothing"),
        ("name", "Ada"),
        ("language", "de"),
    ];
    let failed = Plain::new(&server).begin(&form).await;
    assert_eq!(failed.status, 410);
    assert!(failed.text.contains("lang=\"de\""), "{}", failed.text);
}

/// The language of the first page of a visit.
async fn spoken(server: &TestServer, chosen: &str, accepted: Option<&'static str>) -> String {
    let link = join_link(server, Launch::PATIENT).await;
    let mut guest = Plain::new(server);
    guest.header = accepted.map(|accepted| ("accept-language", accepted));
    let page = guest.begin(&[("link", &link), ("language", chosen)]).await;
    let language = |text: &str| {
        let (_, rest) = text.split_once("<html lang=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let frame = guest.status("waiting").await;
    assert_eq!(language(&page.text), language(&frame.text));
    let left = guest.step(&[("step", "leave")]).await;
    assert_eq!(language(&page.text), language(&left.text));
    language(&page.text)
}

#[tokio::test]
async fn the_form_s_language_counts_then_the_browser_s_the_launch_s_and_the_page_s() {
    let page = "[landing_page]\nlanguage = \"de\"\n";
    let classic = "language = \"es\"\n";
    let tickets = format!("{TICKETS}{classic}");
    for profile in [classic, &tickets] {
        let server = TestServer::with(profile, page).await;
        assert_eq!(spoken(&server, "vi", Some("fr")).await, "vi");
        assert_eq!(spoken(&server, "zh-Hant-TW", Some("fr")).await, "zh-Hans");
        assert_eq!(spoken(&server, "", Some("da, fr;q=0.5")).await, "fr");
        assert_eq!(spoken(&server, "xx", Some("fr")).await, "fr");
        assert_eq!(spoken(&server, "", Some("da")).await, "es");
        assert_eq!(spoken(&server, "", None).await, "es");
    }
    let server = TestServer::with("", page).await;
    assert_eq!(spoken(&server, "", None).await, "de");
    let asked = Plain::new(&server).begin(&[("link", "nothing")]).await;
    assert!(asked.text.contains("<html lang=\"de\""), "{}", asked.text);
    let server = TestServer::start().await;
    assert_eq!(spoken(&server, "", None).await, "en");
}

#[tokio::test]
async fn a_language_that_is_chosen_later_is_that_of_the_visit_from_then_on() {
    let server = TestServer::start().await;
    let link = join_link(&server, Launch::PATIENT).await;
    let guest = Plain::new(&server);
    let form = [("link", &*link), ("language", "")];
    let page = guest.begin(&form).await;
    assert!(page.text.contains("<html lang=\"en\""));
    let page = guest.begin(&[form[0], ("language", "fr")]).await;
    assert!(page.text.contains("<html lang=\"fr\""));
    let page = guest.begin(&form).await;
    assert!(page.text.contains("<html lang=\"fr\""));
}
