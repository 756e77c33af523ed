//! Zoom's encrypted link, and its notifications.

use base64ct::{Base64, Encoding};
use reqwest::{Method, StatusCode};
use url::Url;

use crate::{
    openssl::decrypted_by_openssl,
    support::{CONFIG, Ehr},
};

/// The secret of Zoom's sample for EHR vendors.
const ZOOM: &str = "[zoom]\nurl = \"http://127.0.0.1:7080/telehealth\"\norg_id = \"api key\"\napi_secret = \"abcdaj333j4j4jkl4k444\"\n";
/// What Zoom's sample makes of it, as Java has computed it.
const KEY: u128 = 0xac05_904f_c696_4107_1744_0a64_8001_77dc;
const NOTIFICATION: &str = "/zoom/notifications?ExternalIDType=1&VendorName=Zoom&ExternalID=e1&ConferenceID=c1&ConnectionStatus=1";

#[tokio::test]
async fn a_link_says_who_comes_to_which_session() {
    let ehr = Ehr::start_with(&format!("{CONFIG}{ZOOM}")).await;
    let all = ehr.get("/links.json").await.json();
    let mut contexts = Vec::new();
    for of in all.as_array().unwrap() {
        if of["appointment"] != "4" {
            continue;
        }
        let link = Url::parse(of["zoom"].as_str().unwrap()).unwrap();
        assert_eq!(link.path(), "/telehealth");
        let parameters: Vec<_> = link.query_pairs().collect();
        assert_eq!(parameters[0], ("org_id".into(), "api key".into()));
        assert_eq!(parameters[1].0, "data");
        let ciphertext = Base64::decode_vec(&parameters[1].1).unwrap();
        contexts.push(decrypted_by_openssl(
            "-aes-128-cbc",
            &KEY.to_be_bytes(),
            &[0; 16],
            &ciphertext,
        ));
    }
    let session = "sessionid=c47a90e1d5b84f3c8e26170fa9d3b5527";
    assert_eq!(
        contexts,
        [
            format!("usertype=1&userid=MHALVORSEN&{session}&firstname=Mira&lastname=Halvorsen"),
            format!(
                "usertype=2&userid=TTvI5rMd8KxQw2Jp6Nc9YhB&{session}&firstname=Ines&lastname=Tavares"
            ),
            format!(
                "usertype=2&userid=TOkT3wZb7LsVg4Rm1Fq8DxB&{session}&firstname=Tom&lastname=Okafor"
            ),
        ]
    );
    let page = ehr.get("/clinician").await.body;
    assert!(page.contains("Zoom link for the clinician</a>"));
    assert!(page.contains(r#"<a id="zoom-patient-4-2" "#));
}

#[tokio::test]
async fn a_notification_stands_in_the_journal() {
    let ehr = Ehr::start().await;
    let answer = ehr.get(NOTIFICATION).await;
    assert_eq!(answer.status, StatusCode::OK);
    let event = ehr.last_event().await;
    assert_eq!(event["event"], "zoom_notification");
    assert_eq!(event["vendor_name"], "Zoom");
    assert_eq!(event["conference_id"], "c1");
    let answer = ehr.get(&NOTIFICATION.replace("&ConferenceID=c1", "")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(ehr.last_event().await["reason"], "ConferenceID is missing");
}

#[tokio::test]
async fn a_notification_needs_credentials_where_they_are_configured() {
    let user = "notification_username = \"johnlamar@theorville.com\"\nnotification_password = \"runfromthekaylons\"\n";
    let ehr = Ehr::start_with(&format!("{CONFIG}{ZOOM}{user}")).await;
    // Of Zoom's guide: johnlamar@theorville.com:runfromthekaylons
    let basic = "Basic am9obmxhbWFyQHRoZW9ydmlsbGUuY29tOnJ1bmZyb210aGVrYXlsb25z";
    for (authorization, status) in [
        (None, StatusCode::UNAUTHORIZED),
        (Some("Basic QTpC"), StatusCode::UNAUTHORIZED),
        (Some(basic), StatusCode::OK),
    ] {
        let headers: Vec<_> = authorization
            .map(|value| ("authorization", value))
            .into_iter()
            .collect();
        let answer = ehr.send(Method::GET, NOTIFICATION, &headers, None).await;
        assert_eq!(answer.status, status);
    }
}
