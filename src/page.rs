//! What the page shows. All words stand in `www/index.html`.

use vestibule_launch::Role;

use crate::answer::ExtensionKind;

/// One screen of the page, in one of its variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// A request is under way.
    Connecting,
    /// Before joining: the devices can be checked first.
    Ready,
    /// The form for the name.
    Name,
    /// Host or guest?
    Role,
    /// The form for a PIN, whosever.
    Pin,
    /// The form for the host's PIN.
    HostPin,
    /// The same, and the question whose it is can be come back to.
    HostPinBack,
    /// The form for the guests' PIN.
    GuestPin,
    /// The same, and the question whose it is can be come back to.
    GuestPinBack,
    /// The form for the extension.
    Extension,
    /// The form for a Skype for Business conference id.
    MssipExtension,
    /// The list of identity providers.
    Provider,
    /// The link to the identity provider.
    SignIn,
    /// The same, where it was chosen from several.
    SignInChosen,
    /// Waiting for the host.
    Waiting,
    /// The host is there and must let one in.
    LetIn,
    /// In the visit, as host.
    JoinedHost,
    /// In the visit, as guest.
    JoinedGuest,
    /// The visit was lost and is being taken up again.
    Reconnecting,
    /// The visit is open in another tab.
    Elsewhere,
    /// The visit goes on in the Connect web app.
    HandedToConnect,
    /// The visit goes on in the embedding page.
    HandedToPage,
    /// The user has left.
    Left,
    /// The user has left, and can come back.
    LeftRejoin,
    /// The visit is over.
    Ended,
    /// The launch has failed.
    Failed,
}

impl Screen {
    /// The form for the PIN. `back`: the question whose it is can be come back to.
    pub(crate) fn pin(whose: Option<Role>, back: bool) -> Self {
        match (whose, back) {
            (None, _) => Self::Pin,
            (Some(Role::Host), false) => Self::HostPin,
            (Some(Role::Host), true) => Self::HostPinBack,
            (Some(Role::Guest), false) => Self::GuestPin,
            (Some(Role::Guest), true) => Self::GuestPinBack,
        }
    }

    /// The form for the extension.
    pub(crate) fn extension(kind: ExtensionKind) -> Self {
        match kind {
            ExtensionKind::Standard => Self::Extension,
            ExtensionKind::Mssip => Self::MssipExtension,
        }
    }

    /// The `data-screen` of its section, then which of the section's `data-when` parts are
    /// shown, with spaces between.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Ready => "ready",
            Self::Name => "name",
            Self::Role => "role",
            Self::Pin => "pin any",
            Self::HostPin => "pin host",
            Self::HostPinBack => "pin host back",
            Self::GuestPin => "pin guest",
            Self::GuestPinBack => "pin guest back",
            Self::Extension => "extension standard",
            Self::MssipExtension => "extension mssip",
            Self::Provider => "provider",
            Self::SignIn => "sign-in",
            Self::SignInChosen => "sign-in chosen",
            Self::Waiting => "waiting",
            Self::LetIn => "let-in",
            Self::JoinedHost => "joined host",
            Self::JoinedGuest => "joined guest",
            Self::Reconnecting => "reconnecting",
            Self::Elsewhere => "elsewhere",
            Self::HandedToConnect => "handed-on connect",
            Self::HandedToPage => "handed-on event",
            Self::Left => "left over",
            Self::LeftRejoin => "left rejoin",
            Self::Ended => "ended",
            Self::Failed => "failed",
        }
    }
}
