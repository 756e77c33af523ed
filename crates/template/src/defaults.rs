//! The templates of a profile that has none of its own: those that Pexip
//! Infinity documents, and an error page of our own.

/// Alias of providers and of patients.
pub const ALIAS: &str =
    "telehealth.{{base_telehealth_alias}}@{{telehealth_integration.telehealth_call_domain}}";

/// Display name of providers.
pub const PROVIDER_DISPLAY_NAME: &str = "{{telehealth_integration.name}}";

/// Display name of patients. Published copies of this template show a single
/// space in the first argument of `replace`, where HTML has collapsed two.
pub const PATIENT_DISPLAY_NAME: &str = r#"{{" ".join([launch_information.fname or "", launch_information.mname or "", launch_information.lname or ""]).replace("  ", " ")}}"#;

/// Join link of providers.
pub const PROVIDER_JOIN_LINK: &str = "{{telehealth_integration.infinity_webapp_server_base_url}}/webapp/#/?conference={{telehealth_alias}}&pin={{pin}}&name={{display_name}}";

/// Join link of patients.
pub const PATIENT_JOIN_LINK: &str = "{{telehealth_integration.infinity_webapp_server_base_url}}/webapp/#/?conference={{telehealth_alias}}&name={{display_name}}&role=guest";

/// Service name. Profiles for group visits must have another, without names.
pub const SERVICE_NAME: &str = "Appointment for {{launch_information.fname}} {{launch_information.lname}} {{telehealth_integration.name}}:{{unique_encounter_id}}{% if launch_information.encfacnpiname %} in {{launch_information.encfacnpiname}}{% endif %}";

/// Error page, for [`Escaping::Html`](crate::Escaping::Html): in English, Spanish, French,
/// German, Chinese, Vietnamese, Tagalog or Arabic, as `language` says.
pub const ERROR_PAGE: &str = include_str!("default_error_page.html");

/// SHA-256 of the script in [`ERROR_PAGE`], in base64: what a Content-Security-Policy
/// allows as `'sha256-…'`. Without the script, the page lacks its copy button only.
pub const ERROR_PAGE_SCRIPT_SHA256: &str = "Uneqtzg3u6phwwYqlgo8Hj41G/siwwaaO2elpKVJvts=";
