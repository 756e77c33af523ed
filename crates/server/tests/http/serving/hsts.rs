//! By TLS every answer tells browsers to come by nothing else, whatever was asked.

use super::tls::{TLS, curl, server, until_logged};
use crate::support::{ADMIN_CONFIG, launch_path, return_path};

const HSTS: &str = "strict-transport-security: max-age=31536000";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_by_tls_tells_browsers_to_come_by_nothing_else() {
    let server = server(&format!("{TLS}{ADMIN_CONFIG}")).await;
    for (path, arguments, status) in [
        ("/webapp/", &[][..], "200"),
        ("/webapp", &[], "308"),
        ("/healthz", &[], "200"),
        ("/healthz", &["--request", "DELETE"], "405"),
        ("/no/where", &[], "404"),
        (&launch_path("patient"), &[], "400"),
        (&return_path("patient"), &[], "400"),
    ] {
        for version in ["--http1.1", "--http2"] {
            let arguments = [&[version], arguments].concat();
            let answer = curl(&server, &arguments, path).unwrap().to_lowercase();
            let (head, _) = answer.split_once("\r\n\r\n").unwrap();
            let found = head.split(' ').nth(1).unwrap();
            assert_eq!(found.trim(), status, "{path}: {head}");
            assert_eq!(head.matches(HSTS).count(), 1, "{path}: {head}");
            assert!(!head.contains("\r\nserver:"), "{path}: {head}");
        }
    }
    until_logged(&server, "the admin API listens").await;
    let log = server.log();
    let (_, url) = log.split_once("the admin API listens url=").unwrap();
    let url = url.split_whitespace().next().unwrap().trim_matches('"');
    for (path, status) in [
        ("/admin", "303"),
        ("/admin/sign-in", "200"),
        ("/admin/style.css", "200"),
        ("/api/admin/configuration/v1/telehealth_profile/", "401"),
    ] {
        let arguments = ["--silent", "--include", "--insecure", "--max-time", "60"];
        let output = std::process::Command::new("curl")
            .args(arguments)
            .args(["--noproxy", "*"])
            .arg(format!("{url}{path}"))
            .output()
            .unwrap();
        let answer = String::from_utf8(output.stdout).unwrap().to_lowercase();
        let (head, _) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(head.split(' ').nth(1).unwrap().trim(), status, "{path}");
        assert_eq!(head.matches(HSTS).count(), 1, "{path}: {head}");
    }
}
