//! What was given up, sent again hours later: with the user's own token, and whatever the
//! EHR has heard meanwhile of something else.

use std::time::Duration;

use reqwest::StatusCode;
use vestibule_launch::{Clock as _, RequestId};
use vestibule_sandbox::{Endpoint, Fault, FaultAnswer};
use vestibule_store::Session;

use super::{PATIENCE, SETUP, Signed, between, location, newest_launch};
use crate::house::{House, PROVIDER};

const GIVEN_UP: &str = "/admin/write-backs?state=given_up";

/// The access token and the sign-in at the admin pages have ended.
const LATER: Duration = Duration::from_secs(3 * 60 * 60);

/// How long launches are kept.
const KEEP: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl House {
    /// A provider comes, and leaves when nobody can come any more. Of the end of the call
    /// the EHR wants to hear nothing.
    async fn visit_with_a_refused_end(&self) {
        let provider = self.provider().await;
        let mut token = self.come(&provider).await;
        self.until_told(PROVIDER, &["1"]).await;
        for _ in 0..90 {
            self.clock.advance(Duration::from_secs(60));
            token = self.refresh(&provider, &token).await;
        }
        let refused = FaultAnswer::status(StatusCode::BAD_REQUEST);
        self.ehr.fault(Endpoint::EndOfCall, Fault::once(refused));
        self.leave(&provider, &token).await;
        self.until_told(PROVIDER, &["1", "2"]).await;
        self.clock.advance(Duration::from_secs(60));
    }

    /// Time goes by, and what is of no use is forgotten.
    async fn hours_pass(&self) {
        self.clock.advance(LATER);
        let now = self.clock.now();
        self.store().await.purge(now - KEEP, now).await.unwrap();
    }

    async fn session(&self, launch: RequestId) -> Option<Session> {
        self.store().await.find_session(launch).await.unwrap()
    }

    async fn until_forgotten(&self, launch: RequestId) {
        let start = tokio::time::Instant::now();
        while self.session(launch).await.is_some() {
            assert!(start.elapsed() < PATIENCE, "the session is kept");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Signed<'_> {
    /// Where the first that is listed is sent again from; waits until there is one.
    async fn until_given_up(&self) -> String {
        let page = self.until(GIVEN_UP, ">given up</span>").await;
        let actions = between(&page, "action=\"/admin/write-backs/", "\"");
        let mut actions = actions.iter().filter(|it| it.ends_with("/send-again"));
        format!("/admin/write-backs/{}", actions.next().unwrap())
    }

    async fn launch(&self) -> RequestId {
        newest_launch(self).await.parse().unwrap()
    }
}

#[tokio::test]
async fn row_23_what_was_given_up_is_sent_again_hours_later_with_the_token_of_the_user() {
    let house = House::open(SETUP).await;
    house.visit_with_a_refused_end().await;
    house.sign_in("olga").await.until_given_up().await;
    house.hours_pass().await;
    let signed = house.sign_in("olga").await;
    let launch = signed.launch().await;
    assert!(house.session(launch).await.is_some());
    let action = signed.until_given_up().await;
    let sent = signed.post(&action, "").await;
    assert_eq!(location(&sent), "/admin/write-backs?done=due&count=1");
    house
        .until("the EHR hears of the end", |house| {
            house.journal("call_ended").len() == 1
        })
        .await;
    assert!(house.journal("call_ended_refused").is_empty());
    house.until_forgotten(launch).await;
    house.end().await;
}

#[tokio::test]
async fn row_22_where_the_token_of_the_user_has_ended_meanwhile_the_page_says_that_nothing_was_sent()
 {
    let house = House::open(SETUP).await;
    house.visit_with_a_refused_end().await;
    house.sign_in("olga").await.until_given_up().await;
    house
        .ehr
        .fault(Endpoint::Token, Fault::always(FaultAnswer::InvalidGrant));
    house.hours_pass().await;
    let asked = house.ehr.requests(Endpoint::EndOfCall);
    let signed = house.sign_in("olga").await;
    let action = signed.until_given_up().await;
    let sent = signed.post(&action, "").await;
    assert_eq!(location(&sent), "/admin/write-backs?done=due&count=1");
    let start = tokio::time::Instant::now();
    let responses = loop {
        let page = signed.text(GIVEN_UP).await;
        let responses = between(&page, "</time> ", "</li>");
        if let [first, second] = responses[..] {
            break [first.to_owned(), second.to_owned()];
        }
        assert!(start.elapsed() < PATIENCE, "{page}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(responses[0], "400");
    let told = "not sent: the user's session with the EHR has ended";
    assert_eq!(responses[1], told);
    assert_eq!(house.ehr.requests(Endpoint::EndOfCall), asked);
    house.end().await;
}

#[tokio::test]
async fn what_was_given_up_is_sent_again_though_the_ehr_took_something_else_later() {
    let house = House::open(SETUP).await;
    let provider = house.provider().await;
    let token = house.come(&provider).await;
    house.until_told(PROVIDER, &["1"]).await;
    let refused = FaultAnswer::status(StatusCode::BAD_REQUEST);
    house.ehr.fault(Endpoint::Status, Fault::once(refused));
    house.leave(&provider, &token).await;
    let signed = house.sign_in("olga").await;
    let action = signed.until_given_up().await;
    house.clock.advance(Duration::from_secs(60));
    house
        .until("the EHR hears of the end", |house| {
            house.journal("call_ended").len() == 1
        })
        .await;
    let sent = signed.post(&action, "").await;
    assert_eq!(location(&sent), "/admin/write-backs?done=due&count=1");
    house.until_told(PROVIDER, &["1", "2"]).await;
    assert_eq!(house.journal("call_ended").len(), 1, "not again");
    house.end().await;
}
