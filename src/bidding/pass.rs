//! Why we did not bid: the closed list that metrics count and operators read.

/// A reason to pass, in the order a candidate meets them: the reason of an impression is the one of the candidate that
/// got furthest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PassReason {
    /// An operator stopped all bidding.
    StoppedAll,
    /// The catalogue is being restarted.
    CatalogueRestarting,
    /// The request names more than one of site, app and screen.
    AmbiguousChannel,
    /// Its user agent is a known bot's.
    Bot,
    /// Its address is in a data centre.
    Datacentre,
    /// Its supply chain is missing, incomplete or unreadable.
    IncompleteChain,
    /// A seller in its supply chain is blocked, or not allowed.
    BlockedSeller,
    /// A block list cannot be read, so nothing is known to be allowed.
    UnreadableBlocks,
    /// Our seat may not bid.
    Seat,
    /// No currency of the request is one we have a rate for.
    Currency,
    /// Two impressions have this id.
    AmbiguousImp,
    /// An impression for several people, whose cost is not its price.
    Quantity,
    /// Only deals are accepted, and we have none.
    DealRequired,
    /// The floor, or the price of a deal, cannot be read.
    UnreadableFloor,
    /// Nothing we make fits what is asked for (no size, unreadable native request).
    NoFormat,
    /// The markup must be secure, and no secure address for notices is configured.
    NoSecureNotices,
    /// No campaign wants this.
    NoCandidate,
    /// Its deal is for other seats.
    DealSeat,
    /// Its deal is for other advertisers.
    DealAdvertiser,
    /// The campaign is not in its hours or its flight.
    NotNow,
    /// This request has a bid of the campaign already.
    OncePerRequest,
    /// Its seat may not bid here.
    AdvertiserSeat,
    /// Its advertiser does not run on this site or in this app.
    AdvertiserInventory,
    /// Its advertiser does not say who paid, or cannot show it, where the law wants that shown.
    NoTransparency,
    /// Its advertiser is blocked.
    BlockedAdvertiser,
    /// Its advertiser has a bid in this pod already.
    OncePerPod,
    /// No creative of it fits.
    NoMatchingCreative,
    /// Its creatives fit but for their category, which is blocked, or not allowed.
    BlockedCategory,
    /// Its creatives fit but for the app they advertise, which is blocked.
    BlockedApp,
    /// Its creatives fit but for a blocked attribute or type, or an interface that is not there.
    BlockedAttribute,
    /// Its creatives fit but for their language.
    Language,
    /// Its creatives fit but load something over plain HTTP.
    NotSecure,
    /// Its creatives fit but for the exchange, which has not approved them.
    NotApproved,
    /// Its price is above the ceiling for all bids.
    AboveCeiling,
    /// Its price is below the floor.
    BelowFloor,
    /// It is capped, and the user cannot be recognised.
    Unidentified,
    /// Its region is being restarted.
    RegionRestarting,
    /// Its region is closed.
    RegionClosed,
    /// Pacing keeps its money for later.
    Paced,
    /// It is capped, and what the user has seen is still being loaded.
    CapsUnknown,
    /// The user has seen it often enough.
    Capped,
    /// The user has seen ads of its advertiser often enough.
    AdvertiserCapped,
    /// Its region holds no money of it.
    NoLease,
    /// Its region's money is promised away.
    NoBudget,
    /// Its ledger is behind its time.
    LedgerBehind,
    /// Time ran out while looking.
    NoTime,
}

impl PassReason {
    /// Every reason, in order.
    pub const ALL: [Self; 46] = [
        Self::StoppedAll,
        Self::CatalogueRestarting,
        Self::AmbiguousChannel,
        Self::Bot,
        Self::Datacentre,
        Self::IncompleteChain,
        Self::BlockedSeller,
        Self::UnreadableBlocks,
        Self::Seat,
        Self::Currency,
        Self::AmbiguousImp,
        Self::Quantity,
        Self::DealRequired,
        Self::UnreadableFloor,
        Self::NoFormat,
        Self::NoSecureNotices,
        Self::NoCandidate,
        Self::DealSeat,
        Self::DealAdvertiser,
        Self::NotNow,
        Self::OncePerRequest,
        Self::AdvertiserSeat,
        Self::AdvertiserInventory,
        Self::NoTransparency,
        Self::BlockedAdvertiser,
        Self::OncePerPod,
        Self::NoMatchingCreative,
        Self::BlockedCategory,
        Self::BlockedApp,
        Self::BlockedAttribute,
        Self::Language,
        Self::NotSecure,
        Self::NotApproved,
        Self::AboveCeiling,
        Self::BelowFloor,
        Self::Unidentified,
        Self::RegionRestarting,
        Self::RegionClosed,
        Self::Paced,
        Self::CapsUnknown,
        Self::Capped,
        Self::AdvertiserCapped,
        Self::NoLease,
        Self::NoBudget,
        Self::LedgerBehind,
        Self::NoTime,
    ];

    /// Its place in [`PassReason::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its label in metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::StoppedAll => "stopped_all",
            Self::CatalogueRestarting => "catalogue_restarting",
            Self::AmbiguousChannel => "ambiguous_channel",
            Self::Bot => "bot",
            Self::Datacentre => "datacentre",
            Self::IncompleteChain => "incomplete_chain",
            Self::BlockedSeller => "blocked_seller",
            Self::UnreadableBlocks => "unreadable_blocks",
            Self::Seat => "seat",
            Self::Currency => "currency",
            Self::AmbiguousImp => "ambiguous_imp",
            Self::Quantity => "quantity",
            Self::DealRequired => "deal_required",
            Self::UnreadableFloor => "unreadable_floor",
            Self::NoFormat => "no_format",
            Self::NoSecureNotices => "no_secure_notices",
            Self::NoCandidate => "no_candidate",
            Self::NotNow => "not_now",
            Self::OncePerRequest => "once_per_request",
            Self::BlockedCategory => "blocked_category",
            Self::AdvertiserSeat => "advertiser_seat",
            Self::DealSeat => "deal_seat",
            Self::DealAdvertiser => "deal_advertiser",
            Self::AdvertiserInventory => "advertiser_inventory",
            Self::NoTransparency => "no_transparency",
            Self::BlockedAdvertiser => "blocked_advertiser",
            Self::OncePerPod => "once_per_pod",
            Self::BlockedApp => "blocked_app",
            Self::NoMatchingCreative => "no_matching_creative",
            Self::BlockedAttribute => "blocked_attribute",
            Self::Language => "language",
            Self::NotSecure => "not_secure",
            Self::NotApproved => "not_approved",
            Self::AboveCeiling => "above_ceiling",
            Self::BelowFloor => "below_floor",
            Self::Unidentified => "unidentified",
            Self::RegionRestarting => "region_restarting",
            Self::RegionClosed => "region_closed",
            Self::Paced => "paced",
            Self::CapsUnknown => "caps_unknown",
            Self::Capped => "capped",
            Self::AdvertiserCapped => "advertiser_capped",
            Self::NoLease => "no_lease",
            Self::NoBudget => "no_budget",
            Self::LedgerBehind => "ledger_behind",
            Self::NoTime => "no_time",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_reason_has_its_place_and_a_label_of_its_own() {
        for (place, reason) in PassReason::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), place);
        }
        let labels: HashSet<_> = PassReason::ALL
            .iter()
            .map(|reason| reason.label())
            .collect();
        assert_eq!(labels.len(), PassReason::ALL.len());
    }
}
