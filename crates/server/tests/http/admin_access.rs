//! Who may use the admin API.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::support::{Admin, Answer, KEY, PATH, answer, log};

const FIVE_MINUTES: Duration = Duration::from_secs(5 * 60);

async fn with(admin: &Admin, user: &str, password: &str) -> Answer {
    let request = admin.server.client.get(admin.url(PATH));
    answer(request.basic_auth(user, Some(password))).await
}

#[tokio::test]
async fn nobody_gets_in_without_the_password() {
    let admin = Admin::start().await;
    for path in [PATH, "/nowhere"] {
        let anonymous = answer(admin.server.client.get(admin.url(path))).await;
        assert_eq!(anonymous.status, 401);
        assert_eq!(
            anonymous.headers["www-authenticate"],
            "Basic realm=\"vestibule admin\", charset=\"UTF-8\""
        );
        assert_eq!(anonymous.headers["cache-control"], "no-store");
        assert!(!anonymous.text.contains("Healthcare"));
    }
    let password = "correct horse battery";
    assert_eq!(with(&admin, "admin", "wrong").await.status, 401);
    assert_eq!(with(&admin, "Admin", password).await.status, 401);
    assert_eq!(with(&admin, "admin", "").await.status, 401);
    for _ in 0..3 {
        assert_eq!(with(&admin, "admin", password).await.status, 200);
    }
    assert_eq!(
        with(&admin, "admin", "correct horse batterz").await.status,
        401
    );
    for header in ["Basic", "Basic !!!", "Bearer abc", "Basic bm9jb2xvbg=="] {
        let request = admin.server.client.get(admin.url(PATH));
        let answer = answer(request.header("authorization", header)).await;
        assert_eq!(answer.status, 401, "{header}");
    }
}

#[tokio::test]
async fn after_ten_wrong_passwords_an_address_waits_for_five_minutes() {
    let admin = Admin::start().await;
    let password = "correct horse battery";
    for _ in 0..10 {
        assert_eq!(with(&admin, "admin", "wrong").await.status, 401);
    }
    admin.server.clock.advance(Duration::from_secs(60));
    for guess in ["wrong", password] {
        let refused = with(&admin, "admin", guess).await;
        assert_eq!(refused.status, 429, "whether or not it is right");
        assert_eq!(refused.headers["retry-after"], "240");
        assert_eq!(refused.headers["cache-control"], "no-store");
    }
    admin
        .server
        .clock
        .advance(FIVE_MINUTES - Duration::from_secs(60));
    assert_eq!(with(&admin, "admin", password).await.status, 200);
}

#[tokio::test]
async fn who_knows_the_password_gets_in_although_others_behind_the_same_proxy_do_not() {
    let admin = Admin::start().await;
    let password = "correct horse battery";
    for _ in 0..10 {
        assert_eq!(with(&admin, "admin", "wrong").await.status, 401);
    }
    for _ in 0..3 {
        assert_eq!(with(&admin, "admin", "wrong").await.status, 429);
        assert_eq!(with(&admin, "admin", password).await.status, 429, "at once");
        admin.server.clock.advance(Duration::from_secs(1));
        assert_eq!(with(&admin, "admin", password).await.status, 200);
        assert_eq!(with(&admin, "admin", password).await.status, 429, "at once");
        admin.server.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn the_listener_of_launches_knows_nothing_of_it() {
    let admin = Admin::start().await;
    let url = format!("{}{PATH}", admin.server.url);
    let request = admin.server.client.get(url);
    let answer = answer(request.basic_auth("admin", Some("correct horse battery"))).await;
    assert_eq!(answer.status, 404);
    assert!(!answer.text.contains("meta"));
    // Nor is there a launch on the listener of the admin API.
    let path = crate::support::launch_path("patient");
    assert_eq!(admin.get(&path).await.status, 404);
}

#[tokio::test]
async fn only_json_of_a_reasonable_size_is_read() {
    let admin = Admin::start().await;
    let send = |content_type: &'static str, body: String| {
        let request = admin.server.client.post(admin.url(PATH));
        let request = request.basic_auth("admin", Some("correct horse battery"));
        answer(request.header("content-type", content_type).body(body))
    };
    // What a form on another site could send.
    for content_type in ["text/plain", "application/x-www-form-urlencoded"] {
        let profile = admin
            .profile("5a0e0d4a-4c3f-4a0e-9a57-3f1d6c1d2b3a")
            .to_string();
        assert_eq!(send(content_type, profile).await.status, 415);
    }
    let long = json!({"description": "x".repeat(256 * 1024)}).to_string();
    assert_eq!(send("application/json", long).await.status, 413);
    let broken = send(
        "application/json; charset=utf-8",
        "{\"name\": S3CRET}".into(),
    )
    .await;
    assert_eq!(broken.status, 400);
    assert!(broken.text.contains("line 1, column 10"), "{}", broken.text);
    assert!(!broken.text.contains("S3CRET"));
    assert_eq!(send("application/json", "[]".into()).await.status, 400);
    let denied = admin.send(Method::DELETE, PATH, None).await;
    assert_eq!(denied.status, 405);
}

#[tokio::test]
async fn the_log_says_who_changed_which_fields_and_no_value() {
    log::keep();
    let admin = Admin::start().await;
    let uuid = "5a0e0d4a-4c3f-4a0e-9a57-3f1d6c1d2b3a";
    let path = admin.create(&admin.profile(uuid)).await;
    let change = json!({
        "description": "Beverley's clinic",
        "epic_encryption_key": "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
    });
    assert_eq!(admin.patch(&path, change).await.status, 200);
    let bad = json!({"epic_encryption_key": "another bad key"});
    assert_eq!(admin.patch(&path, bad).await.status, 400);
    assert_eq!(admin.send(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(
        with(&admin, "mallory", "guess of mallory").await.status,
        401
    );
    let log = log::text();
    for told in [
        format!("admin API: profile created profile={uuid} user=\"admin\""),
        format!("admin API: profile changed profile={uuid} user=\"admin\""),
        "fields=\"description,previous,epic_encryption_key,previous.epic_encryption_key\""
            .to_owned(),
        "key_check_value=\"CCB9-6A1A\"".to_owned(),
        format!("admin API: profile removed profile={uuid} user=\"admin\" force=false"),
        "wrong credentials door=\"admin\" is_beyond=false".to_owned(),
    ] {
        assert!(log.contains(&told), "{told} in {log}");
    }
    for secret in [
        KEY,
        "ICEiIyQl",
        "Beverley",
        "another bad",
        "client-secret",
        "correct horse",
        "guess of",
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
