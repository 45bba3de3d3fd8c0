//! Which supply chains are bought from: an exchange's policy against what a request says of its sellers.
//!
//! A chain that cannot be read is as good as none where a complete one is wanted, and lets nothing through where a list
//! would have had to be compared with it.

use super::blocked::bare_domain;
use super::pass::PassReason;
use crate::openrtb::request::{SupplyChain, SupplyNode};
use crate::openrtb::{Given, request};

/// What an exchange's requests must say of their supply chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SupplyPolicy {
    /// Whether there must be a chain.
    pub rule: ChainRule,
    /// If there are any, every seller of a chain must be among them.
    pub allowed: Sellers,
    /// No seller of a chain may be among them.
    pub blocked: Sellers,
}

/// Whether a request must have a supply chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChainRule {
    /// It need not, and need not be complete.
    #[default]
    Ignored,
    /// One that is sent must be complete.
    CompleteIfSent,
    /// It must, and the chain must be complete.
    Required,
}

/// Sellers by the domain of their system and their id in there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sellers(Vec<Seller>);

/// A seller, or every seller of a system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seller {
    /// The system's domain, lower case.
    asi: Box<str>,
    /// The seller's id; none for all of them.
    sid: Option<Box<str>>,
}

impl Seller {
    /// A seller as it is written: `exchange.example` for all of a system, `exchange.example/1234` for one of them.
    pub fn parse(text: &str) -> Option<Self> {
        let (asi, sid) = match text.split_once('/') {
            Some((asi, sid)) => (asi, Some(sid)),
            None => (text, None),
        };
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic());
        (plain(asi) && asi.contains('.') && sid.is_none_or(plain)).then(|| Self {
            asi: bare_domain(asi).to_ascii_lowercase().into(),
            sid: sid.map(Into::into),
        })
    }
}

impl FromIterator<Seller> for Sellers {
    fn from_iter<I: IntoIterator<Item = Seller>>(sellers: I) -> Self {
        let mut all: Vec<Seller> = sellers.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        Self(all)
    }
}

impl Sellers {
    /// Whether nobody is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn contains(&self, node: &SupplyNode<'_>) -> bool {
        let asi = bare_domain(&node.asi).to_ascii_lowercase();
        let start = self.0.partition_point(|seller| *seller.asi < *asi);
        let of_system = self.0.get(start..).unwrap_or_default();
        of_system
            .iter()
            .take_while(|seller| *seller.asi == *asi)
            .any(|seller| {
                seller
                    .sid
                    .as_deref()
                    .is_none_or(|sid| sid == node.sid.trim())
            })
    }
}

impl SupplyPolicy {
    /// Whether requests with this source are bought.
    ///
    /// # Errors
    /// [`PassReason::IncompleteChain`], or [`PassReason::BlockedSeller`].
    pub(super) fn check(&self, source: &request::Source<'_>) -> Result<(), PassReason> {
        if source.schains.is_empty() && self.rule == ChainRule::Required {
            return Err(PassReason::IncompleteChain);
        }
        let mut chains = source.schains.iter();
        chains.try_for_each(|chain| self.check_chain(chain))
    }

    fn check_chain(&self, sent: &Given<SupplyChain<'_>>) -> Result<(), PassReason> {
        let chain = match sent {
            Given::Value(chain) if is_readable(chain) => chain,
            _ if self.is_silent() => return Ok(()),
            Given::Absent => return Ok(()),
            Given::Value(_) | Given::Unreadable => return Err(PassReason::IncompleteChain),
        };
        if self.rule != ChainRule::Ignored && !is_complete(chain) {
            return Err(PassReason::IncompleteChain);
        }
        let refused = |node: &SupplyNode<'_>| {
            !self.blocked.is_empty() && self.blocked.contains(node)
                || !self.allowed.is_empty() && !self.allowed.contains(node)
        };
        if chain.nodes.items().iter().any(refused) {
            return Err(PassReason::BlockedSeller);
        }
        Ok(())
    }

    /// Whether it refuses nothing.
    fn is_silent(&self) -> bool {
        self.rule == ChainRule::Ignored && self.allowed.is_empty() && self.blocked.is_empty()
    }
}

fn is_readable(chain: &SupplyChain<'_>) -> bool {
    !chain.nodes.is_unreadable() && chain.is_known_version()
}

fn is_complete(chain: &SupplyChain<'_>) -> bool {
    chain.complete.is_yes() && !chain.nodes.items().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openrtb::decode;

    fn verdict(policy: &SupplyPolicy, fields: &str) -> Result<(), PassReason> {
        let body = format!(r#"{{"id":"r","imp":[{{"id":"1"}}],{fields}}}"#);
        policy.check(&decode(body.as_bytes()).unwrap().source)
    }

    fn sellers(names: &[&str]) -> Sellers {
        names
            .iter()
            .filter_map(|name| Seller::parse(name))
            .collect()
    }

    const COMPLETE: &str = r#""source":{"schain":{"ver":"1.0","complete":1,"nodes":[{"asi":"A.example","sid":"1"},{"asi":"b.example","sid":2}]}}"#;
    const NONE: &str = r#""source":{"tid":"t"}"#;

    #[test]
    fn a_chain_is_wanted_as_the_policy_says_wherever_it_stands() {
        use ChainRule::{CompleteIfSent, Ignored, Required};
        let bad = Err(PassReason::IncompleteChain);
        let former = COMPLETE.replacen(r#"{"schain""#, r#"{"ext":{"schain""#, 1) + "}";
        let oldest = COMPLETE.replacen("source", "ext", 1);
        let incomplete = COMPLETE.replacen(r#""complete":1"#, r#""complete":0"#, 1);
        let unsure = COMPLETE.replacen(r#""complete":1"#, r#""complete":"perhaps""#, 1);
        let gap = COMPLETE.replacen(r#""sid":"1""#, r#""sid":"""#, 1);
        let older = COMPLETE.replacen(r#""1.0""#, "1", 1);
        let unknown = COMPLETE.replacen(r#""1.0""#, r#""2.0""#, 1);
        let contradicted = format!("{COMPLETE},{}", incomplete.replacen("source", "ext", 1));
        let twice = format!("{COMPLETE},{oldest}");
        for (fields, if_sent, required) in [
            (NONE, Ok(()), bad),
            (COMPLETE, Ok(()), Ok(())),
            (&former, Ok(()), Ok(())),
            (&oldest, Ok(()), Ok(())),
            (&incomplete, bad, bad),
            (&unsure, bad, bad),
            (&gap, bad, bad),
            (&older, Ok(()), Ok(())),
            (&unknown, bad, bad),
            (&contradicted, bad, bad),
            (&twice, Ok(()), Ok(())),
            (r#""source":{"schain":"1.0,1!a.example,1,1"}"#, bad, bad),
            (r#""source":{"schain":{"complete":1,"nodes":[]}}"#, bad, bad),
        ] {
            for (rule, expected) in [
                (Ignored, Ok(())),
                (CompleteIfSent, if_sent),
                (Required, required),
            ] {
                let policy = SupplyPolicy {
                    rule,
                    ..SupplyPolicy::default()
                };
                assert_eq!(verdict(&policy, fields), expected, "{rule:?} {fields}");
            }
        }
    }

    #[test]
    fn a_blocked_seller_is_found_in_every_chain_and_however_its_system_is_written() {
        let policy = SupplyPolicy {
            blocked: sellers(&["bad.example", "www.worse.example/9"]),
            ..SupplyPolicy::default()
        };
        for node in [
            r#"{"asi":"https://www.Bad.example/","sid":"1"}"#,
            r#"{"asi":"bad.example.","sid":"1"}"#,
            r#"{"asi":"worse.example","sid":" 9 "}"#,
        ] {
            let bad = format!(r#"{{"schain":{{"complete":1,"nodes":[{node}]}}}}"#);
            for fields in [
                format!(r#""source":{bad}"#),
                format!(r#"{COMPLETE},"ext":{bad}"#),
                format!(r#""ext":{bad},{COMPLETE}"#),
            ] {
                let refused = Err(PassReason::BlockedSeller);
                assert_eq!(verdict(&policy, &fields), refused, "{fields}");
            }
        }
        assert_eq!(verdict(&policy, COMPLETE), Ok(()));
    }

    #[test]
    fn more_chains_than_are_read_are_as_one_that_cannot_be() {
        let chain = r#""schain":{"complete":1,"nodes":[{"asi":"a.example","sid":"1"}]}"#;
        let policy = SupplyPolicy {
            blocked: sellers(&["bad.example"]),
            ..SupplyPolicy::default()
        };
        for (chains, expected) in [
            (1, Ok(())),
            (4, Ok(())),
            (5, Err(PassReason::IncompleteChain)),
            (9_000, Err(PassReason::IncompleteChain)),
        ] {
            let chains = vec![chain; chains].join(",");
            let body = format!(r#"{{"id":"1","imp":[{{"id":"1"}}],"source":{{{chains}}}}}"#);
            let source = decode(body.as_bytes()).unwrap().source;
            assert!(source.schains.len() <= 4, "{}", source.schains.len());
            assert_eq!(policy.check(&source), expected);
        }
    }

    #[test]
    fn a_seller_is_listed_by_itself_or_with_its_whole_system() {
        let blocking = |names: &[&str]| SupplyPolicy {
            blocked: sellers(names),
            ..SupplyPolicy::default()
        };
        let allowing = |names: &[&str]| SupplyPolicy {
            allowed: sellers(names),
            ..SupplyPolicy::default()
        };
        let refused = Err(PassReason::BlockedSeller);
        for (policy, expected) in [
            (blocking(&["a.example"]), refused),
            (blocking(&["a.example/1"]), refused),
            (blocking(&["a.example/2", "a.example/11"]), Ok(())),
            (blocking(&["b.example/2"]), refused),
            (allowing(&["a.example", "b.example/2"]), Ok(())),
            (allowing(&["a.example"]), refused),
        ] {
            assert_eq!(verdict(&policy, COMPLETE), expected, "{policy:?}");
        }
        let unreadable = r#""source":{"schain":[1]}"#;
        assert_eq!(
            verdict(&blocking(&["a.example"]), unreadable),
            Err(PassReason::IncompleteChain)
        );
        assert_eq!(verdict(&blocking(&["a.example"]), NONE), Ok(()));
    }

    #[test]
    fn a_seller_without_a_domain_is_no_seller() {
        for text in ["", "a", "/1", "a.example/", "a b.example"] {
            assert_eq!(Seller::parse(text), None, "{text}");
        }
    }
}
