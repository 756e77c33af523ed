//! The answers of the client API, field by field. What this node does not have
//! (media, chat, presentations, layouts) is said not to be there.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use uuid::Uuid;
use vestibule_launch::{Role, UnixTime};

use crate::{ServiceType, participant::Participant, token::Token};

/// A 200 answer: `{"status":"success","result":…}`.
#[derive(Serialize)]
pub(crate) struct Success<T> {
    status: &'static str,
    result: T,
}

impl<T> Success<T> {
    pub(crate) fn of(result: T) -> Self {
        Self {
            status: "success",
            result,
        }
    }
}

impl<T: Serialize> IntoResponse for Success<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// Which client API this is. Pexip's clients choose features by it.
#[derive(Serialize)]
pub(crate) struct Version {
    version_id: &'static str,
    pseudo_version: &'static str,
}

impl Version {
    pub(crate) const THIS: Self = Self {
        version_id: "36",
        pseudo_version: env!("CARGO_PKG_VERSION"),
    };
}

/// Result of `request_token`.
#[derive(Serialize)]
pub(crate) struct TokenGranted {
    token: Token,
    expires: String,
    participant_uuid: Uuid,
    display_name: String,
    role: &'static str,
    version: Version,
    current_service_type: &'static str,
    service_type: &'static str,
    service_name: String,
    conference_name: String,
    call_tag: String,
    call_type: &'static str,
    idp_uuid: &'static str,
    route_via_registrar: bool,
    fecc_enabled: bool,
    rtmp_enabled: bool,
    rtsp_enabled: bool,
    trickle_ice_enabled: bool,
    vp9_enabled: bool,
    allow_1080p: bool,
    chat_enabled: bool,
    analytics_enabled: bool,
    guests_can_present: bool,
    direct_media: bool,
    breakout_rooms: bool,
    use_relay_candidates_only: bool,
    turn: [(); 0],
    stun: [(); 0],
}

impl TokenGranted {
    /// `expires` is the token's lifetime in seconds.
    pub(crate) fn new(
        token: Token,
        expires: u64,
        participant: &Participant,
        service_name: &str,
    ) -> Self {
        Self {
            token,
            expires: expires.to_string(),
            participant_uuid: participant.uuid,
            display_name: participant.display_name.as_str().to_owned(),
            role: role_of_token(participant.role()),
            version: Version::THIS,
            current_service_type: participant.service_type().as_str(),
            service_type: ServiceType::Conference.as_str(),
            service_name: service_name.to_owned(),
            conference_name: service_name.to_owned(),
            call_tag: participant.call_tag.clone(),
            call_type: "video",
            idp_uuid: "",
            route_via_registrar: false,
            fecc_enabled: false,
            rtmp_enabled: false,
            rtsp_enabled: false,
            trickle_ice_enabled: false,
            vp9_enabled: false,
            allow_1080p: false,
            chat_enabled: false,
            analytics_enabled: false,
            guests_can_present: false,
            direct_media: false,
            breakout_rooms: false,
            use_relay_candidates_only: false,
            turn: [],
            stun: [],
        }
    }
}

/// Result of `refresh_token`.
#[derive(Serialize)]
pub(crate) struct TokenRefreshed {
    token: Token,
    expires: String,
    role: &'static str,
}

impl TokenRefreshed {
    /// `expires` is the token's lifetime in seconds.
    pub(crate) fn new(token: Token, expires: u64, role: Role) -> Self {
        Self {
            token,
            expires: expires.to_string(),
            role: role_of_token(role),
        }
    }
}

/// Result of `conference_status` and data of the event `conference_update`.
#[derive(Clone, PartialEq, Serialize)]
pub(crate) struct ConferenceState {
    started: bool,
    locked: bool,
    guests_muted: bool,
    all_muted: bool,
    guests_can_unmute: bool,
    presentation_allowed: bool,
    direct_media: bool,
    breakout_rooms: bool,
    live_captions_available: bool,
    classification: Classification,
}

impl ConferenceState {
    /// `started`: whether a host is there.
    pub(crate) fn new(started: bool) -> Self {
        Self {
            started,
            locked: false,
            guests_muted: false,
            all_muted: false,
            guests_can_unmute: false,
            presentation_allowed: false,
            direct_media: false,
            breakout_rooms: false,
            live_captions_available: false,
            classification: Classification {
                levels: Levels {},
                current: None,
            },
        }
    }
}

/// A participant, in the result of `participants` and in events.
#[derive(Clone, PartialEq, Serialize)]
pub(crate) struct ParticipantState {
    uuid: Uuid,
    api_url: String,
    display_name: String,
    overlay_text: String,
    role: &'static str,
    service_type: &'static str,
    /// Unix time in seconds.
    start_time: f64,
    call_tag: String,
    /// Left empty: an alias is a way in, which is nobody else's business.
    local_alias: &'static str,
    uri: &'static str,
    protocol: &'static str,
    call_direction: &'static str,
    encryption: &'static str,
    external_node_uuid: &'static str,
    has_media: bool,
    is_external: bool,
    is_streaming_conference: bool,
    is_idp_authenticated: bool,
    is_client_muted: bool,
    is_video_muted: bool,
    is_video_silent: bool,
    is_main_video_dropped_out: bool,
    is_muted: &'static str,
    is_presenting: &'static str,
    is_video_call: &'static str,
    is_audio_only_call: &'static str,
    presentation_supported: &'static str,
    fecc_supported: &'static str,
    transfer_supported: &'static str,
    disconnect_supported: &'static str,
    mute_supported: &'static str,
    supports_direct_chat: bool,
    rx_presentation_policy: &'static str,
    needs_presentation_in_mix: bool,
    can_receive_personal_mix: bool,
    receive_from_video_mix: VideoMix,
    spotlight: u8,
    buzz_time: u8,
}

impl ParticipantState {
    pub(crate) fn of(participant: &Participant) -> Self {
        const NO: &str = "NO";
        let display_name = participant.display_name.as_str();
        let start_time = unix_seconds(participant.connected_at);
        Self {
            uuid: participant.uuid,
            api_url: format!("/participants/{}", participant.uuid),
            display_name: display_name.to_owned(),
            overlay_text: display_name.to_owned(),
            role: match participant.role() {
                Role::Host => "chair",
                Role::Guest => "guest",
            },
            service_type: participant.service_type().as_str(),
            start_time,
            call_tag: participant.call_tag.clone(),
            local_alias: "",
            uri: "",
            protocol: "api",
            call_direction: "in",
            encryption: "Off",
            external_node_uuid: "",
            has_media: false,
            is_external: false,
            is_streaming_conference: false,
            is_idp_authenticated: false,
            is_client_muted: false,
            is_video_muted: false,
            is_video_silent: false,
            is_main_video_dropped_out: false,
            is_muted: NO,
            is_presenting: NO,
            is_video_call: NO,
            is_audio_only_call: NO,
            presentation_supported: NO,
            fecc_supported: NO,
            transfer_supported: NO,
            disconnect_supported: NO,
            mute_supported: NO,
            supports_direct_chat: false,
            rx_presentation_policy: "ALLOW",
            needs_presentation_in_mix: false,
            can_receive_personal_mix: false,
            receive_from_video_mix: VideoMix {
                mix_name: "main",
                timestamp: start_time,
            },
            spotlight: 0,
            buzz_time: 0,
        }
    }
}

#[derive(Clone, PartialEq, Serialize)]
struct Classification {
    levels: Levels,
    current: Option<u32>,
}

#[derive(Clone, PartialEq, Serialize)]
struct Levels {}

#[derive(Clone, PartialEq, Serialize)]
struct VideoMix {
    mix_name: &'static str,
    timestamp: f64,
}

fn role_of_token(role: Role) -> &'static str {
    match role {
        Role::Host => "HOST",
        Role::Guest => "GUEST",
    }
}

fn unix_seconds(time: UnixTime) -> f64 {
    std::time::Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(0)).as_secs_f64()
}
