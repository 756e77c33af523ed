//! Signing in at an identity provider before a visit, the way the client API has it: the
//! node names the providers, the one that was chosen signs the user in in a window of its
//! own and sends that window on to the node, whose page hands the token over.

use std::sync::Arc;

use anyhow::{Result, ensure};
use fantoccini::Locator;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

use crate::support::{
    browser::{Browser, engine::Engine},
    scripted::{Script, Scripted, granted},
};

in_every_browser!(
    who_has_chosen_a_provider_and_signed_in_there_is_in,
    a_window_that_is_closed_leads_back_to_the_choice,
    where_no_window_may_be_opened_the_link_opens_a_tab,
);

in_chromium!(a_token_from_any_other_origin_than_the_nodes_counts_for_nothing,);

const GUEST: &str = "conference=telehealth.1&name=Beverley+Spinder&role=guest";

/// The providers that the node names.
const STAFF: &str = "0c3c5d6e-0001-4000-8000-000000000001";
const PARTNERS: &str = "0c3c5d6e-0001-4000-8000-000000000002";

const SIGN_IN: &str = "[data-link=sign-in]";

/// What a provider does with somebody who comes to sign in.
#[derive(Clone)]
enum Provider {
    /// Sends them on to this address.
    SendsOn(String),
    /// Shows this page.
    Shows(&'static str),
}

/// A page that hands over a token of its own, to whoever has opened it.
const FORGER: &str = "<!doctype html><script>\
     opener.postMessage({result: 'success', token: 'forged'}, '*');\
     document.title = 'sent'</script>";

/// A page on which nobody ever signs in.
const FORM: &str = "<!doctype html><title>Sign in here</title><input>";

impl Provider {
    /// Its address: an origin of its own, with a certificate of its own.
    async fn start(self) -> Result<String> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()])?;
        let key =
            PrivateKeyDer::try_from(signing_key.serialize_der()).map_err(anyhow::Error::msg)?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("https://localhost:{}/saml", listener.local_addr()?.port());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (provider, acceptor) = (self.clone(), acceptor.clone());
                tokio::spawn(async move { provider.serve(stream, &acceptor).await.ok() });
            }
        });
        Ok(address)
    }

    /// One request a connection.
    async fn serve(&self, stream: TcpStream, acceptor: &TlsAcceptor) -> Result<()> {
        let mut stream = acceptor.accept(stream).await?;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            ensure!(stream.read_buf(&mut request).await? > 0, "half a request");
        }
        let (head, body) = match self {
            Self::SendsOn(to) => (format!("302 Found\r\nlocation: {to}"), ""),
            Self::Shows(page) => ("200 OK\r\ncontent-type: text/html".to_owned(), *page),
        };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        Ok(())
    }
}

/// The node's answer that names the providers.
fn choice() -> (u16, Value) {
    let providers = json!({"idp": [
        {"name": "Hospital staff", "uuid": STAFF},
        {"name": "Partner clinics", "uuid": PARTNERS},
    ]});
    (403, providers)
}

/// The node's answer that sends the user to the provider at this address.
fn redirect(address: &str) -> (u16, Value) {
    let provider = json!({"name": "Hospital staff", "uuid": STAFF});
    (
        403,
        json!({"redirect_url": address, "redirect_idp": provider}),
    )
}

/// Somebody before the link to the provider that they have chosen.
async fn chosen(engine: Engine, page: &Scripted, address: &str) -> Result<Browser> {
    let answers = [choice(), redirect(address), granted("GUEST")];
    page.play(Script::visit(answers));
    let browser = Browser::start(engine).await?;
    browser.follow(&page.link(GUEST)).await?;
    let text = browser.screen("provider").await?.text().await?;
    ensure!(text.contains("Partner clinics"), "{text}");
    choose(&browser).await?;
    Ok(browser)
}

async fn choose(browser: &Browser) -> Result<()> {
    let button = format!("[data-action=\"provider:{STAFF}\"]");
    browser.shown(&button).await?.click().await?;
    let text = browser.screen("sign-in").await?.text().await?;
    ensure!(text.contains("Hospital staff"), "{text}");
    Ok(())
}

async fn who_has_chosen_a_provider_and_signed_in_there_is_in(engine: Engine) -> Result<()> {
    let page = Scripted::start("").await?;
    let node = format!("{}/signed-in/sso-token", page.address);
    let address = Provider::SendsOn(node).start().await?;
    let browser = chosen(engine, &page, &address).await?;
    browser.shown(SIGN_IN).await?.click().await?;
    browser.screen("joined").await?;
    ensure!(
        browser.client.windows().await?.len() == 1,
        "the window is closed"
    );
    let received = page.received();
    let asked: Vec<_> = received
        .iter()
        .filter(|it| it.request == "request_token")
        .map(|it| (&it.body["chosen_idp"], &it.body["sso_token"]))
        .collect();
    // Pexip's clients say `none` where they have nothing.
    let [none, staff, token] = ["none", STAFF, "sso-token"].map(Value::from);
    ensure!(
        asked == [(&none, &none), (&staff, &none), (&staff, &token)],
        "{asked:?}"
    );
    browser.close().await?;
    Ok(())
}

async fn a_window_that_is_closed_leads_back_to_the_choice(engine: Engine) -> Result<()> {
    let page = Scripted::start("").await?;
    let address = Provider::Shows(FORM).start().await?;
    let browser = chosen(engine, &page, &address).await?;
    let tab = browser.client.window().await?;
    for _ in 0..2 {
        browser.click_to_new_tab(SIGN_IN).await?;
        browser.shown("input").await?;
        browser.client.close_window().await?;
        browser.client.switch_to_window(tab.clone()).await?;
        let text = browser.screen("provider").await?.text().await?;
        ensure!(text.contains("You are not signed in yet"), "{text}");
        page.play(Script::visit([redirect(&address)]));
        choose(&browser).await?;
    }
    // Back is the same way without a window.
    let back = "[data-screen=sign-in] [data-action=back]";
    browser.shown(back).await?.click().await?;
    browser.screen("provider").await?;
    browser.close().await?;
    Ok(())
}

async fn a_token_from_any_other_origin_than_the_nodes_counts_for_nothing(
    engine: Engine,
) -> Result<()> {
    let page = Scripted::start("").await?;
    let address = Provider::Shows(FORGER).start().await?;
    let browser = chosen(engine, &page, &address).await?;
    let noted =
        "window.messages = []; addEventListener('message', (event) => messages.push(event.origin))";
    browser.client.execute(noted, vec![]).await?;
    let tab = browser.client.window().await?;
    browser.click_to_new_tab(SIGN_IN).await?;
    browser.client.switch_to_window(tab).await?;
    // The page itself was told before whoever listens since then.
    let heard = "return messages.length === 1";
    browser.until("the message is there", heard).await?;
    browser.screen("sign-in").await?;
    page.until_received("request_token", 2).await?;
    browser.close().await?;
    Ok(())
}

async fn where_no_window_may_be_opened_the_link_opens_a_tab(engine: Engine) -> Result<()> {
    let page = Scripted::start("").await?;
    let node = format!("{}/signed-in/sso-token", page.address);
    let address = Provider::SendsOn(node).start().await?;
    let browser = chosen(engine, &page, &address).await?;
    browser
        .client
        .execute("window.open = () => null", vec![])
        .await?;
    let tab = browser.client.window().await?;
    browser
        .client
        .find(Locator::Css(SIGN_IN))
        .await?
        .click()
        .await?;
    browser.client.switch_to_window(tab).await?;
    browser.screen("joined").await?;
    page.until_received("request_token", 3).await?;
    browser.close().await?;
    Ok(())
}
