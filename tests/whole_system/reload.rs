//! Reload, page cache and double clicks: what is under way is come back to, and nothing
//! happens twice.

use anyhow::{Result, ensure};
use fantoccini::{Locator, key::Key};
use serde_json::json;

use crate::{
    support::{
        browser::{Browser, engine::Engine},
        house::House,
        launcher::{join_link, pin_of},
        scripted::{Script, Scripted, granted, pin_wanted},
    },
    visit::{PATIENT, TICKET_LINKS, launch, nothing_personal_is_left},
};

in_every_browser!(
    a_patient_who_reloads_while_waiting_waits_again_without_being_asked,
    a_reload_of_a_classic_guest_link_asks_for_the_name_only,
    a_visit_from_the_page_cache_goes_on_with_a_token_of_its_own,
    a_double_click_on_any_button_acts_once,
    a_double_click_moves_a_visit_to_this_tab_once,
    a_double_click_does_not_reach_a_button_that_comes_in_between,
    nothing_can_be_cancelled_before_anybody_listens,
    enter_pressed_twice_sends_a_form_once,
);

in_chromium!(
    a_reload_of_a_classic_host_link_asks_for_name_and_pin,
    a_reload_at_the_pin_form_asks_for_the_pin_again,
    a_host_who_comes_back_is_asked_for_the_pin_again,
    one_who_has_left_is_still_out_after_a_reload_and_can_come_back,
);

const GUEST: &str = "conference=telehealth.1&name=Beverley+Spinder&role=guest";
const PROVIDER: &str = "0c3c5d6e-0001-4000-8000-000000000001";
const HOST: &str = "conference=telehealth.1&name=Dr+Julian+Bashir&pin=11111111";

async fn a_patient_who_reloads_while_waiting_waits_again_without_being_asked(
    engine: Engine,
) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let browser = Browser::start(engine).await?;
    launch(&house, &browser, PATIENT).await?;
    browser.screen("waiting").await?;
    for times in 1..=2 {
        browser.client.refresh().await?;
        house.until_count("/resume", times).await?;
        browser.screen("waiting").await?;
        house.until_count("/release_token?token=", times).await?;
    }
    house.until_count("/launch/redeem", 1).await?;
    nothing_personal_is_left(&house, &browser).await?;
    browser.close().await?;
    Ok(())
}

async fn a_reload_of_a_classic_guest_link_asks_for_the_name_only(engine: Engine) -> Result<()> {
    let house = House::start().await?;
    let link = join_link(&house, "patient").await?;
    let browser = Browser::start(engine).await?;
    browser.follow(&link).await?;
    browser.screen("waiting").await?;
    browser.client.refresh().await?;
    browser.screen("name").await?;
    send(&browser, "#name", "Beverley Spinder").await?;
    browser.screen("waiting").await?;
    nothing_personal_is_left(&house, &browser).await?;
    browser.close().await?;
    Ok(())
}

async fn a_reload_of_a_classic_host_link_asks_for_name_and_pin(engine: Engine) -> Result<()> {
    let house = House::start().await?;
    let link = join_link(&house, "clinician").await?;
    let browser = Browser::start(engine).await?;
    browser.follow(&link).await?;
    browser.screen("joined").await?;
    browser.client.refresh().await?;
    browser.screen("name").await?;
    send(&browser, "#name", "Dr Julian Bashir").await?;
    browser.screen("pin").await?;
    send(&browser, "#pin", &pin_of(&link)?).await?;
    let joined = browser.screen("joined").await?.text().await?;
    ensure!(joined.contains("You have joined as host"), "{joined}");
    nothing_personal_is_left(&house, &browser).await?;
    browser.close().await?;
    Ok(())
}

async fn a_reload_at_the_pin_form_asks_for_the_pin_again(engine: Engine) -> Result<()> {
    let house = House::start().await?;
    let link = join_link(&house, "clinician").await?;
    let pin = pin_of(&link)?;
    let without = link.replace(&format!("pin={pin}"), "role=host");
    let browser = Browser::start(engine).await?;
    browser.follow(&without).await?;
    browser.screen("pin").await?;
    browser.client.refresh().await?;
    browser.screen("name").await?;
    send(&browser, "#name", "Dr Julian Bashir").await?;
    browser.screen("pin").await?;
    send(&browser, "#pin", &pin).await?;
    browser.screen("joined").await?;
    // Asking has cost nothing: nobody has been let in before.
    let requests = house.tap.requests();
    let released = requests
        .iter()
        .any(|request| request.line.contains("/release_token"));
    ensure!(!released, "a token was granted and given back");
    browser.close().await?;
    Ok(())
}

async fn one_who_has_left_is_still_out_after_a_reload_and_can_come_back(
    engine: Engine,
) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let browser = Browser::start(engine).await?;
    launch(&house, &browser, PATIENT).await?;
    browser.screen("waiting").await?;
    // The node is asked what it wants, and then for the token.
    house.until_count("/request_token", 2).await?;
    click(&browser, "[data-screen=waiting] [data-action=leave]").await?;
    browser.screen("left").await?;
    browser.client.refresh().await?;
    browser.screen("left").await?;
    house.until_count("/request_token", 2).await?;
    click(&browser, "[data-action=rejoin]").await?;
    browser.screen("waiting").await?;
    house.until_count("/request_token", 4).await?;
    house.until_count("/launch/redeem", 1).await?;
    browser.close().await?;
    Ok(())
}

async fn a_visit_from_the_page_cache_goes_on_with_a_token_of_its_own(engine: Engine) -> Result<()> {
    let page = Scripted::start("").await?;
    page.play(Script::visit([granted("GUEST"), granted("GUEST")]));
    let browser = Browser::start(engine).await?;
    browser.follow(&page.link(GUEST)).await?;
    browser.screen("joined").await?;
    // Told as every engine tells it; whether one keeps the page is its own affair.
    persisted(&browser, "pagehide").await?;
    page.until_received("release_token", 1).await?;
    persisted(&browser, "pageshow").await?;
    page.until_received("request_token", 2).await?;
    browser.screen("joined").await?;
    // The name has stayed in memory, so nobody is asked for it.
    let received = page.received();
    let mut asked = received.iter().filter(|it| it.request == "request_token");
    ensure!(asked.all(|it| it.body["display_name"] == "Beverley Spinder"));
    browser.close().await?;
    Ok(())
}

async fn a_double_click_on_any_button_acts_once(engine: Engine) -> Result<()> {
    let page = Scripted::start("").await?;
    let browser = Browser::start(engine).await?;
    page.play(Script::visit([
        pin_wanted(),
        (403, json!("Invalid PIN")),
        granted("HOST"),
        granted("HOST"),
    ]));
    browser
        .follow(&page.link("conference=telehealth.1"))
        .await?;

    type_in(&browser, "#name", "Dr Julian Bashir").await?;
    browser
        .double_click("[data-screen=name] form button")
        .await?;
    browser.screen("role").await?;
    page.until_received("request_token", 1).await?;

    browser.double_click("[data-action=host]").await?;
    browser.screen("pin").await?;
    browser
        .double_click("[data-screen=pin] [data-action=back]")
        .await?;
    browser.screen("role").await?;
    browser.double_click("[data-action=host]").await?;
    browser.screen("pin").await?;

    for (count, pin) in [(2, "22222222"), (3, "11111111")] {
        type_in(&browser, "#pin", pin).await?;
        browser
            .double_click("[data-screen=pin] form button:not(.quiet)")
            .await?;
        page.until_received("request_token", count).await?;
        if count == 2 {
            browser.shown("#pin-fault").await?;
        }
    }
    browser.screen("joined").await?;

    browser
        .double_click("[data-screen=joined] [data-action=leave]")
        .await?;
    browser.screen("left").await?;
    page.until_received("release_token", 1).await?;
    browser.double_click("[data-action=rejoin]").await?;
    browser.screen("joined").await?;
    page.until_received("request_token", 4).await?;
    page.until_received("release_token", 1).await?;

    page.play(Script::visit([(503, json!("busy")), granted("HOST")]));
    browser.client.goto("about:blank").await?;
    browser.follow(&page.link(HOST)).await?;
    browser.screen("failed").await?;
    page.until_received("request_token", 5).await?;
    browser.double_click("[data-action=retry]").await?;
    browser.screen("joined").await?;
    page.until_received("request_token", 6).await?;

    page.play(Script::default());
    browser.client.goto("about:blank").await?;
    browser.follow(&page.link(GUEST)).await?;
    page.until_received("request_token", 7).await?;
    browser
        .double_click("[data-screen=connecting] [data-action=cancel]")
        .await?;
    browser.screen("left").await?;
    browser.close().await?;
    Ok(())
}

/// The buttons of every screen at the same place: whoever clicks once more meets the next
/// screen's.
const ONE_PLACE: &str = "\
    for (const button of document.querySelectorAll('button:not([data-action=check-devices])'))\
      Object.assign(button.style, {position: 'fixed', top: arguments[0], left: '200px', width: '200px'})";

async fn a_double_click_does_not_reach_a_button_that_comes_in_between(
    engine: Engine,
) -> Result<()> {
    let page = Scripted::start("[landing_page]\ndevice_check = \"before\"\n").await?;
    let provider = json!({"name": "Staff", "uuid": PROVIDER});
    let redirect = json!({"redirect_url": "https://provider.example/", "redirect_idp": provider});
    let providers = json!({"idp": [provider]});
    page.play(Script::visit([
        (403, json!({"conference_extension": "standard"})),
        (403, providers),
        (403, redirect),
        granted("GUEST"),
        granted("GUEST"),
    ]));
    let browser = Browser::start(engine).await?;
    browser.follow(&page.link(GUEST)).await?;

    at_one_place(&browser, "ready", "100px").await?;
    browser.double_click("[data-action=join]").await?;
    at_one_place(&browser, "extension", "180px").await?;
    page.until_received("request_token", 1).await?;
    type_in(&browser, "#extension", "1234").await?;
    browser
        .double_click("[data-screen=extension] form button")
        .await?;
    at_one_place(&browser, "provider", "260px").await?;
    page.until_received("request_token", 2).await?;
    let provider = format!("[data-action=\"provider:{PROVIDER}\"]");
    browser.double_click(&provider).await?;
    browser.screen("sign-in").await?;
    page.until_received("request_token", 3).await?;

    browser.client.goto("about:blank").await?;
    browser.follow(&page.link(GUEST)).await?;
    at_one_place(&browser, "ready", "340px").await?;
    browser.double_click("[data-action=join]").await?;
    at_one_place(&browser, "joined", "420px").await?;
    page.until_received("request_token", 4).await?;
    browser
        .double_click("[data-screen=joined] [data-action=leave]")
        .await?;
    browser.screen("left").await?;
    page.until_received("release_token", 1).await?;
    page.until_received("request_token", 4).await?;
    at_one_place(&browser, "left", "500px").await?;
    // A click of its own counts.
    click(&browser, "[data-action=rejoin]").await?;
    browser.screen("joined").await?;
    page.until_received("request_token", 5).await?;
    browser.close().await?;
    Ok(())
}

/// So far from the top: WebKit's driver takes what follows at the same place within a second
/// for the third click of three.
async fn at_one_place(browser: &Browser, screen: &str, top: &str) -> Result<()> {
    browser.screen(screen).await?;
    browser.client.execute(ONE_PLACE, vec![top.into()]).await?;
    Ok(())
}

async fn a_double_click_moves_a_visit_to_this_tab_once(engine: Engine) -> Result<()> {
    let page = Scripted::start("").await?;
    page.play(Script::visit([granted("GUEST"), granted("GUEST")]));
    let browser = Browser::start(engine).await?;
    browser.client.goto(&page.link(GUEST)).await?;
    browser.screen("joined").await?;
    // Not a tab: WebKit's driver hangs when it is to move the mouse over a second one.
    let window = browser.client.new_window(false).await?.handle;
    browser.client.switch_to_window(window).await?;
    browser.client.goto(&page.link(GUEST)).await?;
    browser.double_click("[data-action=take-over]").await?;
    browser.screen("joined").await?;
    page.until_received("release_token", 1).await?;
    page.until_received("request_token", 2).await?;
    browser.close().await?;
    Ok(())
}

async fn a_host_who_comes_back_is_asked_for_the_pin_again(engine: Engine) -> Result<()> {
    let page = Scripted::start("").await?;
    page.play(Script::visit([pin_wanted(), granted("HOST")]));
    let browser = Browser::start(engine).await?;
    browser.follow(&page.link(HOST)).await?;
    browser.screen("joined").await?;
    click(&browser, "[data-screen=joined] [data-action=leave]").await?;
    browser.screen("left").await?;

    page.play(Script::visit([pin_wanted(), granted("HOST")]));
    click(&browser, "[data-action=rejoin]").await?;
    let text = browser.screen("pin").await?.text().await?;
    ensure!(text.contains("Host PIN"), "{text}");
    send(&browser, "#pin", "22222222").await?;
    browser.screen("joined").await?;
    let received = page.received();
    let pins = received.iter().filter(|it| it.request == "request_token");
    let pins = pins.filter_map(|it| it.pin.as_deref());
    let pins: Vec<_> = pins.filter(|pin| *pin != "none").collect();
    ensure!(pins == ["11111111", "22222222"], "{pins:?}");
    browser.close().await?;
    Ok(())
}

async fn nothing_can_be_cancelled_before_anybody_listens(engine: Engine) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    house.tap.hold(".wasm");
    let link = join_link(&house, "patient").await?;
    let browser = Browser::start(engine).await?;
    browser.client.goto(&format!("{}/", house.ehr)).await?;
    browser.follow(&link).await?;
    browser.screen("connecting").await?;
    let cancel = browser
        .client
        .find(Locator::Css("[data-action=cancel]"))
        .await?;
    ensure!(!cancel.is_displayed().await?);
    house.tap.let_go();
    browser.screen("waiting").await?;
    browser.close().await?;
    Ok(())
}

async fn enter_pressed_twice_sends_a_form_once(engine: Engine) -> Result<()> {
    let page = Scripted::start("").await?;
    page.play(Script::visit([granted("GUEST")]));
    let browser = Browser::start(engine).await?;
    let link = page.link("conference=telehealth.1&role=guest");
    browser.follow(&link).await?;
    let enter = char::from(Key::Enter);
    let field = browser.shown("#name").await?;
    field
        .send_keys(&format!("Beverley Spinder{enter}{enter}"))
        .await?;
    browser.screen("joined").await?;
    page.until_received("request_token", 1).await?;
    browser.close().await?;
    Ok(())
}

async fn click(browser: &Browser, css: &str) -> Result<()> {
    Ok(browser.shown(css).await?.click().await?)
}

async fn type_in(browser: &Browser, css: &str, text: &str) -> Result<()> {
    Ok(browser.shown(css).await?.send_keys(text).await?)
}

async fn send(browser: &Browser, css: &str, text: &str) -> Result<()> {
    let enter = char::from(Key::Enter);
    type_in(browser, css, &format!("{text}{enter}")).await
}

/// Dispatches what a browser tells that keeps the page, or has kept it.
async fn persisted(browser: &Browser, event: &str) -> Result<()> {
    let script = "dispatchEvent(new PageTransitionEvent(arguments[0], {persisted: true}))";
    browser.client.execute(script, vec![event.into()]).await?;
    Ok(())
}
