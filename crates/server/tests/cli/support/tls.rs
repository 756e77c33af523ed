//! A server that speaks TLS with a certificate of the test's: OpenSSL's.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// `openssl s_server`, until it is dropped.
pub(crate) struct TlsServer {
    process: Child,
    pub(crate) port: u16,
}

/// Runs OpenSSL in a folder.
#[track_caller]
pub(crate) fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

impl TlsServer {
    /// Serves with `cert.pem` and `key.pem` of the folder.
    pub(crate) fn start(folder: &Path) -> Self {
        let mut process = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-www"])
            .args(["-cert", "cert.pem", "-key", "key.pem"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let mut lines = stdout.lines().map(Result::unwrap);
        let accepts = lines.find_map(|line| Some(line.strip_prefix("ACCEPT ")?.to_owned()));
        let address = accepts.unwrap();
        let (_, port) = address.rsplit_once(':').unwrap();
        let port = port.split_whitespace().next().unwrap().parse().unwrap();
        // What it prints must go on being read, or it stops.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, port }
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
