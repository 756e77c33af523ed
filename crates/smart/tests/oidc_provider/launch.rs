//! One launch at oidc-provider.

use http::{Request, Response};
use rand::{rand_core::UnwrapErr, rngs::SysRng};
use vestibule_launch::UnixTime;
use vestibule_smart::{
    AuthorizeRequest, Callback, Client, ClockSkew, Metadata, Scope, TokenError, TokenRequest,
    TokenResponse, Verifier, metadata_request,
};

use crate::{
    browser::Browser,
    provider::{Provider, REDIRECT_URI},
};

pub(crate) const STATE: &str = "a state of at least 122 bits";

/// One application at the EHR, from discovery on.
pub(crate) struct Launch {
    pub(crate) browser: Browser,
    pub(crate) metadata: Metadata,
    pub(crate) scope: Scope,
    pub(crate) verifier: Verifier,
    pub(crate) now: UnixTime,
}

/// How the browser brings the authorization request.
pub(crate) enum By {
    Url,
    Form,
}

impl Launch {
    pub(crate) async fn discover() -> Self {
        let provider = Provider::running();
        let browser = Browser::new();
        let iss = provider.fhir_base().parse().expect("a URL");
        let answer = browser
            .send(metadata_request(&iss, "any").expect("a request"))
            .await;
        let epoch = UnixTime::from_millis(0);
        let since_epoch = ClockSkew::of_answer(answer.headers(), epoch).expect("a Date");
        Self {
            browser,
            metadata: Metadata::from_response(&answer).expect("metadata"),
            scope: Scope::default(),
            verifier: Verifier::generate(&mut UnwrapErr(SysRng)),
            now: UnixTime::from_millis(since_epoch.seconds() * 1000),
        }
    }

    pub(crate) async fn sign_in(&mut self, client: &Client, launch: &str, by: By) -> Callback {
        let request = AuthorizeRequest {
            client_id: client.client_id(),
            redirect_uri: REDIRECT_URI,
            scope: &self.scope,
            launch,
            aud: &Provider::running().fhir_base(),
            state: STATE,
            code_challenge: &self.verifier.challenge(),
        };
        let request = match by {
            By::Url => get(request.url(&self.metadata).as_str()),
            By::Form => {
                let form = request.form(&self.metadata);
                let body = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(form.fields)
                    .finish();
                Request::post(form.action.as_str())
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(body.into_bytes())
                    .expect("a request")
            }
        };
        let query = self.browser.follow(request, REDIRECT_URI).await;
        let callback = Callback::from_query(&query).expect("an answer");
        assert_eq!(callback.state(), STATE);
        assert_eq!(callback.check_issuer(&self.metadata), Ok(()));
        callback
    }

    /// Signs in and gives the request that exchanges the code.
    pub(crate) async fn code(&mut self, client: &Client) -> TokenRequest {
        match self.sign_in(client, "xyz123", By::Url).await {
            Callback::Code { code, .. } => TokenRequest::AuthorizationCode {
                code,
                redirect_uri: REDIRECT_URI.to_owned(),
                verifier: self.verifier.clone(),
            },
            Callback::Refused { error, .. } => panic!("refused: {error}"),
        }
    }

    pub(crate) fn request(&self, client: &Client, request: TokenRequest) -> Request<Vec<u8>> {
        client.request(request, &self.metadata, self.now, &mut UnwrapErr(SysRng))
    }

    pub(crate) async fn ask(
        &self,
        client: &Client,
        request: TokenRequest,
    ) -> Result<TokenResponse, TokenError> {
        self.send(self.request(client, request)).await
    }

    pub(crate) async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<TokenResponse, TokenError> {
        let answer: Response<Vec<u8>> = self.browser.send(request).await;
        TokenResponse::from_response(&answer)
    }
}

pub(crate) fn get(url: &str) -> Request<Vec<u8>> {
    Request::get(url).body(Vec::new()).expect("a request")
}
