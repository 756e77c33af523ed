//! A browser that goes from the EHR's button to the join link.

use url::Url;

use crate::epic::SITE;

/// Follows redirects, with the server at `server`.
pub(crate) struct Browser {
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    server: String,
}

impl Browser {
    pub(crate) fn of(server: &str) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a browser, not the server's client"
        )]
        let builder = reqwest::Client::builder();
        Self {
            client: builder
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .build()
                .unwrap(),
            runtime: tokio::runtime::Runtime::new().unwrap(),
            server: server.to_owned(),
        }
    }

    /// Presses the button of this page in the simulated EHR: `clinician` or `patient`.
    /// Gives the launch URL.
    pub(crate) fn press(&self, ehr: &str, page: &str) -> Url {
        let request = self
            .client
            .post(format!("{ehr}/{page}/launch"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("appointment=1");
        location(&self.send(request)).parse().unwrap()
    }

    /// Opens a launch URL and follows it into the visit. Gives the join link.
    pub(crate) fn follow(&self, launch_url: &str) -> String {
        let mut next = launch_url.to_owned();
        for _ in 0..6 {
            if next.contains("/webapp/#/") {
                return next;
            }
            next = location(&self.send(self.client.get(next.replace(SITE, &self.server))));
        }
        panic!("no join link, but {next}");
    }

    /// Joins as the landing page does. Gives the token of the conference.
    pub(crate) fn join(&self, join_link: &str) -> String {
        let (_, query) = join_link.split_once("/webapp/#/?").unwrap();
        let parameter = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            let found = pairs.find(|(found, _)| found == name);
            found
                .map(|(_, value)| value.into_owned())
                .unwrap_or_default()
        };
        let path = format!(
            "api/client/v2/conferences/{}/request_token",
            parameter("conference")
        );
        let request = self
            .client
            .post(format!("{}/{path}", self.server))
            .header("pin", parameter("pin"))
            .header("content-type", "application/json")
            .body(r#"{"display_name": "Somebody"}"#);
        let answer = self.send(request);
        assert_eq!(answer.status(), 200);
        let text = self.runtime.block_on(answer.text()).unwrap();
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        answer["result"]["token"].as_str().unwrap().to_owned()
    }

    fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Response {
        self.runtime.block_on(request.send()).unwrap()
    }
}

fn location(response: &reqwest::Response) -> String {
    assert_eq!(response.status(), 303, "{}", response.url().path());
    let location = &response.headers()[reqwest::header::LOCATION];
    location.to_str().unwrap().to_owned()
}
