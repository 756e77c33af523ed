//! The least of a browser that a sign-in needs: cookies and redirects.

use std::{collections::BTreeMap, time::Duration};

use http::{HeaderValue, Request, Response, header};
use url::Url;

/// How long one answer may take.
const DEADLINE: Duration = Duration::from_secs(20);
const MOST_REDIRECTS: usize = 10;

pub(crate) struct Browser {
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the tests have a client of their own: deadlines, no redirects"
        )]
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(DEADLINE)
            .build()
            .expect("a client without TLS can be made");
        Self {
            client,
            cookies: BTreeMap::new(),
        }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        let request = reqwest::Request::try_from(request).expect("a request has a URL");
        let mut answer = self.client.execute(request).await.expect("an answer");
        let mut response = Response::new(Vec::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        *response.body_mut() = answer.bytes().await.expect("a body").to_vec();
        response
    }

    /// Goes wherever the server sends it, until that is `destination`; gives the
    /// query that it arrives with.
    pub(crate) async fn follow(
        &mut self,
        mut request: Request<Vec<u8>>,
        destination: &str,
    ) -> String {
        for _ in 0..MOST_REDIRECTS {
            let from = Url::parse(&request.uri().to_string()).expect("a URL");
            let answer = self.send_with_cookies(request).await;
            let location = answer.headers().get(header::LOCATION).unwrap_or_else(|| {
                panic!(
                    "{from} does not redirect: {} {}",
                    answer.status(),
                    String::from_utf8_lossy(answer.body())
                )
            });
            let location = location.to_str().expect("a URL is ASCII");
            if let Some(rest) = location.strip_prefix(destination) {
                return rest.strip_prefix('?').expect("a query").to_owned();
            }
            let to = from.join(location).expect("a URL");
            request = Request::get(to.as_str())
                .body(Vec::new())
                .expect("a request");
        }
        panic!("more than {MOST_REDIRECTS} redirects");
    }

    async fn send_with_cookies(&mut self, mut request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            let cookies = HeaderValue::from_str(&cookies.join("; ")).expect("cookies are ASCII");
            request.headers_mut().insert(header::COOKIE, cookies);
        }
        let answer = self.send(request).await;
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("cookies are ASCII");
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}
