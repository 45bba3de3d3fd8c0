//! What a request says about the person's consent: TCF, US Privacy and GPP strings, written bit by bit.
//!
//! Dates, ids and screens are fixed: only what was consented to differs between the variants.

use serde_json::{Map, Value, json};

use super::shape::{Shape, base64url, fields};
use crate::rng::Rng;
use crate::scenario::PrivacyShares;

/// Vendors that a consenting person consents to: all up to this id.
const VENDORS: u32 = 900;
/// Tenths of a second since 1970: 2026-01-05.
const CREATED: u64 = 17_675_712_000;
/// The GPP section with the national text of the United States, and the header that announces only it.
const GPP_US_NATIONAL: (u32, &str) = (7, "DBABLA");

/// What a request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// What it says without any of this: that GDPR does not apply, or nothing.
    Plain,
    /// GDPR applies; the person agreed to everything.
    Consented,
    /// GDPR applies; the person refused everything.
    Refused,
    /// GDPR applies, and nobody asked.
    Unasked,
    /// Sale of data refused, in a US Privacy string.
    UsOptOut,
    /// The same in a GPP string.
    GppOptOut,
}

impl Signal {
    /// Draws one.
    pub(super) fn draw(shares: &PrivacyShares, rng: &mut Rng) -> Self {
        let drawn = [
            (shares.consented, Self::Consented),
            (shares.refused, Self::Refused),
            (shares.unasked, Self::Unasked),
            (shares.us_opt_out, Self::UsOptOut),
            (shares.gpp_opt_out, Self::GppOptOut),
        ];
        let mut rest = rng.unit();
        for (share, signal) in drawn {
            if rest < share {
                return signal;
            }
            rest -= share;
        }
        Self::Plain
    }

    /// Whether GDPR applies.
    pub(super) const fn is_gdpr(self) -> bool {
        matches!(self, Self::Consented | Self::Refused | Self::Unasked)
    }

    /// What stands in `regs` beside `gdpr`.
    pub(super) fn regs(self) -> Map<String, Value> {
        let mut regs = Map::new();
        match self {
            Self::UsOptOut => {
                regs.insert("us_privacy".to_owned(), json!("1YYN"));
            }
            Self::GppOptOut => {
                let (section, header) = GPP_US_NATIONAL;
                let gpp = format!("{header}~{}", us_national_opt_out());
                regs.insert("gpp".to_owned(), json!(gpp));
                regs.insert("gpp_sid".to_owned(), json!([section]));
            }
            Self::Plain | Self::Consented | Self::Refused | Self::Unasked => {}
        }
        regs
    }

    /// Puts the TCF string where this version has it; `user` may be absent so far.
    pub(super) fn put(self, shape: &Shape, root: &mut Map<String, Value>) {
        let is_agreed = match self {
            Self::Consented => true,
            Self::Refused => false,
            Self::Plain | Self::Unasked | Self::UsOptOut | Self::GppOptOut => return,
        };
        let mut consent = Map::new();
        consent.insert("consent".to_owned(), json!(tc_string(is_agreed)));
        let user = root.entry("user").or_insert_with(|| json!({}));
        fields(user);
        shape.put(user, consent);
    }
}

/// Bits, most significant first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    /// The lowest `width` bits of `value`.
    fn put(&mut self, value: u64, width: u32) {
        for place in (0..width).rev() {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let bit = u8::from((value >> place) & 1 == 1);
            if let Some(last) = self.bytes.last_mut() {
                *last |= bit << (7 - self.count % 8);
            }
            self.count += 1;
        }
    }
}

/// The core segment of a TCF 2 string: every purpose and vendor agreed to, or none.
fn tc_string(is_agreed: bool) -> String {
    let mut bits = Bits::default();
    let all = |width: u32| if is_agreed { (1 << width) - 1 } else { 0 };
    for (value, width) in [
        (2, 6),              // version
        (CREATED, 36),       // created
        (CREATED, 36),       // last updated
        (21, 12),            // the consent platform
        (1, 12),             // its version
        (1, 6),              // screen
        (4, 6),              // language: E
        (13, 6),             // N
        (120, 12),           // vendor list
        (4, 6),              // policy
        (1, 1),              // for this site only
        (0, 1),              // standard texts
        (0, 12),             // special features
        (all(11) << 13, 24), // purposes 1 to 11
        (0, 24),             // legitimate interests
        (0, 1),              // purpose 1 not treated apart
        (3, 6),              // country: D
        (4, 6),              // E
    ] {
        bits.put(value, width);
    }
    let vendors = if is_agreed { VENDORS } else { 0 };
    bits.put(vendors.into(), 16);
    if is_agreed {
        // One range holds them all.
        for (value, width) in [(1, 1), (1, 12), (1, 1), (1, 16), (VENDORS.into(), 16)] {
            bits.put(value, width);
        }
    } else {
        bits.put(0, 1);
    }
    // Vendors by legitimate interest, and restrictions of the publisher: none.
    for width in [16, 1, 12] {
        bits.put(0, width);
    }
    base64url(&bits.bytes)
}

/// A core segment of `usnat`, version 1: notices given; sale, sharing and targeted advertising refused.
fn us_national_opt_out() -> String {
    let mut bits = Bits::default();
    bits.put(1, 6);
    // Notices: sharing, sale, sharing opt-out, targeted advertising, two of sensitive data.
    for notice in [1, 1, 1, 1, 0, 0] {
        bits.put(notice, 2);
    }
    // Sale, sharing, targeted advertising: opted out.
    for choice in [1, 1, 1] {
        bits.put(choice, 2);
    }
    // Sensitive data, children, further consents: not applicable.
    bits.put(0, 24 + 4 + 2);
    // Not under the industry's agreement, and its two modes do not apply.
    for mode in [2, 0, 0] {
        bits.put(mode, 2);
    }
    base64url(&bits.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads bits of a web-safe base64 text: a reader of its own.
    fn bits(text: &str, at: usize, width: usize) -> u64 {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let all: Vec<u64> = text
            .chars()
            .flat_map(|c| {
                let value = u64::try_from(alphabet.find(c).unwrap()).unwrap();
                (0..6).rev().map(move |place| (value >> place) & 1)
            })
            .collect();
        all[at..at + width].iter().fold(0, |sum, bit| sum * 2 + bit)
    }

    #[test]
    fn a_tcf_string_says_what_was_agreed_to() {
        let (yes, no) = (tc_string(true), tc_string(false));
        assert!(yes.starts_with('C') && no.starts_with('C'));
        assert_eq!(bits(&yes, 0, 6), 2);
        assert_eq!(bits(&yes, 6, 36), CREATED);
        // Purposes 1 to 11 of 24.
        assert_eq!((bits(&yes, 152, 11), bits(&yes, 163, 13)), (0x7ff, 0));
        assert_eq!(bits(&no, 152, 24), 0);
        // One range of vendors, from 1 to the last.
        assert_eq!(bits(&yes, 213, 16), u64::from(VENDORS));
        assert_eq!((bits(&yes, 229, 1), bits(&yes, 230, 12)), (1, 1));
        assert_eq!(
            (bits(&yes, 243, 16), bits(&yes, 259, 16)),
            (1, u64::from(VENDORS))
        );
        assert_eq!(bits(&no, 213, 16), 0);
    }

    #[test]
    fn a_us_string_says_that_sale_was_refused() {
        let text = us_national_opt_out();
        assert_eq!((bits(&text, 0, 6), bits(&text, 18, 6)), (1, 0b01_01_01));
    }

    #[test]
    fn signals_are_drawn_as_often_as_their_shares_say() {
        let shares = PrivacyShares {
            consented: 0.5,
            unasked: 0.25,
            ..PrivacyShares::default()
        };
        let mut rng = Rng::new(1);
        let drawn: Vec<Signal> = (0..4_000)
            .map(|_| Signal::draw(&shares, &mut rng))
            .collect();
        let count = |signal| drawn.iter().filter(|drawn| **drawn == signal).count();
        assert!(count(Signal::Consented).abs_diff(2_000) < 150);
        assert!(count(Signal::Unasked).abs_diff(1_000) < 150);
        assert!(count(Signal::Plain).abs_diff(1_000) < 150);
    }
}
