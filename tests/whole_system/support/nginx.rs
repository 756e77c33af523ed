//! nginx with the configuration that `cargo xtask branding` makes.

use std::{fs, net::TcpListener, os::unix::fs::MetadataExt as _, path::Path};

use anyhow::{Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;

use super::process::{Program, binary};

/// Where Debian has it: a folder that is not on everybody's path.
const INSTALLED: &str = "/usr/sbin/nginx";

/// Its logs of requests and of errors, set up as docs/topics/reverse-proxy.md has it.
const LOGS: [&str; 2] = ["access.log", "error.log"];

/// What stands in for a Connect web app.
pub(crate) const CONNECT: &str = "The Connect web app";

/// A running nginx in front of a server; it ends with the test.
pub(crate) struct Nginx {
    /// `http://…`, without a slash at the end.
    pub(crate) address: String,
    folder: TempDir,
    program: Option<Program>,
}

impl Nginx {
    /// Starts it in front of the server at `server`, which is the conferencing node too.
    /// `branding` are more lines of the branding's configuration.
    pub(crate) async fn start(server: &str, branding: &str) -> Result<Self> {
        let folder = TempDir::new()?;
        let path = |name: &str| folder.path().join(name);
        fs::write(
            path("branding.toml"),
            format!(
                "{branding}\n[nginx]\nroot = {:?}\nvestibule = {server:?}\nnode = {server:?}\n",
                path("made/landing")
            ),
        )?;
        let made = Command::new(binary("xtask")?)
            .args(["branding", "--config"])
            .arg(path("branding.toml"))
            .arg("--output")
            .arg(path("made"))
            .output()
            .await?;
        ensure!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );

        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let configuration = configuration(folder.path(), port)?;
        fs::write(path("nginx.conf"), configuration)?;
        let tried = command(folder.path()).arg("-t").output().await?;
        let said = String::from_utf8_lossy(&tried.stderr);
        ensure!(tried.status.success(), "nginx -t: {said}");
        ensure!(!said.contains("[warn]"), "nginx -t: {said}");
        let (program, ()) = Program::start(command(folder.path()), &path("nginx.log"), |line| {
            line.contains("start worker process ").then_some(())
        })
        .await?;
        Ok(Self {
            address: format!("http://127.0.0.1:{port}"),
            folder,
            program: Some(program),
        })
    }

    /// What it has written down of requests.
    pub(crate) fn access_log(&self) -> Result<String> {
        Ok(fs::read_to_string(self.folder.path().join(LOGS[0]))?)
    }

    /// What it has written down of what went wrong with them.
    pub(crate) fn error_log(&self) -> Result<String> {
        Ok(fs::read_to_string(self.folder.path().join(LOGS[1]))?)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It writes to its end.
        drop(self.program.take());
        for name in LOGS {
            if let Ok(log) = fs::read(self.folder.path().join(name)) {
                vestibule_test_log::record("nginx", &log);
            }
        }
    }
}

fn command(folder: &Path) -> Command {
    let installed = Path::new(INSTALLED);
    let mut command = Command::new(if installed.exists() {
        INSTALLED
    } else {
        "nginx"
    });
    // What it would write before it has read its configuration.
    command
        .args(["-e", "stderr", "-p"])
        .arg(folder)
        .arg("-c")
        .arg(folder.join("nginx.conf"));
    command
}

fn configuration(folder: &Path, port: u16) -> Result<String> {
    let is_root = fs::metadata(folder)?.uid() == 0;
    let [access, error] = LOGS;
    let folder = folder.display();
    // Of root, nginx would make nobody, who cannot read the test's files.
    let user = if is_root { "user root;" } else { "" };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
        .concat();
    Ok(format!(
        "{user}\ndaemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\n\
         error_log /dev/stdout notice;\nevents {{}}\n\
         http {{\n{temporary}\
         include {folder}/made/nginx/vestibule-http.conf;\n\
         server {{\nlisten 127.0.0.1:{port};\n\
         access_log {folder}/{access} vestibule;\n\
         error_log {folder}/{error} alert;\n\
         include {folder}/made/nginx/vestibule-server.conf;\n\
         location ^~ /webapp3/ {{ default_type text/html; return 200 \"<title>{CONNECT}</title>\"; }}\n\
         }}\n}}\n"
    ))
}
