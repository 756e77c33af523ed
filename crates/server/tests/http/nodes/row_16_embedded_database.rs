//! Row 16 where there is one server, with its database in a file: a launch goes on when
//! the server that was killed has come back.

use reqwest::{Response, header::COOKIE};

use super::{GENEROUS, Node, assert_failure, assert_logged};
use crate::support::{Launch, encrypt, launch_path, location, parameter, prepared, return_path};

async fn get(client: &reqwest::Client, node: &Node, path: &str, cookie: &str) -> Response {
    let request = client.get(format!("{}{path}", node.url));
    let request = request.header(COOKIE, cookie).timeout(GENEROUS);
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn row_16_a_launch_goes_on_when_the_only_server_was_killed_and_is_back() {
    let (folder, ehr) = prepared("").await;
    #[expect(
        clippy::disallowed_methods,
        reason = "a browser, not the server's client"
    )]
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("iss", &ehr.iss())
        .append_pair("launch", "launch-token-0")
        .append_pair("data", &encrypt(Launch::PROVIDER.plaintext.unwrap()))
        .finish();
    let path = format!("{}?{form}", launch_path("provider"));

    let node = Node::start(folder.path());
    let begun = get(&client, &node, &path, "").await;
    assert_eq!(begun.status(), 303);
    let cookie = begun.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let state = parameter(location(&begun), "state");
    let back = format!("{}?code=code-1&state={state}", return_path("provider"));
    node.kill();

    let node = Node::start(folder.path());
    let joined = get(&client, &node, &back, &cookie).await;
    assert_eq!(joined.status(), 303);
    let link = location(&joined).to_owned();
    assert_eq!(parameter(&link, "pin").len(), 8);
    node.kill();

    // What was consumed stays so, and the link is given to the same browser alone.
    let node = Node::start(folder.path());
    assert_eq!(location(&get(&client, &node, &back, &cookie).await), link);
    let other_browser = assert_failure(get(&client, &node, &back, "").await).await;
    assert_logged(&node.log, &[other_browser]);
    assert_eq!(ehr.script(|ehr| ehr.token_requests.len()), 1);
}
