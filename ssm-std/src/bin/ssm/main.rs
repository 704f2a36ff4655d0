//! The tool `ssm`: looks into saved states.
fn main() {}
