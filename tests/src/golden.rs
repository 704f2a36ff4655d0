//! The files that the original programs wrote, and their manifests.
