//! The resources that an application can read.

use reqwest::{Method, StatusCode};

use crate::support::{Answer, Ehr, PROVIDER};

async fn read(ehr: &Ehr, token: &str, path: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer)];
    let path = format!("/api/FHIR/R4/{path}");
    ehr.send(Method::GET, &path, &headers, None).await
}

async fn access_token(ehr: &Ehr, scope: &str) -> String {
    let authorize = ehr.authorize_form(&PROVIDER).await.with("scope", scope);
    let (_, parameters) = ehr.authorize(&authorize).await.redirect();
    let request = ehr
        .token_form(&PROVIDER)
        .await
        .with("code", &parameters["code"]);
    let tokens = ehr.token(&PROVIDER, &request).await.json();
    tokens["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_access_token_reads_what_its_launch_is_about() {
    let ehr = Ehr::start().await;
    let token = access_token(&ehr, "launch patient/Patient.read patient/Encounter.read").await;
    let answer = read(&ehr, &token, "Patient/eSpDnKq7TzW0mBv1fXh2AaQ3").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/fhir+json");
    assert_eq!(answer.json()["name"][0]["family"], "Spinder");
    let answer = read(&ehr, &token, "Encounter/eNcA1mVx9LkRb2Zp3Gs4HyQ3").await;
    assert_eq!(answer.json()["resourceType"], "Encounter");

    for (path, status) in [
        ("Patient/ePcKo2Bn3VmXe4Ry5Ud6LsQ3", StatusCode::NOT_FOUND),
        ("Observation/1", StatusCode::NOT_FOUND),
        (
            "Practitioner/ePrM2vKd7HtQe9Lw4Xs6ZnQ3",
            StatusCode::FORBIDDEN,
        ),
    ] {
        let answer = read(&ehr, &token, path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.json()["resourceType"], "OperationOutcome");
    }
}

#[tokio::test]
async fn without_a_good_access_token_nothing_is_read() {
    let ehr = Ehr::start().await;
    let token = access_token(&ehr, "launch patient/Patient.read").await;
    let path = "Patient/eSpDnKq7TzW0mBv1fXh2AaQ3";
    let answer = read(&ehr, "made-up", path).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
    ehr.wait(3600);
    let answer = read(&ehr, &token, path).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}
