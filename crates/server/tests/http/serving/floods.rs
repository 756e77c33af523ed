//! Frames of HTTP/2 (RFC 9113) that cost the sender little and the server much.

use std::io::{Read, Write};

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
/// More is to come.
const END_HEADERS: u8 = 0x4;

/// The setting of how many streams there may be.
const MAX_CONCURRENT_STREAMS: [u8; 2] = [0, 3];

/// The error of a stream that was not looked at, and may be tried again.
const REFUSED_STREAM: [u8; 4] = [0, 0, 0, 7];

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

/// `POST https://x/api/telehealth/v1/launch/redeem` of JSON, in HPACK.
fn post() -> Vec<u8> {
    let path = b"/api/telehealth/v1/launch/redeem";
    let kind = b"application/json";
    let mut post = vec![0x83, 0x87, 0x41, 0x01, b'x'];
    for (name, value) in [(0x44, &path[..]), (0x5f, &kind[..])] {
        post.extend([name, u8::try_from(value.len()).unwrap()]);
        post.extend(value);
    }
    post
}

/// Begins so many requests on a connection, whose bodies never come.
fn begin(connection: &mut impl Write, count: u32) {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    for stream in streams(count) {
        bytes.extend(frame(HEADERS, END_HEADERS, stream, &post()));
    }
    bytes.extend(frame(PING, 0, 0, b"farewell"));
    connection.write_all(&bytes).unwrap();
}

/// The next frame: its kind, flags, stream and payload.
fn next(connection: &mut impl Read) -> (u8, u8, u32, Vec<u8>) {
    let mut head = [0; 9];
    connection.read_exact(&mut head).unwrap();
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    connection.read_exact(&mut payload).unwrap();
    let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    (head[3], head[4], stream, payload)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_more_than_the_server_has_said_is_refused_and_the_others_go_on() {
    let limits = "[connections]\nmost_streams = 2\nbody_seconds = 600\n";
    let server = server(&format!("{TLS}{limits}")).await;
    let mut connection = connection(&server, &[&b"h2"[..]]);
    begin(&mut connection, 3);
    let (mut said, mut refused) = (None, Vec::new());
    loop {
        match next(&mut connection) {
            (SETTINGS, 0, _, settings) => {
                let most = |setting: &&[u8]| setting.starts_with(&MAX_CONCURRENT_STREAMS);
                said = settings.chunks(6).find(most).map(<[u8]>::to_vec);
            }
            (RST_STREAM, _, stream, error) => refused.push((stream, error)),
            (PING, _, _, payload) if payload == b"farewell" => break,
            (SETTINGS | WINDOW_UPDATE, ..) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(said.unwrap()[2..], 2_u32.to_be_bytes());
    assert_eq!(refused, [(5, REFUSED_STREAM.to_vec())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_never_comes_is_waited_for_as_long_as_with_http_1() {
    let limits = "[connections]\nbody_seconds = 1\nrequest_seconds = 600\n";
    let server = server(&format!("{TLS}{limits}")).await;
    let mut connection = connection(&server, &[&b"h2"[..]]);
    begin(&mut connection, 1);
    let mut problem = Vec::new();
    loop {
        if let (DATA, flags, 1, payload) = next(&mut connection) {
            problem.extend(payload);
            if flags & LAST != 0 {
                break;
            }
        }
    }
    let problem = String::from_utf8(problem).unwrap();
    assert!(problem.contains("\"status\":408"), "{problem}");
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
