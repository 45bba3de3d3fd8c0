//! The device that asks (OpenRTB 2.6, sections 3.2.18, 3.2.19 and 3.2.29).

use std::borrow::Cow;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use crate::openrtb::lenient::{Element, Flag, Lenient, Object, Text, joined, read, skip};

/// A device; all fields absent where the request describes none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Device<'a> {
    /// The browser's own description of itself.
    pub ua: Option<Text<'a>>,
    /// The same in structured form; to be preferred where sent.
    pub sua: UserAgent<'a>,
    /// IPv4 address, maybe shortened by the exchange.
    pub ip: Option<Text<'a>>,
    /// IPv6 address, maybe shortened by the exchange.
    pub ipv6: Option<Text<'a>>,
    /// Where it is.
    pub geo: Geo<'a>,
    /// Do not track; ask [`Flag::may_be_yes`].
    pub dnt: Flag,
    /// Limit ad tracking; ask [`Flag::may_be_yes`].
    pub lmt: Flag,
    /// See `codes::DeviceType`.
    pub devicetype: Option<u32>,
    /// Who made it.
    pub make: Option<Text<'a>>,
    /// Its model.
    pub model: Option<Text<'a>>,
    /// Its operating system.
    pub os: Option<Text<'a>>,
    /// The operating system's version.
    pub osv: Option<Text<'a>>,
    /// Screen width in pixels.
    pub w: Option<u32>,
    /// Screen height in pixels.
    pub h: Option<u32>,
    /// Browser language, ISO 639-1.
    pub language: Option<Text<'a>>,
    /// Browser language, BCP 47.
    pub langb: Option<Text<'a>>,
    /// Carrier or provider.
    pub carrier: Option<Text<'a>>,
    /// See `codes::ConnectionType`.
    pub connectiontype: Option<u32>,
    /// The advertiser's id of the device: personal data; see `consent`.
    pub ifa: Option<Text<'a>>,
}

/// A place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Geo<'a> {
    /// Country, ISO 3166-1 alpha-3; alpha-2 is sent too.
    pub country: Option<Text<'a>>,
    /// Region, ISO 3166-2 without the country.
    pub region: Option<Text<'a>>,
    /// Market area.
    pub metro: Option<Text<'a>>,
    /// City.
    pub city: Option<Text<'a>>,
    /// Postal code.
    pub zip: Option<Text<'a>>,
    /// Latitude, in degrees.
    pub lat: Option<f64>,
    /// Longitude, in degrees.
    pub lon: Option<f64>,
    /// Local time less UTC, in minutes.
    pub utcoffset_min: Option<i32>,
}

/// A structured user agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserAgent<'a> {
    /// What the browser calls itself: several names, some of them of what it is made of.
    pub browsers: Vec<Browser<'a>>,
    /// Prefers mobile pages.
    pub mobile: Flag,
    /// The operating system's brand.
    pub platform: Option<Text<'a>>,
    /// The operating system's major version.
    pub platform_version: Option<Text<'a>>,
    /// The device's model.
    pub model: Option<Text<'a>>,
}

/// A name of a browser.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Browser<'a> {
    /// The name.
    pub brand: Option<Text<'a>>,
}

impl<'a> Device<'a> {
    /// The operating system: the plain field, else the structured user agent's.
    pub fn os_name(&self) -> Option<&str> {
        self.os.as_deref().or(self.sua.platform.as_deref())
    }

    /// The operating system's version: the plain field, else the structured user agent's.
    pub fn os_version(&self) -> Option<&str> {
        self.osv.as_deref().or(self.sua.platform_version.as_deref())
    }

    /// The browser's language, as sent: two letters, or a BCP 47 tag.
    pub fn language_tag(&self) -> Option<&Text<'a>> {
        self.language.as_ref().or(self.langb.as_ref())
    }
}

impl<'de> Object<'de> for Device<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "ua" => self.ua = read(map)?,
            "sua" => self.sua = read(map)?,
            "ip" => self.ip = read(map)?,
            "ipv6" => self.ipv6 = read(map)?,
            "geo" => self.geo = read(map)?,
            "dnt" => self.dnt = self.dnt.stricter(read(map)?),
            "lmt" => self.lmt = self.lmt.stricter(read(map)?),
            "ext" => {
                let limits: Limits = read(map)?;
                self.dnt = self.dnt.stricter(limits.dnt);
                self.lmt = self.lmt.stricter(limits.lmt);
            }
            "devicetype" => self.devicetype = read(map)?,
            "make" => self.make = read(map)?,
            "model" => self.model = read(map)?,
            "os" => self.os = read(map)?,
            "osv" => self.osv = read(map)?,
            "w" => self.w = read(map)?,
            "h" => self.h = read(map)?,
            "language" => self.language = read(map)?,
            "langb" => self.langb = read(map)?,
            "carrier" => self.carrier = read(map)?,
            "connectiontype" => self.connectiontype = read(map)?,
            "ifa" => self.ifa = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// Flags that some exchanges keep beside their own.
#[derive(Default)]
struct Limits {
    dnt: Flag,
    lmt: Flag,
}

impl<'de> Object<'de> for Limits {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "dnt" => self.dnt = read(map)?,
            "lmt" => self.lmt = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for Geo<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "country" => self.country = read(map)?,
            "region" => self.region = read(map)?,
            "metro" => self.metro = read(map)?,
            "city" => self.city = read(map)?,
            "zip" => self.zip = read(map)?,
            "lat" => self.lat = read(map)?,
            // The spec's own DOOH example writes it out.
            "lon" | "long" => self.lon = joined(read(map)?, self.lon),
            "utcoffset" => self.utcoffset_min = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for UserAgent<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "browsers" => self.browsers = read(map)?,
            "mobile" => self.mobile = read(map)?,
            "model" => self.model = read(map)?,
            "platform" => {
                let platform: BrandVersion<'de> = read(map)?;
                self.platform = platform.brand;
                self.platform_version = platform.major.0;
            }
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for Browser<'de> {
    /// Browsers send three.
    const MAX_LISTED: usize = 16;

    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "brand" => self.brand = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct BrandVersion<'a> {
    brand: Option<Text<'a>>,
    major: MajorVersion<'a>,
}

impl<'de> Object<'de> for BrandVersion<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "brand" => self.brand = read(map)?,
            "version" => self.major = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// The first part of a version that is sent in parts.
#[derive(Default)]
struct MajorVersion<'a>(Option<Text<'a>>);

impl<'de> Lenient<'de> for MajorVersion<'de> {
    fn absent() -> Self {
        Self(None)
    }

    fn text(text: Cow<'de, str>) -> Self {
        Self(Option::<Text<'de>>::text(text))
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let major = match Element::next(&mut items)? {
            Some(Element::Text(text)) => Some(text),
            Some(Element::Nothing | Element::Misfit) | None => None,
        };
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self(major))
    }
}
