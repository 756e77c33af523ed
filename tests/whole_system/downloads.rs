//! What a launch downloads, and how often.

use anyhow::{Result, ensure};

use crate::{
    support::{
        browser::{Browser, engine::Engine},
        house::House,
    },
    visit::{CLINICIAN, launch},
};

in_every_browser!(a_launch_downloads_each_of_its_files_once_and_no_other_file);

async fn a_launch_downloads_each_of_its_files_once_and_no_other_file(engine: Engine) -> Result<()> {
    let house = House::start().await?;
    let browser = Browser::start(engine).await?;
    launch(&house, &browser, CLINICIAN).await?;
    browser.screen("joined").await?;
    let mut files: Vec<String> = house
        .tap
        .requests()
        .iter()
        .filter_map(|request| request.line.split(' ').nth(1).map(str::to_owned))
        .filter_map(|path| path.strip_prefix("/webapp/").map(str::to_owned))
        // The icon is asked for when the browser likes.
        .filter(|file| file.contains('.') && !file.starts_with("icon."))
        .map(|file| without_hash(&file))
        .collect();
    files.sort();
    // WebKit has the language of the machine, which may be none that the page knows.
    let script = "return /^en/i.test(navigator.language)";
    if browser.client.execute(script, vec![]).await? != true {
        files.retain(|file| file != "later.js" && !file.starts_with("locales/"));
    }
    let expected = ["css/landing.css", "vestibule.js", "vestibule.wasm"];
    ensure!(files == expected, "{files:?}");
    browser.close().await?;
    Ok(())
}

/// `css/landing.0123456789.css` as `css/landing.css`.
fn without_hash(file: &str) -> String {
    let mut parts: Vec<&str> = file.split('.').collect();
    if parts.len() == 3 {
        parts.remove(1);
    }
    parts.join(".")
}
