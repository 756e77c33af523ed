//! Direct join links: from a link in a message into the visit.

use std::time::Duration;

use axum::http::StatusCode;
use vestibule_sandbox::{Endpoint, Fault, FaultAnswer};
use vestibule_smart::{AssertionKey, KeyKind};

use crate::{
    failure_page,
    support::{
        Page, Sandboxed, UUID, backend_client, backend_fields, encrypt, epic_profile, log,
        parameter, parameters,
    },
};

/// The sandbox's first appointment, which is open.
const CSN: &str = "6ea6d1427f684721abd21c1634386f7b6";

async fn house(more: &str) -> Sandboxed {
    let key = AssertionKey::generate(KeyKind::P384).unwrap();
    let fields = backend_fields(&key);
    Sandboxed::start(
        |ehr| epic_profile(ehr, &format!("{fields}{more}").replace("{ehr}", ehr)),
        &backend_client(),
    )
    .await
}

fn path(role: &str, data: &str) -> String {
    let data: String = url::form_urlencoded::byte_serialize(data.as_bytes()).collect();
    format!("/api/telehealth/v1/{role}/directlaunch/{UUID}?data={data}")
}

/// The form of the page: what its button sends, and where to.
fn form(page: &Page) -> Vec<(String, String)> {
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains(r#"<form method="post" action="?">"#));
    let (_, input) = page.body.split_once(r#"<input type="hidden" "#).unwrap();
    let attribute = |name: &str| {
        let (_, rest) = input.split_once(&format!(r#"{name}=""#)).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    vec![(attribute("name"), attribute("value"))]
}

/// Opens a link and presses the button.
async fn press(house: &Sandboxed, link: &str) -> Page {
    let page = house.get(link).await;
    let (address, _) = link.split_once('?').unwrap();
    house.post_form(&format!("{address}?"), &form(&page)).await
}

fn error_name(page: &Page) -> &'static str {
    let all = vestibule_launch::ErrorName::ALL.iter();
    let mut shown = all.filter(|name| page.body.contains(name.as_str()));
    let name = shown.next().expect("an error page names the error");
    name.as_str()
}

#[tokio::test]
async fn row_33_a_link_scanner_that_opens_a_link_does_not_use_it_up() {
    let house = house("").await;
    let link = house.link("1", "patient", "direct").await;
    for _ in 0..3 {
        assert_eq!(house.get(&link).await.status, 200);
    }
    let head = house.send(house.request("HEAD", &link)).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    // What a security gateway adds on the way is not ours to judge.
    assert_eq!(
        house.get(&format!("{link}&utm_source=sms")).await.status,
        200
    );
    let nothing = (Endpoint::Token, Endpoint::DirectLaunchToken);
    assert_eq!(house.ehr.requests(nothing.0), 0);
    assert_eq!(house.ehr.requests(nothing.1), 0);

    let joined = press(&house, &link).await;
    let names: Vec<_> = parameters(joined.join_link())
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["conference", "name", "role"]);
    assert_eq!(parameter(joined.join_link(), "name"), "Beverley P Spinder");
    // And again, on another device.
    let again = press(&house, &link).await;
    let conference = |answer: &Page| parameter(answer.join_link(), "conference");
    assert_ne!(conference(&joined), conference(&again));
}

#[tokio::test]
async fn row_13_a_link_that_is_old_or_not_open_yet_gives_advice_about_the_appointment() {
    let house = house("").await;
    for appointment in ["5", "6"] {
        let link = house.link(appointment, "patient", "direct").await;
        let page = press(&house, &link).await;
        assert_eq!(page.status, 410);
        assert_eq!(
            error_name(&page),
            "BorvoGetTelehealthDirectLaunchTokenError"
        );
        // Advice about the appointment, and nothing of a fault of ours.
        assert!(page.body.contains("This link does not work right now"));
        assert!(!page.body.contains("We could not connect you"));
        let request_id = failure_page::assert_page(&page.headers, &page.body);
        failure_page::assert_logged(&log::text(), request_id);
    }
    let refused = house.journal("direct_launch_token_refused", 2).await;
    assert_eq!(refused.len(), 2, "and the EHR was asked once for each");
}

#[tokio::test]
async fn the_page_says_nothing_personal_and_runs_nothing() {
    let house = house("").await;
    let link = house.link("1", "patient", "direct").await;
    let page = house.get(&link).await;
    for personal in ["Beverley", "Spinder", "Radiology", "Healthcare Org", CSN] {
        assert!(!page.body.contains(personal), "{personal}");
    }
    assert!(!page.body.contains("<script"));
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("x-robots-tag"), "noindex, nofollow");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    assert!(policy.contains("form-action 'self' https:; frame-ancestors 'none'"));
    let german = house
        .request("GET", &link)
        .header("accept-language", "de-AT,en;q=0.5");
    let german = house.send(german).await.body;
    assert!(german.contains(r#"lang="de""#) && german.contains("Zur Videosprechstunde"));
}

#[tokio::test]
async fn host_and_guest_meet_and_only_the_host_gets_the_pin() {
    let house = house("").await;
    let provider = path("provider", &encrypt(&format!("role=provider&csn={CSN}")));
    let provider = press(&house, &provider).await;
    let guest = press(&house, &house.link("1", "patient", "direct").await).await;
    let pin = parameter(provider.join_link(), "pin");
    assert!(!guest.join_link().contains(&pin));
    let mut conferences = Vec::new();
    for (answer, pin, role) in [(&provider, &*pin, "HOST"), (&guest, "none", "GUEST")] {
        let alias = parameter(answer.join_link(), "conference");
        let result = house.request_token(&alias, pin).await;
        assert_eq!(result["role"], role);
        conferences.push(result["conference_name"].clone());
    }
    assert_eq!(conferences[0], conferences[1]);
}

#[tokio::test]
async fn a_guests_link_under_the_providers_address_opens_nothing() {
    let house = house("").await;
    let link = house.link("1", "patient", "direct").await;
    let altered = link.replace("/patient/", "/provider/");
    let refused = press(&house, &altered).await;
    assert_eq!(refused.status, 400);
    assert_eq!(error_name(&refused), "launch_params_invalid");
    assert_eq!(house.ehr.requests(Endpoint::DirectLaunchToken), 0);
    for role in ["patient", "Provider", "provider2", ""] {
        let data = encrypt(&format!("role={role}&csn={CSN}"));
        assert_eq!(press(&house, &path("provider", &data)).await.status, 400);
    }
    for text in [
        "csn={}&role=provider",
        "Role=provider&csn={}",
        "role=%70rovider&csn={}",
    ] {
        let data = encrypt(&text.replace("{}", CSN));
        assert_eq!(press(&house, &path("provider", &data)).await.status, 400);
    }
    assert_eq!(press(&house, &link).await.status, 303);
}

#[tokio::test]
async fn the_ehrs_answer_can_say_that_a_link_is_a_providers() {
    // The sandbox's answer says nothing of the kind, so `expires_in` stands for it.
    let says = |value: &str| {
        format!("[direct_links]\nprovider = {{ answer = \"expires_in\", value = \"{value}\" }}\n")
    };
    let data = encrypt(&format!("csn={CSN}"));
    let it_does = house(&says("300")).await;
    let joined = press(&it_does, &path("provider", &data)).await;
    assert_eq!(parameter(joined.join_link(), "pin").len(), 8);
    let it_does_not = house(&says("301")).await;
    // Where the answer counts, it alone does.
    let claims = encrypt(&format!("role=301&csn={CSN}"));
    for (times, data) in (1..).zip([data, claims]) {
        let refused = press(&it_does_not, &path("provider", &data)).await;
        assert_eq!(refused.status, 400);
        let asked = it_does_not.ehr.requests(Endpoint::DirectLaunchToken);
        assert_eq!(asked, times);
    }
}

#[tokio::test]
async fn one_access_token_serves_everybody_until_it_ends() {
    let house = house("").await;
    let link = house.link("1", "patient", "direct").await;
    let together: Vec<_> = (0..20).map(|_| house.post_form(&link, &[])).collect();
    for answer in futures_util::future::join_all(together).await {
        assert_eq!(answer.status, 303);
    }
    assert_eq!(house.ehr.requests(Endpoint::Token), 1);
    house.clock.advance(Duration::from_secs(3500));
    assert_eq!(press(&house, &link).await.status, 303);
    assert_eq!(house.ehr.requests(Endpoint::Token), 1);
    house.clock.advance(Duration::from_secs(90));
    assert_eq!(press(&house, &link).await.status, 303);
    assert_eq!(house.ehr.requests(Endpoint::Token), 2);
}

#[tokio::test]
async fn an_access_token_that_was_revoked_is_replaced_at_once() {
    let house = house("").await;
    let link = house.link("1", "patient", "direct").await;
    assert_eq!(press(&house, &link).await.status, 303);
    let unauthorised = FaultAnswer::Status {
        status: StatusCode::UNAUTHORIZED,
        retry_after: None,
    };
    let endpoint = Endpoint::DirectLaunchToken;
    house.ehr.fault(endpoint, Fault::once(unauthorised.clone()));
    assert_eq!(press(&house, &link).await.status, 303);
    assert_eq!(house.ehr.requests(Endpoint::Token), 2);
    // Where no token is good, that is not the link's fault.
    house.ehr.fault(endpoint, Fault::times(2, unauthorised));
    let failed = press(&house, &link).await;
    assert_eq!(failed.status, 502);
    assert_eq!(error_name(&failed), "Oauth2 Launch Error");
    assert_eq!(press(&house, &link).await.status, 303);
}

#[tokio::test]
async fn where_the_ehr_cannot_say_the_link_stays_as_good_as_it_was() {
    let house = house("").await;
    let link = house.link("1", "patient", "direct").await;
    let unavailable = || FaultAnswer::Status {
        status: StatusCode::SERVICE_UNAVAILABLE,
        retry_after: None,
    };
    let slow = Fault::once(FaultAnswer::Usual).after(Duration::from_secs(6));
    for (fault, status, name) in [
        (Fault::once(unavailable()), 502, "ehr_unreachable"),
        (Fault::once(FaultAnswer::Drop), 502, "ehr_unreachable"),
        (slow, 504, "ehr_timeout"),
    ] {
        house.ehr.fault(Endpoint::DirectLaunchToken, fault);
        let failed = press(&house, &link).await;
        assert_eq!((failed.status, error_name(&failed)), (status, name));
        assert_eq!(press(&house, &link).await.status, 303);
    }
}

#[tokio::test]
async fn without_an_access_token_nobody_joins_and_the_ehr_is_left_alone_for_a_moment() {
    let house = house("").await;
    let link = house.link("1", "patient", "direct").await;
    let broken = Fault::always(FaultAnswer::Status {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        retry_after: None,
    });
    house.ehr.fault(Endpoint::Token, broken);
    let together: Vec<_> = (0..10).map(|_| house.post_form(&link, &[])).collect();
    for answer in futures_util::future::join_all(together).await {
        assert_eq!(answer.status, 502);
        assert_eq!(error_name(&answer), "Oauth2 Launch Error");
    }
    assert_eq!(house.ehr.requests(Endpoint::Token), 1);
    house.ehr.clear_faults();
    assert_eq!(press(&house, &link).await.status, 502);
    house.clock.advance(Duration::from_secs(3));
    assert_eq!(press(&house, &link).await.status, 303);
}

#[tokio::test]
async fn what_is_no_link_is_refused_and_the_ehr_is_not_asked() {
    let house = house("").await;
    let good = encrypt(&format!("csn={CSN}"));
    let here = format!("/api/telehealth/v1/patient/directlaunch/{UUID}");
    for query in ["", "?data=", "?other=1", "?data=a&data=b"] {
        let url = format!("{here}{query}");
        for answer in [house.get(&url).await, house.post_form(&url, &[]).await] {
            assert_eq!(
                (answer.status, error_name(&answer)),
                (400, "launch_params_invalid")
            );
        }
    }
    for data in [
        "x",
        &good[4..],
        &encrypt("fname=Ada"),
        &encrypt("csn=1&csn=2"),
    ] {
        let url = path("patient", data);
        // The page looks at nothing.
        assert_eq!(house.get(&url).await.status, 200);
        let refused = house.post_form(&url, &[]).await;
        assert_eq!(
            (refused.status, error_name(&refused)),
            (400, "launch_params_invalid")
        );
    }
    let doubled = [("data".to_owned(), good.clone())];
    assert_eq!(
        house
            .post_form(&path("patient", &good), &doubled)
            .await
            .status,
        400
    );
    let other = path("patient", &good).replace(UUID, "12daaebc-ea75-43c1-a6c7-c044be66a36f");
    assert_eq!(house.get(&other).await.status, 404);
    assert_eq!(house.post_form(&other, &[]).await.status, 404);
    assert_eq!(house.ehr.requests(Endpoint::Token), 0);
    // The trailing slash that some systems add.
    let slash = path("patient", &good).replace('?', "/?");
    assert_eq!(house.post_form(&slash, &[]).await.status, 303);
}

#[tokio::test]
async fn a_profile_without_backend_application_has_no_direct_links() {
    let house = Sandboxed::start(|ehr| epic_profile(ehr, ""), "").await;
    let link = house.link("1", "patient", "direct").await;
    for answer in [house.get(&link).await, house.post_form(&link, &[]).await] {
        assert_eq!(answer.status, 404);
        assert_eq!(
            error_name(&answer),
            "TelehealthIntegrationNotFoundException"
        );
    }
}

#[tokio::test]
async fn the_ehr_is_told_with_the_backend_applications_token() {
    let house = house("[write_back]\n").await;
    let data = encrypt(&format!("role=provider&csn={CSN}&epicuserid=DOC7"));
    let joined = press(&house, &path("provider", &data)).await;
    let alias = parameter(joined.join_link(), "conference");
    let pin = parameter(joined.join_link(), "pin");
    house.request_token(&alias, &pin).await;
    let told = house.journal("connection_status", 1).await;
    assert_eq!(told[0]["external_id"], "DOC7");
    assert_eq!(told[0]["conference_id"], CSN);
    assert_eq!(
        house.ehr.requests(Endpoint::Token),
        1,
        "the token that was there"
    );
}
