//! Whose a bid is: the seat it is made from, and who stands behind it.

use crate::campaign::Campaign;
use crate::openrtb::response::{Bid, BidDsa};
use crate::openrtb::{CodeSet, request};

/// `dsa.datatopub` of a publisher that does not want the parameters.
const NOT_TO_PUBLISHER: u32 = 0;

/// Who is behind a campaign's bids, where the request has room for it and it does not contradict what the publisher shows.
pub(super) fn dsa<'a>(
    campaign: &'a Campaign,
    parameters: &'a [(&'a str, CodeSet)],
    asked: &request::Dsa,
) -> Option<BidDsa<'a>> {
    let own = campaign.advertiser.transparency.as_ref();
    let own = own.filter(|own| asked.is_supported() && asked.agrees_with(own.renders))?;
    Some(BidDsa {
        behalf: &own.behalf,
        paid: &own.paid,
        transparency: parameters,
        adrender: own.renders,
    })
}

/// What chooses who sees it, unless the publisher does not want to know.
pub(super) fn parameters<'a>(
    campaign: &'a Campaign,
    asked: &request::Dsa,
) -> Vec<(&'a str, CodeSet)> {
    let wanted = asked.datatopub != Some(NOT_TO_PUBLISHER);
    let own = campaign.advertiser.transparency.as_ref();
    own.filter(|_| wanted)
        .into_iter()
        .flat_map(|own| &own.parameters)
        .map(|(platform, bits)| (platform.as_str(), CodeSet::from_bits(*bits)))
        .collect()
}

/// Bids by seat, in the order in which seats come first.
pub(super) fn by_seat<'a>(
    bids: impl Iterator<Item = (Option<&'a str>, Bid<'a>)>,
) -> Vec<(Option<&'a str>, Vec<Bid<'a>>)> {
    let mut all: Vec<(Option<&str>, Vec<Bid<'_>>)> = Vec::new();
    for (seat, bid) in bids {
        match all.iter_mut().find(|(known, _)| *known == seat) {
            Some((_, of_seat)) => of_seat.push(bid),
            None => all.push((seat, vec![bid])),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::campaign::Transparency;
    use crate::campaign::fixture::{campaign, domain};
    use crate::openrtb::Given;
    use crate::units::Cpm;

    #[test]
    fn each_seat_has_its_bids_in_their_order() {
        let bid = |id: &'static str| Bid::new(id, "1", Cpm::from_micros(1));
        let bids = [
            (Some("b"), bid("1")),
            (None, bid("2")),
            (Some("b"), bid("3")),
        ];
        let seats = by_seat(bids.into_iter());
        let seen: Vec<(Option<&str>, Vec<&str>)> = seats
            .iter()
            .map(|(seat, bids)| (*seat, bids.iter().map(|bid| bid.id).collect()))
            .collect();
        assert_eq!(seen, [(Some("b"), vec!["1", "3"]), (None, vec!["2"])]);
    }

    #[test]
    fn who_is_behind_a_bid_is_said_where_the_request_has_room_for_it() {
        let mut own = campaign("c");
        let mut advertiser = (*own.advertiser).clone();
        advertiser.transparency = Some(Transparency {
            behalf: "Shoes Ltd".into(),
            paid: "Shoes Holding".into(),
            renders: true,
            parameters: vec![(domain("shoes.example"), 1 << 2)],
        });
        own.advertiser = Arc::new(advertiser);
        let asked = |required, datatopub| request::Dsa {
            required,
            datatopub,
            ..request::Dsa::default()
        };
        for (required, datatopub, said, platforms) in [
            (Given::Absent, None, false, 1),
            (Given::Value(0), None, false, 1),
            (Given::Value(1), Some(1), true, 1),
            (Given::Value(3), Some(0), true, 0),
            (Given::Unreadable, Some(2), true, 1),
        ] {
            let asked = asked(required, datatopub);
            let platforms_of = parameters(&own, &asked);
            assert_eq!(platforms_of.len(), platforms);
            assert_eq!(dsa(&own, &platforms_of, &asked).is_some(), said);
        }
        // What is not required is left out rather than contradict the publisher.
        for (pubrender, said) in [
            (None, true),
            (Some(0), true),
            (Some(1), true),
            (Some(2), false),
        ] {
            let asked = request::Dsa {
                pubrender,
                ..asked(Given::Value(1), None)
            };
            assert_eq!(dsa(&own, &[], &asked).is_some(), said, "{pubrender:?}");
        }
    }
}
