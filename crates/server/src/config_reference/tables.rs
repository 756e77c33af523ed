//! The tables and their keys.

use super::{
    Default::{Required, Value, Without},
    Table, key,
};

const ADDRESS: &str = "address and port";
const FILE: &str = "path of a file";
const FOLDER: &str = "path of a folder";
const NUMBER: &str = "whole number, not negative";
const AT_LEAST_ONE: &str = "whole number, 1 or more";
const YES_OR_NO: &str = "`true` or `false`";
const NAME: &str = "text, 1 to 64 characters without a colon";
const PASSWORD_HASH: &str = "\"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$wZeUqErRQM9fr7+3IJVQyFsb5QPhYeqkXwNGZgBH/L4\"";
const ADMINISTRATOR: &str = "username = \"admin\"\npassword_hash = \"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$wZeUqErRQM9fr7+3IJVQyFsb5QPhYeqkXwNGZgBH/L4\"\n";
const POLICY: &str =
    "policy_username = \"pexip\"\npolicy_password = \"put a random password here\"\n";
const SINK: &str =
    "event_sink_username = \"pexip\"\nevent_sink_password = \"put another one here\"\n";

/// All of them, in the order of the page.
pub const TABLES: &[Table] = &[
    Table {
        name: "",
        is_list: false,
        meaning: "These stand at the head of the file.",
        settings: &[
            key("listen", ADDRESS, Required, "Where browsers come in. Port 0 takes a free one.", "\"127.0.0.1:7080\""),
            key("data", FOLDER, Required, "Database and sealing key. Made at the first start; to be backed up as one.", "\"/var/lib/vestibule\""),
            key("www", FOLDER, Without("the page in the program, where it was built with one"), "The landing page as built.", "\"/usr/share/vestibule/www\""),
            key("profiles", FOLDER, Required, "The telehealth profiles: every `*.toml` in it is one.", "\"profiles\""),
            key("frame_ancestors", "list of origins", Value("[]"), "The pages that may embed the landing page, such as a patient portal.", "[\"https://mychart.example.org\"]"),
            key("log", "`\"text\"` or `\"json\"`", Value("\"text\""), "How log lines on stderr look.", "\"json\""),
            key("log_level", "`\"error\"`, `\"warn\"`, `\"info\"` or `\"debug\"`", Value("\"info\""), "The least that is logged. `RUST_LOG` in the environment comes before it.", "\"warn\""),
            key("state_key_file", FILE, Without("`state.key` in the data folder"), "The key under which everything personal and secret is sealed: 32 bytes, or the same in base64. All servers of one database need the same one. `VESTIBULE_STATE_KEY` in the environment stands for either.", "\"/run/secrets/vestibule-state-key\""),
            key("trusted_certificates", FILE, Without("those that the machine trusts"), "Certificates in PEM form by which the EHR's may be signed too.", "\"/etc/vestibule/hospital-ca.pem\""),
            key("require_launch_cookie", YES_OR_NO, Value("false"), "Whether a browser that returns from the EHR must send the cookie that it was given as the launch began. Browsers may keep cookies back in the frames in which EHRs show launches. A wrong cookie is never taken.", "true"),
            key("trusted_proxies", "list of addresses and networks", Value("[]"), "The reverse proxies, as this server sees them. Only from there an `X-Forwarded-For` is believed, and only they may have as many connections as there are.", "[\"10.0.0.0/8\"]"),
        ],
    },
    Table {
        name: "database",
        is_list: false,
        meaning: "A PostgreSQL database, which several servers can share. Without it the database is a SQLite file in the data folder. `VESTIBULE_DATABASE_URL` in the environment comes before it. See [the database](../topics/database.md).",
        settings: &[
            key("url", "`postgres://user:password@host:5432/database`", Without("SQLite"), "Where it is, and who comes. With `?sslmode=verify-full&sslrootcert=` and the path of the authority's certificate, where the way to it leaves this machine. It carries a password: better in `url_file`.", "\"postgres://vestibule@127.0.0.1:5432/vestibule\""),
            key("url_file", FILE, Without("`url`"), "A file that holds the URL, in its place.", "\"/run/secrets/vestibule-database-url\""),
            key("connections", AT_LEAST_ONE, Without("16"), "Connections of this server at most, beside two of its administrators.", "32"),
        ],
    },
    Table {
        name: "tls",
        is_list: false,
        meaning: "TLS by the server itself, versions 1.2 and 1.3, with HTTP/1.1 and HTTP/2. Without this table plain HTTP is spoken, and a proxy in front ends TLS. See [serving](../topics/serving.md).",
        settings: &[
            key("certificate", FILE, Required, "The certificate in PEM form, followed by those of the authorities between it and the one that browsers know. It is read again when it changes.", "\"/etc/vestibule/certificate.pem\""),
            key("key", FILE, Required, "Its private key in PEM form, without a passphrase.", "\"/etc/vestibule/key.pem\""),
            key("hsts_seconds", NUMBER, Value("31536000"), "For how long browsers shall come by HTTPS only, from their last visit on; 0 says nothing of it.", "0"),
            key("admin", YES_OR_NO, Value("true"), "Whether the admin API is served by TLS too.", "false"),
            key("pexip", YES_OR_NO, Value("true"), "Whether the listener for Pexip Infinity, where there is one, is served by TLS too.", "false"),
        ],
    },
    Table {
        name: "connections",
        is_list: false,
        meaning: "How much one connection, one source address and all of them together may take. Each listener counts for itself.",
        settings: &[
            key("most", AT_LEAST_ONE, Value("8192"), "Connections at a time. Whoever comes then gets 503.", "1000"),
            key("most_per_address", AT_LEAST_ONE, Value("1024"), "Connections at a time from one source address, or one IPv6 network of 64 bits. Trusted proxies may have all.", "200"),
            key("handshake_seconds", AT_LEAST_ONE, Value("10"), "Until a TLS handshake must be done.", "5"),
            key("header_seconds", AT_LEAST_ONE, Value("10"), "Until a request's headers must be there, from their first byte or from the connection's begin.", "5"),
            key("body_seconds", AT_LEAST_ONE, Value("20"), "Until a request's body must be there; then 408.", "10"),
            key("request_seconds", AT_LEAST_ONE, Value("60"), "Until a request must be answered; then 503. Steps of a launch end after 10 seconds, plain pages of a visit after 15. An answer that goes on, as events of a visit do, has only to begin by then.", "30"),
            key("idle_seconds", AT_LEAST_ONE, Value("75"), "For which a connection may wait for its next request. Longer than the proxy in front keeps its connections.", "30"),
            key("stall_seconds", AT_LEAST_ONE, Value("30"), "For which the other side may take nothing of an answer.", "10"),
            key("most_headers", AT_LEAST_ONE, Value("100"), "Headers of a request; more get 431.", "50"),
            key("header_bytes", "whole number, 4096 to 1048576", Value("65536"), "Bytes of a request's headers, its address among them; more get 431. Launch URLs are long.", "32768"),
            key("most_streams", AT_LEAST_ONE, Value("100"), "Requests at a time on one connection with HTTP/2.", "50"),
        ],
    },
    Table {
        name: "limits",
        is_list: false,
        meaning: "How much is taken from one place.",
        settings: &[key("launches_per_minute", NUMBER, Value("120"), "Launches of one profile from one source address; 0 for no limit. A hospital's clinicians often share one address.", "600")],
    },
    Table {
        name: "retention",
        is_list: false,
        meaning: "How long what is over is kept. What a visit that runs or an EHR that is still to be told needs is kept in any case.",
        settings: &[key("days", "whole number, 2 to 3650", Value("30"), "Launches, who was in their visits, and what EHRs were told, for the help desk to find them.", "7")],
    },
    Table {
        name: "landing_page",
        is_list: false,
        meaning: "What the landing page looks like and where it stands. See [the landing page](../topics/landing-page.md).",
        settings: &[
            key("hospital", "text, 120 characters at most", Without("\"Video visit\""), "The name at the head of the page.", "\"Healthcare Org\""),
            key("logo", "path of a file, or a data URL", Without("none"), "The image beside the name: PNG, SVG or WebP, 32 KB at most.", "\"logo.svg\""),
            key("accent", "colour, such as `#0b5c6b`", Without("the page's own"), "The colour of buttons and links. It is darkened or lightened as far as text on it, and in it, needs it.", "\"#7a1f5c\""),
            key("language", "`en`, `es`, `fr`, `de`, `zh`, `vi`, `tl` or `ar`", Without("English"), "The language of those whose link and browser name none that the page speaks.", "\"es\""),
            key("help_line", "text, 120 characters at most", Without("none"), "Whom to call, as shown where a visit has failed.", "\"+1 555 0100\""),
            key("hand_over", "`\"page\"`, `\"event\"` or `\"connect\"`", Value("\"page\""), "What happens to a visit that is joined: it stays on the page, its session goes to the embedding page, or it goes on to the Connect web app.", "\"event\""),
            key("connect", "table of `base` and `form`", Without("none"), "The Connect web app: its address, and `webapp`, `webapp2` or `webapp3`, the form of its links. With `hand_over = \"connect\"` and no other.", "{ base = \"https://meet.example.org/webapp3\", form = \"webapp3\" }").beside("hand_over = \"connect\"\n"),
            key("device_check", "`\"off\"`, `\"offer\"` or `\"before\"`", Value("\"off\""), "The check of camera, microphone and speaker: not at all, on forms and waiting screens, or on a screen of its own before a visit is joined.", "\"offer\""),
            key("node", "origin", Without("the page's own server"), "The conferencing node. It must allow the page by CORS.", "\"https://node.example.org\""),
            key("launch_api", "origin", Without("the page's own server"), "The launch API. It must allow the page by CORS.", "\"https://visit.example.org\""),
            key("paths", "list of paths", Value("[\"/webapp/\"]"), "Where the page stands. Its files are under the first.", "[\"/webapp/\", \"/visit/\"]"),
        ],
    },
    Table {
        name: "admin",
        is_list: false,
        meaning: "The admin pages and the admin API, on an address of their own that launches never reach. Without this table there are none. At least one administrator is needed: by `username` and `password_hash`, by `[[admin.users]]`, or by `[admin.oidc]`. See [administration](../topics/administration.md).",
        settings: &[
            key("listen", ADDRESS, Required, "Where to listen; never the address of launches. Other than on this machine it needs TLS: by `[tls]`, or by a proxy in front.", "\"127.0.0.1:7090\"").beside(ADMINISTRATOR),
            key("username", NAME, Without("those of the tables below"), "An administrator who may do everything and sees names.", "\"admin\"").beside(ADMINISTRATOR),
            key("password_hash", "Argon2 hash", Without("those of the tables below"), "What `vestibule admin password` makes of that administrator's password.", PASSWORD_HASH).beside(ADMINISTRATOR),
            key("audit_days", NUMBER, Value("2196"), "For how many days the audit log is kept: six years by default, 30 days at least.", "3650").beside(ADMINISTRATOR),
        ],
    },
    Table {
        name: "admin.users",
        is_list: true,
        meaning: "An administrator; there may be several.",
        settings: &[
            key("name", NAME, Required, "The name to sign in by; no two have the same.", "\"ada\""),
            key("password_hash", "Argon2 hash", Required, "What `vestibule admin password` makes of the password.", PASSWORD_HASH),
            key("role", "`\"view\"`, `\"operate\"` or `\"configure\"`", Required, "What the administrator may do: look; send write-backs again and have profiles checked, too; change profiles and read the audit log, too.", "\"operate\""),
            key("names", YES_OR_NO, Value("false"), "Whether the administrator sees names of patients and providers. The audit log says who looked at whose.", "true"),
        ],
    },
    Table {
        name: "admin.oidc",
        is_list: false,
        meaning: "Sign-in on the admin pages by OpenID Connect, beside the administrators above or in their place.",
        settings: &[
            key("issuer", "`https` URL", Required, "The provider, exactly as its identity tokens name it.", "\"https://id.example.org\""),
            key("client_id", "text", Required, "The id that the provider gave to this server.", "\"vestibule\""),
            key("client_secret", "text", Without("none is sent"), "The secret, where the provider gave one.", "\"put the provider's secret here\""),
            key("redirect_uri", "`https` URL that ends with `/admin/oidc/callback`", Required, "The callback of this server, as browsers reach it and as it is registered with the provider.", "\"https://admin.example.org/admin/oidc/callback\""),
            key("scope", "words, `openid` among them", Value("\"openid profile\""), "What the provider is asked for.", "\"openid profile groups\""),
            key("name_claim", "name of a claim", Value("\"preferred_username\""), "The claim that names the administrator.", "\"email\""),
            key("groups_claim", "name of a claim", Value("\"groups\""), "The claim that lists the administrator's groups.", "\"roles\""),
            key("roles", "table of groups and roles", Required, "Which group has which role, `view`, `operate` or `configure`. Of several the highest counts; without any nobody comes in.", "{ telehealth-help-desk = \"operate\" }"),
            key("names", "list of groups", Value("[]"), "The groups that see names of patients and providers.", "[\"telehealth-clinicians\"]"),
        ],
    },
    Table {
        name: "metrics",
        is_list: false,
        meaning: "Counts and durations for Prometheus, at `/metrics` on an address of its own, by plain HTTP. Without this table they are told to nobody. See [monitoring](../topics/monitoring.md).",
        settings: &[
            key("listen", ADDRESS, Required, "Where to listen; never the address of launches.", "\"127.0.0.1:9464\""),
            key("token_file", FILE, Without("whoever reaches the address may ask"), "A file with the bearer token that Prometheus has to send: 16 to 1024 visible ASCII characters.", "\"/run/secrets/vestibule-metrics-token\""),
        ],
    },
    Table {
        name: "traces",
        is_list: false,
        meaning: "Traces of launches, sent by OTLP over HTTP to an OpenTelemetry collector. Without this table none are. See [monitoring](../topics/monitoring.md).",
        settings: &[
            key("endpoint", "`http` or `https` URL", Required, "Where the collector takes OTLP in protobuf.", "\"http://127.0.0.1:4318/v1/traces\""),
            key("tell_ehr", YES_OR_NO, Value("false"), "Whether EHRs are told by `traceparent` which trace a request belongs to.", "true"),
        ],
    },
    Table {
        name: "pexip",
        is_list: false,
        meaning: "What Pexip Infinity may ask and tell here. Without this table conferences are on the embedded node. See [Pexip Infinity](../topics/pexip-infinity.md).",
        settings: &[
            key("listen", ADDRESS, Without("where browsers do"), "Where Pexip comes in.", "\"127.0.0.1:7081\"").beside(POLICY),
            key("policy_username", "text, 1 to 250 characters without a colon", Without("no policy server"), "Who may ask the policy server.", "\"pexip\"").beside(POLICY),
            key("policy_password", "text, 1 to 250 characters", Without("no policy server"), "That user's password.", "\"put a random password here\"").beside(POLICY),
            key("event_sink_username", "text, 1 to 250 characters without a colon", Without("no event sink"), "Who may tell events.", "\"pexip\"").beside(SINK),
            key("event_sink_password", "text, 1 to 250 characters", Without("no event sink"), "That user's password.", "\"put another one here\"").beside(SINK),
            key("unknown_alias", "`\"continue\"` or `\"reject\"`", Value("\"continue\""), "What Pexip does with aliases that no launch made: it goes on with its own database, or refuses the call.", "\"reject\""),
            key("theme", "text, 1 to 250 characters", Without("Pexip decides"), "The theme of every conference.", "\"Telehealth\""),
            key("description", "text, 1 to 250 characters", Without("Pexip decides"), "The description of every conference.", "\"Video visit\""),
            key("view", "name of a layout", Without("Pexip decides"), "The layout of every conference. Pexip refuses the whole answer where it does not know it.", "\"one_main_seven_pips\""),
        ],
    },
    Table {
        name: "routing_rules",
        is_list: true,
        meaning: "Call routing rules, which turn the alias that is dialled into the base alias, under the field names of Pexip Infinity. Without any there is one for the aliases of the default templates.",
        settings: &[
            key("name", "text, 1 to 250 characters", Required, "What the rule is called.", "\"Telehealth\""),
            key("priority", "1 to 200", Required, "The first rule that matches counts, in ascending order.", "1"),
            key("match_string", "regular expression, 250 characters at most", Required, "What is matched.", "'telehealth\\.(.*)@(.*)'"),
            key("match_string_full", YES_OR_NO, Value("false"), "Whether it is matched against the alias as it came. Otherwise scheme, parameters and the IP address of a host are taken off before.", "true"),
            key("match_whole", YES_OR_NO, Value("true"), "Whether it must match from the first character to the last.", "false"),
            key("replace_string", "text, 250 characters at most", Value("\"\""), "What takes the place of what matched. Where it is empty the alias stays as it is.", "'\\1'"),
            key("enable", YES_OR_NO, Value("true"), "Whether the rule counts.", "false"),
        ],
    },
];
