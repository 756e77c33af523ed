//! `vestibule profile keypair`.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use url::Url;
use vestibule_smart::{AssertionKey, KeyKind};

use crate::{
    backend::jwks_path,
    cli::{chosen::ProfileArgument, private_file, runtime},
    profile::ProfileDocument,
};

/// Which key pair.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// How it signs: by ES384 (P-384) or RS384 (RSA with 3072 bits). Epic takes both
    #[arg(value_enum, default_value = "es384")]
    algorithm: Algorithm,
    /// The file for the private key, in PEM; it must not be there yet
    #[arg(long, value_name = "FILE", default_value = "backend-key.pem")]
    out: PathBuf,
    #[command(flatten)]
    profile: ProfileArgument,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Algorithm {
    Es384,
    Rs384,
}

pub(super) fn keypair(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    // Where a profile is named it has to be there; otherwise it need not be.
    let document = match runtime()?.block_on(arguments.profile.choose()) {
        Ok(known) => Some(known.document),
        Err(error) if arguments.profile.profile.is_some() => return Err(error),
        Err(_) => None,
    };
    let key = AssertionKey::generate(match arguments.algorithm {
        Algorithm::Es384 => KeyKind::P384,
        Algorithm::Rs384 => KeyKind::Rsa3072,
    })?;
    private_file::create(&arguments.out, key.to_pem().as_bytes())?;
    let jwk = serde_json::to_string_pretty(&key.public_jwk())?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "private key  {}", arguments.out.display())?;
    writeln!(stdout, "key id       {}", key.kid())?;
    writeln!(stdout, "algorithm    {}", key.algorithm().as_str())?;
    match document.as_ref().and_then(jwks_url) {
        Some(url) => writeln!(stdout, "JWKS URL     {url}")?,
        None => writeln!(
            stdout,
            "JWKS URL     that of the profile, which --profile names"
        )?,
    }
    writeln!(stdout, "public key\n{jwk}")?;
    writeln!(
        std::io::stderr(),
        "put the private key into epic_backend_oauth2_app_private_key of the profile, and give \
         the JWKS URL to the EHR; then remove the file"
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Where the server publishes a profile's keys.
pub(in crate::cli) fn jwks_url(document: &ProfileDocument) -> Option<Url> {
    let redirect = document.provider_oauth2_redirect_url.as_deref()?;
    let (base, _) = redirect.split_once("/api/telehealth/v1/")?;
    format!("{base}{}", jwks_path(document.uuid)).parse().ok()
}
