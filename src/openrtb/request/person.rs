//! The user, and what the law says about reading who that is (OpenRTB 2.6, sections 3.2.3, 3.2.20, 3.2.27).
//!
//! Versions before 2.6 kept most of this in `ext` under the same names, so an `ext` is read as the object it extends,
//! and where both places speak, the stricter counts. Whether any of it may be used is decided in `consent`.

use serde::de::MapAccess;

use crate::openrtb::lenient::{First, Flag, Given, Listed, Object, Text, joined, read, skip};

/// A user; all fields absent where the request describes none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct User<'a> {
    /// The exchange's id of the user.
    pub id: Option<Text<'a>>,
    /// Our id of the user, as synchronised with the exchange.
    pub buyeruid: Option<Text<'a>>,
    /// TCF consent string.
    pub consent: Option<Text<'a>>,
    /// Ids of third parties.
    pub eids: Listed<Eid<'a>>,
    /// Segments that others put the user in: personal data; see `consent`.
    pub data: Listed<UserData<'a>>,
}

/// What one provider says of the user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserData<'a> {
    /// The provider's id, or its name where it has none.
    pub provider: Option<Text<'a>>,
    /// The segments.
    pub segments: Listed<UserSegment<'a>>,
}

/// A segment of an audience.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserSegment<'a> {
    /// Its id in the provider's taxonomy; empty where it has none, and so cannot be asked for.
    pub id: Text<'a>,
}

/// A third party's id of the user: the first of them, where it gives several; none where it gives none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Eid<'a> {
    /// Who gave it.
    pub source: Option<Text<'a>>,
    /// The id.
    pub uid: Option<Text<'a>>,
    /// What it stands for: 1 browser or device, 2 app, 3 person.
    pub atype: Option<u32>,
}

/// What regulations apply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Regs<'a> {
    /// The audience is children.
    pub coppa: Flag,
    /// GDPR applies; unknown where absent.
    pub gdpr: Flag,
    /// US Privacy string, such as `1YNN`.
    pub us_privacy: Given<Text<'a>>,
    /// Global Privacy Platform string.
    pub gpp: Given<Text<'a>>,
    /// Sections of the string that apply; −1 says that none does.
    pub gpp_sid: Given<Vec<i32>>,
    /// The browser's Global Privacy Control: the user objects to sale and sharing.
    pub gpc: Flag,
    /// What the Digital Services Act asks of bids.
    pub dsa: Dsa,
    /// Whether something else than regulations stands in one of their places.
    pub is_unreadable: bool,
}

/// What the Digital Services Act asks of bids (the IAB's extension `dsa`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dsa {
    /// 0 nothing, 1 a bid may be transparent, 2 and 3 it must.
    pub required: Given<u32>,
    /// Whether the publisher shows it: 0 cannot, 1 could, 2 will.
    pub pubrender: Option<u32>,
    /// Whether the publisher wants the parameters: 0 no, 1 it may have them, 2 yes.
    pub datatopub: Option<u32>,
}

impl Dsa {
    /// Whether a bid that is not transparent is dropped. What cannot be read asks for it.
    pub fn is_required(&self) -> bool {
        match self.required {
            Given::Absent => false,
            Given::Value(level) => level >= 2,
            Given::Unreadable => true,
        }
    }

    /// Whether a bid may be transparent.
    pub fn is_supported(&self) -> bool {
        self.is_required() || self.required == Given::Value(1)
    }

    /// Whether a bid whose markup shows it, or does not, leaves exactly one of publisher and buyer to show it.
    pub fn agrees_with(&self, renders: bool) -> bool {
        match self.pubrender {
            Some(0) => renders,
            Some(2) => !renders,
            Some(_) | None => true,
        }
    }

    /// What was asked for; what cannot be read asks for transparency.
    fn of(sent: Given<Self>) -> Self {
        match sent {
            Given::Absent => Self::default(),
            Given::Value(dsa) => dsa,
            Given::Unreadable => Self {
                required: Given::Unreadable,
                ..Self::default()
            },
        }
    }

    fn tighten(&mut self, other: Self) {
        let rank = |required: &Given<u32>| match required {
            Given::Absent => 0,
            Given::Value(level) => u64::from(*level) + 1,
            Given::Unreadable => u64::MAX,
        };
        if rank(&other.required) > rank(&self.required) {
            self.required = other.required;
        }
        self.pubrender = joined(self.pubrender, other.pubrender);
        self.datatopub = joined(self.datatopub, other.datatopub);
    }
}

impl Regs<'_> {
    /// Whether the US Privacy string opts out of sale. The third character of `1YNN` says so: `N` and `-` (not
    /// applicable) leave it open, anything else closes it.
    pub fn opts_out_of_sale(&self) -> bool {
        restricts_sale(&self.us_privacy)
    }
}

fn restricts_sale(us_privacy: &Given<Text<'_>>) -> bool {
    match us_privacy {
        Given::Absent => false,
        Given::Value(text) => opts_out(text),
        Given::Unreadable => true,
    }
}

/// Whether a US Privacy string opts out of sale.
pub(in crate::openrtb) fn opts_out(us_privacy: &str) -> bool {
    !matches!(us_privacy.as_bytes().get(2), Some(b'N' | b'n' | b'-'))
}

impl User<'_> {
    /// Takes in what the former place says: of ids the newer place's, of lists both, since what excludes a user may
    /// stand in either.
    fn join(&mut self, former: Self) {
        self.consent = joined(self.consent.take(), former.consent);
        self.data.join(former.data);
        self.eids.join(former.eids);
    }
}

impl<'a> Regs<'a> {
    /// Takes in what another place says.
    fn tighten(&mut self, other: Self) {
        self.coppa = self.coppa.stricter(other.coppa);
        self.gdpr = self.gdpr.stricter(other.gdpr);
        self.tighten_us_privacy(other.us_privacy);
        self.tighten_gpp(other.gpp);
        self.tighten_gpp_sid(other.gpp_sid);
        self.gpc = self.gpc.stricter(other.gpc);
        self.dsa.tighten(other.dsa);
        self.is_unreadable |= other.is_unreadable;
    }

    /// Regulations as they were sent.
    pub(super) fn of(sent: Given<Self>) -> Self {
        match sent {
            Given::Absent => Self::default(),
            Given::Value(regs) => regs,
            Given::Unreadable => Self {
                is_unreadable: true,
                ..Self::default()
            },
        }
    }

    /// That one is there counts, not what it says.
    fn tighten_gpp(&mut self, other: Given<Text<'a>>) {
        if self.gpp.is_absent() {
            self.gpp = other;
        }
    }

    /// Sections of both places count; if one of them cannot be read, neither can the whole.
    fn tighten_gpp_sid(&mut self, other: Given<Vec<i32>>) {
        match (&mut self.gpp_sid, other) {
            (Given::Value(sections), Given::Value(more)) => sections.extend(more),
            (_, Given::Absent) | (Given::Unreadable, _) => {}
            (_, other) => self.gpp_sid = other,
        }
    }

    /// Of two strings the one that opts out counts, else the first.
    fn tighten_us_privacy(&mut self, other: Given<Text<'a>>) {
        if restricts_sale(&other) || self.us_privacy.is_absent() {
            self.us_privacy = other;
        }
    }
}

impl<'de> Object<'de> for User<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "id" => self.id = read(map)?,
            "buyeruid" => self.buyeruid = read(map)?,
            "consent" => self.consent = joined(read(map)?, self.consent.take()),
            "eids" => {
                let eids = read(map)?;
                self.eids.join(eids);
            }
            "data" => {
                let data = read(map)?;
                self.data.join(data);
            }
            "ext" => {
                let former = read(map)?;
                self.join(former);
            }
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for UserData<'de> {
    /// Exchanges pass on the segments of a handful of providers.
    const MAX_LISTED: usize = 64;

    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "id" => self.provider = joined(read(map)?, self.provider.take()),
            "name" => self.provider = joined(self.provider.take(), read(map)?),
            "segment" => self.segments = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for UserSegment<'de> {
    /// A person is in hundreds. Who is in more may be in anything that a campaign excludes.
    const MAX_LISTED: usize = 512;

    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "id" => self.id = read::<Option<Text<'de>>, A>(map)?.unwrap_or_default(),
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for Eid<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "source" => self.source = read(map)?,
            "uids" => {
                if let First(Some(uid)) = read::<First<Uid<'de>>, A>(map)? {
                    self.uid = uid.id;
                    self.atype = uid.atype;
                }
            }
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct Uid<'a> {
    id: Option<Text<'a>>,
    atype: Option<u32>,
}

impl<'de> Object<'de> for Uid<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "id" => self.id = read(map)?,
            "atype" => self.atype = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }

    fn is_usable(&self) -> bool {
        self.id.is_some()
    }
}

impl<'de> Object<'de> for Regs<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "coppa" => self.coppa = self.coppa.stricter(read(map)?),
            "gdpr" => self.gdpr = self.gdpr.stricter(read(map)?),
            "gpc" => self.gpc = self.gpc.stricter(read(map)?),
            "us_privacy" => {
                let us_privacy = read(map)?;
                self.tighten_us_privacy(us_privacy);
            }
            "gpp" => {
                let gpp = read(map)?;
                self.tighten_gpp(gpp);
            }
            "gpp_sid" => {
                let sections = read(map)?;
                self.tighten_gpp_sid(sections);
            }
            "dsa" => {
                let dsa = read(map)?;
                self.dsa.tighten(Dsa::of(dsa));
            }
            "ext" => {
                let former = read(map)?;
                self.tighten(Self::of(former));
            }
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for Dsa {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "dsarequired" => self.required = read(map)?,
            "pubrender" => self.pubrender = read(map)?,
            "datatopub" => self.datatopub = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}
