//! A launch from end to end, as EHR and browser see it: the launch URL, the way to the
//! sign-in, the way back, and what must be in the join link.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context, Result, bail, ensure};
use http::{HeaderMap, StatusCode, header};
use rand::{rand_core::UnwrapErr, rngs::SysRng};
use url::{Url, form_urlencoded};
use vestibule_launch::{DisplayName, JoinLink, Role, crypto::LaunchCipher};

use super::{connection::Connection, ehr::Ehr, hospital};

/// From how many addresses the launches come.
const ADDRESSES: u64 = 256;

/// All launches at one server. Each is different from the others; two and two are of one
/// appointment, the provider's and then the patient's.
pub(crate) struct Launches {
    server: SocketAddr,
    cipher: LaunchCipher,
    iss: String,
    next: AtomicU64,
}

#[derive(Clone, Copy)]
struct Launch {
    number: u64,
    role: &'static str,
    encounter: u64,
}

impl Launches {
    /// Launches from this EHR at a server.
    pub(crate) fn new(server: SocketAddr, ehr: &Ehr) -> Result<Self> {
        Ok(Self {
            server,
            cipher: hospital::cipher()?,
            iss: ehr.iss(),
            next: AtomicU64::new(0),
        })
    }

    /// A new connection to the server.
    pub(crate) async fn connect(&self) -> Result<Connection> {
        Connection::open(self.server).await
    }

    /// One launch, to its join link.
    pub(crate) async fn one(&self, connection: &mut Connection) -> Result<()> {
        let launch = self.next();
        let back = self.begin(connection, launch).await?;
        let (status, headers) = back.go(connection).await?;
        ensure!(status == StatusCode::SEE_OTHER, "the return: {status}");
        launch.check(location(&headers)?)
    }

    /// One launch that comes back twice: only the first return may lead into the visit.
    pub(crate) async fn twice(&self, connection: &mut Connection) -> Result<()> {
        let launch = self.next();
        let mut back = self.begin(connection, launch).await?;
        let (_, headers) = back.go(connection).await?;
        launch.check(location(&headers)?)?;
        // Somebody else's browser.
        back.cookie = None;
        let (status, headers) = back.go(connection).await?;
        ensure!(
            status.is_client_error() && !headers.contains_key(header::LOCATION),
            "a state was taken twice: {status}"
        );
        Ok(())
    }

    fn next(&self) -> Launch {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let roles = ["provider", "patient"];
        Launch {
            number,
            role: roles[usize::from(number % 2 == 1)],
            encounter: number / 2,
        }
    }

    /// From the EHR's button to its sign-in, which sends the browser back at once.
    async fn begin(&self, connection: &mut Connection, launch: Launch) -> Result<Back> {
        let from = launch.address();
        let path = launch.path(&self.cipher, &self.iss);
        let (status, headers) = connection.get(&path, &from, None).await?;
        ensure!(status == StatusCode::SEE_OTHER, "the launch: {status}");
        let sign_in = Url::parse(location(&headers)?)?;
        ensure!(
            sign_in.path() == "/oauth2/authorize",
            "the launch leads elsewhere"
        );
        let mut parameters = sign_in.query_pairs();
        let state = parameters.find(|(name, _)| name == "state");
        let (_, state) = state.context("the sign-in has no state")?;
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &format!("code-{}", launch.number))
            .append_pair("state", &state)
            .finish();
        let Launch { role, .. } = launch;
        let uuid = hospital::UUID;
        let cookie = headers.get(header::SET_COOKIE).map(|value| value.to_str());
        let cookie = cookie
            .transpose()?
            .and_then(|value| value.split(';').next());
        Ok(Back {
            path: format!("/api/telehealth/v1/{role}/oauth2authorized/{uuid}?{query}"),
            from,
            cookie: cookie.map(str::to_owned),
        })
    }
}

/// The way back from the sign-in.
struct Back {
    path: String,
    from: String,
    cookie: Option<String>,
}

impl Back {
    async fn go(&self, connection: &mut Connection) -> Result<(StatusCode, HeaderMap)> {
        let cookie = self.cookie.as_deref();
        connection.get(&self.path, &self.from, cookie).await
    }
}

impl Launch {
    fn path(self, cipher: &LaunchCipher, iss: &str) -> String {
        let Self {
            number,
            role,
            encounter,
        } = self;
        let clear = format!(
            "csn={encounter}&fname=Beverley&mname=A{encounter}&lname=Spinder\
             &encfacnpiname=Cardiology+Outpatient+Department&epicuserid=SPINDERB&conferenceid=\
             &sessionid=6d3f6a0f1f5e4a7c9b1d2e3f4a5b6c7d&patid=E{number:08}"
        );
        let data = cipher.encrypt(&clear, &mut UnwrapErr(SysRng));
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("iss", iss)
            .append_pair("launch", &format!("launch-token-{number}"))
            .append_pair("data", &data)
            .finish();
        let uuid = hospital::UUID;
        format!("/api/telehealth/v1/{role}/oauth2smartlaunch/{uuid}?{query}")
    }

    /// Where the browser is, by the proxy's word.
    fn address(self) -> String {
        format!("10.20.30.{}", self.number % ADDRESSES)
    }

    /// Whether a link is the join link of this launch.
    fn check(self, link: &str) -> Result<()> {
        let JoinLink::Classic(link) = JoinLink::parse(link)? else {
            bail!("the link holds a ticket");
        };
        let conference = link.conference.as_str();
        ensure!(
            conference.starts_with("telehealth.") && conference.ends_with(hospital::DOMAIN),
            "the link leads into another conference"
        );
        let name = link.display_name.as_ref().map(DisplayName::as_str);
        let (expected, entry_is_right) = if self.role == "provider" {
            (hospital::NAME.to_owned(), link.pin().is_some())
        } else {
            let name = format!("Beverley A{} Spinder", self.encounter);
            (name, link.role() == Some(Role::Guest))
        };
        ensure!(name == Some(&expected), "the link has another name");
        ensure!(entry_is_right, "the link is not of the role");
        Ok(())
    }
}

fn location(headers: &HeaderMap) -> Result<&str> {
    let location = headers.get(header::LOCATION);
    Ok(location.context("the answer leads nowhere")?.to_str()?)
}
