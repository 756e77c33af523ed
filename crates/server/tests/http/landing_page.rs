//! The landing page with a hospital's configuration, as it is served.

use reqwest::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH};
use vestibule_launch::{ClassicLink, JoinLink, LinkForm, LinkText};

use crate::support::TestServer;

const CONFIGURED: &str = "[landing_page]\nhospital = \"Healthcare Org & Sons\"\n\
    accent = \"#7a1f5c\"\ndevice_check = \"offer\"\nnode = \"https://node.example.org\"\n\
    launch_api = \"https://launch.example.org\"\npaths = [\"/webapp/\", \"/visit/\"]\n";

#[tokio::test]
async fn name_colour_and_addresses_of_the_configuration_are_in_the_page_and_its_policy() {
    let server = TestServer::with("", CONFIGURED).await;
    let response = server.get("/webapp/").await;
    let policy = response.headers()[CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap()
        .to_owned();
    let permissions = response.headers()["permissions-policy"].clone();
    let page = response.text().await.unwrap();
    assert!(
        page.contains("<title>Healthcare Org &amp; Sons</title>"),
        "{page}"
    );
    assert!(
        page.contains("&quot;node&quot;:&quot;https://node.example.org&quot;"),
        "{page}"
    );
    assert!(page.contains("--accent:#7a1f5c"), "{page}");
    assert!(policy.contains("style-src 'self' 'sha256-"), "{policy}");
    assert!(
        policy.contains("connect-src 'self' https://node.example.org https://launch.example.org;"),
        "{policy}"
    );
    assert_eq!(permissions, "camera=(self), microphone=(self)");
}

#[tokio::test]
async fn the_page_stands_wherever_join_links_lead() {
    let server = TestServer::with("", CONFIGURED).await;
    let page = server.get("/webapp/").await.text().await.unwrap();
    let link = JoinLink::Classic(ClassicLink::new(LinkText::parse("a@b").unwrap()));
    for path in ["/webapp", "/visit"] {
        for form in LinkForm::ALL {
            let href = link.build(path, form);
            let (sent, _) = href.split_once('#').unwrap_or((&href, ""));
            let response = server.get(sent).await;
            assert_eq!(response.status(), 200, "{href}");
            assert_eq!(response.text().await.unwrap(), page, "{href}");
        }
        let response = server.get(&format!("{path}/vestibule_bg.wasm")).await;
        assert_eq!(response.status(), 200);
        assert_eq!(server.get(path).await.status(), 308);
    }
    for other in [
        "/webapp3/",
        "/visit/conference/a/b",
        "/visit/m/a/b",
        "/visit/css",
    ] {
        assert_eq!(server.get(other).await.status(), 404, "{other}");
    }
    let response = server.post_form("/webapp/", String::new()).await;
    assert_eq!(response.status(), 405);
}

#[tokio::test]
async fn the_page_is_sent_compressed_and_only_when_it_is_another() {
    let server = TestServer::with("", CONFIGURED).await;
    for (accept, encoding) in [
        ("gzip, br", Some("br")),
        ("gzip", Some("gzip")),
        ("identity", None),
    ] {
        let response = server.get_encoded("/webapp/", accept).await;
        let sent = response.headers().get("content-encoding");
        assert_eq!(sent.map(|value| value.to_str().unwrap()), encoding);
        assert_eq!(response.headers()["vary"], "accept-encoding");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
    }
    let etag = server.get("/webapp/").await.headers()[ETAG].clone();
    let etag = etag.to_str().unwrap();
    for known in [etag.to_owned(), format!("\"other\", W/{etag}")] {
        let response = server
            .get_with("/webapp/", IF_NONE_MATCH.as_str(), &known)
            .await;
        assert_eq!(response.status(), 304);
        assert_eq!(response.headers()[ETAG], etag);
        assert!(response.headers().contains_key(CONTENT_SECURITY_POLICY));
        assert_eq!(response.text().await.unwrap(), "");
    }
    let response = server
        .get_with("/webapp/", IF_NONE_MATCH.as_str(), "\"other\"")
        .await;
    assert_eq!(response.status(), 200);
    let response = server.head("/webapp/").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[ETAG], etag);
}

#[tokio::test]
async fn a_file_with_a_hash_in_its_name_is_kept_for_good_and_others_are_asked_for() {
    let server = TestServer::start().await;
    let www = server.folder.path().join("www");
    std::fs::write(www.join("vestibule.0123456789.js"), "export {};").unwrap();
    for (name, kept) in [
        (
            "vestibule.0123456789.js",
            "public, max-age=31536000, immutable",
        ),
        ("boot.js", "no-cache"),
        // What is not there may come.
        ("vestibule.9876543210.js", "no-cache"),
    ] {
        let response = server.get(&format!("/webapp/{name}")).await;
        assert_eq!(response.headers()[CACHE_CONTROL], kept, "{name}");
    }
}
