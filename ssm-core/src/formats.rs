//! Which formats a loader reads: a choice of types, so that a device links no code for the others.

/// A choice of formats: [`AnyFormat`], [`OnlyPatched`], [`OnlyStreamed`].
pub trait Formats {
    /// Whether 1.0 to 1.2 are read.
    const PATCHED: bool;
    /// Whether 2.0 is read.
    const STREAMED: bool;
}

/// 1.0, 1.1, 1.2 and 2.0.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnyFormat;

/// 1.0, 1.1 and 1.2.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnlyPatched;

/// 2.0.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnlyStreamed;

/// 2.0, front to back, from a medium that cannot seek: see [`Loader::streaming`](crate::Loader::streaming).
#[derive(Clone, Copy, Debug, Default)]
pub struct FrontToBack;

impl Formats for AnyFormat {
    const PATCHED: bool = true;
    const STREAMED: bool = true;
}

impl Formats for OnlyPatched {
    const PATCHED: bool = true;
    const STREAMED: bool = false;
}

impl Formats for OnlyStreamed {
    const PATCHED: bool = false;
    const STREAMED: bool = true;
}
