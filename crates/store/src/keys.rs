//! The 32-byte values by which rows are found. Each kind is a type of its own,
//! so that one cannot be looked up as another.

macro_rules! keys {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        $(
            $(#[$doc])+
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub struct $name([u8; 32]);

            impl $name {
                /// The key with these bytes.
                pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                    Self(bytes)
                }

                /// The bytes of the key.
                pub const fn as_bytes(&self) -> &[u8; 32] {
                    &self.0
                }
            }
        )+
    };
}

keys! {
    /// An encounter of a profile, by a keyed one-way function: encounter ids are
    /// short numbers that a plain hash would not hide.
    EncounterKey,
    /// An EHR launch token of a profile, by a keyed one-way function.
    Fingerprint,
    /// SHA-256 of a rendered alias in lower case.
    AliasHash,
    /// SHA-256 of a one-time launch ticket.
    TicketHash,
    /// SHA-256 of what identifies the browser that redeems a ticket.
    BrowserHash,
    /// SHA-256 of a launch's bearer token.
    BearerHash,
    /// SHA-256 of what identifies an administrator's session.
    AdminSessionHash,
    /// What is counted of whom, by a keyed one-way function: addresses are few enough
    /// to be tried out.
    LimitKey,
}
