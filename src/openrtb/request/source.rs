//! Where a request comes from (OpenRTB 2.6, sections 3.2.2, 3.2.25 and 3.2.26).

use serde::de::MapAccess;

use crate::openrtb::lenient::{Flag, Given, Listed, Object, Text, read, skip};

/// How many supply chains are read: three places hold one. With more, from keys that come again, one counts as unreadable.
const CHAINS_MAX: usize = 4;

/// Where the request comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source<'a> {
    /// The supply chain of each place, present or former, where one is sent; one as a rule.
    pub schains: Vec<Given<SupplyChain<'a>>>,
}

/// Everyone who sold the impression on, the publisher's own seller first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SupplyChain<'a> {
    /// The version that it is written in.
    pub ver: Option<Text<'a>>,
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
    /// Takes in what another place says: every chain counts, since any of them may name who is not bought from.
    pub(super) fn join(&mut self, other: Self) {
        other.schains.into_iter().for_each(|chain| self.take(chain));
    }

    fn take(&mut self, chain: Given<SupplyChain<'a>>) {
        if chain.is_absent() {
            return;
        }
        if self.schains.len() < CHAINS_MAX {
            self.schains.push(chain);
        } else if let Some(last) = self.schains.last_mut() {
            *last = Given::Unreadable;
        }
    }
}

impl SupplyChain<'_> {
    /// Whether it is written in a version whose nodes are known; one that says none is in the only one there is.
    pub fn is_known_version(&self) -> bool {
        let major = |ver: &str| ver.trim().split('.').next() == Some("1");
        self.ver.as_deref().is_none_or(major)
    }
}

impl<'de> Object<'de> for Source<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "schain" => {
                let sent = read(map)?;
                self.take(sent);
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
            "ver" => self.ver = read(map)?,
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
