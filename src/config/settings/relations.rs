//! What must be true between settings of different sections.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::{Exchange, PLACES_MAX};
use crate::config::reader::Reader;
use crate::region::ledger::HOLDS_MAX;

/// No two listeners want one address. Port 0 is a new port each time.
pub(super) fn listeners(top: &Reader<'_>, exchanges: &[Exchange], own: &[(&str, SocketAddr)]) {
    let mut taken: Vec<(String, SocketAddr)> = Vec::new();
    let of_exchanges = exchanges.iter().map(|exchange| {
        (
            format!("exchanges.{}.listen", exchange.name),
            exchange.listen,
        )
    });
    let own = own.iter().map(|(key, listen)| ((*key).to_owned(), *listen));
    for (key, listen) in of_exchanges.chain(own) {
        match taken.iter().find(|(_, other)| collide(*other, listen)) {
            Some((other, _)) => {
                let advice = format!("{listen} is also where {other} listens; choose another port");
                top.fault(&key, advice);
            }
            None => taken.push((key, listen)),
        }
    }
}

fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let everywhere = |address: SocketAddr| address.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && (a.ip() == b.ip() || everywhere(a) || everywhere(b))
}

/// Browsers keep our cookie, and send it, only over https.
pub(super) fn syncs(top: &Reader<'_>, exchanges: &[Exchange], secure_url: Option<&str>) {
    let syncing = exchanges.iter().filter(|it| it.sync_url.is_some());
    for exchange in syncing.filter(|_| secure_url.is_none()) {
        let advice = "needs notices.secure_url, where browsers reach us over https; set that, or leave this out";
        top.fault(&format!("exchanges.{}.sync_url", exchange.name), advice);
    }
}

/// A ledger tells only so many holds apart.
pub(super) fn holds(top: &Reader<'_>, exchanges: &[Exchange]) {
    let mut different = BTreeSet::new();
    for exchange in exchanges {
        let is_new = different.insert(exchange.hold);
        if is_new && different.len() > HOLDS_MAX {
            let advice = format!(
                "is one more than the {HOLDS_MAX} different holds that are told apart; take the hold of another exchange"
            );
            top.fault(&format!("exchanges.{}.hold", exchange.name), advice);
        }
    }
}

/// At least one, not too many, and no two names with one key.
pub(super) fn places<K: Ord>(top: &Reader<'_>, key: &str, names: &[String], key_of: fn(&str) -> K) {
    if names.is_empty() {
        top.fault(key, format!("none; add a section [{key}.<name>]"));
    }
    if names.len() > PLACES_MAX {
        let count = names.len();
        top.fault(key, format!("{count} of them; at most {PLACES_MAX} fit"));
    }
    let mut owners = BTreeMap::new();
    for name in names {
        if let Some(other) = owners.insert(key_of(name), name) {
            let advice = format!("its name has the key of {other}; choose another name");
            top.fault(&format!("{key}.{name}"), advice);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_collides_with_itself_and_with_everywhere() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert!(collide(at("127.0.0.1:80"), at("127.0.0.1:80")));
        assert!(collide(at("0.0.0.0:80"), at("127.0.0.1:80")));
        assert!(!collide(at("127.0.0.1:80"), at("127.0.0.2:80")));
        assert!(!collide(at("127.0.0.1:80"), at("127.0.0.1:81")));
        assert!(!collide(at("127.0.0.1:0"), at("127.0.0.1:0")));
    }
}
