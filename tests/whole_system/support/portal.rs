//! A page of somebody else, with `<vestibule-launch>` on it out of the npm package, under
//! a content security policy that allows no more than the package asks for.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result, bail, ensure};
use axum::{
    Router,
    extract::{Path, State},
    http::{
        StatusCode,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::Value;
use tokio::{fs, process::Command, sync::OnceCell};

use super::{
    browser::Browser,
    process::{binary, target},
    scripted::Scripted,
};

/// What the page is and what it says on its own.
const SCRIPT: &str = "\
    window.told = [];\n\
    for (const name of ['screen', 'session', 'ended', 'failed']) {\n\
      addEventListener(`vestibule-${name}`, (event) => told.push([name, event.detail]));\n\
    }\n\
    addEventListener('securitypolicyviolation', (event) =>\n\
      told.push(['violation', `${event.violatedDirective} ${event.blockedURI}`]));\n\
    addEventListener('error', (event) =>\n\
      told.push(['error', event.message || event.target.src]), true);\n\
    window.element = () => document.querySelector('vestibule-launch');\n\
    window.put = (attributes) => {\n\
      const made = document.createElement('vestibule-launch');\n\
      for (const name in attributes) made.setAttribute(name, attributes[name]);\n\
      return document.querySelector('main').appendChild(made);\n\
    };\n\
    window.inside = (css) => element().shadowRoot.querySelector(css);\n";
const STYLE: &str = "\
    vestibule-launch { --accent: rgb(122, 31, 92); }\n\
    vestibule-launch::part(screen) { border-radius: 3px; }\n\
    vestibule-launch::part(joined) { border-width: 5px; }\n";

static PACKAGE: OnceCell<PathBuf> = OnceCell::const_new();

#[derive(Clone)]
struct Site {
    package: PathBuf,
    policies: [String; 2],
    changed: Arc<AtomicBool>,
}

/// The page's server, which is that of node and launch API too.
pub(crate) struct Portal {
    pub(crate) scripted: Scripted,
    changed: Arc<AtomicBool>,
}

impl Portal {
    /// Serves `/portal/bare`, `/portal/element` with the package's snippet and
    /// `/portal/module` with that of the module.
    pub(crate) async fn start() -> Result<Self> {
        // First: whoever has the pages in use already cannot wait for them.
        let package = PACKAGE.get_or_try_init(package).await?.clone();
        let readme = fs::read_to_string(package.join("README.md")).await?;
        let element = snippet(&readme, "html", 0)?;
        let bare = element.lines().next().context("a script")?;
        let preload = snippet(&readme, "html", 1)?;
        let module = format!(
            "{}\nwindow.outcome = await start({{ link: 'about:blank', renderErrorPage: String }})\n\
             .catch((error) => error.code);\n",
            snippet(&readme, "js", 0)?
        );
        let policies: Vec<String> = readme
            .lines()
            .filter(|line| line.contains("'none'") || line.contains("'self'"))
            .map(|line| {
                let quoted = line.split('`').rev().nth(1);
                quoted.unwrap_or(line).trim().to_owned()
            })
            .collect();
        let Ok(policies) = <[String; 2]>::try_from(policies) else {
            bail!("README.md does not have two policies");
        };
        let site = Site {
            package,
            policies,
            changed: Arc::default(),
        };
        let changed = Arc::clone(&site.changed);
        let policy = format!("default-src 'none'; img-src 'self'; {}", site.policies[0]);
        let page = |content: String| {
            let answer = (
                [
                    (CONTENT_SECURITY_POLICY, policy.clone()),
                    (CONTENT_TYPE, "text/html".to_owned()),
                ],
                content,
            );
            get(|| async move { answer })
        };
        let script = |text: String| get(|| async { ([(CONTENT_TYPE, "text/javascript")], text) });
        let pages = Router::new()
            .route("/portal/bare", page(html(bare, "")))
            .route("/portal/element", page(html("", &element)))
            .route(
                "/portal/module",
                page(html(
                    &format!("{preload}<script type=\"module\" src=\"module.js\"></script>"),
                    "",
                )),
            )
            .route("/portal/module.js", script(module))
            .route("/portal/portal.js", script(SCRIPT.to_owned()))
            .route(
                "/portal/portal.css",
                get(|| async { ([(CONTENT_TYPE, "text/css")], STYLE) }),
            )
            .route("/vestibule/{*file}", get(file))
            .with_state(site);
        Ok(Self {
            scripted: Scripted::with("", pages).await?,
            changed,
        })
    }

    /// From now on a few bytes are more in the WebAssembly that is served.
    pub(crate) fn change_the_module(&self) {
        self.changed.store(true, Ordering::SeqCst);
    }

    /// The address of a page.
    pub(crate) fn page(&self, name: &str) -> String {
        format!("{}/portal/{name}", self.scripted.address)
    }

    /// Waits until the element shows this screen.
    pub(crate) async fn screen(&self, browser: &Browser, name: &str) -> Result<()> {
        let script = format!(
            "return !!element() && !!element().shadowRoot && \
             !!inside('[data-screen={name}]:not([hidden])')"
        );
        let shown = browser.until(name, &script).await;
        if let Err(error) = shown {
            let told = self.told(browser).await?;
            return Err(error.context(format!("{told:?}")));
        }
        Ok(())
    }

    /// What the page was told since it was asked for this last, without screens; errors of
    /// scripts and violations of its policy too.
    pub(crate) async fn told(&self, browser: &Browser) -> Result<Vec<(String, Value)>> {
        let script = "return told.splice(0).filter(([name]) => name !== 'screen')
            .map(([name, detail]) => [name, detail && JSON.stringify(detail)])";
        let told = browser.client.execute(script, vec![]).await?;
        let told: Vec<(String, Option<String>)> = serde_json::from_value(told)?;
        told.into_iter()
            .map(|(name, detail)| {
                let detail = detail.map_or(Ok(Value::Null), |text| serde_json::from_str(&text))?;
                Ok((name, detail))
            })
            .collect()
    }

    /// What the page was told, and that this was one event of this name: its detail.
    pub(crate) async fn told_only(&self, browser: &Browser, name: &str) -> Result<Value> {
        let until = format!("return told.some(([it]) => it === '{name}')");
        browser.until(name, &until).await?;
        let mut told = self.told(browser).await?;
        ensure!(told.len() == 1 && told[0].0 == name, "{told:?}");
        Ok(told.remove(0).1)
    }
}

fn html(head: &str, content: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Portal</title>\
         <link rel=\"stylesheet\" href=\"portal.css\"><script src=\"portal.js\"></script>{head}\
         </head><body><header><h1>Your appointments</h1></header><main>{content}</main></body></html>"
    )
}

/// Makes the package out of the modules as they were built last.
async fn package() -> Result<PathBuf> {
    let folder = target()?.join("tmp/portal/vestibule");
    let made = Command::new(binary("xtask")?)
        .args(["package", "--output"])
        .arg(&folder)
        .output()
        .await?;
    ensure!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    Ok(folder)
}

/// The block of code with this number among those in this language.
fn snippet(readme: &str, language: &str, number: usize) -> Result<String> {
    let start = format!("```{language}\n");
    let blocks = readme.split(&start).skip(1);
    let block = blocks.map(|text| text.split("\n```").next()).nth(number);
    Ok(block.flatten().context("README.md has the snippet")?.into())
}

/// A file of the package.
async fn file(State(site): State<Site>, Path(file): Path<String>) -> Response {
    let Ok(mut bytes) = fs::read(site.package.join(&file)).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match file.rsplit('.').next().unwrap_or_default() {
        "wasm" => "application/wasm",
        "js" => "text/javascript",
        "css" => "text/css",
        "json" => "application/json",
        _ => "text/html",
    };
    if kind == "application/wasm" && site.changed.load(Ordering::SeqCst) {
        // A custom section without a name or content: valid, and another module.
        bytes.extend([0, 1, 0]);
    }
    let mut response = ([(CONTENT_TYPE, kind)], bytes).into_response();
    if kind == "text/html"
        && let Ok(policy) = site.policies[1].parse()
    {
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}
