//! Log lines by defmt under the feature of that name; without it nothing is left of them.

#[cfg(feature = "defmt")]
pub(crate) use defmt::{debug, error};

#[cfg(not(feature = "defmt"))]
macro_rules! nothing {
    ($($argument:tt)*) => {
        ()
    };
}

#[cfg(not(feature = "defmt"))]
pub(crate) use {nothing as debug, nothing as error};
