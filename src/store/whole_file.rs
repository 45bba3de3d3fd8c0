//! Small files that appear whole or not at all, also over a crash.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The end of the name of a file that is still being written; a crash may leave it behind.
pub(super) const UNFINISHED: &str = ".unfinished";

/// Puts a file in place with this content, whole or not at all; when this returns, it is durable.
///
/// # Errors
/// What the disk says. The file is then as it was before, or, if only its folder could not be made durable, as it is
/// wanted but for a crash that follows.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    let unfinished = PathBuf::from(name);
    let mut file = File::create(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
