//! From an id of a person's device to the key it is known by here.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use super::UserKey;

/// The keyed hash by which ids become user keys: the same for a bid, a cookie of ours, and a list of segments. Its key never
/// leaves the machine, so that user keys say nothing to anybody else.
#[derive(Clone, Copy)]
pub struct UserHash([u8; 16]);

impl UserHash {
    /// The hash with this key.
    pub const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// The key of an id, byte for byte as it is written.
    pub fn key(&self, id: &str) -> UserKey {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(id.as_bytes());
        UserKey::from_raw(hasher.finish())
    }
}

impl fmt::Debug for UserHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_key_under_one_hash() {
        let hash = UserHash::new([7; 16]);
        assert_eq!(hash.key("a"), hash.key("a"));
        assert_ne!(hash.key("a"), hash.key("A"));
        assert_ne!(hash.key("a"), UserHash::new([8; 16]).key("a"));
        assert_eq!(format!("{hash:?}"), "UserHash(..)");
    }
}
