//! Frames of HTTP/2 (RFC 9113) that cost the sender little and the server much.

use std::io::{Read as _, Write as _};

use super::tls::{TLS, connection, server};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

/// END_STREAM and END_HEADERS.
const WHOLE: u8 = 0x5;

/// `GET https://x/`, in HPACK (RFC 7541): three fields of the static table and a literal.
const REQUEST: [u8; 6] = [0x82, 0x87, 0x84, 0x41, 0x01, b'x'];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Sends frames over a connection of its own; says whether the server bids farewell with
/// an error rather than serving on.
async fn is_sent_away(frames: impl Iterator<Item = Vec<u8>>) -> bool {
    let server = server(TLS).await;
    let mut connection = connection(&server, &[&b"h2"[..]]);
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    for frame in frames {
        bytes.extend(frame);
    }
    bytes.extend(frame(PING, 0, 0, b"farewell"));
    // The server may close before it has taken everything.
    let _ = connection.write_all(&bytes);
    loop {
        let mut head = [0; 9];
        if connection.read_exact(&mut head).is_err() {
            return true;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        if connection.read_exact(&mut payload).is_err() {
            return true;
        }
        match head[3] {
            GOAWAY => return payload[4..8] != [0; 4],
            PING if payload == b"farewell" => return false,
            _ => {}
        }
    }
}

fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|number| number * 2 + 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_are_opened_and_reset_end_the_connection() {
    let reset = |stream| {
        let cancel = 8_u32.to_be_bytes();
        let opened = frame(HEADERS, WHOLE, stream, &REQUEST);
        [opened, frame(RST_STREAM, 0, stream, &cancel)].concat()
    };
    assert!(is_sent_away(streams(1000).map(reset)).await);
    // Who changes their mind once does not.
    assert!(!is_sent_away(streams(1).map(reset)).await);
}

/// ACK of settings and pings, and END_STREAM of data.
const LAST: u8 = 0x1;

/// Asks for a page that it can take `window` bytes of, and so many again whenever it has
/// them if `goes_on`; answers whatever the server asks to see that it is alive. Says what
/// came of it, and whether that was all.
async fn takes(window: u32, goes_on: bool, stall: u32) -> (usize, bool) {
    let limits = format!("[connections]\nstall_seconds = {stall}\nidle_seconds = 600\n");
    let server = server(&format!("{TLS}{limits}")).await;
    let mut connection = connection(&server, &[&b"h2"[..]]);
    let initial_window = [&4_u16.to_be_bytes()[..], &window.to_be_bytes()].concat();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &initial_window));
    bytes.extend(frame(HEADERS, WHOLE, 1, &REQUEST));
    connection.write_all(&bytes).unwrap();
    let (mut taken, mut asked) = (0, 0);
    loop {
        let mut head = [0; 9];
        if connection.read_exact(&mut head).is_err() {
            return (taken, false);
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        if connection.read_exact(&mut payload).is_err() {
            return (taken, false);
        }
        let answer = match (head[3], head[4] & LAST != 0) {
            (DATA, is_last) => {
                taken += payload.len();
                if is_last {
                    return (taken, true);
                }
                if !goes_on {
                    continue;
                }
                frame(WINDOW_UPDATE, 0, 1, &window.to_be_bytes())
            }
            (SETTINGS, false) => frame(SETTINGS, LAST, 0, &[]),
            (PING, false) => {
                asked += 1;
                assert!(asked < 40, "the answer is held for ever");
                frame(PING, LAST, 0, &payload)
            }
            _ => continue,
        };
        if connection.write_all(&answer).is_err() {
            return (taken, false);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_and_takes_nothing_is_cut_off_though_the_connection_lives() {
    // The answer waits as a whole, or with all but its first byte among HTTP/2's own.
    assert_eq!(takes(0, false, 1).await, (0, false));
    assert_eq!(takes(1, false, 1).await, (1, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_little_at_a_time_gets_all_of_it() {
    let (all, is_all) = takes(65_535, false, 30).await;
    assert!(is_all && all > 20, "{all}");
    assert_eq!(takes(10, true, 30).await, (all, true));
}
