//! A realistic campaign tree of any size, in the server's file format: for measuring how cost grows with campaigns.
//!
//! Campaign n of a seed is always the same. Advertisers are few and large, or many and small, and share their creatives
//! between their campaigns, as they do in life; a folder of 100,000 campaigns has some 20,000 creatives.

mod advertiser;
mod campaign;
mod creative;
mod toml_text;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use advertiser::Advertiser;

/// What a server reads at most from one folder.
pub const CAMPAIGNS_MAX: u32 = 100_000;

/// What to write.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many campaigns.
    pub campaigns: u32,
    /// What all randomness follows from.
    pub seed: u64,
    /// Where.
    pub folder: PathBuf,
    /// A `bidtree.toml` to put beside them.
    pub settings: Option<PathBuf>,
}

/// What was written: files by folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// In `advertisers/`.
    pub advertisers: u32,
    /// In `campaigns/`.
    pub campaigns: u32,
    /// In `creatives/`.
    pub creatives: u32,
}

/// Why it was not written.
#[derive(Debug)]
pub enum CatalogueError {
    /// Not between one and [`CAMPAIGNS_MAX`].
    Count(u32),
    /// A folder that already holds something, which would mix two catalogues.
    NotEmpty(PathBuf),
    /// A file that cannot be read or written.
    Io(PathBuf, io::Error),
}

impl fmt::Display for CatalogueError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(out, "--campaigns {count}: from 1 to {CAMPAIGNS_MAX}"),
            Self::NotEmpty(folder) => write!(
                out,
                "{} is not empty; name another folder with --out, or empty it",
                folder.display()
            ),
            Self::Io(path, error) => write!(out, "{}: {error}", path.display()),
        }
    }
}

/// Writes the tree.
///
/// # Errors
/// [`CatalogueError`]; what was written until then stays.
pub fn write(plan: &Plan) -> Result<Written, CatalogueError> {
    if !(1..=CAMPAIGNS_MAX).contains(&plan.campaigns) {
        return Err(CatalogueError::Count(plan.campaigns));
    }
    let folders = [
        open_folder(&plan.folder, "advertisers")?,
        open_folder(&plan.folder, "campaigns")?,
        open_folder(&plan.folder, "creatives")?,
    ];
    let [advertisers, campaigns, creatives] = &folders;
    let mut written = Written::default();
    for number in 0..advertiser::count(plan.campaigns) {
        let advertiser = Advertiser::of(plan.seed, number);
        write_file(advertisers, &advertiser.id, &advertiser.file())?;
        written.advertisers += 1;
        for creative in &advertiser.creatives {
            let id = creative.id(&advertiser);
            write_file(creatives, &id, &creative.file(&advertiser))?;
            written.creatives += 1;
        }
    }
    for number in 0..plan.campaigns {
        let (id, file) = campaign::write(plan.seed, number, plan.campaigns);
        write_file(campaigns, &id, &file)?;
        written.campaigns += 1;
    }
    if let Some(settings) = &plan.settings {
        let target = plan.folder.join("bidtree.toml");
        fs::copy(settings, target).map_err(|error| CatalogueError::Io(settings.clone(), error))?;
    }
    Ok(written)
}

fn open_folder(root: &Path, name: &str) -> Result<PathBuf, CatalogueError> {
    let folder = root.join(name);
    let io = |error| CatalogueError::Io(folder.clone(), error);
    fs::create_dir_all(&folder).map_err(io)?;
    let mut entries = fs::read_dir(&folder).map_err(io)?;
    if entries.next().is_some() {
        return Err(CatalogueError::NotEmpty(folder));
    }
    Ok(folder)
}

fn write_file(folder: &Path, id: &str, text: &str) -> Result<(), CatalogueError> {
    let path = folder.join(format!("{id}.toml"));
    fs::write(&path, text).map_err(|error| CatalogueError::Io(path, error))
}

#[cfg(test)]
mod tests;
