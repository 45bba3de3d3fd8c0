//! Who and what a campaign may ask for in a request: language, kind of device, operating system.
//!
//! Each is a small closed type with an index, read from the spellings that exchanges use. What is not known to these
//! types is `None`, and only a campaign that does not restrict the dimension accepts it.

use std::fmt;

/// A language: the primary subtag of BCP 47, which is ISO 639-1 where that has a code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language([u8; 3]);

impl Language {
    /// What a creative without words is said to be in. Source: OpenRTB 2.6, attribute `Bid.language`.
    pub const NONE: Self = Self(*b"xx\0");

    /// A language from a tag like `en`, `pt-BR` or `zh_Hant`, in any case; `None` for anything else.
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag).as_bytes();
        let letters = match *primary {
            [a, b] => [a, b, 0],
            [a, b, c] => [a, b, c],
            _ => return None,
        };
        primary
            .iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| Self(letters.map(|byte| byte.to_ascii_lowercase())))
    }

    /// A number that stands for this language alone.
    pub(in crate::campaign) const fn code(self) -> u64 {
        let [a, b, c] = self.0;
        u32::from_be_bytes([0, a, b, c]) as u64
    }

    /// The two or three letters, lower case.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0)
            .unwrap_or("")
            .trim_end_matches('\0')
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A kind of device. Source: `AdCOM` 1.0, list Device Types; the numbers are those on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceType {
    /// A phone or a tablet, not said which.
    Mobile = 1,
    /// A personal computer.
    Computer = 2,
    /// A connected television.
    Television = 3,
    /// A phone.
    Phone = 4,
    /// A tablet.
    Tablet = 5,
    /// Another connected device.
    Connected = 6,
    /// A set-top box.
    SetTopBox = 7,
    /// A screen out of home.
    OutOfHome = 8,
}

impl DeviceType {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Mobile,
        Self::Computer,
        Self::Television,
        Self::Phone,
        Self::Tablet,
        Self::Connected,
        Self::SetTopBox,
        Self::OutOfHome,
    ];

    /// The kind with this number on the wire.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The kind with this name in a configuration.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The number on the wire.
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The name in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Computer => "computer",
            Self::Television => "television",
            Self::Phone => "phone",
            Self::Tablet => "tablet",
            Self::Connected => "connected",
            Self::SetTopBox => "set_top_box",
            Self::OutOfHome => "out_of_home",
        }
    }

    /// Whether a campaign that names this kind means `seen`, too: `mobile` means phones and tablets, while a device
    /// that is only known to be mobile is not known to be a phone.
    pub fn covers(self, seen: Self) -> bool {
        self == seen || self == Self::Mobile && matches!(seen, Self::Phone | Self::Tablet)
    }
}

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Os {
    /// Android, and Android TV.
    Android,
    /// iOS and iPadOS.
    Ios,
    /// tvOS.
    TvOs,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
    /// Linux on the desktop.
    Linux,
    /// Chrome OS.
    ChromeOs,
    /// Fire OS.
    FireOs,
    /// Roku OS.
    Roku,
    /// Tizen.
    Tizen,
    /// webOS.
    WebOs,
    /// `KaiOS`.
    KaiOs,
}

/// Names seen on the wire, lower case without spaces; the first of each is the name in a configuration.
const OS_NAMES: &[(&str, Os)] = &[
    ("android", Os::Android),
    ("androidtv", Os::Android),
    ("ios", Os::Ios),
    ("ipados", Os::Ios),
    ("iphoneos", Os::Ios),
    ("iphone", Os::Ios),
    ("tvos", Os::TvOs),
    ("appletvos", Os::TvOs),
    ("macos", Os::MacOs),
    ("macosx", Os::MacOs),
    ("osx", Os::MacOs),
    ("windows", Os::Windows),
    ("linux", Os::Linux),
    ("chromeos", Os::ChromeOs),
    ("cros", Os::ChromeOs),
    ("fireos", Os::FireOs),
    ("firetv", Os::FireOs),
    ("roku", Os::Roku),
    ("rokuos", Os::Roku),
    ("tizen", Os::Tizen),
    ("tizenos", Os::Tizen),
    ("webos", Os::WebOs),
    ("kaios", Os::KaiOs),
];

impl Os {
    /// Every system.
    pub const ALL: [Self; 12] = [
        Self::Android,
        Self::Ios,
        Self::TvOs,
        Self::MacOs,
        Self::Windows,
        Self::Linux,
        Self::ChromeOs,
        Self::FireOs,
        Self::Roku,
        Self::Tizen,
        Self::WebOs,
        Self::KaiOs,
    ];

    /// A system from its name as exchanges write it (`iOS`, `Mac OS X`, `Windows 11`), in any case.
    pub fn parse(name: &str) -> Option<Self> {
        let exact = OS_NAMES
            .iter()
            .find(|(known, _)| same_letters(name, known))
            .map(|(_, os)| *os);
        let windows = || {
            name.get(..7)
                .is_some_and(|start| start.eq_ignore_ascii_case("windows"))
        };
        exact.or_else(|| windows().then_some(Self::Windows))
    }

    /// The name in a configuration.
    pub fn name(self) -> &'static str {
        OS_NAMES
            .iter()
            .find(|(_, os)| *os == self)
            .map_or("", |(name, _)| *name)
    }
}

/// Whether `name` is `known` apart from case, spaces and hyphens.
fn same_letters(name: &str, known: &str) -> bool {
    name.bytes()
        .filter(|byte| !matches!(byte, b' ' | b'-' | b'_'))
        .map(|byte| byte.to_ascii_lowercase())
        .eq(known.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_the_primary_part_of_its_tag() {
        assert_eq!(Language::parse("PT-br"), Language::parse("pt"));
        assert_eq!(Language::parse("fil").unwrap().as_str(), "fil");
        assert_eq!(Language::parse("xx"), Some(Language::NONE));
        for tag in ["", "e", "english", "e1", "-en"] {
            assert_eq!(Language::parse(tag), None, "{tag}");
        }
    }

    #[test]
    fn mobile_means_phones_but_an_unclear_device_is_no_phone() {
        assert!(DeviceType::Mobile.covers(DeviceType::Phone));
        assert!(!DeviceType::Phone.covers(DeviceType::Mobile));
        assert_eq!(DeviceType::from_code(5), Some(DeviceType::Tablet));
        assert_eq!(DeviceType::from_code(9), None);
    }

    #[test]
    fn every_name_in_a_configuration_is_read_back() {
        for kind in DeviceType::ALL {
            assert_eq!(DeviceType::parse(kind.name()), Some(kind));
        }
        for os in Os::ALL {
            assert_eq!(Os::parse(os.name()), Some(os));
        }
        assert_eq!(Os::parse("Mac OS X"), Some(Os::MacOs));
        assert_eq!(Os::parse("Windows 11"), Some(Os::Windows));
        assert_eq!(Os::parse("Plan 9"), None);
    }
}
