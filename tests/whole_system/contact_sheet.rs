//! Pictures of every state of the page, on one sheet: what people see, to be looked at.

use std::{fmt::Write as _, fs};

use anyhow::Result;

use crate::{
    languages::speaks,
    states::{self, Deployments, single_tab},
    support::{
        browser::{Browser, engine::Engine},
        process::target,
    },
};

/// How the page is looked at: name, width, height, theme.
type View = (&'static str, u32, u32, &'static str);

/// By language.
const VIEWS: [(Option<&str>, &[View]); 2] = [
    (
        None,
        &[
            ("phone", 360, 740, "light"),
            ("phone, dark", 360, 740, "dark"),
            ("desktop", 1280, 800, "light"),
        ],
    ),
    (Some("ar"), &[("phone, Arabic", 360, 740, "light")]),
];

#[tokio::test]
async fn every_state_is_on_the_contact_sheet() -> Result<()> {
    let browser = Browser::start(Engine::Chromium).await?;
    let folder = target()?.join("screenshots");
    fs::create_dir_all(folder.join("states"))?;
    let mut deployments = Deployments::default();
    let mut sheet = String::new();
    for state in states::all() {
        let mut pictures = String::new();
        for (language, views) in VIEWS {
            deployments.reach(&browser, &state, language).await?;
            speaks(&browser, language.unwrap_or("en")).await?;
            for &(view, width, height, theme) in views {
                browser.view(width, height).await?;
                browser.theme(theme).await?;
                let file = format!("states/{}-{}.png", state.name, view.replace(", ", "-"));
                fs::write(folder.join(&file), browser.whole_page().await?)?;
                write!(
                    pictures,
                    "<figure><img height=370 src='{file}' alt=''>\
                     <figcaption>{view}</figcaption></figure>"
                )?;
            }
            single_tab(&browser).await?;
        }
        write!(
            sheet,
            "<section><h2>{}</h2><div>{pictures}</div></section>",
            state.name
        )?;
    }
    let sheet = format!(
        "<!doctype html><meta charset=utf-8><title>Contact sheet</title>\
         <style>body{{font:14px sans-serif;background:#888;margin:16px;\
         display:grid;grid-template-columns:auto auto;gap:0 32px;inline-size:max-content}}\
         div{{display:flex;gap:12px}}figure{{margin:0}}img{{display:block}}</style>{sheet}"
    );
    let file = folder.join("contact-sheet.html");
    fs::write(&file, sheet)?;

    browser.view(1280, 800).await?;
    browser.theme("light").await?;
    browser
        .client
        .goto(&format!("file://{}", file.display()))
        .await?;
    let png = browser.whole_page().await?;
    fs::write(folder.join("contact-sheet.png"), png)?;
    browser.close().await?;
    Ok(())
}
