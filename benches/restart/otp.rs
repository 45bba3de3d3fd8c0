//! The same on Erlang/OTP, where it is installed: compiles `restart.erl` beside this file and runs it.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::samples::{Figures, float};

/// Rows by key, as `restart.erl` prints them.
#[derive(Default)]
pub(crate) struct Otp(HashMap<String, Figures>);

/// How many samples of each kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) hot: usize,
    pub(crate) idle: usize,
    pub(crate) dynamic: usize,
}

impl Otp {
    pub(crate) fn row(&self, key: &str) -> Option<Figures> {
        self.0.get(key).copied()
    }
}

/// The release of the Erlang that would run, or why none would.
pub(crate) fn release() -> Result<String, String> {
    let script = "io:put_chars(erlang:system_info(otp_release)), halt().";
    let output = Command::new("erl")
        .args(["-noshell", "-noinput", "-eval", script])
        .stderr(Stdio::null())
        .output()
        .map_err(|error| format!("erl: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("erl ended with {}", output.status))
    }
}

pub(crate) fn measure(counts: Counts) -> io::Result<Otp> {
    let folder = Folder::make()?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/restart/restart.erl");
    let compiled = Command::new("erlc")
        .arg("-o")
        .arg(&folder.0)
        .arg(&source)
        .status()?;
    if !compiled.success() {
        return Err(io::Error::other(format!("erlc ended with {compiled}")));
    }
    let output = Command::new("erl")
        .args(["-noshell", "-noinput", "+P", "1000000", "-pa"])
        .arg(&folder.0)
        .args(["-eval", "restart:main().", "-extra"])
        .args([counts.hot, counts.idle, counts.dynamic].map(|count| count.to_string()))
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!(
            "erl ended with {}: {said}",
            output.status
        )));
    }
    let rows = String::from_utf8_lossy(&output.stdout);
    Ok(Otp(rows.lines().filter_map(row).collect()))
}

fn row(line: &str) -> Option<(String, Figures)> {
    let mut fields = line.split('\t');
    let key = fields.next()?.to_owned();
    let mut figure = || fields.next()?.parse::<u64>().ok();
    let figures = Figures {
        p50: float(figure()?),
        p99: float(figure()?),
        mean: float(figure()?),
        count: usize::try_from(figure()?).ok()?,
    };
    Some((key, figures))
}

/// Where the compiled module goes while it is needed.
struct Folder(PathBuf);

impl Folder {
    fn make() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("bidtree-restart-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{}: {error}", self.0.display());
        }
    }
}
