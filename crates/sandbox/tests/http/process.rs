//! How the program starts and ends.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use nix::sys::signal::Signal;

use crate::{program::Program, support::CONFIG};

#[test]
fn the_program_prints_one_line_answers_and_stops_on_a_signal() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let program = Program::start(CONFIG, "info");
        let address = program.address.strip_prefix("http://").unwrap();

        let mut connection = TcpStream::connect(address).unwrap();
        connection
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        write!(connection, "GET / HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
        let mut begin = [0; 15];
        connection.read_exact(&mut begin).unwrap();
        assert_eq!(&begin, b"HTTP/1.1 200 OK");

        // Neither the idle connection nor one that never ends its request holds
        // the program up.
        let mut unfinished = TcpStream::connect(address).unwrap();
        write!(unfinished, "GET / HTTP/1.1\r\nHost:").unwrap();
        let end = program.end(signal);
        assert!(end.is_success, "{signal}");
        assert_eq!(end.stdout, "", "one line only");
    }
}

#[test]
fn a_configuration_that_cannot_be_used_ends_the_program_with_the_field_s_name() {
    let output = Program::output(&CONFIG.replace("AES-256-CBC", "AES-128-CBC"));
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("launch.epic_encryption_key"), "{error}");
    assert!(!error.contains("fTW2KwlJZ6"), "{error}");
}
