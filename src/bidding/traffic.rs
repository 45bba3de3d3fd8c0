//! Traffic that is nobody's: bots by what they call themselves, and machines in data centres by their address.
//!
//! The lists are the operator's. A request that cannot be told is let through: these lists save money and guard no one's
//! rights.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

use super::pass::PassReason;
use crate::openrtb::request::Device;

/// The most names of bots: the list that the trade shares has some thousand.
pub const BOTS_MAX: usize = 10_000;
/// The shortest name of a bot: what is shorter is in half of all user agents.
pub const BOT_BYTES_MIN: usize = 3;
/// The longest name of a bot.
pub const BOT_BYTES_MAX: usize = 128;
/// The most ranges of addresses: 40 bytes each.
pub const ADDRESSES_MAX: usize = 100_000;

/// Who is refused before anything else is asked.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    bots: Option<AhoCorasick>,
    addresses: AddressRanges,
}

/// Ranges of addresses: sorted, and none within or beside another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressRanges {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

/// Addresses from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressRange {
    /// Of version 4.
    V4(u32, u32),
    /// Of version 6.
    V6(u128, u128),
}

impl Traffic {
    /// Refuses user agents and names of browsers that contain one of these texts, in any case, and these addresses. `None`
    /// if the texts are too many to be looked for at once.
    pub fn new(bots: &[String], addresses: AddressRanges) -> Option<Self> {
        let bots = if bots.is_empty() {
            None
        } else {
            let mut builder = AhoCorasickBuilder::new();
            builder.ascii_case_insensitive(true);
            Some(builder.build(bots).ok()?)
        };
        Some(Self { bots, addresses })
    }

    /// Whether this device's traffic is wanted.
    ///
    /// # Errors
    /// [`PassReason::Bot`], or [`PassReason::Datacentre`].
    pub(super) fn check(&self, device: &Device<'_>) -> Result<(), PassReason> {
        let brands = device.sua.browsers.iter();
        let brands = brands.filter_map(|browser| browser.brand.as_deref());
        let mut names = device.ua.as_deref().into_iter().chain(brands);
        if let Some(bots) = &self.bots
            && names.any(|name| bots.is_match(name))
        {
            return Err(PassReason::Bot);
        }
        let mut sent = [&device.ip, &device.ipv6].into_iter().flatten();
        if sent.any(|address| self.addresses.contain(address)) {
            return Err(PassReason::Datacentre);
        }
        Ok(())
    }
}

impl AddressRange {
    /// A range as it is written: `192.0.2.0/24`, `2001:db8::/32`, or one address.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
            None => (text, None),
        };
        // A v4 address in v6 clothes is looked for as v4.
        let address: IpAddr = address.parse().ok()?;
        let (address, bits) = match (address.to_canonical(), bits) {
            (IpAddr::V4(plain), Some(bits)) if address.is_ipv6() => {
                (IpAddr::V4(plain), Some(bits.checked_sub(96)?))
            }
            (canonical, bits) => (canonical, bits),
        };
        match address {
            IpAddr::V4(address) => {
                let host = Ipv4Addr::BITS.checked_sub(bits.unwrap_or(Ipv4Addr::BITS))?;
                let mask = u32::MAX.checked_shl(host).unwrap_or(0);
                let first = address.to_bits() & mask;
                Some(Self::V4(first, first | !mask))
            }
            IpAddr::V6(address) => {
                let host = Ipv6Addr::BITS.checked_sub(bits.unwrap_or(Ipv6Addr::BITS))?;
                let mask = u128::MAX.checked_shl(host).unwrap_or(0);
                let first = address.to_bits() & mask;
                Some(Self::V6(first, first | !mask))
            }
        }
    }
}

impl FromIterator<AddressRange> for AddressRanges {
    fn from_iter<I: IntoIterator<Item = AddressRange>>(ranges: I) -> Self {
        let mut all = Self::default();
        for range in ranges {
            match range {
                AddressRange::V4(first, last) => all.v4.push((first, last)),
                AddressRange::V6(first, last) => all.v6.push((first, last)),
            }
        }
        all.v4 = joined(all.v4);
        all.v6 = joined(all.v6);
        all
    }
}

impl AddressRanges {
    /// Whether an address is in one of them; not if it is no address, or an exchange has cut it.
    pub fn contain(&self, address: &str) -> bool {
        match address.trim().parse::<IpAddr>().map(|it| it.to_canonical()) {
            Ok(IpAddr::V4(address)) => holds(&self.v4, address.to_bits()),
            Ok(IpAddr::V6(address)) => holds(&self.v6, address.to_bits()),
            Err(_) => false,
        }
    }
}

fn joined<T: Ord + Copy>(mut ranges: Vec<(T, T)>) -> Vec<(T, T)> {
    ranges.sort_unstable();
    let mut all: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match all.last_mut() {
            Some((_, end)) if first <= *end => *end = last.max(*end),
            _ => all.push((first, last)),
        }
    }
    all
}

fn holds<T: Ord + Copy>(ranges: &[(T, T)], address: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= address);
    let before = after.checked_sub(1).and_then(|place| ranges.get(place));
    before.is_some_and(|(_, last)| address <= *last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranges(texts: &[&str]) -> AddressRanges {
        texts
            .iter()
            .map(|text| AddressRange::parse(text).unwrap())
            .collect()
    }

    #[test]
    fn an_address_is_found_in_its_range_however_it_is_written() {
        let listed = ranges(&[
            "192.0.2.0/24",
            "203.0.113.7",
            "2001:db8::/32",
            "192.0.2.128/25",
            "::ffff:198.51.100.0/120",
        ]);
        for inside in [
            "192.0.2.0",
            "192.0.2.255",
            " 203.0.113.7 ",
            "198.51.100.9",
            "2001:DB8::1",
            "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
            "::ffff:192.0.2.1",
        ] {
            assert!(listed.contain(inside), "{inside}");
        }
        for outside in [
            "192.0.3.0",
            "192.0.1.255",
            "203.0.113.8",
            "2001:db9::",
            "192.0.2.x",
            "",
        ] {
            assert!(!listed.contain(outside), "{outside}");
        }
        assert!(ranges(&["0.0.0.0/0"]).contain("255.255.255.255"));
        assert!(ranges(&["::/0"]).contain("ff::1"));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "",
            "a",
            "192.0.2.0/33",
            "192.0.2/24",
            "::/129",
            "192.0.2.0/-1",
            "192.0.2.0/",
        ] {
            assert_eq!(AddressRange::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn sorted_ranges_hold_what_each_of_them_does(
            listed in prop::collection::vec((0..300_u32, 0..40_u32), 0..30), asked in 0..360_u32,
        ) {
            let pairs: Vec<(u32, u32)> = listed.iter().map(|(first, more)| (*first, first + more)).collect();
            let naive = pairs.iter().any(|(first, last)| (*first..=*last).contains(&asked));
            prop_assert_eq!(holds(&joined(pairs), asked), naive);
        }
    }
}
