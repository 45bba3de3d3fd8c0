//! The scenarios inside this program.

macro_rules! bundled {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../scenarios/", $name, ".toml")),
        )
    };
}

/// Name and text, in the order in which `list` shows them.
pub const BUNDLED: &[(&str, &str)] = &[
    bundled!("steady"),
    bundled!("ramp"),
    bundled!("burst"),
    bundled!("overload"),
    bundled!("mixed-dialects"),
    bundled!("malformed"),
    bundled!("meltdown"),
    bundled!("region-crash"),
    bundled!("slow-clients"),
    bundled!("notice-storm"),
    bundled!("budget-day"),
    bundled!("kill-9"),
    bundled!("soak"),
];
