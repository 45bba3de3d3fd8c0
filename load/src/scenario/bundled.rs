//! The scenarios inside this program.

/// Name and text, in the order in which `list` shows them.
pub const BUNDLED: &[(&str, &str)] = &[("steady", include_str!("../../scenarios/steady.toml"))];
