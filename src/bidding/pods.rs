//! Pods: breaks that take several ads (OpenRTB 2.6, section 7.6), as one request asks for them.
//!
//! A structured pod is several impressions with one `podid`, an ad each. A dynamic one is a single impression with a
//! length (`poddur`), which takes several bids whose lengths together fit into it. A hybrid one is both. An advertiser
//! bids once in a pod: nobody wants to hear the same ad twice in one break.

use crate::openrtb::request::Imp;
use crate::units::AdvertiserKey;

/// Bids on one dynamic pod: two minutes of ads of 15 seconds. More of one buyer are not wanted in a break, and each costs
/// a search.
pub const POD_BIDS_MAX: u32 = 8;

/// The advertisers that bid in the pods of one request.
#[derive(Debug, Default)]
pub struct Pods<'r> {
    bids: Vec<(&'r str, AdvertiserKey)>,
}

/// What is left of the pod of one impression.
#[derive(Debug, Default)]
pub(super) struct Room<'r> {
    /// The pod's id; `None` outside pods, and in a dynamic pod without one.
    id: Option<&'r str>,
    /// How many bids a dynamic pod takes.
    bids_max: u32,
    /// How many seconds are left of a dynamic pod.
    seconds_left: Option<u32>,
    /// Who bids in it.
    advertisers: Vec<AdvertiserKey>,
}

impl<'r> Pods<'r> {
    /// Before an impression is bid on: tells it who bids in its pod.
    pub fn enter(&self, chance: &mut super::Opportunity<'r>) {
        let room = &mut chance.room;
        if let Some(id) = room.id {
            let same = self.bids.iter().filter(|(pod, _)| *pod == id);
            room.advertisers
                .extend(same.map(|(_, advertiser)| *advertiser));
        }
    }

    /// After an impression was bid on: remembers who bids in its pod.
    pub fn leave(&mut self, chance: &super::Opportunity<'r>) {
        if let Some(id) = chance.room.id {
            let all = chance.room.advertisers.iter();
            self.bids.retain(|(pod, _)| *pod != id);
            self.bids.extend(all.map(|advertiser| (id, *advertiser)));
        }
    }
}

impl<'r> Room<'r> {
    /// The room in an impression's pod; one that is a pod both in video and in audio has what the smaller one has.
    pub(super) fn of(imp: &'r Imp<'r>) -> Self {
        let video = imp.video.as_ref().map(|video| &video.stream.pod);
        let audio = imp.audio.as_ref().map(|audio| &audio.stream.pod);
        let pods = || [video, audio].into_iter().flatten();
        let seconds_left = pods()
            .filter_map(|pod| pod.poddur_s)
            .filter(|seconds| *seconds > 0);
        let seconds_left = seconds_left.min();
        let most = pods().filter_map(|pod| pod.maxseq).filter(|most| *most > 0);
        let bids_max = match seconds_left {
            Some(_) => most.min().unwrap_or(POD_BIDS_MAX).min(POD_BIDS_MAX),
            None => 1,
        };
        Self {
            id: pods().find_map(|pod| pod.podid.as_deref()),
            bids_max,
            seconds_left,
            advertisers: Vec::new(),
        }
    }

    /// Whether an ad of this length still has a place.
    pub(super) fn holds(&self, seconds: u32) -> bool {
        self.seconds_left.is_none_or(|left| seconds <= left)
    }

    /// Whether an advertiser bids in this pod.
    pub(super) fn has_bid_of(&self, advertiser: AdvertiserKey) -> bool {
        self.advertisers.contains(&advertiser)
    }

    /// How many bids a dynamic pod takes at most; `None` for what is none.
    pub(super) fn bids_max(&self) -> Option<usize> {
        self.seconds_left.map(|_| self.bids_max as usize)
    }

    /// Takes note of a bid. What does not play fills a dynamic pod: it is another answer to the same question.
    pub(super) fn take_bid(&mut self, advertiser: AdvertiserKey, seconds: Option<u32>) {
        if self.id.is_some() || self.seconds_left.is_some() {
            self.advertisers.push(advertiser);
        }
        if let Some(left) = &mut self.seconds_left {
            *left = seconds.map_or(0, |seconds| left.saturating_sub(seconds));
        }
    }

    /// Whether no time is left in a dynamic pod.
    pub(super) fn is_full(&self) -> bool {
        self.seconds_left == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::openrtb::decode;

    fn acme() -> AdvertiserKey {
        AdvertiserKey::of("acme")
    }

    fn with_room<T>(imp: &Value, check: impl Fn(&mut Room<'_>) -> T) -> T {
        let mut imp = imp.clone();
        imp["id"] = json!("1");
        let body = json!({ "id": "r", "imp": [imp] }).to_string();
        let request = decode(body.as_bytes()).unwrap();
        check(&mut Room::of(&request.imps[0]))
    }

    #[test]
    fn a_dynamic_pod_has_room_until_its_time_is_up() {
        for kind in ["video", "audio"] {
            let most = |pod: Value| with_room(&json!({ kind: pod }), |room| room.bids_max());
            assert_eq!(most(json!({ "poddur": 60 })), Some(POD_BIDS_MAX as usize));
            assert_eq!(most(json!({ "poddur": 60, "maxseq": 2 })), Some(2));
            assert_eq!(most(json!({ "poddur": 60, "maxseq": 0 })), Some(8));
            assert_eq!(most(json!({ "poddur": 60, "maxseq": 900 })), Some(8));
            assert_eq!(most(json!({ "poddur": 0, "maxseq": 2 })), None);
            assert_eq!(most(json!({ "podid": "p", "maxseq": 2 })), None);
            assert_eq!(most(json!({})), None);
        }
        with_room(&json!({ "video": { "poddur": 20 } }), |room| {
            assert!(room.holds(20) && !room.holds(21) && !room.is_full());
            room.take_bid(acme(), Some(15));
            assert!(room.holds(5) && !room.holds(6) && !room.is_full());
            room.take_bid(acme(), Some(5));
            assert!(room.is_full());
        });
        let outside = json!({ "video": {} });
        assert!(with_room(&outside, |room| room.holds(900)));
    }

    #[test]
    fn an_advertiser_bids_once_in_a_pod_and_as_often_as_it_likes_outside_of_one() {
        for (imp, is_remembered) in [
            (json!({ "video": { "podid": "p" } }), true),
            (json!({ "audio": { "podid": "p" } }), true),
            (json!({ "video": { "poddur": 60 } }), true),
            (json!({ "video": {} }), false),
            (json!({ "banner": {} }), false),
        ] {
            let has_bid = with_room(&imp, |room| {
                assert!(!room.has_bid_of(acme()));
                room.take_bid(acme(), Some(15));
                room.has_bid_of(acme())
            });
            assert_eq!(has_bid, is_remembered, "{imp}");
        }
    }

    #[test]
    fn a_pod_of_two_kinds_is_as_small_as_the_smaller() {
        let imp = json!({ "video": { "poddur": 60 }, "audio": { "poddur": 20, "maxseq": 1 } });
        assert!(with_room(&imp, |room| room.holds(20) && !room.holds(21)));
        assert_eq!(with_room(&imp, |room| room.bids_max()), Some(1));
        let one = json!({ "video": {}, "audio": { "poddur": 20 } });
        assert!(with_room(&one, |room| !room.holds(21)));
    }

    #[test]
    fn what_does_not_play_leaves_no_room_for_more() {
        let imp = json!({ "banner": {}, "video": { "poddur": 60 } });
        with_room(&imp, |room| {
            room.take_bid(acme(), None);
            assert!(room.is_full());
        });
    }
}
