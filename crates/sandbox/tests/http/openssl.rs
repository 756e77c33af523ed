//! The `openssl` command as a judge.

use std::{
    io::Write,
    process::{Command, Stdio},
};

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Decrypts with the `openssl` command.
pub(crate) fn decrypted_by_openssl(
    cipher: &str,
    key: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> String {
    let mut openssl = Command::new("openssl")
        .args(["enc", "-d", cipher, "-K", &hexadecimal(key)])
        .args(["-iv", &hexadecimal(iv)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the openssl command is installed");
    openssl.stdin.take().unwrap().write_all(ciphertext).unwrap();
    let output = openssl.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}
