//! The steps of a launch that are timed.

use tracing::Span;

/// A step of a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The whole request of the EHR's button.
    Begin,
    /// The whole request of the return from the EHR's sign-in.
    Complete,
    /// The whole request of a direct join link.
    DirectLink,
    /// The EHR's SMART metadata, from memory or from the EHR.
    Metadata,
    /// The EHR's token endpoint.
    Token,
    /// The EHR's check of a direct join link.
    LinkCheck,
    /// Opening the encrypted parameters.
    Decrypt,
    /// The profile's templates.
    Templates,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 8] = [
        Self::Begin,
        Self::Complete,
        Self::DirectLink,
        Self::Metadata,
        Self::Token,
        Self::LinkCheck,
        Self::Decrypt,
        Self::Templates,
    ];

    /// The value of the label `step`, and the name of the span.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Complete => "complete",
            Self::DirectLink => "direct_link",
            Self::Metadata => "metadata",
            Self::Token => "token",
            Self::LinkCheck => "link_check",
            Self::Decrypt => "decrypt",
            Self::Templates => "templates",
        }
    }

    /// A span below that of the moment.
    pub(super) fn span(self) -> Span {
        match self {
            Self::Begin => tracing::info_span!("begin"),
            Self::Complete => tracing::info_span!("complete"),
            Self::DirectLink => tracing::info_span!("direct_link"),
            Self::Metadata => tracing::info_span!("metadata"),
            Self::Token => tracing::info_span!("token"),
            Self::LinkCheck => tracing::info_span!("link_check"),
            Self::Decrypt => tracing::info_span!("decrypt"),
            Self::Templates => tracing::info_span!("templates"),
        }
    }
}
