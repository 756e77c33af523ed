//! From a form to a visit.

use std::sync::Arc;

use axum::http::HeaderValue;
use vestibule_launch::{
    ClassicLink, DisplayName, Entry, JoinLink, LaunchTicket, LinkForm, LinkText, Pin, connect_link,
    launch_api::{RedeemRequest, RedeemedLaunch, ResumeRequest},
};
use vestibule_store::Reported;

use super::{Failed, Outcome, PlainError, Request, may_pass, unreached};
use crate::{
    clock::from_rfc3339,
    launch::{self, BearerToken, RedeemError},
    plain::{
        self, Asked, By, Given, Offer, Page, RememberedLaunch, Stage, Step, Visit, VisitFault, Way,
    },
    profile::Profile,
};

impl Request<'_> {
    /// `given` is the form that `asked` was read from.
    pub(super) async fn enter(&mut self, asked: Asked, given: &Given) -> Result<Outcome, Failed> {
        let before = self.visit();
        if let Some(visit) = &before
            && leads_to(&asked.by, visit)
        {
            // Pressed twice, gone back or reloaded.
            let mut visit = visit.clone();
            if let Some(chosen) = given.language() {
                visit.language = Some(chosen.to_owned());
            }
            return Ok(Outcome::Visit(Box::new(visit)));
        }
        let browser = asked.browser.clone();
        let browser = browser.or_else(|| before.as_ref().map(|visit| visit.browser.clone()));
        let browser = browser.unwrap_or_else(|| self.browser_key());
        let visit = match (&self.visits.way, asked.by) {
            // Redeemed here, the ticket would not be good elsewhere.
            (Way::Elsewhere, By::Link(JoinLink::Ticket(ticket))) => {
                let base = self.web_app(self.profile_of(&given.link).as_deref());
                let link = JoinLink::Ticket(ticket).build(&base, LinkForm::Fragment);
                return Ok(Outcome::Elsewhere { link, pin: None });
            }
            (Way::Connect { base, form }, by) => {
                let (link, _) = self.link_of(by, &browser).await?;
                let href = connect_link(link, base, *form);
                let mut location =
                    HeaderValue::try_from(href).map_err(|_| VisitFault::Malformed)?;
                location.set_sensitive(true);
                return Ok(Outcome::Connect(location));
            }
            (Way::Join(_) | Way::Elsewhere, by) => self.begun(by, browser).await?,
        };
        if let Way::Elsewhere = &self.visits.way {
            let link = self.link(&visit).await;
            let pin = visit.host_pin().map(str::to_owned);
            return Ok(Outcome::Elsewhere { link, pin });
        }
        if let Some(before) = before {
            self.leave(&before).await;
        }
        self.join(visit, Offer::Nothing).await
    }

    /// The profile whose web app a link leads to, by its address.
    fn profile_of(&self, link: &str) -> Option<Arc<Profile>> {
        let profiles = self.state.profiles.now();
        let is_of = |profile: &&Arc<Profile>| {
            let base = &profile.integration.infinity_webapp_server_base_url;
            let below = link.strip_prefix(base.trim_end_matches('/'));
            below.is_some_and(|below| below.starts_with('/'))
        };
        profiles.iter().find(is_of).cloned()
    }

    /// A new visit, by whatever leads to it.
    async fn begun(&mut self, by: By, browser: String) -> Result<Visit, PlainError> {
        let ticket = match &by {
            By::Link(JoinLink::Ticket(ticket)) => Some(ticket.clone()),
            _ => None,
        };
        let (link, redeemed) = self.link_of(by, &browser).await?;
        let visit = Visit::new(link, browser, self.state.tools.now());
        let visit = match redeemed {
            Some(launch) => {
                self.speak_at_last(launch.language.as_deref());
                let ends_at = from_rfc3339(&launch.expires_at);
                visit.of_own_launch(launch.telehealth_request_id, ends_at)
            }
            None => match self.launch(&visit).await {
                Some(launch) => {
                    let profiles = self.state.profiles.now();
                    let profile = launch.profile.and_then(|uuid| profiles.find(uuid));
                    self.speak_at_last(profile.and_then(|it| it.language.clone()).as_deref());
                    visit.of_launch(launch.request_id)
                }
                None => visit,
            },
        };
        let mut visit = match ticket {
            Some(ticket) => visit.by_ticket(&ticket),
            None => visit,
        };
        visit.language = self.language().map(str::to_owned);
        Ok(visit)
    }

    /// The link, and the launch where it had to be asked for.
    async fn link_of(
        &self,
        by: By,
        browser: &str,
    ) -> Result<(ClassicLink, Option<RedeemedLaunch>), PlainError> {
        let redeemed = match by {
            By::Link(JoinLink::Classic(link)) => return Ok((link, None)),
            By::Link(JoinLink::Ticket(ticket)) => self.redeem(&ticket, browser).await?,
            By::Launch(launch) => self.resume(&launch, browser).await?,
        };
        let link = classic(&redeemed).ok_or(RedeemError::Unknown)?;
        Ok((link, Some(redeemed)))
    }

    async fn redeem(
        &self,
        ticket: &LaunchTicket,
        browser: &str,
    ) -> Result<RedeemedLaunch, PlainError> {
        let request = RedeemRequest {
            ticket: ticket.expose().to_owned(),
            browser: browser.to_owned(),
        };
        Ok(launch::redeem(&self.state.tools, &request).await?)
    }

    async fn resume(
        &self,
        launch: &RememberedLaunch,
        browser: &str,
    ) -> Result<RedeemedLaunch, PlainError> {
        let request = ResumeRequest {
            browser: browser.to_owned(),
        };
        let header = HeaderValue::try_from(format!("Bearer {}", launch.bearer)).ok();
        let bearer = BearerToken::from_header(header.as_ref()).ok_or(RedeemError::Unknown)?;
        let tools = &self.state.tools;
        Ok(launch::resume(tools, launch.request_id, &bearer, &request).await?)
    }

    pub(super) async fn stepped(&self, mut visit: Visit, step: Step) -> Result<Outcome, Failed> {
        match (&mut visit.stage, step) {
            (_, Step::Leave) => {
                self.leave(&visit).await;
                Ok(Outcome::Over(Page::Left))
            }
            (Stage::Name { faulty }, Step::Name(name)) => match name {
                Some(name) => {
                    visit.display_name = Some(name.as_str().to_owned());
                    self.join(visit, Offer::Nothing).await
                }
                None => {
                    *faulty = true;
                    Ok(Outcome::Visit(Box::new(visit)))
                }
            },
            (Stage::Pin { wrong, .. }, Step::Pin(pin)) => match pin {
                Some(pin) => self.join(visit, Offer::Pin(pin)).await,
                None => {
                    *wrong = true;
                    Ok(Outcome::Visit(Box::new(visit)))
                }
            },
            (Stage::Pin { .. }, Step::Guest) => self.join(visit, Offer::NoPin).await,
            (Stage::Unreached { .. }, Step::Again) => self.join(visit, Offer::Nothing).await,
            (Stage::Out, Step::Again) => match self.join(visit, Offer::Nothing).await {
                Err(Failed {
                    error: PlainError::Visit(VisitFault::NotFound),
                    ..
                }) => Ok(Outcome::Over(Page::Ended)),
                joined => joined,
            },
            // A form of a page before: the visit is further.
            _ => Ok(Outcome::Visit(Box::new(visit))),
        }
    }

    async fn leave(&self, visit: &Visit) {
        if let Some(node) = &self.node {
            plain::leave(node, visit).await;
        }
        self.tell(visit, Reported::Left).await;
    }

    async fn join(&self, mut visit: Visit, offer: Offer) -> Result<Outcome, Failed> {
        let Some(node) = &self.node else {
            return Ok(Outcome::Over(Page::Lost));
        };
        if visit.display_name.is_some() && !matches!(visit.stage, Stage::Pin { .. }) {
            self.tell(&visit, Reported::Connecting).await;
        }
        let now = self.state.tools.now();
        match plain::join(node, &mut visit, offer, now).await {
            Ok(()) => Ok(Outcome::Visit(Box::new(visit))),
            Err(fault @ VisitFault::Unavailable(_)) => {
                let failed = self.record(&fault.into(), Some(&visit)).await;
                let visit = unreached(visit, failed.reference());
                Ok(Outcome::Visit(Box::new(visit)))
            }
            Err(fault) => {
                if may_pass(&fault) && !matches!(visit.stage, Stage::Pin { .. }) {
                    visit = unreached(visit, String::new());
                }
                Err(Failed {
                    error: fault.into(),
                    visit: Some(Box::new(visit)),
                })
            }
        }
    }
}

/// Whether a form leads to where this browser is already.
fn leads_to(by: &By, visit: &Visit) -> bool {
    match by {
        By::Link(JoinLink::Ticket(ticket)) => visit.is_of_ticket(ticket),
        By::Link(JoinLink::Classic(link)) => visit.is_at(link),
        By::Launch(launch) => visit.request_id == Some(launch.request_id),
    }
}

/// What a ticket stands for, as a link.
fn classic(redeemed: &RedeemedLaunch) -> Option<ClassicLink> {
    let mut link = ClassicLink::new(LinkText::parse(&redeemed.conference)?);
    link.display_name = DisplayName::parse(&redeemed.display_name).ok();
    let pin = redeemed.pin.as_deref();
    link.entry = match pin.and_then(|pin| Pin::parse(pin).ok()) {
        Some(pin) => Entry::Pin(pin),
        None => Entry::As(redeemed.role),
    };
    Some(link)
}
