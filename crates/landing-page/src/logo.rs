//! The hospital's logo: an image that is part of the page itself.

use std::{
    io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;

/// Largest logo, in bytes: it comes with the page, before anything is seen.
pub const MOST_LOGO_BYTES: usize = 32 * 1024;

/// What an SVG image must not have: it may be opened by itself, where scripts would run,
/// and a document type declares what grows when it is read.
const REFUSED_IN_SVG: [&str; 5] = [
    "<script",
    "<!doctype",
    "<!entity",
    "<foreignobject",
    "javascript:",
];

/// Where the logo comes from: a file, or a `data:` URL.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum LogoSource {
    /// A file; a relative path starts at the folder of the configuration.
    File(PathBuf),
    /// The image itself.
    Image(LogoImage),
}

/// A checked image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoImage {
    kind: LogoKind,
    bytes: Vec<u8>,
}

/// The formats that every browser shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoKind {
    /// Portable Network Graphics.
    Png,
    /// Scalable Vector Graphics.
    Svg,
    /// WebP.
    Webp,
}

/// Why an image cannot be the logo.
#[derive(Debug, thiserror::Error)]
pub enum LogoError {
    /// The file cannot be read.
    #[error("logo: {path}: {source}; check the path and its permissions", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is no PNG, SVG or WebP image.
    #[error("logo: take a PNG, SVG or WebP image")]
    Kind,
    /// It is too large.
    #[error("logo: {0} bytes are too many; take an image of at most {MOST_LOGO_BYTES}")]
    TooLarge(usize),
    /// An SVG image with more than an image in it.
    #[error(
        "logo: an SVG image must have no script, document type or foreign object in it; take {0:?} out"
    )]
    Active(&'static str),
    /// A `data:` URL that is not in base64.
    #[error(
        "logo: write a data URL in base64, such as \"data:image/png;base64,…\", or the path of a file"
    )]
    DataUrl,
}

impl LogoSource {
    /// The image, a file being read by `read`.
    ///
    /// # Errors
    /// Where the file cannot be read or is no logo.
    pub fn load(
        &self,
        read: impl FnOnce(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<LogoImage, LogoError> {
        match self {
            Self::Image(image) => Ok(image.clone()),
            Self::File(path) => {
                let bytes = read(path).map_err(|source| LogoError::Unreadable {
                    path: path.clone(),
                    source,
                })?;
                LogoImage::new(bytes)
            }
        }
    }
}

impl TryFrom<String> for LogoSource {
    type Error = LogoError;

    fn try_from(text: String) -> Result<Self, LogoError> {
        let Some(rest) = text.strip_prefix("data:") else {
            return Ok(Self::File(text.into()));
        };
        let (_, encoded) = rest.split_once(";base64,").ok_or(LogoError::DataUrl)?;
        let bytes = BASE64_STANDARD
            .decode(encoded)
            .map_err(|_| LogoError::DataUrl)?;
        LogoImage::new(bytes).map(Self::Image)
    }
}

impl LogoImage {
    /// Checks an image. Its kind is what it says itself, not its name.
    ///
    /// # Errors
    /// Where it is none that can be the logo.
    pub fn new(bytes: Vec<u8>) -> Result<Self, LogoError> {
        if bytes.len() > MOST_LOGO_BYTES {
            return Err(LogoError::TooLarge(bytes.len()));
        }
        let kind = kind(&bytes)?;
        Ok(Self { kind, bytes })
    }

    /// The format.
    pub fn kind(&self) -> LogoKind {
        self.kind
    }

    /// The image as it came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The image as an address of its own.
    pub fn data_url(&self) -> String {
        let encoded = BASE64_STANDARD.encode(&self.bytes);
        format!("data:{};base64,{encoded}", self.kind.media_type())
    }
}

impl LogoKind {
    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Svg => "image/svg+xml",
            Self::Webp => "image/webp",
        }
    }

    /// How file names of it end, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
            Self::Webp => "webp",
        }
    }
}

fn kind(bytes: &[u8]) -> Result<LogoKind, LogoError> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.get(12..16) == Some(b"IHDR") {
        return Ok(LogoKind::Png);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(LogoKind::Webp);
    }
    let text = str::from_utf8(bytes).map_err(|_| LogoError::Kind)?;
    let text = text.to_ascii_lowercase();
    let begins = text.trim_start_matches('\u{feff}').trim_start();
    if !(begins.starts_with("<svg") || begins.starts_with("<?xml") || begins.starts_with("<!--"))
        || !text.contains("<svg")
    {
        return Err(LogoError::Kind);
    }
    let refused = REFUSED_IN_SVG.into_iter().find(|part| text.contains(part));
    match refused.or_else(|| has_handler(&text).then_some("on…=")) {
        Some(part) => Err(LogoError::Active(part)),
        None => Ok(LogoKind::Svg),
    }
}

/// Whether a tag has an attribute whose name begins with `on`.
fn has_handler(text: &str) -> bool {
    text.split('<').skip(1).any(|tag| {
        let tag = tag.split_once('>').map_or(tag, |(tag, _)| tag);
        let mut words = tag.split(|character: char| {
            character.is_ascii_whitespace() || matches!(character, '"' | '\'' | '/')
        });
        words.any(|word| {
            let name = word.split_once('=').map_or(word, |(name, _)| name);
            name.len() > 2 && name.starts_with("on")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M0 0\"/></svg>";

    fn png() -> Vec<u8> {
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01".to_vec()
    }

    #[test]
    fn the_three_formats_are_told_by_their_contents() {
        for (bytes, kind) in [
            (png(), LogoKind::Png),
            (b"RIFF\x10\0\0\0WEBPVP8 ".to_vec(), LogoKind::Webp),
            (SVG.into(), LogoKind::Svg),
            (
                format!("\u{feff}<?xml version=\"1.0\"?>\n<!-- made --> {SVG}").into(),
                LogoKind::Svg,
            ),
        ] {
            assert_eq!(LogoImage::new(bytes).unwrap().kind(), kind);
        }
        for bytes in [
            &b""[..],
            b"GIF89a",
            b"\xff\xd8\xff\xe0",
            b"<html><svg></svg>",
            b"\x89PNG",
        ] {
            assert!(matches!(LogoImage::new(bytes.into()), Err(LogoError::Kind)));
        }
    }

    #[test]
    fn an_svg_image_that_does_more_than_show_is_refused() {
        for svg in [
            "<svg><SCRIPT>alert(1)</SCRIPT></svg>",
            "<svg onload=\"alert(1)\"></svg>",
            "<svg><path/onclick='x'/></svg>",
            "<svg><a href=\"javascript:alert(1)\"/></svg>",
            "<?xml version=\"1.0\"?><!DOCTYPE svg [<!ENTITY a \"b\">]><svg/>",
            "<svg><foreignObject/></svg>",
        ] {
            let refused = LogoImage::new(svg.into());
            assert!(matches!(refused, Err(LogoError::Active(_))), "{svg}");
        }
    }

    #[test]
    fn a_logo_is_no_larger_than_a_page_can_bear() {
        let mut bytes = png();
        bytes.resize(MOST_LOGO_BYTES, 0);
        assert!(LogoImage::new(bytes.clone()).is_ok());
        bytes.push(0);
        let refused = LogoImage::new(bytes).unwrap_err().to_string();
        assert!(refused.contains("32769"), "{refused}");
    }

    #[test]
    fn a_data_url_is_read_and_given_again() {
        let image = LogoImage::new(png()).unwrap();
        let source = LogoSource::try_from(image.data_url()).unwrap();
        assert_eq!(source, LogoSource::Image(image.clone()));
        let unread = source.load(|_| unreachable!("the image is here"));
        assert_eq!(unread.unwrap(), image);
        for text in [
            "data:image/png,x",
            "data:image/png;base64,!",
            "data:;base64,AAAA",
        ] {
            assert!(LogoSource::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_is_read_when_it_is_wanted_and_its_fault_names_it() {
        let source = LogoSource::try_from("logo.svg".to_owned()).unwrap();
        let image = source.load(|path| {
            assert_eq!(path, Path::new("logo.svg"));
            Ok(SVG.into())
        });
        assert_eq!(image.unwrap().bytes(), SVG.as_bytes());
        let missing = source.load(|_| Err(io::ErrorKind::NotFound.into()));
        assert!(missing.unwrap_err().to_string().contains("logo.svg"));
    }
}
