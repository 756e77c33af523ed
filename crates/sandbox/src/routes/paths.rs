//! Paths that the EHR announces or that stand in more than one place.

pub(super) const AUTHORIZE: &str = "/oauth2/authorize";
pub(super) const TOKEN: &str = "/oauth2/token";
pub(super) const JWKS: &str = "/api/epic/2019/Security/Open/PublicKeys/530005/OIDC";
pub(super) const STATUS: &str =
    "/api/epic/2018/Telehealth/ContextLinking/SetExternalConnectionStatus";
/// The same, where Epic's interconnect server is reached under its usual name.
pub(super) const INTERCONNECT_STATUS: &str =
    "/interconnect/api/epic/2018/Telehealth/ContextLinking/SetExternalConnectionStatus";
pub(super) const ZOOM_NOTIFICATION: &str = "/zoom/notifications";
pub(super) const DIRECT_LAUNCH_TOKEN: &str = "/api/telehealth/direct-launch-token";
