//! The admin pages with real visits in them: pictures of each on one sheet, nothing for
//! axe-core to find, and a page that is brought up to date while it is looked at.

use std::{fmt::Write as _, fs, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::{Client, Response, header::LOCATION};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    accessibility::{axe, findings},
    support::{
        browser::{Browser, engine::Engine},
        house::House,
        process::target,
    },
};

/// The administrator is `admin`, the password `correct horse battery`; its hash is made
/// with less work than a real one.
const ADMIN: &str = "[admin]\nlisten = \"127.0.0.1:0\"\nusername = \"admin\"\n\
    password_hash = \"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$wZeUqErRQM9fr7+3IJVQyFsb5QPhYeqkXwNGZgBH/L4\"\n";

/// The EHR takes the end of a call. It knows no user of these launches, so that nobody's
/// connection can be told: those write-backs are given up.
const TELLING: &str = r#"
[write_back]
[end_of_call]
url = "{ehr}/interconnect/api/telehealth/end-of-call"
fields = { csn = "unique_encounter_id", at = "ended_at" }
"#;

/// Appointments of the simulated EHR that are launched.
const APPOINTMENTS: u32 = 3;

/// Longest wait for the server to do what is due.
const PATIENCE: Duration = Duration::from_secs(60);

const DAY: i64 = 24 * 60 * 60 * 1000;

/// How the pages are looked at: name, width, height, theme.
const VIEWS: [(&str, u32, u32, &str); 3] = [
    ("desktop", 1280, 800, "light"),
    ("desktop, dark", 1280, 800, "dark"),
    ("phone", 360, 740, "light"),
];

/// 1280 by 1024 at 400 % (WCAG 2.2, 1.4.10).
const ENLARGED: (u32, u32) = (320, 256);

in_chromium!(
    every_admin_page_is_on_the_contact_sheet_fits_and_axe_finds_nothing,
    a_page_is_brought_up_to_date_while_it_is_looked_at,
    a_page_that_is_paused_or_in_use_stays_as_it_is,
);

async fn every_admin_page_is_on_the_contact_sheet_fits_and_axe_finds_nothing(
    engine: Engine,
) -> Result<()> {
    let house = House::configured(ADMIN, TELLING).await?;
    let people = People::new(&house)?;
    people.a_week().await?;
    people.come("patient", 1).await?;
    people.come("clinician", 1).await?;
    let browser = Browser::start(engine).await?;
    browser.view(1280, 800).await?;
    let admin = house.admin_address()?;
    let axe = axe()?;
    let mut sheet = String::new();
    let mut found = Vec::new();

    browser.client.goto(&format!("{admin}/admin")).await?;
    browser.shown("#password").await?;
    found.extend(look(&browser, &axe, "sign-in", &mut sheet).await?);
    sign_in(&browser).await?;
    let launch = |state: &str| format!("{admin}/admin/launches?state={state}");
    let failed = first_link(&browser, &launch("failed"), "/admin/launches/").await?;
    let past = format!("{admin}/admin/appointments?state=past");
    let appointment = first_link(&browser, &past, "/admin/appointments/").await?;
    let joined = first_link(&browser, &appointment, "/admin/launches/").await?;
    let profiles = format!("{admin}/admin/profiles");
    let profile = first_link(&browser, &profiles, "/admin/profiles/").await?;
    for (name, address) in [
        ("overview", format!("{admin}/admin")),
        ("appointments", format!("{admin}/admin/appointments")),
        ("appointment", appointment),
        ("launches", format!("{admin}/admin/launches")),
        ("failed-launch", failed),
        ("launch", joined),
        ("write-backs", format!("{admin}/admin/write-backs")),
        ("profiles", profiles),
        ("profile", profile),
        ("audit", format!("{admin}/admin/audit")),
    ] {
        browser.client.goto(&address).await?;
        browser.shown("main h1").await?;
        if name == "profile" {
            browser
                .shown("form[action$=doctor] button")
                .await?
                .click()
                .await?;
            browser.shown("caption").await?;
        }
        found.extend(look(&browser, &axe, name, &mut sheet).await?);
    }
    ensure!(found.is_empty(), "{found:#?}");
    write_sheet(&browser, &sheet).await?;
    browser.close().await?;
    Ok(())
}

async fn a_page_is_brought_up_to_date_while_it_is_looked_at(engine: Engine) -> Result<()> {
    let house = House::configured(ADMIN, TELLING).await?;
    let people = People::new(&house)?;
    people.fail("error=access_denied").await?;
    let browser = Browser::start(engine).await?;
    let admin = house.admin_address()?;
    browser
        .client
        .goto(&format!("{admin}/admin/launches"))
        .await?;
    sign_in(&browser).await?;
    let rows =
        |count| format!("return document.querySelectorAll('#live tbody tr').length === {count}");
    browser.until("the launch is listed", &rows(1)).await?;
    let live = "return document.querySelector('[data-live-says]').textContent === 'Live'";
    browser.until("the page is live", live).await?;
    // The focus stays where it is, and the document is the same one.
    let focus = "document.querySelector('#live tbody a').focus(); window.mine = true; return true";
    browser.until("the row has the focus", focus).await?;
    people.fail("error=access_denied").await?;
    browser
        .until("the other launch is listed", &rows(2))
        .await?;
    let same = "return window.mine === true && document.querySelector('#live').contains(document.activeElement) &&
        document.activeElement.href === document.querySelectorAll('#live tbody a')[1].href";
    browser.until("the focus is on the same row", same).await?;
    browser.close().await?;
    Ok(())
}

async fn a_page_that_is_paused_or_in_use_stays_as_it_is(engine: Engine) -> Result<()> {
    let house = House::configured(ADMIN, TELLING).await?;
    let people = People::new(&house)?;
    people.fail("error=access_denied").await?;
    let browser = Browser::start(engine).await?;
    let admin = house.admin_address()?;
    browser
        .client
        .goto(&format!("{admin}/admin/launches"))
        .await?;
    sign_in(&browser).await?;
    let says =
        |text| format!("return document.querySelector('[role=status]').textContent === '{text}'");
    let rows =
        |count| format!("return document.querySelectorAll('#live tbody tr').length === {count}");
    let press = "document.querySelector('.heading button').click(); return true";
    browser.until("the page is live", &says("Live")).await?;
    // The test hears what the page hears.
    let hear = "window.heard = 0;
        window.hearing = new EventSource('/admin/live?page=/admin/launches');
        window.hearing.addEventListener('watching', () => { window.watching = true; });
        window.hearing.addEventListener('changed', () => { window.heard += 1; });
        return true";
    browser.until("the test hears", hear).await?;
    let watching = "return window.watching === true";
    browser.until("the test is heard", watching).await?;

    browser.until("it is paused", press).await?;
    browser.until("it says so", &says("Paused")).await?;
    people.fail("error=access_denied").await?;
    let heard = |count| format!("return window.heard >= {count}");
    browser.until("it has changed", &heard(1)).await?;
    browser.until("nothing is replaced", &rows(1)).await?;
    browser.until("one goes on", press).await?;
    browser
        .until("the other launch is listed", &rows(2))
        .await?;
    browser.until("it is live again", &says("Live")).await?;

    let mark = "getSelection().selectAllChildren(document.querySelector('#live tbody a'));
        return !getSelection().isCollapsed";
    browser.until("a request id is marked", mark).await?;
    people.fail("error=access_denied").await?;
    browser.until("it has changed again", &heard(2)).await?;
    let kept = "return !getSelection().isCollapsed &&
        document.querySelectorAll('#live tbody tr').length === 2";
    browser.until("it is still marked", kept).await?;
    let unmark = "getSelection().removeAllRanges(); return true";
    browser.until("it is marked no more", unmark).await?;
    browser
        .until("the third launch is listed", &rows(3))
        .await?;
    browser.close().await?;
    Ok(())
}

/// Those who press the EHR's buttons.
struct People<'a> {
    house: &'a House,
    client: Client,
}

impl<'a> People<'a> {
    fn new(house: &'a House) -> Result<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the client of the tests, which stops at the join link"
        )]
        let builder = Client::builder();
        let client = builder.redirect(reqwest::redirect::Policy::none());
        Ok(Self {
            house,
            client: client.no_proxy().build()?,
        })
    }

    /// Visits and failures, as if they had been on the days of a week.
    async fn a_week(&self) -> Result<()> {
        for appointment in (1..=APPOINTMENTS).rev() {
            let patient = self.come("patient", appointment).await?;
            let clinician = self.come("clinician", appointment).await?;
            self.leave(&patient).await?;
            self.leave(&clinician).await?;
        }
        self.fail("error=access_denied").await?;
        self.fail("error=access_denied").await?;
        self.fail("code=wrong").await?;
        let options = SqliteConnectOptions::new().filename(self.house.database());
        let mut database = SqliteConnection::connect_with(&options).await?;
        let start = tokio::time::Instant::now();
        let unsent = "SELECT count(*) FROM write_backs WHERE state = 'unsent'";
        while sqlx::query_scalar::<_, i64>(unsent)
            .fetch_one(&mut database)
            .await?
            > 0
        {
            ensure!(start.elapsed() < PATIENCE, "not everything is sent");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for statement in [
            // Visits were longer than the test has time for.
            "UPDATE participants SET connected_at = connected_at + 9000 * appointment,
               disconnected_at = disconnected_at + 420000 * (appointment + 1)",
            "UPDATE conferences SET ended_at = ended_at + 420000 * (appointment + 1)",
            // One appointment, with all that belongs to it, for each day before today.
            "UPDATE write_backs SET created_at = created_at - ?1 * (SELECT appointment
               FROM launches WHERE launches.request_id = write_backs.request_id)",
            "UPDATE participants SET connected_at = connected_at - ?1 * appointment,
               disconnected_at = disconnected_at - ?1 * appointment",
            "UPDATE conferences SET started_at = started_at - ?1 * appointment,
               ended_at = ended_at - ?1 * appointment",
            "UPDATE appointments SET created_at = created_at - ?1 * id,
               last_used_at = last_used_at - ?1 * id",
            "UPDATE launches SET created_at = created_at - ?1 * coalesce(appointment, rowid % 4),
               completed_at = completed_at - ?1 * appointment,
               failed_at = failed_at - ?1 * coalesce(appointment, rowid % 4)",
        ] {
            sqlx::query(statement)
                .bind(DAY)
                .execute(&mut database)
                .await?;
        }
        database.close().await?;
        Ok(())
    }

    /// Presses a button, and is in the visit.
    async fn come(&self, page: &str, appointment: u32) -> Result<(String, String)> {
        let mut answer = self.press(page, appointment).await?;
        while !location(&answer)?.contains('#') {
            answer = self.client.get(location(&answer)?).send().await?;
        }
        let link = location(&answer)?;
        let (_, query) = link.split_once('?').context("a query")?;
        let parameter = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            let found = pairs.find(|(found, _)| found == name);
            found.map(|(_, value)| value.into_owned())
        };
        let alias = parameter("conference").context("an alias")?;
        let name = parameter("name").unwrap_or_default();
        let answer = self
            .node(&alias, "request_token")
            .header("pin", parameter("pin").unwrap_or_else(|| "none".to_owned()))
            .body(json!({"display_name": name}).to_string())
            .send()
            .await?;
        let answer: Value = serde_json::from_str(&answer.text().await?)?;
        let token = answer["result"]["token"].as_str();
        let token = token.with_context(|| format!("a token in {answer}"))?;
        Ok((alias, token.to_owned()))
    }

    async fn leave(&self, (alias, token): &(String, String)) -> Result<()> {
        let request = self.node(alias, "release_token").header("token", token);
        let answer = request.body("{}").send().await?;
        ensure!(answer.status() == 200, "{}", answer.status());
        Ok(())
    }

    /// Presses the clinician's button, and comes back from the sign-in with this.
    async fn fail(&self, back: &str) -> Result<()> {
        let mut answer = self.press("clinician", 1).await?;
        loop {
            let next = url::Url::parse(&location(&answer)?)?;
            let state = next.query_pairs().find(|(name, _)| name == "state");
            if let Some((_, state)) = state {
                let redirect = next.query_pairs().find(|(name, _)| name == "redirect_uri");
                let (_, redirect) = redirect.context("a redirect URL")?;
                let address = format!("{redirect}?{back}&state={state}");
                let answer = self.client.get(address).send().await?;
                ensure!(answer.status().as_u16() >= 400, "{}", answer.status());
                return Ok(());
            }
            answer = self.client.get(next).send().await?;
        }
    }

    async fn press(&self, page: &str, appointment: u32) -> Result<Response> {
        let request = self
            .client
            .post(format!("{}/{page}/launch", self.house.ehr));
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("appointment={appointment}"));
        Ok(request.send().await?)
    }

    fn node(&self, alias: &str, call: &str) -> reqwest::RequestBuilder {
        let house = &self.house.tap.address;
        let request = self
            .client
            .post(format!("{house}/api/client/v2/conferences/{alias}/{call}"));
        request.header("content-type", "application/json")
    }
}

fn location(answer: &Response) -> Result<String> {
    match answer.headers().get(LOCATION) {
        Some(location) => Ok(location.to_str()?.to_owned()),
        None => bail!("{} redirects no further: {}", answer.url(), answer.status()),
    }
}

async fn sign_in(browser: &Browser) -> Result<()> {
    browser.shown("#name").await?.send_keys("admin").await?;
    let password = browser.shown("#password").await?;
    password.send_keys("correct horse battery").await?;
    browser.shown("form button").await?.click().await?;
    browser.shown("main .heading").await?;
    Ok(())
}

/// The first address on a page that begins so.
async fn first_link(browser: &Browser, page: &str, begin: &str) -> Result<String> {
    browser.client.goto(page).await?;
    let link = browser.shown(&format!("main a[href^=\"{begin}\"]")).await?;
    link.prop("href").await?.context("an address")
}

/// Takes the pictures of a page, and gives what axe-core finds in it and what does not
/// fit.
async fn look(browser: &Browser, axe: &str, name: &str, sheet: &mut String) -> Result<Vec<String>> {
    let folder = target()?.join("screenshots/admin");
    fs::create_dir_all(&folder)?;
    let mut found = Vec::new();
    write!(sheet, "<section><h2>{name}</h2><div>")?;
    for (view, width, height, theme) in VIEWS {
        browser.view(width, height).await?;
        browser.theme(theme).await?;
        let file = format!("{name}-{}.png", view.replace(", ", "-"));
        fs::write(folder.join(&file), browser.whole_page().await?)?;
        write!(
            sheet,
            "<figure><img height=420 src='admin/{file}' alt=''><figcaption>{view}</figcaption></figure>"
        )?;
        let findings = findings(browser, axe).await?;
        found.extend(
            findings
                .into_iter()
                .map(|it| format!("{name}, {view}: {it}")),
        );
    }
    sheet.push_str("</div></section>");
    let (width, height) = ENLARGED;
    browser.view(width, height).await?;
    let script =
        "const root = document.documentElement; return root.scrollWidth <= root.clientWidth";
    if browser.client.execute(script, vec![]).await? != Value::Bool(true) {
        found.push(format!("{name} does not fit"));
    }
    browser.view(1280, 800).await?;
    browser.theme("light").await?;
    Ok(found)
}

async fn write_sheet(browser: &Browser, sheet: &str) -> Result<()> {
    let sheet = format!(
        "<!doctype html><meta charset=utf-8><title>Admin pages</title>\
         <style>body{{font:14px sans-serif;background:#888;margin:16px;inline-size:max-content}}\
         div{{display:flex;gap:12px}}figure{{margin:0}}img{{display:block}}</style>{sheet}"
    );
    let folder = target()?.join("screenshots");
    let file = folder.join("admin-contact-sheet.html");
    fs::write(&file, sheet)?;
    let address = format!("file://{}", file.display());
    browser.client.goto(&address).await?;
    let png = browser.whole_page().await?;
    fs::write(folder.join("admin-contact-sheet.png"), png)?;
    Ok(())
}
