//! Lines in a file that rotates: `name.jsonl` is written, `name.1.jsonl` is the one before it, and so on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use crate::supervision::{Failure, ThreadContext};

/// How much may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// A file that has reached it is put aside.
    pub file_bytes: u64,
    /// Files that are kept, the current one among them.
    pub files: u32,
}

/// Where lines are written, and how much of them is kept.
#[derive(Clone, Debug)]
pub struct LogPlace {
    /// The folder; without one, lines are taken and not written.
    pub folder: Option<PathBuf>,
    /// How much.
    pub limits: LogLimits,
}

/// A child's loop: writes what is posted to it, until it is told to stop.
pub(super) fn write_lines<M>(
    place: &LogPlace,
    name: &'static str,
    (context, mailbox): (&ThreadContext, &Receiver<M>),
    line: impl Fn(&M) -> String,
) -> Result<(), Failure> {
    let folder = place.folder.as_deref();
    let mut log = folder
        .map(|folder| LogFile::open(folder, name, place.limits))
        .transpose()?;
    context.child().ready();
    while let Ok(first) = mailbox.recv() {
        let Some(log) = &mut log else { continue };
        for message in std::iter::once(first).chain(mailbox.try_iter()) {
            log.write_line(&line(&message))?;
        }
        log.flush()?;
    }
    Ok(())
}

/// A file of lines, and those before it.
pub(super) struct LogFile {
    folder: PathBuf,
    name: &'static str,
    limits: LogLimits,
    out: BufWriter<File>,
    written: u64,
}

impl LogFile {
    /// Opens `folder/name.jsonl` for appending, and makes the folder where it is not there.
    pub(super) fn open(folder: &Path, name: &'static str, limits: LogLimits) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let (out, written) = append(&place(folder, name, 0))?;
        Ok(Self {
            folder: folder.to_owned(),
            name,
            limits,
            out,
            written,
        })
    }

    /// Writes a line. It reaches the file when it is full or [`LogFile::flush`] is called.
    pub(super) fn write_line(&mut self, line: &str) -> io::Result<()> {
        if self.written > 0 && self.written + line.len() as u64 >= self.limits.file_bytes {
            self.rotate()?;
        }
        self.out.write_all(line.as_bytes())?;
        self.out.write_all(b"\n")?;
        self.written += line.len() as u64 + 1;
        Ok(())
    }

    /// Hands what is buffered to the operating system.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.out.flush()?;
        let oldest = self.limits.files.saturating_sub(1);
        for number in (0..oldest).rev() {
            let from = place(&self.folder, self.name, number);
            if from.exists() {
                fs::rename(from, place(&self.folder, self.name, number + 1))?;
            }
        }
        if oldest == 0 {
            fs::remove_file(place(&self.folder, self.name, 0))?;
        }
        (self.out, self.written) = append(&place(&self.folder, self.name, 0))?;
        Ok(())
    }
}

fn place(folder: &Path, name: &str, number: u32) -> PathBuf {
    match number {
        0 => folder.join(format!("{name}.jsonl")),
        _ => folder.join(format!("{name}.{number}.jsonl")),
    }
}

fn append(path: &Path) -> io::Result<(BufWriter<File>, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let written = file.metadata()?.len();
    Ok((BufWriter::new(file), written))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn old_files_are_put_aside_and_the_oldest_goes() {
        let scratch = Scratch::new();
        let folder = scratch.path();
        let limits = LogLimits {
            file_bytes: 10,
            files: 2,
        };
        let mut log = LogFile::open(folder, "events", limits).unwrap();
        for line in ["first", "second", "third", "fourth"] {
            log.write_line(line).unwrap();
        }
        log.flush().unwrap();
        let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(text("events.jsonl"), "fourth\n");
        assert_eq!(text("events.1.jsonl"), "third\n");
        assert_eq!(fs::read_dir(folder).unwrap().count(), 2);
        drop(log);
        let mut log = LogFile::open(folder, "events", limits).unwrap();
        log.write_line("x").unwrap();
        log.flush().unwrap();
        assert_eq!(
            text("events.jsonl"),
            "fourth\nx\n",
            "a restart goes on where the file ends"
        );
    }
}
