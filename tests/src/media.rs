//! Media with faults.
