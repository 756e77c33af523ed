//! `cargo xtask demo`: Vestibule and a simulated EHR on this machine, from
//! nothing to an address to open.

#[cfg(target_os = "linux")]
pub(crate) mod bound;
mod configuration;
mod ports;
mod service;
mod stop;

use std::{
    fs::{self, File},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rand::{rand_core::UnwrapErr, rngs::SysRng};

use self::{
    configuration::Configuration,
    service::{Begun, Service},
    stop::Stop,
};
use crate::{
    manifest::Manifest,
    process,
    progress::Progress,
    setup::{node::NodeTools, wasm_target},
    wasm,
    workspace::Workspace,
};

/// How often the services are looked at.
const POLL: Duration = Duration::from_millis(200);

/// Runs the command: sets up, builds, starts, and waits to be stopped.
pub(crate) fn run(workspace: &Workspace, data: &Path, port: Option<u16>) -> Result<ExitCode> {
    let data = std::path::absolute(data)?;
    let _lock = lock(&data)?;
    let configuration = Configuration::in_folder(&data)?;
    // Also now: what cannot work should not take a whole build to say so.
    configuration.choose_addresses(port)?;
    let mut progress = Progress::new(5);

    progress.step("Looking for the wasm target", || {
        wasm_target::ensure(workspace)
    })?;
    let tools = progress
        .step("Looking for Node.js and its tools", || {
            NodeTools::ensure(workspace)
        })
        .inspect_err(|error| eprintln!("      Not optimising the landing page: {error:#}"))
        .ok();
    let manifest = Manifest::read(workspace)?;
    progress.step("Building the landing page", || {
        wasm::build(workspace, &manifest, tools.as_ref())
    })?;
    progress.step("Building the server and the sandbox EHR", || {
        process::run(&mut workspace.cargo([
            "build",
            "--quiet",
            "--package",
            "vestibule-server",
            "--package",
            "vestibule-sandbox",
        ]))
    })?;

    configuration.write(
        &workspace.path(&manifest.output),
        &configuration.choose_addresses(port)?,
        &mut UnwrapErr(SysRng),
    )?;
    // From here on a signal stops the services before it stops this program.
    let stop = Stop::on_signals()?;
    let begun = progress.step("Starting", || start(workspace, &configuration, &stop))?;
    match begun {
        Some(running) => Ok(running.watch(&stop)),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Both services, listening.
struct Running {
    /// The sandbox's home page, where a launch begins.
    address: String,
    services: [Service; 2],
}

/// Starts both services; nothing where the user stopped the demo meanwhile.
fn start(
    workspace: &Workspace,
    configuration: &Configuration,
    stop: &Stop,
) -> Result<Option<Running>> {
    let mut program = bound(&workspace.binary("vestibule-sandbox"));
    program.arg("--config").arg(&configuration.sandbox);
    let mut sandbox = Service::start("sandbox", program, &configuration.folder)?;
    let Begun::Listening(address) = sandbox.wait_until_listening(stop)? else {
        return Ok(None);
    };
    let mut program = bound(&workspace.binary("vestibule"));
    program
        .args(["serve", "--config"])
        .arg(&configuration.server);
    let mut server = Service::start("server", program, &configuration.folder)?;
    let Begun::Listening(_) = server.wait_until_listening(stop)? else {
        return Ok(None);
    };
    Ok(Some(Running {
        address,
        services: [sandbox, server],
    }))
}

/// A program that ends with this one, where the system can do that.
fn bound(program: &Path) -> Command {
    #[cfg(target_os = "linux")]
    return bound::command(program);
    #[cfg(not(target_os = "linux"))]
    Command::new(program)
}

impl Running {
    /// Says where to go and waits for the end: a signal, or a service that dies.
    fn watch(mut self, stop: &Stop) -> ExitCode {
        println!(
            "\n  Open {} in a browser.\n  Ctrl-C stops the demo.\n",
            self.address
        );
        let code = loop {
            if stop.wait(POLL) {
                eprintln!("Stopping …");
                break ExitCode::SUCCESS;
            }
            if let Some(obituary) = self.services.iter_mut().find_map(Service::obituary) {
                eprintln!("error: {obituary}");
                break ExitCode::FAILURE;
            }
        };
        // Ask both before waiting for either; dropping waits.
        for service in &self.services {
            service.ask_to_stop();
        }
        code
    }
}

/// Makes the data folder, readable by its owner only, and keeps a second demo
/// out of it.
fn lock(data: &Path) -> Result<File> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    folder
        .mode(0o700)
        .create(data)
        .with_context(|| format!("cannot make {}", data.display()))?;
    let path: PathBuf = data.join("demo.lock");
    let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    if file.try_lock().is_err() {
        bail!(
            "a demo is running with {} already; stop it, or give this one another --data",
            data.display()
        );
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_demos_cannot_share_a_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let first = lock(&data).unwrap();
        let message = lock(&data).unwrap_err().to_string();
        assert!(message.contains("another --data"), "{message}");
        drop(first);
        assert!(lock(&data).is_ok());
    }
}
