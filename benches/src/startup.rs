//! From navigation to `request_token` arriving at the node, and from the node's refusal
//! to the error page: the shim beside Pexip's own client, a page in plain JavaScript, and
//! nunjucks.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    chromium::Chromium,
    site::{Site, UNKNOWN_ALIAS},
    statistics::median,
};

const OURS: &str = "vestibule";
const PEXIP: &str = "@pexip/infinity";
const VANILLA: &str = "vanilla";

/// Who is measured, and where its page is below the site.
const CONTENDERS: [(&str, &str); 3] = [(OURS, "webapp"), (PEXIP, "pexip"), (VANILLA, "vanilla")];

/// The ratios that we want to stay below.
const AT_MOST_OF_PEXIP: f64 = 0.6;
const AT_MOST_OF_VANILLA: f64 = 1.4;
const AT_MOST_OF_NUNJUCKS: f64 = 1.5;

const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// Notes when the request id of the failure is to be seen, in whatever frame.
const WATCH: &str = "
(function () {
  function texts(document) {
    let text = document.body ? document.body.innerText : '';
    for (const frame of document.querySelectorAll('iframe:not([hidden])')) {
      const inside = frame.contentDocument;
      if (inside && inside.body) text += inside.body.innerText;
    }
    return text;
  }
  (function look() {
    if (texts(document).includes('8d8ac610-566d-4ef0-9c22-186b2a5ed793')) {
      window.failureShown = performance.timeOrigin + performance.now();
    } else {
      requestAnimationFrame(look);
    }
  })();
})();";

/// Measures, and prints the ratios.
pub(crate) async fn run(
    root: &Path,
    www: &Path,
    (chromium, chromedriver): (&Path, &Path),
    runs: usize,
) -> Result<()> {
    let peers = TempDir::new()?;
    bundle(root, peers.path())?;
    let folders = [
        ("webapp", www.to_owned()),
        ("pexip", peers.path().join("pexip")),
        ("vanilla", peers.path().join("vanilla")),
    ];
    let mut site = Site::open(&folders).await?;
    let browser = Chromium::start(chromium, chromedriver).await?;
    let watch = json!({"source": WATCH});
    browser
        .devtools("Page.addScriptToEvaluateOnNewDocument", watch)
        .await?;

    let mut starts: [Vec<f64>; 3] = Default::default();
    let mut failures: [Vec<f64>; 3] = Default::default();
    // The first round warms the machine up and does not count.
    for run in 0..=runs {
        for turn in 0..CONTENDERS.len() {
            let index = (run + turn) % CONTENDERS.len();
            let (name, folder) = CONTENDERS[index];
            let measured = start(&browser, &mut site, &format!("{run}a/{folder}"))
                .await
                .with_context(|| format!("{name}: start"))?;
            let shown = if name == PEXIP {
                f64::NAN
            } else {
                failure(&browser, &mut site, &format!("{run}b/{folder}"))
                    .await
                    .with_context(|| format!("{name}: failure"))?
            };
            if run > 0 {
                starts[index].push(measured);
                failures[index].push(shown);
            }
        }
        eprint!(".");
    }
    eprintln!();
    report(runs, starts, failures);
    browser.client.close().await?;
    Ok(())
}

fn report(runs: usize, starts: [Vec<f64>; 3], failures: [Vec<f64>; 3]) {
    println!("Median of {runs}; 6x slower processor, 150 ms round trip, 1.6 Mbit/s.");
    let [ours, pexip, vanilla] = starts.map(median);
    println!("navigation to request_token at the node:");
    for (name, time) in [(OURS, ours), (PEXIP, pexip), (VANILLA, vanilla)] {
        println!("  {name:<18} {time:>6.0} ms");
    }
    println!(
        "  {}",
        ratio("of @pexip/infinity", ours / pexip, AT_MOST_OF_PEXIP)
    );
    println!(
        "  {}",
        ratio("of vanilla", ours / vanilla, AT_MOST_OF_VANILLA)
    );
    let [ours, _, nunjucks] = failures.map(median);
    println!("refusal to error page:");
    println!("  {OURS:<18} {ours:>6.0} ms");
    println!("  {:<18} {nunjucks:>6.0} ms", "nunjucks, lazy");
    println!(
        "  {}",
        ratio("of nunjucks", ours / nunjucks, AT_MOST_OF_NUNJUCKS)
    );
}

fn ratio(of: &str, ratio: f64, at_most: f64) -> String {
    let verdict = if ratio <= at_most {
        "as aimed at"
    } else {
        "MORE than aimed at"
    };
    format!("{ratio:.2} {of}; {verdict}, {at_most}")
}

/// Opens a page with a join link; milliseconds until its request has arrived.
async fn start(browser: &Chromium, site: &mut Site, page: &str) -> Result<f64> {
    let (arrival, origin) = open(browser, site, page, "telehealth.1").await?;
    Ok(arrival - origin)
}

/// Opens a page whose conference does not exist; milliseconds from the request, which is
/// answered at once, until the error page is to be seen.
async fn failure(browser: &Chromium, site: &mut Site, page: &str) -> Result<f64> {
    let (arrival, _) = open(browser, site, page, UNKNOWN_ALIAS).await?;
    let start = Instant::now();
    loop {
        let shown = browser.client.execute("return window.failureShown", vec![]);
        if let Some(shown) = shown.await?.as_f64() {
            return Ok(shown - arrival);
        }
        ensure!(start.elapsed() < PATIENCE, "no error page came");
        sleep(POLL).await;
    }
}

/// When the request arrived and when the navigation began, in milliseconds since 1970.
async fn open(browser: &Chromium, site: &mut Site, page: &str, alias: &str) -> Result<(f64, f64)> {
    browser.client.goto("about:blank").await?;
    while site.arrivals.try_recv().is_ok() {}
    let address = &site.address;
    let link = format!("{address}/{page}/#/?conference={alias}&name=Kim&role=guest");
    browser.client.goto(&link).await?;
    let arrival = timeout(PATIENCE, site.arrivals.recv())
        .await
        .context("no request_token arrived")?
        .context("the site runs")?;
    let origin = browser
        .client
        .execute("return performance.timeOrigin", vec![])
        .await?;
    Ok((arrival, origin.as_f64().context("a time")?))
}

/// Bundles the peers' pages into folders of their names.
fn bundle(root: &Path, output: &Path) -> Result<()> {
    let sources = root.join("benches/startup");
    for peer in ["pexip", "vanilla"] {
        let folder: PathBuf = output.join(peer);
        fs::create_dir_all(&folder)?;
        fs::copy(
            sources.join(peer).join("index.html"),
            folder.join("index.html"),
        )?;
        let mut esbuild = Command::new(root.join("node_modules/.bin/esbuild"));
        esbuild
            .arg(sources.join(peer).join("page.js"))
            .args(["--bundle", "--minify", "--format=esm", "--target=es2020"])
            .args(["--splitting", "--log-level=warning"])
            .arg(format!("--outdir={}", folder.display()));
        let status = esbuild
            .status()
            .context("esbuild is needed: run `cargo xtask bench startup`")?;
        ensure!(status.success(), "esbuild failed on {peer}");
    }
    Ok(())
}
