//! A configuration folder, read as a whole.

use std::path::Path;
use std::sync::Arc;

use super::catalogue::{self, Places};
use super::faults::{Faults, Findings};
use super::overrides;
use super::segments;
use super::settings::{self, Settings};
use crate::campaign::Campaign;

/// Everything a configuration folder says.
#[derive(Clone, Debug)]
pub struct Config {
    /// How the server runs.
    pub settings: Settings,
    /// The campaigns, by id; each is complete and without a fault.
    pub catalogue: Vec<Arc<Campaign>>,
}

/// Reads a configuration folder, with environment variables (`BIDTREE__SECTION__KEY`) laid over its `bidtree.toml`.
/// Variables that are not ours are passed over; U+FFFD in one of ours stands for what is no UTF-8, and is a fault. Reads
/// files, and waits for them.
///
/// # Errors
/// [`Faults`]: everything that is wrong, in all files; nothing of it should be used.
pub fn load(dir: &Path, env: impl IntoIterator<Item = (String, String)>) -> Result<Config, Faults> {
    let findings = Findings::default();
    let overrides = overrides::ours(env, &findings);
    let (settings, places) = settings::read(dir, &overrides, &findings);
    let catalogue = catalogue::read(dir, &places, &findings);
    if let Some(settings) = &settings {
        segments::check(&settings.segments, &findings);
    }
    let config = settings.map(|settings| Config {
        settings,
        catalogue,
    });
    findings.or(config)
}

/// Reads the campaigns again, with the settings that the server runs on.
///
/// # Errors
/// [`Faults`]: everything that is wrong; the campaigns that run should go on as they are.
pub fn load_catalogue(dir: &Path, settings: &Settings) -> Result<Vec<Arc<Campaign>>, Faults> {
    let findings = Findings::default();
    let catalogue = catalogue::read(dir, &Places::of(settings), &findings);
    findings.or(Some(catalogue))
}
