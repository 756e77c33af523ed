//! Every state in which a person can see the landing page, and how to get there.

use anyhow::{Context, Result};
use axum::{Router, http::StatusCode};
use fantoccini::{Locator, key::Key};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{
    browser::Browser,
    scripted::{Script, Scripted},
};

/// A state of the page.
pub(crate) struct State {
    /// What it is called in pictures and messages.
    pub(crate) name: &'static str,
    /// The screen that is shown then.
    pub(crate) screen: &'static str,
    /// Lines of the server's configuration that it needs.
    configuration: &'static str,
    /// The join link's fragment.
    fragment: &'static str,
    script: Script,
    /// What is done on the way.
    steps: &'static [Step],
    /// What is done when these have been.
    within: &'static [Step],
}

/// Something that happens on the way to a state.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// This screen is shown, at last.
    Screen(&'static str),
    /// What this selects is shown, at last.
    Shown(&'static str),
    /// A click on what this selects.
    Click(&'static str),
    /// This is typed into what the first selects, and sent.
    Type(&'static str, &'static str),
    /// The node cannot be reached any more.
    LoseNode,
    /// The same link is opened in a second tab.
    SecondTab,
    /// The fallback of the page is called, as it is where the shim cannot run.
    Fallback,
}

/// A hospital's logo: a cross on a disc, as SVG.
pub(crate) const LOGO: &str = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCA0MCA0MCI+PGNpcmNsZSBjeD0iMjAiIGN5PSIyMCIgcj0iMjAiIGZpbGw9IiM3YTFmNWMiLz48cGF0aCBkPSJNMTcgOWg2djhoOHY2aC04djhoLTZ2LThIOXYtNmg4eiIgZmlsbD0iI2ZmZiIvPjwvc3ZnPg==";

/// A configuration of which everything can be seen; `{logo}` stands for [`LOGO`].
const HOSPITAL: &str = "[landing_page]\nhospital = \"St Mary's Hospital\"\nlogo = \"{logo}\"\n\
     accent = \"#7a1f5c\"\ndevice_check = \"offer\"\nhelp_line = \"Call 020 7946 0000\"\n";
const BEFORE: &str =
    "[landing_page]\nhospital = \"St Mary's Hospital\"\ndevice_check = \"before\"\n";
const CONNECT: &str = "[landing_page]\nhand_over = \"connect\"\n\
     connect = { base = \"{unmoved}/webapp3\", form = \"webapp3\" }\n";

/// In a configuration: a server whose answers move no browser away from its page.
const UNMOVED: &str = "{unmoved}";

const GUEST: &str = "conference=telehealth.1&name=Beverley+Spinder&role=guest";
const HOST: &str = "conference=telehealth.1&name=Dr+Julian+Bashir&pin=11111111";

/// All of them, in the order in which a person meets them.
pub(crate) fn all() -> Vec<State> {
    use Step::{Click, Fallback, LoseNode, Screen, SecondTab, Shown, Type};
    let pin_wanted = (403, json!({"pin": "required", "guest_pin": "none"}));
    let wrong_pin = (403, json!("Invalid PIN"));
    let started = ("conference_update", json!({"started": true}));
    let not_started = ("conference_update", json!({"started": false}));
    let present = [
        started.clone(),
        ("participant_sync_begin", json!({})),
        participant("1", "Dr Julian Bashir", "chair", "conference"),
        participant("2", "Beverley Spinder", "guest", "conference"),
        participant(
            "3",
            "\u{202e}Интерпретатор שָׁלוֹם <b>with a very long name indeed</b> 你好",
            "guest",
            "conference",
        ),
        ("participant_sync_end", json!({})),
    ];
    let states = [
        state("connecting", "connecting", GUEST, [], []),
        State {
            configuration: BEFORE,
            ..state("ready", "ready", GUEST, [], [])
        },
        state("name", "name", "conference=telehealth.1&role=guest", [], []),
        state(
            "role",
            "role",
            "conference=telehealth.1&name=Kim",
            [pin_wanted.clone()],
            [],
        ),
        state(
            "pin",
            "pin",
            "conference=telehealth.1&name=Kim&role=host",
            [pin_wanted.clone()],
            [],
        ),
        state(
            "pin-guest",
            "pin",
            GUEST,
            [(403, json!({"pin": "required", "guest_pin": "required"}))],
            [],
        ),
        state("pin-wrong", "pin", HOST, [pin_wanted, wrong_pin], []),
        state(
            "extension",
            "extension",
            GUEST,
            [(
                403,
                json!({"conference_extension": "required", "conference_extension_type": "standard"}),
            )],
            [],
        ),
        state(
            "provider",
            "provider",
            GUEST,
            [(
                403,
                json!({"idp": [
                    {"name": "Hospital staff", "uuid": "0c3c5d6e-0001-4000-8000-000000000001"},
                    {"name": "Partner clinics", "uuid": "0c3c5d6e-0001-4000-8000-000000000002"},
                ]}),
            )],
            [],
        ),
        state(
            "sign-in",
            "sign-in",
            GUEST,
            [(
                403,
                json!({
                    "redirect_url": "https://idp.example.org/saml",
                    "redirect_idp": {"name": "Hospital staff", "uuid": "0c3c5d6e-0001-4000-8000-000000000001"},
                }),
            )],
            [],
        ),
        state(
            "waiting",
            "waiting",
            GUEST,
            [token("GUEST", "conference")],
            [not_started],
        ),
        state(
            "let-in",
            "let-in",
            GUEST,
            [token("GUEST", "waiting_room")],
            [
                started,
                participant("2", "Beverley Spinder", "guest", "waiting_room"),
            ],
        ),
        state(
            "joined-host",
            "joined",
            HOST,
            [token("HOST", "conference")],
            present.clone(),
        ),
        state(
            "joined-guest",
            "joined",
            GUEST,
            [token("GUEST", "conference")],
            present[..3].to_vec(),
        ),
        State {
            steps: &[Screen("joined"), LoseNode],
            ..state(
                "reconnecting",
                "reconnecting",
                HOST,
                [token("HOST", "conference")],
                present.clone(),
            )
        },
        State {
            steps: &[Screen("joined"), SecondTab],
            ..state(
                "elsewhere",
                "elsewhere",
                HOST,
                [token("HOST", "conference")],
                present.clone(),
            )
        },
        State {
            configuration: CONNECT,
            ..state(
                "handed-on",
                "handed-on",
                HOST,
                [token("HOST", "conference")],
                [],
            )
        },
        State {
            steps: &[
                Screen("joined"),
                Click("[data-screen=joined] [data-action=leave]"),
            ],
            ..state(
                "left",
                "left",
                HOST,
                [token("HOST", "conference")],
                present.clone(),
            )
        },
        state(
            "ended",
            "ended",
            HOST,
            [token("HOST", "conference")],
            [(
                "disconnect",
                json!({"reason": "Conference terminated by another participant"}),
            )],
        ),
        State {
            script: Script {
                error_page: Some(json!({
                    "error_name": "ConferenceNotFound",
                    "telehealth_request_id": "8d8ac610-566d-4ef0-9c22-186b2a5ed793",
                    "utc_time": "2026-03-14T09:26:53Z",
                    "template": include_str!("../../crates/template/src/default_error_page.html"),
                })),
                ..script([(404, json!("Neither conference nor gateway found"))], [])
            },
            steps: &[Shown("#failure-frame")],
            ..state("failed", "failed", GUEST, [], [])
        },
        state(
            "failed-in-own-words",
            "failed",
            GUEST,
            [(404, json!("Neither conference nor gateway found"))],
            [],
        ),
        State {
            steps: &[Shown("[data-visit] [data-screen=connecting]"), Fallback],
            ..state("unsupported", "unsupported", GUEST, [], [])
        },
        State {
            steps: &[Screen("name"), Type("[data-form=name] input", " ")],
            ..state("name-missing", "name", "conference=telehealth.1", [], [])
        },
        devices("devices", &[]),
        devices(
            "devices-camera",
            &[
                Click("[data-step=camera] [data-check=start]"),
                Shown("video"),
            ],
        ),
        devices(
            "devices-fault",
            &[
                Click("[data-step=camera] [data-check=start]"),
                Click("[data-step=camera] [data-check=dark]"),
                Shown("[data-step=camera] .fault"),
            ],
        ),
        devices(
            "devices-microphone",
            &[
                Click("[data-step=camera] [data-check=skip]"),
                Click("[data-step=microphone] [data-check=start]"),
                Shown("meter"),
            ],
        ),
        devices(
            "devices-speaker",
            &[
                Click("[data-step=camera] [data-check=skip]"),
                Click("[data-step=microphone] [data-check=skip]"),
                Click("[data-step=speaker] [data-check=start]"),
                Shown("[data-step=speaker] [data-check=yes]"),
            ],
        ),
        devices(
            "devices-done",
            &[
                Click("[data-step=camera] [data-check=skip]"),
                Click("[data-step=microphone] [data-check=skip]"),
                Click("[data-step=speaker] [data-check=skip]"),
                Click("[data-step=connection] [data-check=continue]"),
                Shown("[data-check=done]"),
            ],
        ),
    ];
    states.into()
}

fn state(
    name: &'static str,
    screen: &'static str,
    fragment: &'static str,
    tokens: impl IntoIterator<Item = (u16, Value)>,
    events: impl IntoIterator<Item = (&'static str, Value)>,
) -> State {
    State {
        name,
        screen,
        configuration: HOSPITAL,
        fragment,
        script: script(tokens, events),
        steps: &[],
        within: &[],
    }
}

/// The device check, and these steps in it.
fn devices(name: &'static str, steps: &'static [Step]) -> State {
    State {
        within: steps,
        steps: &[
            Step::Screen("name"),
            Step::Click("[data-screen=name] [data-action=check-devices]"),
            Step::Shown("[data-step=camera] [data-check=start]"),
        ],
        ..state(name, "devices", "conference=telehealth.1", [], [])
    }
}

fn script(
    tokens: impl IntoIterator<Item = (u16, Value)>,
    events: impl IntoIterator<Item = (&'static str, Value)>,
) -> Script {
    Script {
        tokens: tokens.into_iter().collect(),
        events: events.into_iter().collect(),
        error_page: None,
    }
}

fn token(role: &str, service: &str) -> (u16, Value) {
    let uuid = if role == "HOST" { "1" } else { "2" };
    let result = json!({
        "token": "token", "expires": "120", "participant_uuid": uuid, "display_name": "",
        "role": role, "current_service_type": service, "version": {"version_id": "36"},
    });
    (200, result)
}

fn participant(uuid: &str, name: &str, role: &str, service: &str) -> (&'static str, Value) {
    let data = json!({
        "uuid": uuid, "display_name": name, "role": role, "service_type": service,
    });
    ("participant_create", data)
}

/// Deployments for states: one for each configuration, started when it is first wanted.
#[derive(Default)]
pub(crate) struct Deployments(Vec<(&'static str, Scripted)>);

impl Deployments {
    async fn with(&mut self, configuration: &'static str) -> Result<&Scripted> {
        let known = self.0.iter().position(|(known, _)| *known == configuration);
        let index = match known {
            Some(index) => index,
            None => {
                let lines = configuration
                    .replace("{logo}", LOGO)
                    .replace(UNMOVED, &unmoved().await?);
                let started = Scripted::start(&lines).await?;
                self.0.push((configuration, started));
                self.0.len() - 1
            }
        };
        Ok(&self.0[index].1)
    }

    /// Brings the browser into a state. `language` is added to the join link.
    pub(crate) async fn reach(
        &mut self,
        browser: &Browser,
        state: &State,
        language: Option<&str>,
    ) -> Result<()> {
        let deployment = self.with(state.configuration).await?;
        deployment.play(state.script.clone());
        let mut link = format!("{}/webapp/#/?{}", deployment.address, state.fragment);
        if let Some(language) = language {
            link += &format!("&lang={language}");
        }
        // A page of its own: another fragment alone would not load the page anew.
        browser.client.goto("about:blank").await?;
        browser.client.goto(&link).await?;
        for step in state.steps.iter().chain(state.within) {
            take(browser, deployment, state, *step, &link)
                .await
                .with_context(|| format!("{}: {step:?}", state.name))?;
        }
        browser
            .screen(state.screen)
            .await
            .with_context(|| format!("state {}", state.name))?;
        Ok(())
    }
}

/// A server that answers everything with 204: a browser sent there stays where it is.
async fn unmoved() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let router = Router::new().fallback(|| async { StatusCode::NO_CONTENT });
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

async fn take(
    browser: &Browser,
    deployment: &Scripted,
    state: &State,
    step: Step,
    link: &str,
) -> Result<()> {
    match step {
        Step::Screen(screen) => {
            browser.screen(screen).await?;
        }
        Step::Shown(css) => {
            browser.shown(css).await?;
        }
        Step::Click(css) => browser.shown(css).await?.click().await?,
        Step::Type(css, text) => {
            let field = browser.shown(css).await?;
            let line = format!("{text}{}", char::from(Key::Enter));
            field.send_keys(&line).await?;
            browser.shown("form .fault:not([hidden])").await?;
        }
        Step::LoseNode => deployment.lose_the_node(),
        Step::SecondTab => {
            deployment.play(state.script.clone());
            let tab = browser.client.new_window(true).await?;
            browser.client.switch_to_window(tab.handle).await?;
            browser.client.goto(link).await?;
        }
        Step::Fallback => {
            let script = "window.vestibuleFallback(true)";
            browser.client.execute(script, vec![]).await?;
        }
    }
    Ok(())
}

/// Goes back to a single tab, where a state has opened a second one.
pub(crate) async fn single_tab(browser: &Browser) -> Result<()> {
    let mut tabs = browser.client.windows().await?;
    while tabs.len() > 1
        && let Some(tab) = tabs.pop()
    {
        browser.client.switch_to_window(tab).await?;
        browser.client.close_window().await?;
    }
    browser.client.switch_to_window(tabs.remove(0)).await?;
    browser.client.find(Locator::Css("html")).await?;
    Ok(())
}
