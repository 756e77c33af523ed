//! The check of camera, microphone, speaker and connection: had where it is offered,
//! loaded when it is asked for, told to the launch API.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use fantoccini::{
    actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction},
    elements::Element,
    key::Key,
};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::time::{Instant, sleep};

use crate::{
    support::{
        browser::{
            Browser,
            engine::{Engine, Setting},
        },
        house::House,
        launcher::join_link,
    },
    visit::{CLINICIAN, PATIENT, TICKET_LINKS, launch, nothing_personal_is_left},
};

/// Longest wait for what the server is told.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

const OFFERED: &str = "[landing_page]\ndevice_check = \"offer\"\n";
const BEFORE: &str = "[landing_page]\ndevice_check = \"before\"\n";

/// Opens the check from the screen that is shown.
const CHECK: &str = "[data-screen]:not([hidden]) [data-action=check-devices]";
/// The first button of the check, which is there when it has begun.
const FIRST: &str = "[data-step=camera] [data-check=start]";
const LEAVE: &str = "[data-check=leave]";

in_every_browser!(
    the_check_can_be_left_at_once_and_the_visit_goes_on_where_it_was,
    a_check_that_could_not_be_fetched_works_at_the_second_try,
);

mod all_devices_are_checked_while_waiting_and_the_launch_api_is_told {
    use super::{Engine, Result, all_devices_are_checked};

    #[tokio::test]
    async fn chromium() -> Result<()> {
        all_devices_are_checked(Engine::Chromium).await
    }

    #[tokio::test]
    async fn firefox() -> Result<()> {
        all_devices_are_checked(Engine::Firefox).await
    }
}

async fn all_devices_are_checked(engine: Engine) -> Result<()> {
    let house = House::configured(OFFERED, TICKET_LINKS).await?;
    let browser = Browser::start(engine).await?;
    launch(&house, &browser, PATIENT).await?;
    browser.screen("waiting").await?;
    let button = browser.shown(CHECK).await?;
    ensure!(fetched(&house).is_empty(), "{:?}", fetched(&house));
    let asked = asked_for_tokens(&house);
    button.click().await?;
    browser.shown(FIRST).await?.click().await?;
    let files = fetched(&house);
    for ending in [".js", ".wasm", ".css"] {
        let of_the_kind = files.iter().filter(|file| file.ends_with(ending));
        ensure!(of_the_kind.count() == 1, "{files:?}");
    }

    let plays = "const video = document.querySelector('video');
        return !!video && video.videoWidth > 0 && video.currentTime > 0.1";
    browser.until("the picture plays", plays).await?;
    press(&browser, "camera", "continue").await?;
    press(&browser, "microphone", "start").await?;
    if engine == Engine::Chromium {
        hear(&browser).await?;
    } else {
        // Without an output Firefox lets no sound through to be measured.
        browser.shown("meter").await?;
        press(&browser, "microphone", "continue").await?;
        press(&browser, "speaker", "skip").await?;
    }
    browser
        .shown("[data-text='devices.connection.good']")
        .await?;
    press(&browser, "connection", "continue").await?;
    browser.shown("[data-check=done]").await?.click().await?;

    browser.screen("waiting").await?;
    let [camera, microphone, speaker, connection] = reported(&house).await?;
    ensure!([camera, connection] == ["passed"; 2]);
    if engine == Engine::Chromium {
        ensure!([microphone, speaker] == ["passed"; 2]);
    } else {
        ensure!(
            microphone != "failed" && speaker == "skipped",
            "{microphone}, {speaker}"
        );
    }
    no_device_is_named(&house, &browser).await?;
    nothing_personal_is_left(&house, &browser).await?;
    ensure!(asked_for_tokens(&house) == asked, "the visit goes on");
    browser.close().await?;
    Ok(())
}

/// Checks microphone and speaker, where there is something to be heard.
async fn hear(browser: &Browser) -> Result<()> {
    let moves = "const meter = document.querySelector('meter');
        if (meter) (window.levels = window.levels || new Set()).add(meter.value);
        return !!meter && window.levels.size > 2";
    browser.until("the meter moves", moves).await?;
    browser
        .shown("[data-text='devices.microphone.heard']")
        .await?;
    press(browser, "microphone", "continue").await?;
    press(browser, "speaker", "start").await?;
    press(browser, "speaker", "yes").await
}

async fn the_check_can_be_left_at_once_and_the_visit_goes_on_where_it_was(
    engine: Engine,
) -> Result<()> {
    let house = House::configured(BEFORE, TICKET_LINKS).await?;
    let browser = Browser::start(engine).await?;
    launch(&house, &browser, PATIENT).await?;
    browser.screen("ready").await?;
    browser.shown(CHECK).await?.click().await?;
    browser.shown(FIRST).await?;
    browser.shown(LEAVE).await?.click().await?;
    browser.screen("ready").await?;
    ensure!(asked_for_tokens(&house) == 0, "nobody has joined");
    browser.shown("[data-action=join]").await?.click().await?;
    browser.screen("waiting").await?;
    ensure!(
        device_tests(&house) == 0,
        "nothing was tried, and an earlier result holds"
    );
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn a_visit_that_begins_ends_the_check_and_switches_the_camera_off() -> Result<()> {
    let house = House::configured(OFFERED, TICKET_LINKS).await?;
    let patient = Browser::start(Engine::Chromium).await?;
    launch(&house, &patient, PATIENT).await?;
    patient.screen("waiting").await?;
    patient.shown(CHECK).await?.click().await?;
    patient.shown(FIRST).await?.click().await?;
    patient.shown("video").await?;
    let keep = "window.track = document.querySelector('video').srcObject.getTracks()[0]";
    patient.client.execute(keep, vec![]).await?;

    let clinician = Browser::start(Engine::Chromium).await?;
    launch(&house, &clinician, CLINICIAN).await?;
    patient.screen("joined").await?;
    let off = "return window.track.readyState === 'ended'";
    patient.until("the camera is off", off).await?;
    // The screens stay in their order.
    patient.screen("joined").await?;
    ensure!(device_tests(&house) == 0, "nothing was found out");
    patient.close().await?;
    clinician.close().await?;
    Ok(())
}

#[tokio::test]
async fn devices_that_are_not_there_are_explained_and_told() -> Result<()> {
    let house = House::configured(OFFERED, TICKET_LINKS).await?;
    let setting = Setting {
        devices: false,
        ..Setting::default()
    };
    let browser = Browser::with(Engine::Chromium, setting).await?;
    launch(&house, &browser, PATIENT).await?;
    browser.screen("waiting").await?;
    browser.shown(CHECK).await?.click().await?;
    for device in ["camera", "microphone"] {
        press(&browser, device, "start").await?;
        let fault = browser
            .shown(&format!("[data-text='devices.{device}.missing']"))
            .await?;
        ensure!(has_focus(&browser, &fault).await?, "it is read out");
        press(&browser, device, "continue").await?;
    }
    browser.shown("[data-step=speaker][aria-current]").await?;
    browser.shown(LEAVE).await?.click().await?;
    browser.screen("waiting").await?;
    let found = reported(&house).await?;
    ensure!(
        found == ["missing", "missing", "skipped", "skipped"],
        "{found:?}"
    );
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn a_check_that_does_not_come_can_be_cancelled_and_had_again() -> Result<()> {
    let house = House::configured(OFFERED, "").await?;
    let link = join_link(&house, "patient").await?;
    let browser = Browser::start(Engine::Chromium).await?;
    browser.follow(&link).await?;
    browser.screen("waiting").await?;
    let held = json!({"patterns": [{"urlPattern": "*/device-check.*.wasm"}]});
    browser.devtools("Fetch.enable", held).await?;
    browser.shown(CHECK).await?.click().await?;
    let heading = browser.shown("[data-screen=devices] h1").await?;
    ensure!(has_focus(&browser, &heading).await?);
    let said = browser.announced().await?;
    ensure!(said == heading.text().await?, "{said}");
    let cancel = "[data-screen=devices] [data-action=skip-check]";
    browser.shown(cancel).await?.click().await?;
    browser.screen("waiting").await?;

    // It is not taken up when it comes at last, and can be had again.
    browser.devtools("Fetch.disable", json!({})).await?;
    browser.shown(CHECK).await?.click().await?;
    browser.shown(FIRST).await?;
    browser.shown(LEAVE).await?.click().await?;
    browser.screen("waiting").await?;
    browser.close().await?;
    Ok(())
}

async fn a_check_that_could_not_be_fetched_works_at_the_second_try(engine: Engine) -> Result<()> {
    let house = House::configured(OFFERED, "").await?;
    let link = join_link(&house, "patient").await?;
    let browser = Browser::start(engine).await?;
    browser.follow(&link).await?;
    browser.screen("waiting").await?;
    for (status, count) in [("503 Service Unavailable", 1), ("404 Not Found", 2)] {
        house.tap.answer(".wasm", status, &[], b"");
        browser.shown(CHECK).await?.click().await?;
        until_module_fetched(&house, count).await?;
        browser
            .shown("[data-screen=devices] .fault:not([hidden])")
            .await?;
        let back = "[data-screen=devices] [data-action=skip-check]";
        browser.shown(back).await?.click().await?;
        browser.screen("waiting").await?;
        house.tap.answer_no_more();
    }
    browser.shown(CHECK).await?.click().await?;
    browser.shown(FIRST).await?;
    until_module_fetched(&house, 3).await?;
    browser.shown(LEAVE).await?.click().await?;
    browser.screen("waiting").await?;
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn the_check_speaks_the_language_of_the_page_also_when_it_changes() -> Result<()> {
    let house = House::configured(OFFERED, "").await?;
    let link = join_link(&house, "patient").await? + "&lang=ar";
    let browser = Browser::start(Engine::Chromium).await?;
    browser.follow(&link).await?;
    browser.screen("waiting").await?;
    let arabic = "return document.documentElement.dir === 'rtl'";
    browser.until("the page speaks Arabic", arabic).await?;
    browser.shown(CHECK).await?.click().await?;
    browser.shown(FIRST).await?;
    for language in ["ar", "de", "en", "zh"] {
        let choose = "const choice = document.querySelector('[data-language]');
            choice.value = arguments[0];
            choice.dispatchEvent(new Event('change'))";
        browser
            .client
            .execute(choose, vec![language.into()])
            .await?;
        let texts = texts(language)?;
        let wanted = json!(texts);
        let script = format!(
            "const texts = {wanted};
             const shown = [...document.querySelectorAll('.device-check [data-text]')];
             return shown.length > 5
               && shown.every((it) => it.hidden || it.textContent === texts[it.dataset.text])"
        );
        let what = format!("the check speaks {language}");
        browser.until(&what, &script).await?;
    }
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn the_check_is_gone_through_by_keyboard_alone_and_a_double_click_skips_one_step()
-> Result<()> {
    let house = House::configured(OFFERED, "").await?;
    let link = join_link(&house, "patient").await?;
    let browser = Browser::start(Engine::Chromium).await?;
    browser.follow(&link).await?;
    browser.screen("waiting").await?;
    tab_to(&browser, "[data-action=check-devices]").await?;
    key(&browser, Key::Enter).await?;
    browser.shown(FIRST).await?;
    tab_to(&browser, FIRST).await?;
    key(&browser, Key::Enter).await?;
    browser.shown("[data-step=camera] .device-late").await?;
    tab_to(&browser, "[data-step=camera] [data-check=continue]").await?;
    key(&browser, ' ').await?;
    browser
        .shown("[data-step=microphone] [data-check=start]")
        .await?;
    tab_to(&browser, "[data-step=microphone] [data-check=start]").await?;
    key(&browser, Key::Enter).await?;
    browser.shown("meter").await?;
    // The focus is there already.
    tab_to(&browser, "select").await?;
    key(&browser, Key::Down).await?;
    tab_to(&browser, "[data-step=microphone] [data-check=continue]").await?;
    key(&browser, Key::Enter).await?;

    let skip = browser
        .shown("[data-step=speaker] [data-check=skip]")
        .await?;
    double_click(&browser, skip).await?;
    browser
        .shown("[data-step=connection][aria-current]")
        .await?;
    press(&browser, "connection", "continue").await?;
    tab_to(&browser, "[data-check=done]").await?;
    key(&browser, Key::Enter).await?;
    browser.screen("waiting").await?;
    browser.close().await?;
    Ok(())
}

/// Presses a button of a step, as soon as it is there.
async fn press(browser: &Browser, step: &str, button: &str) -> Result<()> {
    let css = format!("[data-step={step}] [data-check={button}]");
    browser.shown(&css).await?.click().await?;
    Ok(())
}

/// Goes on with the Tab key until the element has the focus, which can be seen wherever
/// it comes by.
async fn tab_to(browser: &Browser, css: &str) -> Result<()> {
    for _ in 0..20 {
        let script = "const at = document.activeElement;
            const { outlineStyle, outlineWidth } = getComputedStyle(at);
            return [at.matches(arguments[0] + ':not([hidden] *)'),
              !at.matches('button, select, a') || (outlineStyle !== 'none' && outlineWidth !== '0px')]";
        let found = browser.client.execute(script, vec![css.into()]).await?;
        ensure!(
            found[1] == Value::Bool(true),
            "no focus is seen before {css}"
        );
        if found[0] == Value::Bool(true) {
            return Ok(());
        }
        key(browser, Key::Tab).await?;
    }
    bail!("{css} cannot be reached")
}

/// Presses a key where the focus is.
async fn key(browser: &Browser, key: impl Into<char>) -> Result<()> {
    let focused = browser.client.active_element().await?;
    focused.send_keys(&key.into().to_string()).await?;
    Ok(())
}

async fn double_click(browser: &Browser, element: Element) -> Result<()> {
    let click = |mouse: MouseActions| {
        mouse
            .then(PointerAction::Down {
                button: MOUSE_BUTTON_LEFT,
            })
            .then(PointerAction::Up {
                button: MOUSE_BUTTON_LEFT,
            })
    };
    let mouse = MouseActions::new("mouse".to_owned()).then(PointerAction::MoveToElement {
        element,
        duration: None,
        x: 0.0,
        y: 0.0,
    });
    browser.client.perform_actions(click(click(mouse))).await?;
    Ok(())
}

async fn has_focus(browser: &Browser, element: &Element) -> Result<bool> {
    let script = "return document.activeElement === arguments[0]";
    let element = serde_json::to_value(element)?;
    let found = browser.client.execute(script, vec![element]).await?;
    Ok(found == Value::Bool(true))
}

/// What the server keeps of the only device test: camera, microphone, speaker, connection.
async fn reported(house: &House) -> Result<[String; 4]> {
    let options = SqliteConnectOptions::new().filename(house.database());
    let mut database = SqliteConnection::connect_with(&options).await?;
    let query = "SELECT camera, microphone, speaker, connection FROM launch_events \
         WHERE event = 'device_test'";
    let start = Instant::now();
    loop {
        let rows: Vec<(String, String, String, String)> =
            sqlx::query_as(query).fetch_all(&mut database).await?;
        if let [(camera, microphone, speaker, connection)] = rows.as_slice() {
            return Ok([camera, microphone, speaker, connection].map(Clone::clone));
        }
        ensure!(rows.is_empty(), "{rows:?}");
        ensure!(start.elapsed() < PATIENCE, "no device test was told");
        sleep(POLL).await;
    }
}

/// The label of no device has left the browser.
async fn no_device_is_named(house: &House, browser: &Browser) -> Result<()> {
    let script = "const done = arguments[arguments.length - 1];
        navigator.mediaDevices.enumerateDevices().then(
          (devices) => done(devices.map((it) => it.label).filter(Boolean)), () => done([]))";
    let labels = browser.client.execute_async(script, vec![]).await?;
    let labels = labels.as_array().context("a list")?;
    ensure!(!labels.is_empty(), "devices have labels once allowed");
    let requests = house.tap.requests();
    for label in labels.iter().filter_map(Value::as_str) {
        for request in &requests {
            let body = String::from_utf8_lossy(&request.body);
            ensure!(!body.contains(label), "{label} in {}", request.line);
            ensure!(!request.line.contains(label), "{}", request.line);
        }
    }
    Ok(())
}

/// How many results of device tests were sent.
fn device_tests(house: &House) -> usize {
    let requests = house.tap.requests();
    let told = requests.iter().filter(|request| {
        let sent = String::from_utf8_lossy(&request.body);
        request.line.contains("/events ") && sent.contains("device_test")
    });
    told.count()
}

fn asked_for_tokens(house: &House) -> usize {
    let requests = house.tap.requests();
    let asked = requests
        .iter()
        .filter(|request| request.line.contains("/request_token "));
    asked.count()
}

/// The check's own files that were fetched, with their paths.
fn fetched(house: &House) -> Vec<String> {
    let requests = house.tap.requests();
    requests
        .iter()
        .filter_map(|request| request.line.strip_prefix("GET ")?.split(' ').next())
        .filter(|file| file.contains("/device-check."))
        .map(str::to_owned)
        .collect()
}

/// Waits until the check's module was fetched so many times, and no more.
async fn until_module_fetched(house: &House, count: usize) -> Result<()> {
    let start = Instant::now();
    loop {
        let files = fetched(house);
        let modules = files.iter().filter(|file| file.ends_with(".wasm")).count();
        if modules >= count {
            ensure!(modules == count, "{files:?}");
            return Ok(());
        }
        ensure!(start.elapsed() < PATIENCE, "{files:?}");
        sleep(POLL).await;
    }
}

/// The check's texts in a language.
fn texts(language: &str) -> Result<Value> {
    let file = match language {
        "en" => "crates/device-check/texts.json".to_owned(),
        _ => format!("www/locales/devices/{language}.json"),
    };
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}
