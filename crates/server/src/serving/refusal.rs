//! What somebody hears for whom there is no connection left.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Most who are told at a time; others are only turned away.
const MOST: usize = 64;

/// How long telling may take.
const LONGEST: Duration = Duration::from_secs(2);

const ANSWER: &str = "HTTP/1.1 503 Service Unavailable\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n\
    x-content-type-options: nosniff\r\n\
    referrer-policy: no-referrer\r\n\
    cache-control: no-store\r\n\
    retry-after: 5\r\n\
    connection: close\r\n\
    content-length: 54\r\n\r\n\
    There are too many connections. Try again in a while.\n";

/// Turns connections away. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals(Arc<AtomicUsize>);

impl Refusals {
    /// Turns one away; without TLS it is told why. Comes back at once.
    pub(super) fn refuse(&self, stream: TcpStream, is_secure: bool) {
        if is_secure || self.0.fetch_add(1, Ordering::Relaxed) >= MOST {
            if !is_secure {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
            return;
        }
        let telling = self.clone();
        tokio::spawn(async move {
            let _ = tokio::time::timeout(LONGEST, tell(stream)).await;
            telling.0.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

async fn tell(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(ANSWER.as_bytes()).await?;
    stream.shutdown().await?;
    // What is closed with something unread takes the answer with it.
    let mut rest = [0; 4096];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let (head, body) = ANSWER.split_once("\r\n\r\n").unwrap();
        let length = format!("content-length: {}", body.len());
        assert!(head.lines().any(|line| line == length), "{length}");
    }
}
