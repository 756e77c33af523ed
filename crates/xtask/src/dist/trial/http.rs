//! As much of HTTP/1.1 as following a launch takes.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result};

/// Longest wait for the next bytes of an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// Asks for a page.
pub(super) fn get(url: &str) -> Result<Answer> {
    ask("GET", url, "")
}

/// Sends a form.
pub(super) fn post(url: &str, form: &str) -> Result<Answer> {
    let length = form.len();
    let headers = format!(
        "content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{form}"
    );
    ask("POST", url, &headers)
}

impl Answer {
    /// A header, by its name in small letters.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Self {
            status,
            headers,
            body: bytes[end + 4..].to_vec(),
        })
    }
}

/// One request a connection. HTTP/1.0, so that no answer comes in chunks.
fn ask(method: &str, url: &str, rest: &str) -> Result<Answer> {
    let below = url.strip_prefix("http://");
    let below = below.with_context(|| format!("{method} goes to {url}"))?;
    let (authority, path) = below.split_once('/').unwrap_or((below, ""));
    let path = path.split('#').next().unwrap_or_default();
    let mut stream =
        TcpStream::connect(authority).with_context(|| format!("cannot connect to {authority}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let end = if rest.is_empty() { "\r\n" } else { rest };
    write!(
        stream,
        "{method} /{path} HTTP/1.0\r\nhost: {authority}\r\n{end}"
    )?;
    let mut bytes = Vec::new();
    stream
        .read_to_end(&mut bytes)
        .with_context(|| format!("{authority} does not answer"))?;
    Answer::parse(&bytes).with_context(|| format!("{authority} answers no HTTP"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart_at_its_empty_line() {
        let bytes = b"HTTP/1.0 303 See Other\r\nLocation: /a?b:c\r\nX: y\r\n\r\nbody\r\n\r\n\xff";
        let answer = Answer::parse(bytes).unwrap();
        assert_eq!(answer.status, 303);
        assert_eq!(answer.header("location"), Some("/a?b:c"));
        assert_eq!(answer.header("y"), None);
        assert_eq!(answer.body, b"body\r\n\r\n\xff");
        assert!(Answer::parse(b"HTTP/1.0 200 OK\r\n").is_none());
    }
}
