//! A browser without script, and the pages that it gets.

use std::sync::Mutex;

use reqwest::{Response, header::SET_COOKIE};

use crate::support::{TestServer, location};

pub(super) const PLAIN: &str = "/api/telehealth/v1/launch/plain";
pub(super) const VISIT: &str = "/api/telehealth/v1/launch/plain/visit";

/// A browser without script that keeps the one cookie.
pub(super) struct Plain<'a> {
    pub(super) server: &'a TestServer,
    pub(super) cookie: Mutex<Option<String>>,
    /// Another header that it sends each time.
    pub(super) header: Option<(&'static str, &'static str)>,
}

/// A page as it came.
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) text: String,
}

impl Page {
    pub(super) async fn of(response: Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub(super) fn title(&self) -> &str {
        let (_, rest) = self
            .text
            .split_once("<h1>")
            .unwrap_or_else(|| panic!("{}", self.text));
        rest.split_once("</h1>").unwrap().0
    }

    /// Whether it may stand in a frame of this server, and is a page of plain HTML.
    pub(super) fn is_a_frame(&self) -> bool {
        let policy = self.headers["content-security-policy"].to_str().unwrap();
        policy.contains("frame-ancestors 'self'") && self.text.contains("<body class=\"status\">")
    }

    /// After how many seconds the browser loads it again.
    pub(super) fn refresh(&self) -> Option<&str> {
        self.headers.get("refresh")?.to_str().ok()
    }

    /// The names of the visit's participants, in order.
    fn names(&self) -> Vec<String> {
        let items = self.text.split("<li><bdi>").skip(1);
        items
            .map(|rest| rest.split_once("</bdi>").unwrap().0.to_owned())
            .collect()
    }
}

impl<'a> Plain<'a> {
    pub(super) fn new(server: &'a TestServer) -> Self {
        Self {
            server,
            cookie: Mutex::default(),
            header: None,
        }
    }

    pub(super) async fn send(&self, request: reqwest::RequestBuilder) -> Response {
        let mut request = request;
        let cookie = self.cookie.lock().unwrap().clone();
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        if let Some((name, value)) = self.header {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        self.keep(&response);
        response
    }

    fn keep(&self, response: &Response) {
        if let Some(set) = response.headers().get(SET_COOKIE) {
            let (pair, attributes) = set.to_str().unwrap().split_once("; ").unwrap();
            // Known until the browser is closed; what is sealed ends earlier.
            let kept = format!("Path={PLAIN}; HttpOnly; SameSite=Strict");
            let forgotten = format!("Path={PLAIN}; Max-Age=0; HttpOnly; SameSite=Strict");
            let gone = attributes == forgotten;
            assert!(gone || attributes == kept, "{attributes}");
            *self.cookie.lock().unwrap() = (!gone).then(|| pair.to_owned());
        }
    }

    /// The frame of the visit's page, which says `shown`.
    pub(super) async fn status(&self, shown: &str) -> Page {
        let request = self
            .server
            .client
            .get(format!("{}{VISIT}/status?shown={shown}", self.server.url));
        Page::of(self.send(request).await).await
    }

    /// Who is in the visit, as the frame says.
    pub(super) async fn people(&self) -> Vec<String> {
        let page = self.look().await;
        let (_, rest) = page.text.split_once("/status?shown=").unwrap();
        let status = self.status(rest.split_once('"').unwrap().0).await;
        assert_eq!(status.headers["refresh"], "30");
        status.names()
    }

    pub(super) async fn look(&self) -> Page {
        let request = self
            .server
            .client
            .get(format!("{}{VISIT}", self.server.url));
        Page::of(self.send(request).await).await
    }

    pub(super) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = self
            .server
            .client
            .post(format!("{}{path}", self.server.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        self.send(request).await
    }

    /// Sends a form, and goes where the answer leads.
    pub(super) async fn go(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let response = self.post(path, form).await;
        if response.status() == 303 {
            assert_eq!(location(&response), VISIT);
            return self.look().await;
        }
        Page::of(response).await
    }

    pub(super) async fn begin(&self, form: &[(&str, &str)]) -> Page {
        self.go(PLAIN, form).await
    }

    pub(super) async fn step(&self, form: &[(&str, &str)]) -> Page {
        self.go(VISIT, form).await
    }
}
