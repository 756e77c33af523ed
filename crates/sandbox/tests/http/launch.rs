//! The launch buttons, and what they send.

use base64ct::{Base64, Encoding};
use reqwest::StatusCode;

use crate::{
    openssl::decrypted_by_openssl,
    support::{CONFIG, Ehr, KEY, PATIENT, PROVIDER, form},
};

const CONTEXT: &str = "csn=6ea6d1427f684721abd21c1634386f7b6&fname=Beverley&mname=P&lname=Spinder&encfacnpiname=Radiology";

#[tokio::test]
async fn openssl_decrypts_the_context_of_a_launch() {
    let ehr = Ehr::start().await;
    let key = Base64::decode_vec(KEY).unwrap();
    for app in [PROVIDER, PATIENT] {
        let launch = ehr.launch(&app, "1").await;
        let ciphertext = Base64::decode_vec(&launch["data"]).unwrap();
        assert_eq!(
            decrypted_by_openssl("-aes-256-cbc", &key, &[0; 16], &ciphertext),
            CONTEXT
        );
    }
}

#[tokio::test]
async fn openssl_decrypts_the_context_of_an_older_ehr_with_a_password() {
    let config = CONFIG
        .replace(KEY, "Secret123!")
        .replace("base64key", "password")
        .replace("AES-256-CBC", "AES-128-CBC")
        .replace(
            "[launch]",
            "[launch]\ninitialization_vector = \"prefix-binary\"\nencrypted_parameter_name = \"extData\"",
        );
    let ehr = Ehr::start_with(&config).await;
    let launch = ehr.launch(&PROVIDER, "1").await;
    let sent = Base64::decode_vec(&launch["extData"]).unwrap();
    let (iv, ciphertext) = sent.split_at(16);
    // What Microsoft's CryptDeriveKey makes of the password.
    let key: [u8; 16] = 0x7247_cbe5_07a9_8fc9_31a0_10c2_0e63_5e0e_u128.to_be_bytes();
    assert_eq!(
        decrypted_by_openssl("-aes-128-cbc", &key, iv, ciphertext),
        CONTEXT
    );
    let again = ehr.launch(&PROVIDER, "1").await;
    assert_ne!(again["extData"], launch["extData"], "the prefix is random");
}

#[tokio::test]
async fn a_group_visit_is_one_encounter_with_each_patient_s_own_name() {
    let ehr = Ehr::start().await;
    let key = Base64::decode_vec(KEY).unwrap();
    let mut contexts = Vec::new();
    for (path, patient) in [
        ("/clinician/launch", "1"),
        ("/patient/launch", "1"),
        ("/patient/launch", "2"),
    ] {
        let form = form(&[("appointment", "4"), ("patient", patient)]);
        let (_, parameters) = ehr.post(path, &form).await.redirect();
        let ciphertext = Base64::decode_vec(&parameters["data"]).unwrap();
        contexts.push(decrypted_by_openssl(
            "-aes-256-cbc",
            &key,
            &[0; 16],
            &ciphertext,
        ));
    }
    let csn = "csn=c47a90e1d5b84f3c8e26170fa9d3b5527";
    assert_eq!(
        contexts,
        [
            format!("{csn}&fname=&mname=&lname=&encfacnpiname=Pain%20Clinic"),
            format!("{csn}&fname=Ines&mname=&lname=Tavares&encfacnpiname=Pain%20Clinic"),
            format!("{csn}&fname=Tom&mname=A&lname=Okafor&encfacnpiname=Pain%20Clinic"),
        ]
    );
}

#[tokio::test]
async fn a_launch_is_a_redirect_to_the_role_s_launch_url() {
    let ehr = Ehr::start().await;
    let chosen = form(&[("appointment", "2")]);
    let (to, parameters) = ehr.post("/clinician/launch", &chosen).await.redirect();
    assert_eq!(
        to,
        "http://127.0.0.1:7080/api/telehealth/v1/provider/oauth2smartlaunch/12daaebc"
    );
    let mut names: Vec<_> = parameters.keys().collect();
    names.sort();
    assert_eq!(names, ["data", "iss", "launch"]);
    assert_eq!(parameters["iss"], ehr.iss());
    assert!(parameters["launch"].len() >= 22, "128 bits or more");

    let (to, parameters) = ehr.post("/patient/launch", &chosen).await.redirect();
    assert_eq!(
        to,
        "http://127.0.0.1:7080/api/telehealth/v1/patient/oauth2smartlaunch/12daaebc"
    );
    assert_eq!(parameters["site"], "a", "what the URL had is kept");
}

#[tokio::test]
async fn every_launch_has_a_launch_token_of_its_own() {
    let ehr = Ehr::start().await;
    let first = ehr.launch(&PROVIDER, "1").await;
    let second = ehr.launch(&PROVIDER, "1").await;
    assert_ne!(first["launch"], second["launch"]);
}

#[tokio::test]
async fn an_appointment_that_is_not_scheduled_or_not_open_cannot_be_launched() {
    let ehr = Ehr::start().await;
    for id in ["5", "6", "7", ""] {
        for page in ["/clinician/launch", "/patient/launch"] {
            let answer = ehr.post(page, &form(&[("appointment", id)])).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            assert!(answer.body.contains("No such appointment"));
        }
    }
    for patient in ["0", "3", "x"] {
        let form = form(&[("appointment", "4"), ("patient", patient)]);
        let answer = ehr.post("/patient/launch", &form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
    assert!(ehr.journal().await.is_empty());
}

#[tokio::test]
async fn a_launch_by_post_is_a_form_without_script() {
    let config = CONFIG.replace("[launch]", "[launch]\nmethod = \"POST\"");
    let ehr = Ehr::start_with(&config).await;
    let answer = ehr
        .post("/patient/launch", &form(&[("appointment", "1")]))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(
        answer
            .header("content-security-policy")
            .contains("form-action http: https:")
    );
    // minijinja writes / as &#x2f; in attributes.
    let page = answer.body.replace("&#x2f;", "/");
    assert!(
        page.contains(
            r#"<form method="post" action="http://127.0.0.1:7080/api/telehealth/v1/patient/oauth2smartlaunch/12daaebc?site=a">"#
        ),
        "{page}"
    );
    assert!(page.contains(&format!(
        r#"<input type="hidden" name="iss" value="{}">"#,
        ehr.iss()
    )));
    for name in ["launch", "data"] {
        assert!(page.contains(&format!(r#"<input type="hidden" name="{name}" value=""#)));
    }
    assert!(!page.contains("<script"));
}
