//! Secrets that nobody set: made at the first start, kept in the data directory, readable by us alone.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::notice::token::TokenKey;
use crate::units::UserHash;

/// What seals tokens and hashes user ids.
pub struct Secrets {
    /// The key that seals now, and those that sealed before.
    pub tokens: (TokenKey, Vec<TokenKey>),
    /// What makes a user key of an id.
    pub users: UserHash,
    /// Random bits of this process's incarnation, for bid ids and nonces.
    pub incarnation: u64,
}

/// Why there are no secrets.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// A file or its folder cannot be used.
    #[error("cannot use {0}: {1}")]
    File(PathBuf, io::Error),
    /// A file holds something else.
    #[error(
        "{0}: line {1} is not a key; restore the file, or move it away and a new one is made (open bids then become unbillable)"
    )]
    Malformed(PathBuf, usize),
    /// The machine gives no random numbers.
    #[error("the machine gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// Reads the secrets under `directory`, and makes those that are not there.
///
/// `tokens.keys` has a line for each key, the one that seals first: its id, then 64 hexadecimal digits. Add a line in
/// front to change keys; remove the last one when its tokens have expired.
///
/// # Errors
/// [`SecretsError`], for an operator.
pub fn open(directory: &Path) -> Result<Secrets, SecretsError> {
    let folder = directory.join("secrets");
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder);
    made.map_err(|error| SecretsError::File(folder.clone(), error))?;
    let tokens = keys::<32>(&folder.join("tokens.keys"))?;
    let users = keys::<16>(&folder.join("users.key"))?;
    let mut tokens = tokens.into_iter().map(|(id, bytes)| TokenKey { id, bytes });
    let Some(current) = tokens.next() else {
        return Err(SecretsError::Malformed(folder.join("tokens.keys"), 1));
    };
    let tokens = (current, tokens.collect());
    let users = users.first().map_or([0; 16], |(_, bytes)| *bytes);
    Ok(Secrets {
        tokens,
        users: UserHash::new(users),
        incarnation: u64::from_be_bytes(random()?),
    })
}

fn keys<const N: usize>(path: &Path) -> Result<Vec<(u8, [u8; N])>, SecretsError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let line = format!("1 {}\n", hex(&random::<N>()?));
            write_new(path, &line).map_err(|error| SecretsError::File(path.to_owned(), error))?;
            line
        }
        Err(error) => return Err(SecretsError::File(path.to_owned(), error)),
    };
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    let keys: Option<Vec<_>> = lines.clone().map(|(_, line)| key(line)).collect();
    let first_bad = || {
        lines
            .clone()
            .find(|(_, line)| key::<N>(line).is_none())
            .map_or(1, |(number, _)| number + 1)
    };
    keys.filter(|keys| !keys.is_empty())
        .ok_or_else(|| SecretsError::Malformed(path.to_owned(), first_bad()))
}

fn key<const N: usize>(line: &str) -> Option<(u8, [u8; N])> {
    let (id, digits) = line.trim().split_once(' ')?;
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some((id.parse().ok()?, bytes))
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Random bits for a visitor's id; none where the machine gives none now.
pub fn visitor_bits() -> Option<u128> {
    random().ok().map(u128::from_be_bytes)
}

fn random<const N: usize>() -> Result<[u8; N], SecretsError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(SecretsError::Random)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| char::from_digit(nibble.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn secrets_are_made_once_and_readable_by_their_owner_alone() {
        let scratch = Scratch::new();
        let folder = scratch.path();
        let first = open(folder).unwrap();
        let second = open(folder).unwrap();
        assert_eq!(first.users.key("a"), second.users.key("a"));
        assert_eq!(first.tokens.0.bytes, second.tokens.0.bytes);
        assert_ne!(first.incarnation, second.incarnation);
        let mode = fs::metadata(folder.join("secrets/tokens.keys"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(folder.join("secrets/tokens.keys"), "1 zz\n").unwrap();
        let error = open(folder).err().unwrap().to_string();
        assert!(
            error.contains("tokens.keys: line 1 is not a key"),
            "{error}"
        );
    }
}
