//! Putting the configuration into the page.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    Configuration, Connect, DeviceCheck, HandOver, LogoImage, Origin, Theme,
    html::{Changes, Tag, escaped, tags},
    themes,
};

/// What the scripts read: the content of `<meta name="vestibule">`.
const META: &str = "vestibule";

/// Routes of the launch API begin with this.
const LAUNCH_API: &str = "/api/telehealth/";

/// A page ready to be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The whole document.
    pub html: String,
    /// By which a Content-Security-Policy allows the page's own style: `'sha256-…'`.
    /// None where it has none.
    pub style_hash: Option<String>,
    /// By which it allows the scripts that stand in the page, likewise.
    pub script_hashes: Vec<String>,
}

/// Why a page cannot be configured: it is not the one that was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// There is no `</head>`.
    #[error("the page has no </head>")]
    NoHead,
    /// An element whose text is to be replaced has elements in it.
    #[error("an element with data-brand or the title has more than text in it")]
    NotText,
}

/// What the scripts of the page are told; what is as usual is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    launch_api: Option<&'a str>,
    #[serde(skip_serializing_if = "is_usual")]
    hand_over: HandOver,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect: Option<&'a Connect>,
    #[serde(skip_serializing_if = "is_usual")]
    device_check: DeviceCheck,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
}

/// Puts name, logo, colour and what the scripts need into the page. Its files are asked
/// for under the first of the configuration's paths, wherever the page itself stands.
///
/// `logo` is the image of the configuration's logo, loaded.
///
/// # Errors
/// Where `index_html` is not the landing page.
pub fn apply(
    index_html: &str,
    configuration: &Configuration,
    logo: Option<&LogoImage>,
) -> Result<Page, ApplyError> {
    let mut changes = Changes::default();
    let found = tags(index_html);
    let head_end = found.iter().find(|tag| tag.name == "/head");
    let head_end = head_end.ok_or(ApplyError::NoHead)?.range.start;
    let style = configuration.accent.map(|accent| style(&themes(accent)));

    let meta = format!(
        "<meta name=\"{META}\" content=\"{}\">",
        escaped(&told(configuration))
    );
    // The scripts may run as soon as they are read.
    let scripts = found.iter().find(|tag| tag.name == "script");
    let before_scripts = scripts.map_or(head_end, |tag| tag.range.start);
    changes.replace(before_scripts..before_scripts, meta);

    for (index, tag) in found.iter().enumerate() {
        let next = found.get(index + 1);
        let is_meta = tag.name == "meta" && tag.attribute("name") == Some(META);
        if is_meta {
            changes.replace(tag.range.clone(), String::new());
        } else if tag.name == "title" {
            if let Some(hospital) = &configuration.hospital {
                replace_text(&mut changes, tag, next, hospital)?;
            }
        } else if let Some(part) = tag.attribute("data-brand") {
            brand(&mut changes, part, tag, next, configuration, logo)?;
        } else if let Some((attribute, address)) = moved(tag, configuration) {
            let rewritten = tag.rewritten(&[(attribute, &address)], &[]);
            changes.replace(tag.range.clone(), rewritten);
        }
    }
    let inline = style
        .as_ref()
        .map_or_else(String::new, |style| format!("<style>{style}</style>"));
    changes.replace(head_end..head_end, inline);

    Ok(Page {
        html: changes.apply(index_html),
        style_hash: style.as_deref().map(hash),
        script_hashes: inline_scripts(index_html, &found).map(hash).collect(),
    })
}

/// The texts of the scripts that stand in the page.
fn inline_scripts<'a>(page: &'a str, tags: &'a [Tag<'_>]) -> impl Iterator<Item = &'a str> {
    tags.windows(2).filter_map(|pair| {
        let [script, end] = pair else { return None };
        let is_inline = script.name == "script" && script.attribute("src").is_none();
        is_inline.then(|| &page[script.range.end..end.range.start])
    })
}

/// A source of a Content-Security-Policy that allows this text.
fn hash(text: &str) -> String {
    let hash = BASE64_STANDARD.encode(Sha256::digest(text));
    format!("'sha256-{hash}'")
}

/// What is the hospital's own on the page. An element whose part is not configured stays
/// as it is.
fn brand(
    changes: &mut Changes,
    part: &str,
    tag: &Tag<'_>,
    next: Option<&Tag<'_>>,
    configuration: &Configuration,
    logo: Option<&LogoImage>,
) -> Result<(), ApplyError> {
    match part {
        "logo" => {
            if let Some(logo) = logo {
                let set = [("src", &*logo.data_url())];
                let rewritten = tag.rewritten(&set, &["hidden", "srcset"]);
                changes.replace(tag.range.clone(), rewritten);
            } else if let Some((attribute, address)) = moved(tag, configuration) {
                let rewritten = tag.rewritten(&[(attribute, &address)], &[]);
                changes.replace(tag.range.clone(), rewritten);
            }
        }
        "name" => {
            if let Some(hospital) = &configuration.hospital {
                changes.replace(tag.range.clone(), unhidden_own_words(tag));
                replace_text(changes, tag, next, hospital)?;
            }
        }
        "help" => {
            if let Some(help_line) = &configuration.help_line {
                changes.replace(tag.range.clone(), unhidden_own_words(tag));
                replace_text(changes, tag, next, help_line)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Shown, and no longer to be translated: a name is the same in every language.
fn unhidden_own_words(tag: &Tag<'_>) -> String {
    tag.rewritten(&[], &["hidden", "data-text"])
}

fn replace_text(
    changes: &mut Changes,
    tag: &Tag<'_>,
    next: Option<&Tag<'_>>,
    text: &str,
) -> Result<(), ApplyError> {
    let is_end = |next: &&Tag<'_>| next.name.strip_prefix('/') == Some(&*tag.name);
    let end = next.filter(is_end).ok_or(ApplyError::NotText)?;
    changes.replace(tag.range.end..end.range.start, escaped(text));
    Ok(())
}

/// The attribute with an address that only holds at another place, and where it leads
/// from everywhere.
fn moved(tag: &Tag<'_>, configuration: &Configuration) -> Option<(&'static str, String)> {
    let attribute = match tag.name.as_str() {
        "link" => "href",
        "script" | "img" => "src",
        // The frame is loaded when it is wanted.
        "div" => "data-failure",
        "form" => "action",
        _ => return None,
    };
    let address = tag.attribute(attribute)?;
    if attribute == "action" {
        let launch_api = configuration.launch_api.as_ref()?;
        let is_ours = address.starts_with(LAUNCH_API);
        return is_ours.then(|| (attribute, format!("{}{address}", launch_api.as_str())));
    }
    let is_relative = !address.is_empty()
        && !address.starts_with(['/', '#', '?'])
        && !address.split(['/', '?', '#']).next()?.contains(':');
    let folder = configuration.assets();
    is_relative.then(|| (attribute, format!("{}{address}", folder.as_str())))
}

fn told(configuration: &Configuration) -> String {
    let told = Told {
        node: configuration.node.as_ref().map(Origin::as_str),
        launch_api: configuration.launch_api.as_ref().map(Origin::as_str),
        hand_over: configuration.hand_over,
        connect: configuration.connect.as_ref(),
        device_check: configuration.device_check,
        language: configuration.language.as_deref(),
    };
    serde_json::to_string(&told).expect("texts and names of choices are JSON")
}

/// The custom properties of either theme, for the page and for a custom element.
fn style([light, dark]: &[Theme; 2]) -> String {
    let rule = |theme: &Theme| {
        format!(
            ":root,:host{{--accent:{};--accent-strong:{};--accent-soft:{};--on-accent:{}}}",
            theme.accent, theme.strong, theme.soft, theme.on_accent
        )
    };
    format!(
        "{}@media(prefers-color-scheme:dark){{{}}}",
        rule(light),
        rule(dark)
    )
}

fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
