//! The people behind the requests: each always with the same device, place and ids.

use super::country::Country;
use crate::rng::{Purpose, Rng};
use crate::scenario::Traffic;

/// One person.
pub(super) struct Person {
    /// An exchange's id of this person.
    pub(super) id: String,
    /// The device's advertising id.
    pub(super) ifa: String,
    /// Which region of the scenario.
    pub(super) region: usize,
    /// The country.
    pub(super) country: &'static Country,
    /// The device.
    pub(super) device: &'static Device,
    /// Its address, from the ranges kept for documentation (RFC 5737, RFC 3849).
    pub(super) address: Address,
    /// Year of birth.
    pub(super) born: u64,
}

/// An address.
pub(super) enum Address {
    V4(String),
    V6(String),
}

/// A kind of device.
pub(super) struct Device {
    /// What its browser says.
    pub(super) ua: &'static str,
    /// The operating system.
    pub(super) os: &'static str,
    /// Its version.
    pub(super) osv: &'static str,
    /// The maker.
    pub(super) make: &'static str,
    /// The model.
    pub(super) model: &'static str,
    /// `OpenRTB`'s device type.
    pub(super) kind: u32,
    /// Width and height of the screen in pixels.
    pub(super) screen: (u32, u32),
    /// Whether apps run on it.
    pub(super) app: Option<AppStore>,
}

/// Where a device's apps come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AppStore {
    Android,
    Apple,
}

const DEVICES: &[Device] = &[
    Device {
        ua: "Mozilla/5.0 (Linux; Android 14; SM-A546E) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
        os: "Android",
        osv: "14",
        make: "Samsung",
        model: "SM-A546E",
        kind: 4,
        screen: (1080, 2340),
        app: Some(AppStore::Android),
    },
    Device {
        ua: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        os: "iOS",
        osv: "17.5",
        make: "Apple",
        model: "iPhone15,2",
        kind: 4,
        screen: (1179, 2556),
        app: Some(AppStore::Apple),
    },
    Device {
        ua: "Mozilla/5.0 (Linux; Android 13; Redmi Note 12) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
        os: "Android",
        osv: "13",
        make: "Xiaomi",
        model: "Redmi Note 12",
        kind: 4,
        screen: (1080, 2400),
        app: Some(AppStore::Android),
    },
    Device {
        ua: "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
        os: "iOS",
        osv: "17.4",
        make: "Apple",
        model: "iPad13,1",
        kind: 5,
        screen: (1640, 2360),
        app: Some(AppStore::Apple),
    },
    Device {
        ua: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        os: "Windows",
        osv: "10",
        make: "Generic",
        model: "PC",
        kind: 2,
        screen: (1920, 1080),
        app: None,
    },
    Device {
        ua: "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
        os: "macOS",
        osv: "14.5",
        make: "Apple",
        model: "Mac",
        kind: 2,
        screen: (2560, 1440),
        app: None,
    },
];

/// How often each device occurs, in the order above.
const DEVICE_WEIGHTS: [f64; 6] = [30.0, 22.0, 18.0, 4.0, 20.0, 6.0];

impl Person {
    /// Draws one; a few come up often, most rarely.
    pub(super) fn draw(seed: u64, traffic: &Traffic, rng: &mut Rng) -> Option<Self> {
        Self::of(seed, traffic, rng.zipf(traffic.users))
    }

    fn of(seed: u64, traffic: &Traffic, rank: u64) -> Option<Self> {
        let mut rng = Rng::of(seed, Purpose::Person, rank);
        let region = rng.weighted(traffic.regions.iter().map(|region| region.weight));
        let country = rng.pick(&traffic.regions.get(region)?.countries)?;
        let device = DEVICES.get(rng.weighted(DEVICE_WEIGHTS.into_iter()))?;
        let (high, low) = (rng.bits(), rng.bits());
        Some(Self {
            id: format!("{high:016x}{low:016x}"),
            ifa: format!(
                "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                high >> 32,
                (high >> 16) & 0xffff,
                high & 0xfff,
                (low >> 48) & 0xfff,
                low & 0xffff_ffff_ffff
            ),
            region,
            country,
            device,
            address: address(&mut rng),
            born: rng.between(1950, 2006),
        })
    }
}

fn address(rng: &mut Rng) -> Address {
    if rng.chance(0.1) {
        return Address::V6(format!(
            "2001:db8:{:x}::{:x}",
            rng.below(65_536),
            rng.below(65_536)
        ));
    }
    let net = ["192.0.2", "198.51.100", "203.0.113"];
    let net = rng.pick(&net).copied().unwrap_or("192.0.2");
    Address::V4(format!("{net}.{}", rng.between(1, 254)))
}
