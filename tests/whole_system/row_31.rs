//! Fault row 31: the launch API is offline, too slow, overloaded or out of order, answers
//! something else, or does not allow the page. Whoever sits before it is told what went
//! wrong by its name, once.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Result, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::Instant,
};

use crate::support::{
    browser::{Browser, engine::Engine},
    scripted::{Script, Scripted, granted},
};

in_every_browser!(
    row_31_an_offline_launch_api_is_asked_once_more_and_then_named,
    row_31_trying_again_comes_in_when_the_launch_api_is_back,
    row_31_a_launch_api_that_is_back_at_the_second_request_is_enough,
    row_31_a_launch_api_that_does_not_answer_is_given_up_after_its_deadline,
    row_31_an_overloaded_launch_api_is_asked_again_when_it_says,
    row_31_an_answer_that_cannot_be_used_is_not_asked_for_again,
);

const TICKET: &str = "ticket=0123456789abcdefghjkmnpqrstvwxyz";

/// What `redeem` answers when all is well.
const LAUNCH: &str = r#"{"telehealth_request_id": "7c4b3f5e-2f0d-4c8a-9a52-0c8f3f3a1a11",
    "conference": "telehealth.1", "display_name": "Beverley Spinder", "role": "guest",
    "node": "", "token": "bearer", "expires_at": "2099-01-01T00:00:00Z"}"#;

/// How the launch API treats a request to redeem a ticket.
#[derive(Clone)]
enum Behaviour {
    /// Ends the connection.
    HangUp,
    /// Never answers.
    Hold,
    /// Answers with this status line, further headers and body.
    Answer(&'static str, &'static str, &'static str),
    /// The same, without allowing the page's origin to read it.
    Unshared(&'static str),
}

use Behaviour::{Answer, HangUp, Hold, Unshared};

/// A launch API on an origin of its own.
#[derive(Clone)]
struct LaunchApi {
    /// `http://…`
    address: String,
    /// What it does, request by request; the last one over and over.
    behaviour: Arc<Mutex<Vec<Behaviour>>>,
    /// When each ticket came.
    redeemed: Arc<Mutex<Vec<Instant>>>,
}

impl LaunchApi {
    async fn start(behaviour: &[Behaviour]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let api = Self {
            address: format!("http://{}", listener.local_addr()?),
            behaviour: Arc::new(Mutex::new(behaviour.to_vec())),
            redeemed: Arc::default(),
        };
        let serving = api.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let api = serving.clone();
                tokio::spawn(async move { api.serve(stream).await.ok() });
            }
        });
        Ok(api)
    }

    fn next(&self) -> Behaviour {
        let mut behaviour = self.behaviour.lock().expect("no test panics with it");
        match behaviour.len() {
            1 => behaviour[0].clone(),
            _ => behaviour.remove(0),
        }
    }

    fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().expect("no test panics with it") = vec![behaviour];
    }

    fn redeemed(&self) -> Vec<Instant> {
        let redeemed = self.redeemed.lock().expect("no test panics with it");
        redeemed.clone()
    }

    /// One request a connection. Reports of failures are answered like everything that
    /// this launch API does not know.
    async fn serve(&self, mut stream: TcpStream) -> Result<()> {
        let head = read_request(&mut stream).await?;
        let behaviour = if head.starts_with("OPTIONS ") {
            Answer("204 No Content", "", "")
        } else if head.starts_with("POST ") && head.contains("/launch/redeem ") {
            let mut redeemed = self.redeemed.lock().expect("no test panics with it");
            redeemed.push(Instant::now());
            drop(redeemed);
            self.next()
        } else {
            Answer("404 Not Found", "", "")
        };
        let shared = "access-control-allow-origin: *\r\n\
             access-control-allow-headers: content-type, authorization\r\n\
             access-control-expose-headers: retry-after\r\n";
        let (status, headers, body) = match behaviour {
            HangUp => return Ok(()),
            Hold => return std::future::pending().await,
            Answer(status, headers, body) => (status, [shared, headers].concat(), body),
            Unshared(body) => ("200 OK", String::new(), body),
        };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\
             {headers}\r\n{body}"
        );
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        Ok(())
    }
}

/// Reads a request to its end, and tells its head.
async fn read_request(stream: &mut TcpStream) -> Result<String> {
    let mut bytes = Vec::new();
    loop {
        ensure!(stream.read_buf(&mut bytes).await? > 0, "half a request");
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let wanted = name.eq_ignore_ascii_case("content-length");
            wanted.then(|| value.trim().parse::<usize>().ok())?
        });
        if body.len() >= length.unwrap_or(0) {
            return Ok(head.to_owned());
        }
    }
}

/// A page whose launch API is another server, and a browser that has opened a ticket there.
async fn opened(engine: Engine, behaviour: &[Behaviour]) -> Result<(LaunchApi, Scripted, Browser)> {
    let api = LaunchApi::start(behaviour).await?;
    let lines = format!("[landing_page]\nlaunch_api = {:?}\n", api.address);
    let page = Scripted::start(&lines).await?;
    page.play(Script::visit([granted("GUEST")]));
    let browser = Browser::start(engine).await?;
    browser.follow(&page.link(TICKET)).await?;
    Ok((api, page, browser))
}

/// The error page is there, names the failure, and nothing was asked for since.
async fn failed(api: &LaunchApi, browser: &Browser, name: &str, asked: usize) -> Result<()> {
    // Without a word of the launch API's the page says it in its own.
    let text = browser.screen("failed").await?.text().await?;
    ensure!(text.contains(name), "{text}");
    ensure!(!text.contains("Beverley"), "{text}");
    let redeemed = api.redeemed().len();
    ensure!(redeemed == asked, "the ticket was sent {redeemed} times");
    Ok(())
}

const UNAVAILABLE: &str = "launch_api_unavailable";

async fn row_31_an_offline_launch_api_is_asked_once_more_and_then_named(
    engine: Engine,
) -> Result<()> {
    let (api, _page, browser) = opened(engine, &[HangUp]).await?;
    failed(&api, &browser, UNAVAILABLE, 2).await?;
    browser.close().await?;
    Ok(())
}

async fn row_31_a_launch_api_that_is_back_at_the_second_request_is_enough(
    engine: Engine,
) -> Result<()> {
    let behaviour = [HangUp, Answer("200 OK", "", LAUNCH)];
    let (api, page, browser) = opened(engine, &behaviour).await?;
    browser.screen("joined").await?;
    page.until_received("request_token", 1).await?;
    ensure!(api.redeemed().len() == 2);
    browser.close().await?;
    Ok(())
}

async fn row_31_a_launch_api_that_does_not_answer_is_given_up_after_its_deadline(
    engine: Engine,
) -> Result<()> {
    let (api, _page, browser) = opened(engine, &[Hold]).await?;
    browser.screen("connecting").await?;
    failed(&api, &browser, UNAVAILABLE, 1).await?;
    browser.close().await?;
    Ok(())
}

async fn row_31_an_overloaded_launch_api_is_asked_again_when_it_says(engine: Engine) -> Result<()> {
    let busy = Answer("429 Too Many Requests", "retry-after: 2\r\n", "");
    let behaviour = [busy, Answer("200 OK", "", LAUNCH)];
    let (api, page, browser) = opened(engine, &behaviour).await?;
    browser.screen("joined").await?;
    page.until_received("request_token", 1).await?;
    let redeemed = api.redeemed();
    ensure!(redeemed.len() == 2, "{redeemed:?}");
    let pause = redeemed[1].duration_since(redeemed[0]);
    ensure!(pause >= Duration::from_millis(1900), "{pause:?}");
    browser.close().await?;
    Ok(())
}

async fn row_31_an_answer_that_cannot_be_used_is_not_asked_for_again(engine: Engine) -> Result<()> {
    let page = "<!doctype html><title>Gateway</title>";
    let unknown = r#"{"status": 410, "error_name": "launch_ticket_invalid",
        "telehealth_request_id": "7c4b3f5e-2f0d-4c8a-9a52-0c8f3f3a1a11"}"#;
    for (behaviour, asked, name) in [
        (Answer("500 Internal Server Error", "", ""), 1, UNAVAILABLE),
        (Answer("200 OK", "", page), 1, UNAVAILABLE),
        // To a page that may not read the answer this looks like no network at all.
        (Unshared(LAUNCH), 2, UNAVAILABLE),
        (Answer("410 Gone", "", unknown), 1, "launch_ticket_invalid"),
    ] {
        let (api, page, browser) = opened(engine, &[behaviour]).await?;
        failed(&api, &browser, name, asked).await?;
        page.until_received("request_token", 0).await?;
        browser.close().await?;
    }
    Ok(())
}

async fn row_31_trying_again_comes_in_when_the_launch_api_is_back(engine: Engine) -> Result<()> {
    let broken = Answer("500 Internal Server Error", "", "");
    let (api, page, browser) = opened(engine, &[broken]).await?;
    failed(&api, &browser, UNAVAILABLE, 1).await?;
    api.behave(Answer("200 OK", "", LAUNCH));
    let retry = "[data-screen=failed] [data-action=retry]";
    browser.shown(retry).await?.click().await?;
    browser.screen("joined").await?;
    page.until_received("request_token", 1).await?;
    ensure!(api.redeemed().len() == 2);
    browser.close().await?;
    Ok(())
}
