//! The page looks as the person and the hospital want it to.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    accessibility::is_announced,
    states::{self, Deployments, single_tab},
    support::{
        browser::{Browser, engine::Engine},
        scripted::{Script, Scripted, granted},
    },
};

const HOST: &str = "conference=telehealth.1&name=Kim&role=host&pin=11111111";

/// Names as somebody could write them who means harm, or no harm at all.
const NAMES: [&str; 4] = [
    "<img src=x onerror=\"document.title='taken'\">",
    "{name} &amp; ${name} $& {{name}}",
    "\u{202e}Kim\u{2066}",
    "שרה אבו-סלמה",
];

#[tokio::test]
async fn nothing_moves_for_those_who_want_no_motion() -> Result<()> {
    let browser = Browser::start(Engine::Chromium).await?;
    let mut deployments = Deployments::default();
    let running = "return document.getAnimations()
        .filter((it) => it.effect.getComputedTiming().duration > 0).length";
    for (wish, moves) in [("no-preference", true), ("reduce", false)] {
        media(&browser, &[("prefers-reduced-motion", wish)]).await?;
        for state in states::all() {
            let waits = ["waiting", "let-in", "reconnecting", "connecting"];
            if !waits.contains(&state.name) {
                continue;
            }
            deployments.reach(&browser, &state, None).await?;
            let found = browser.client.execute(running, vec![]).await?;
            let found = found.as_u64().context("a number")?;
            ensure!((found > 0) == moves, "{} moves {found} times", state.name);
        }
    }
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn with_forced_colours_everything_that_can_be_used_keeps_its_edge() -> Result<()> {
    let browser = Browser::start(Engine::Chromium).await?;
    let mut deployments = Deployments::default();
    // Edges are as strong as the system's text there, which stands out from its canvas.
    let script = "
        const faint = [];
        const canvas = getComputedStyle(document.body).backgroundColor;
        const controls = 'button:enabled, a.button[href], input, select, .progress i';
        for (const it of document.querySelectorAll(controls)) {
          if (!it.checkVisibility({visibilityProperty: true})) continue;
          const style = getComputedStyle(it);
          const edge = parseFloat(style.borderTopWidth) >= 1 && style.borderTopStyle === 'solid' &&
            !/^rgba\\(.* 0\\)$/.test(style.borderTopColor) && style.borderTopColor !== canvas;
          if (!edge) faint.push(it.outerHTML.slice(0, 80) + ': ' + style.border);
          if (it.tabIndex < 0) continue;
          it.blur();
          it.focus({focusVisible: true});
          const ring = getComputedStyle(it);
          if (ring.outlineStyle === 'none' || parseFloat(ring.outlineWidth) < 2 ||
              ring.outlineColor === canvas) faint.push('focus: ' + it.outerHTML.slice(0, 80));
        }
        return faint";
    let mut faint = Vec::new();
    for state in states::all() {
        deployments.reach(&browser, &state, None).await?;
        is_announced(&browser, &state).await?;
        // Only a page in front shows where the focus is.
        browser.devtools("Page.bringToFront", json!({})).await?;
        for theme in ["light", "dark"] {
            media(
                &browser,
                &[("forced-colors", "active"), ("prefers-color-scheme", theme)],
            )
            .await?;
            let found = browser.client.execute(script, vec![]).await?;
            let found = found.as_array().context("a list")?;
            faint.extend(found.iter().map(|it| format!("{}: {it}", state.name)));
        }
        single_tab(&browser).await?;
    }
    ensure!(faint.is_empty(), "{faint:#?}");
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn name_logo_and_colour_of_the_hospital_are_seen_and_can_be_read() -> Result<()> {
    // Colours that are too light for the one theme or too dark for the other.
    for accent in ["#7a1f5c", "#ffd400", "#101010"] {
        let configuration = format!(
            "[landing_page]\nhospital = \"St Mary's & St John's <b>Hospital</b>\"\n\
             accent = \"{accent}\"\nlogo = {:?}\ndevice_check = \"before\"\n",
            states::LOGO
        );
        let deployment = Scripted::start(&configuration).await?;
        let browser = Browser::start(Engine::Chromium).await?;
        for theme in ["light", "dark"] {
            media(&browser, &[("prefers-color-scheme", theme)]).await?;
            deployment.play(Script::visit([granted("HOST")]));
            browser.client.goto("about:blank").await?;
            browser.client.goto(&deployment.link(HOST)).await?;
            browser.screen("ready").await?;
            branded(&browser).await?;
            let script = format!("{CONTRAST}\nreturn contrasts('[data-screen=ready] button')");
            let found = browser.client.execute(&script, vec![]).await?;
            for contrast in found.as_array().context("a list")? {
                let contrast = contrast.as_f64().context("a number")?;
                ensure!(contrast >= 4.5, "{accent} in the {theme} theme: {found}");
            }
            ensure!(found.as_array().is_some_and(|found| found.len() == 2));
        }
        browser.close().await?;
    }
    Ok(())
}

async fn branded(browser: &Browser) -> Result<()> {
    let name = "St Mary's & St John's <b>Hospital</b>";
    let script = "
        const logo = document.querySelector('header [data-brand=logo]');
        return {
          name: document.querySelector('header [data-brand=name]').textContent,
          title: document.title,
          logo: logo.checkVisibility() && logo.naturalWidth > 0 && logo.getBoundingClientRect().height,
        }";
    let logo = "const it = document.querySelector('header img'); return it.complete";
    browser.until("the logo is loaded", logo).await?;
    let found = browser.client.execute(script, vec![]).await?;
    ensure!(found["name"] == name, "{found}");
    let title = found["title"].as_str().unwrap_or_default();
    ensure!(title.ends_with(name), "{title}");
    ensure!(
        found["logo"].as_f64().is_some_and(|height| height >= 24.0),
        "{found}"
    );
    Ok(())
}

/// The contrast of text with what lies behind it, by WCAG 2.2's definition.
const CONTRAST: &str = "
    const luminance = (colour) => {
      const [red, green, blue] = colour.match(/[\\d.]+/g).slice(0, 3).map((channel) => {
        const share = channel / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const behind = (element) => {
      const colour = getComputedStyle(element).backgroundColor;
      return /^rgba.*, 0\\)$/.test(colour) ? behind(element.parentElement) : colour;
    };
    const contrasts = (selector) => Array.from(document.querySelectorAll(selector), (element) => {
      const [dark, light] = [getComputedStyle(element).color, behind(element)]
        .map(luminance).sort((one, other) => one - other);
      return (light + 0.05) / (dark + 0.05);
    });";

#[tokio::test]
async fn names_are_text_and_turn_nothing_around_them() -> Result<()> {
    let deployment = Scripted::start("").await?;
    let browser = Browser::start(Engine::Chromium).await?;
    let events = NAMES.iter().enumerate().map(|(index, name)| {
        let data = json!({
            "uuid": index.to_string(), "display_name": name, "role": "guest",
            "service_type": "conference",
        });
        ("participant_create", data)
    });
    let started = ("conference_update", json!({"started": true}));
    deployment.play(Script {
        events: [started].into_iter().chain(events).collect(),
        ..Script::visit([granted("HOST")])
    });
    browser.client.goto(&deployment.link(HOST)).await?;
    browser.screen("joined").await?;
    browser
        .until(
            "everybody is listed",
            "return document.querySelectorAll('#participants li').length === 4",
        )
        .await?;
    let script = "return Array.from(document.querySelectorAll('#participants li'), (it) => [
        it.querySelector('bdi').textContent,
        it.querySelectorAll('bdi > *, img, script').length,
      ])";
    let found = browser.client.execute(script, vec![]).await?;
    for name in NAMES {
        let listed = found.as_array().context("a list")?;
        ensure!(listed.contains(&json!([name, 0])), "{name} in {found}");
    }
    // One who comes later is said as text as well.
    let name = "{name} $& <b>Dax</b>";
    let data =
        json!({"uuid": "9", "display_name": name, "role": "guest", "service_type": "conference"});
    deployment.happen("participant_create", data);
    let said = json!(format!("{name} has joined."));
    let script = format!("return document.querySelector('#announcement').textContent === {said}");
    browser.until("who has come is said", &script).await?;
    let title = browser.client.title().await?;
    ensure!(title != "taken", "{title}");
    browser.close().await?;
    Ok(())
}

/// Sets features of the medium that the page is shown in.
async fn media(browser: &Browser, features: &[(&str, &str)]) -> Result<()> {
    let features: Vec<Value> = features
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    browser
        .devtools("Emulation.setEmulatedMedia", json!({"features": features}))
        .await?;
    Ok(())
}
