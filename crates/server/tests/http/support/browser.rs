//! A browser that keeps cookies.

use std::{collections::BTreeMap, sync::Mutex};

use reqwest::{Response, header::SET_COOKIE};

use super::{TestServer, location, parameter, return_path};

pub(crate) struct Browser<'a> {
    server: &'a TestServer,
    /// By name; its value and what follows it.
    cookies: Mutex<BTreeMap<String, (String, String)>>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(server: &'a TestServer) -> Self {
        Self {
            server,
            cookies: Mutex::default(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.get_at(&self.server.url, path).await
    }

    /// The same at another server of the site.
    pub(crate) async fn get_at(&self, url: &str, path: &str) -> Response {
        let request = self.server.client.get(format!("{url}{path}"));
        let request = request.header("cookie", self.cookies());
        let response = request.send().await.unwrap();
        let mut cookies = self.cookies.lock().unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0;") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), (value.to_owned(), attributes.to_owned()));
            }
        }
        drop(cookies);
        response
    }

    /// What a request carries.
    pub(crate) fn cookies(&self) -> String {
        let cookies = self.cookies.lock().unwrap();
        let pairs = cookies
            .iter()
            .map(|(name, (value, _))| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// Names and attributes.
    pub(crate) fn attributes(&self) -> Vec<(String, String)> {
        let cookies = self.cookies.lock().unwrap();
        let attributes = cookies.iter();
        attributes
            .map(|(name, (_, attributes))| (name.clone(), attributes.clone()))
            .collect()
    }

    /// Gives every cookie another value.
    pub(crate) fn falsify(&self) {
        for (value, _) in self.cookies.lock().unwrap().values_mut() {
            let first = if value.starts_with('A') { "B" } else { "A" };
            value.replace_range(..1, first);
        }
    }

    /// Opens a launch URL, and gives the `state` with which the EHR must return.
    pub(crate) async fn begin(&self, path: &str) -> String {
        let response = self.get(path).await;
        assert_eq!(response.status(), 303);
        parameter(location(&response), "state")
    }

    pub(crate) async fn return_with(&self, role: &str, state: &str) -> Response {
        let path = format!("{}?code=code-of-the-ehr&state={state}", return_path(role));
        self.get(&path).await
    }

    /// The whole way of a patient; gives the join link.
    pub(crate) async fn launch(&self, path: &str) -> String {
        let state = self.begin(path).await;
        let response = self.return_with("patient", &state).await;
        assert_eq!(response.status(), 303);
        location(&response).to_owned()
    }
}
