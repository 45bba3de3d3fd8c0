//! Where a request comes from (OpenRTB 2.6, sections 3.2.2, 3.2.25 and 3.2.26).

use serde::de::MapAccess;

use crate::openrtb::lenient::{Flag, Given, Lenient, Listed, Object, Text, read, skip};

/// Where the request comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source<'a> {
    /// The supply chain, from its present place or a former one.
    pub schain: Given<SupplyChain<'a>>,
}

/// Everyone who sold the impression on, the publisher's own seller first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SupplyChain<'a> {
    /// Whether the chain goes back to the owner of the site or app; unknown where absent.
    pub complete: Flag,
    /// Those that name both a system and a seller.
    pub nodes: Listed<SupplyNode<'a>>,
}

/// One seller.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SupplyNode<'a> {
    /// The domain of the system that sold.
    pub asi: Text<'a>,
    /// The seller's id in there.
    pub sid: Text<'a>,
}

impl<'a> Source<'a> {
    /// Takes in what another place says. The first chain that is there counts, unless one cannot be read.
    pub(super) fn join(&mut self, other: Self) {
        if self.schain.is_absent() || other.schain.is_unreadable() {
            self.schain = other.schain;
        }
    }

    fn chain(&mut self, Sent(schain): Sent<'a>) {
        self.join(Self { schain });
    }
}

impl<'de> Object<'de> for Source<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "schain" => {
                let sent = read(map)?;
                self.chain(sent);
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

impl<'de> Object<'de> for SupplyChain<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "complete" => self.complete = read(map)?,
            "nodes" => self.nodes = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for SupplyNode<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "asi" => self.asi = read::<Option<Text<'de>>, A>(map)?.unwrap_or_default(),
            "sid" => self.sid = read::<Option<Text<'de>>, A>(map)?.unwrap_or_default(),
            _ => skip(map)?,
        }
        Ok(())
    }

    fn is_usable(&self) -> bool {
        !self.asi.is_empty() && !self.sid.is_empty()
    }
}

/// A chain that is something other than an object is there, and cannot be read.
struct Sent<'a>(Given<SupplyChain<'a>>);

impl<'de> Lenient<'de> for Sent<'de> {
    fn absent() -> Self {
        Self(Given::Absent)
    }

    fn misfit() -> Self {
        Self(Given::Unreadable)
    }

    fn object<A: MapAccess<'de>>(fields: A) -> Result<Self, A::Error> {
        SupplyChain::object(fields).map(|chain| Self(Given::Value(chain)))
    }
}
