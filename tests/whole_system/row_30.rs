//! Fault row 30: the shim cannot run. Each time somebody gets in all the same, by the
//! pages that need neither WebAssembly nor script.

use anyhow::{Context, Result, ensure};
use fantoccini::{Locator, elements::Element};

use crate::{
    support::{
        browser::{
            Browser,
            engine::{Engine, Setting},
        },
        house::House,
        launcher::join_link,
    },
    visit::TICKET_LINKS,
};

/// The page of a visit in plain HTML.
pub(crate) const VISIT: &str = "/api/telehealth/v1/launch/plain/visit";

in_every_browser!(
    row_30_a_module_that_is_missing_or_damaged_leads_to_the_plain_visit,
    row_30_a_module_that_comes_as_something_else_does_no_harm,
    row_30_a_policy_without_webassembly_leads_to_the_plain_visit,
    row_30_an_engine_without_webassembly_leads_to_the_plain_visit,
    row_30_a_script_that_does_not_come_leads_to_the_plain_visit,
    row_30_where_no_script_may_run_the_link_can_be_pasted,
    row_30_with_javascript_off_the_link_can_be_pasted,
    row_30_a_trap_in_the_middle_of_a_visit_leads_on_once,
);

in_chromium!(row_30_the_way_on_speaks_the_language_of_the_browser);

/// A module whose one function, `f`, traps.
const TRAP: &str = "[0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,7,5,1,1,102,0,0,10,5,1,3,0,0,11]";

/// What becomes of a file on the way.
#[derive(Clone, Copy)]
enum Damage {
    /// It does not come.
    Missing,
    /// Its second half does not come.
    Cut,
    /// It comes with something in it that does no harm.
    Changed,
}

async fn row_30_a_module_that_is_missing_or_damaged_leads_to_the_plain_visit(
    engine: Engine,
) -> Result<()> {
    for damage in [Damage::Missing, Damage::Cut, Damage::Changed] {
        let house = House::with_profile(TICKET_LINKS).await?;
        let mut module = fetch_bytes(&house, &path_of_the_module(&house).await?).await?;
        let mut status = "200 OK";
        match damage {
            Damage::Missing => {
                status = "404 Not Found";
                module.clear();
            }
            Damage::Cut => module.truncate(module.len() / 2),
            // A custom section without a name or content: it would run, but for its hash.
            Damage::Changed => module.extend([0, 1, 0]),
        }
        let headers = [("content-type", "application/wasm")];
        house.tap.answer(".wasm", status, &headers, &module);
        let browser = opened(engine, &house, Setting::default()).await?;
        goes_on_in_plain_html(&house, &browser).await?;
        browser.close().await?;
    }
    Ok(())
}

async fn row_30_a_module_that_comes_as_something_else_does_no_harm(engine: Engine) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let module = fetch_bytes(&house, &path_of_the_module(&house).await?).await?;
    let headers = [
        ("content-type", "text/plain"),
        ("x-content-type-options", "nosniff"),
    ];
    house.tap.answer(".wasm", "200 OK", &headers, &module);
    let browser = opened(engine, &house, Setting::default()).await?;
    waits_for_the_host(&browser).await?;
    browser.close().await?;
    Ok(())
}

async fn row_30_a_policy_without_webassembly_leads_to_the_plain_visit(
    engine: Engine,
) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    with_policy(&house, |policy| policy.replace(" 'wasm-unsafe-eval'", "")).await?;
    let browser = opened(engine, &house, Setting::default()).await?;
    goes_on_in_plain_html(&house, &browser).await?;
    browser.close().await?;
    Ok(())
}

async fn row_30_an_engine_without_webassembly_leads_to_the_plain_visit(
    engine: Engine,
) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let setting = Setting {
        webassembly: false,
        ..Setting::default()
    };
    let browser = opened(engine, &house, setting).await?;
    browser.screen("unsupported").await?;
    let there = browser.client.execute("return typeof WebAssembly", vec![]);
    ensure!(there.await? == "undefined");
    goes_on_in_plain_html(&house, &browser).await?;
    browser.close().await?;
    Ok(())
}

async fn row_30_a_script_that_does_not_come_leads_to_the_plain_visit(engine: Engine) -> Result<()> {
    for damage in [Damage::Missing, Damage::Changed] {
        let house = House::with_profile(TICKET_LINKS).await?;
        let path = path_of_the_script(&house).await?;
        let mut script = fetch_bytes(&house, &path).await?;
        let mut status = "200 OK";
        match damage {
            Damage::Missing => {
                status = "403 Forbidden";
                script.clear();
            }
            // The same script, by another hash.
            Damage::Cut | Damage::Changed => script.push(b'\n'),
        }
        let headers = [("content-type", "text/javascript")];
        house.tap.answer(&path, status, &headers, &script);
        let browser = opened(engine, &house, Setting::default()).await?;
        goes_on_in_plain_html(&house, &browser).await?;
        browser.close().await?;
    }
    Ok(())
}

async fn row_30_the_way_on_speaks_the_language_of_the_browser(engine: Engine) -> Result<()> {
    let setting = Setting {
        language: "es",
        ..Setting::default()
    };
    for script in [true, false] {
        let house = House::with_profile(TICKET_LINKS).await?;
        if script {
            house.tap.answer(".wasm", "404 Not Found", &[], b"");
        } else {
            let path = path_of_the_script(&house).await?;
            house.tap.answer(&path, "403 Forbidden", &[], b"");
        }
        let browser = opened(engine, &house, setting).await?;
        browser.screen("unsupported").await?;
        if script {
            let says = "return document.querySelector('#announcement').textContent === \
                'Esta consulta no funciona en este navegador'";
            browser.until("the page speaks Spanish", says).await?;
        }
        browser.shown("#plain button").await?.click().await?;
        browser.shown(&format!("form[action=\"{VISIT}\"]")).await?;
        let language = "return document.documentElement.lang === 'es'";
        browser.until("the visit speaks Spanish", language).await?;
        browser.close().await?;
    }
    Ok(())
}

async fn row_30_where_no_script_may_run_the_link_can_be_pasted(engine: Engine) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    with_policy(&house, |policy| {
        policy.replace("script-src 'self'", "script-src 'none'")
    })
    .await?;
    let link = join_link(&house, "patient").await?;
    let browser = Browser::start(engine).await?;
    pastes(&browser, &link).await?;
    browser.close().await?;
    Ok(())
}

async fn row_30_with_javascript_off_the_link_can_be_pasted(engine: Engine) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let link = join_link(&house, "patient").await?;
    let setting = Setting {
        scripts: false,
        ..Setting::default()
    };
    let browser = Browser::with(engine, setting).await?;
    pastes(&browser, &link).await?;
    browser.close().await?;
    Ok(())
}

async fn row_30_a_trap_in_the_middle_of_a_visit_leads_on_once(engine: Engine) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let browser = opened(engine, &house, Setting::default()).await?;
    browser.screen("waiting").await?;
    // Firefox runs scripts of tests in a world of their own, whose errors the page does not
    // hear of.
    let script = format!(
        "const page = window.wrappedJSObject || window;\n\
         const module = new page.WebAssembly.Module(page.Uint8Array.from(page.JSON.parse('{TRAP}')));\n\
         const {{ f }} = new page.WebAssembly.Instance(module).exports;\n\
         page.setTimeout(f); page.setTimeout(f);"
    );
    browser.client.execute(&script, vec![]).await?;
    goes_on_in_plain_html(&house, &browser).await?;
    ensure!(house.count("/launch/plain ") == 1, "one visit, and no loop");
    browser.close().await?;
    Ok(())
}

/// A patient's link, opened.
pub(crate) async fn opened(engine: Engine, house: &House, setting: Setting) -> Result<Browser> {
    let link = join_link(house, "patient").await?;
    let browser = Browser::with(engine, setting).await?;
    browser.client.goto(&format!("{}/", house.ehr)).await?;
    browser.follow(&link).await?;
    Ok(browser)
}

/// The page says what happens, offers to go on, and does so.
pub(crate) async fn goes_on_in_plain_html(house: &House, browser: &Browser) -> Result<()> {
    let screen = browser.screen("unsupported").await?;
    let text = screen.text().await?;
    ensure!(text.contains("Chrome"), "{text}");
    browser.shown("#plain button").await?.click().await?;
    is_in_the_plain_visit(house, browser).await
}

/// The visit goes on in plain HTML, and nothing of the link stays.
pub(crate) async fn is_in_the_plain_visit(house: &House, browser: &Browser) -> Result<()> {
    let form = format!("form[action=\"{VISIT}\"]");
    browser.shown(&form).await?;
    waits_for_the_host(browser).await?;
    let address = browser.client.current_url().await?;
    ensure!(address.path() == VISIT, "{address}");
    for address in browser.history().await? {
        ensure!(!address.contains("ticket="), "the history holds a ticket");
    }
    let asked = house.tap.requests();
    let gets = asked
        .iter()
        .filter(|request| request.line.starts_with("GET "));
    for request in gets {
        ensure!(!request.line.contains("ticket"), "{}", request.line);
    }
    Ok(())
}

/// With nothing but the page as it came.
async fn pastes(browser: &Browser, link: &str) -> Result<()> {
    browser.client.goto(link).await?;
    let field: Element = browser.shown("#plain input[name=link]").await?;
    field.send_keys(link).await?;
    browser.shown("#plain button").await?.click().await?;
    let heading = browser.shown(&format!("form[action=\"{VISIT}\"]")).await;
    heading?;
    let title = browser
        .client
        .find(Locator::Css("h1"))
        .await?
        .text()
        .await?;
    ensure!(title == "Waiting for the host", "{title}");
    Ok(())
}

/// Both the landing page and the plain one call it the same.
pub(crate) async fn waits_for_the_host(browser: &Browser) -> Result<()> {
    let script = "return Array.from(document.querySelectorAll('h1')).some((title) => \
        title.offsetParent && title.textContent === 'Waiting for the host')";
    browser.until("the guest waits for the host", script).await
}

/// Serves the landing page under another Content-Security-Policy.
async fn with_policy(house: &House, change: impl FnOnce(&str) -> String) -> Result<()> {
    with_page(house, |page, policy| (page, change(&policy))).await
}

/// Serves another landing page, or under another Content-Security-Policy.
pub(crate) async fn with_page(
    house: &House,
    change: impl FnOnce(String, String) -> (String, String),
) -> Result<()> {
    let before = fetch(house, "/webapp/").await?;
    let changed = change(before.0.clone(), before.1.clone());
    ensure!(changed != before, "{before:?}");
    let (page, policy) = changed;
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", &*policy),
    ];
    house
        .tap
        .answer("/webapp/", "200 OK", &headers, page.as_bytes());
    Ok(())
}

/// The path of the shim's module.
async fn path_of_the_module(house: &House) -> Result<String> {
    let page = fetch(house, "/webapp/").await?.0;
    let name = named(&page, ".wasm").context("the page has the module's address")?;
    Ok(path_of(name))
}

/// The path of the page's script.
async fn path_of_the_script(house: &House) -> Result<String> {
    let page = fetch(house, "/webapp/").await?.0;
    let (_, module) = page
        .split_once("type=\"module\"")
        .context("a module script")?;
    Ok(path_of(named(module, ".js").context("its address")?))
}

fn path_of(address: &str) -> String {
    if address.starts_with('/') {
        address.to_owned()
    } else {
        format!("/webapp/{address}")
    }
}

/// The address in an attribute that ends like this.
fn named<'a>(html: &'a str, ending: &str) -> Option<&'a str> {
    let (before, _) = html.split_once(ending)?;
    let begin = before.rfind(['"', '=', '\''])? + 1;
    html.get(begin..before.len() + ending.len())
}

/// A page and its policy.
async fn fetch(house: &House, path: &str) -> Result<(String, String)> {
    let answer = get(house, path).await?;
    let policy = answer.headers().get("content-security-policy");
    let policy = policy.context("a policy")?.to_str()?.to_owned();
    Ok((answer.text().await?, policy))
}

async fn fetch_bytes(house: &House, path: &str) -> Result<Vec<u8>> {
    Ok(get(house, path).await?.bytes().await?.to_vec())
}

async fn get(house: &House, path: &str) -> Result<reqwest::Response> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the client of the tests, which asks the server behind the tap"
    )]
    let client = reqwest::Client::builder().build()?;
    let address = format!("{}{path}", house.server_address());
    Ok(client.get(address).send().await?.error_for_status()?)
}
