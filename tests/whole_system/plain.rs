//! The pages of the visit in plain HTML: axe-core finds nothing in them, they fit, and
//! they can be looked at.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::support::{
    browser::{Browser, engine::Engine},
    house::House,
    launcher::join_link,
    process::target,
};

/// Where a visit begins.
const PLAIN: &str = "/api/telehealth/v1/launch/plain";

/// A phone.
const PHONE: (u32, u32) = (360, 740);

/// 1280 by 1024 at 400 % (WCAG 2.2, 1.4.10).
const ENLARGED: (u32, u32) = (320, 256);

/// One walk through the pages.
struct Walk<'a> {
    browser: &'a Browser,
    axe: &'a str,
    language: &'a str,
    findings: Vec<String>,
}

#[tokio::test]
async fn axe_finds_nothing_in_the_plain_pages_in_either_theme_and_direction() -> Result<()> {
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("node_modules/axe-core/axe.min.js");
    let axe = fs::read_to_string(axe).context("axe-core is needed: run `cargo xtask test`")?;
    let house = House::start().await?;
    let browser = Browser::start(Engine::Chromium).await?;
    for language in ["en", "ar"] {
        let link = join_link(&house, "clinician").await?;
        let (page, _) = link.split_once("/webapp").context("the landing page")?;
        browser.client.goto(&format!("{page}{PLAIN}")).await?;
        let mut walk = Walk {
            browser: &browser,
            axe: &axe,
            language,
            findings: Vec::new(),
        };
        walk.sends(PLAIN, json!({"link": "nothing", "language": language}))
            .await?;
        walk.examine("link").await?;
        let (_, alias) = link.split_once("conference=").context("an alias")?;
        let alias = alias.split('&').next().unwrap_or_default();
        let anybody = format!("{page}/webapp/#/?conference={alias}");
        walk.sends(PLAIN, json!({"link": anybody, "language": language}))
            .await?;
        walk.examine("name").await?;
        walk.steps(json!({"step": "name", "name": "Ada Lovelace"}))
            .await?;
        walk.steps(json!({"step": "pin", "pin": "00000000"}))
            .await?;
        walk.examine("role").await?;
        walk.steps(json!({"step": "guest"})).await?;
        walk.examine("waiting").await?;
        walk.steps(json!({"step": "leave"})).await?;
        walk.examine("left").await?;
        walk.sends(PLAIN, json!({"link": link, "language": language}))
            .await?;
        walk.examine("joined").await?;
        walk.steps(json!({"step": "leave"})).await?;
        let Walk { findings, .. } = walk;
        ensure!(findings.is_empty(), "{findings:#?}");
    }
    browser.close().await?;
    Ok(())
}

impl Walk<'_> {
    /// Sends a form of the visit.
    async fn steps(&self, fields: Value) -> Result<()> {
        self.sends(&format!("{PLAIN}/visit"), fields).await
    }

    /// Sends a form, and waits for the page that it leads to.
    async fn sends(&self, path: &str, fields: Value) -> Result<()> {
        let script = "document.documentElement.id = 'before';
            const form = document.createElement('form');
            form.method = 'post';
            form.action = arguments[0];
            for (const [name, value] of Object.entries(arguments[1])) {
              const field = document.createElement('input');
              Object.assign(field, {type: 'hidden', name, value});
              form.append(field);
            }
            document.body.append(form);
            form.submit()";
        let parameters = vec![path.into(), fields];
        self.browser.client.execute(script, parameters).await?;
        let script = "return document.documentElement.id !== 'before' &&
            document.readyState === 'complete'";
        self.browser.until("the next page is there", script).await
    }

    async fn examine(&mut self, name: &str) -> Result<()> {
        let Self {
            browser, language, ..
        } = *self;
        let script = "return document.documentElement.lang === arguments[0]";
        let speaks = browser
            .client
            .execute(script, vec![language.into()])
            .await?;
        ensure!(
            speaks == Value::Bool(true),
            "{name} speaks another language"
        );
        let (width, height) = ENLARGED;
        browser.view(width, height).await?;
        let script = "const root = document.documentElement;
            return root.scrollWidth <= root.clientWidth";
        let fits = browser.client.execute(script, vec![]).await?;
        ensure!(fits == Value::Bool(true), "{name} does not fit");
        let folder = target()?.join("screenshots/plain");
        fs::create_dir_all(&folder)?;
        let (width, height) = PHONE;
        browser.view(width, height).await?;
        for theme in ["light", "dark"] {
            browser.theme(theme).await?;
            let picture = browser.client.screenshot().await?;
            fs::write(
                folder.join(format!("{name}-{language}-{theme}.png")),
                picture,
            )?;
            let found = self.look().await?;
            let found = found.into_iter();
            let place = format!("{name}, {language}, {theme}");
            self.findings
                .extend(found.map(|rule| format!("{place}: {rule}")));
        }
        Ok(())
    }

    /// What axe-core has to say, of the frame as well.
    async fn look(&self) -> Result<Vec<String>> {
        let client = &self.browser.client;
        client.execute(self.axe, vec![]).await?;
        if let Ok(frame) = client.find(fantoccini::Locator::Css("iframe")).await {
            frame.enter_frame().await?;
            client.execute(self.axe, vec![]).await?;
            client.enter_parent_frame().await?;
        }
        let script = "const done = arguments[arguments.length - 1];
            axe.run(document, {resultTypes: ['violations']}).then(
              (found) => done(found.violations.map((rule) => rule.id + ': ' +
                rule.nodes.map((node) => node.html + ' ' + node.failureSummary).join(' | '))),
              (error) => done(['axe failed: ' + error]));";
        let found = client.execute_async(script, vec![Value::Null]).await?;
        let found = found.as_array().context("a list")?;
        let found = found.iter().filter_map(Value::as_str);
        Ok(found.map(str::to_owned).collect())
    }
}
