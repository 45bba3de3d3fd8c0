//! Why a bid loses: the reasons of `OpenRTB`'s list that this exchange tells in `${AUCTION_LOSS}`.

/// Why a bid lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossReason {
    /// It names a deal that was not offered, or none where only deals may buy.
    InvalidDeal,
    /// It does not say who advertises.
    NoAdvertiser,
    /// It has no markup.
    NoMarkup,
    /// It does not name its creative.
    NoCreative,
    /// It is below the floor.
    BelowFloor,
    /// It is below the floor of its deal.
    BelowDealFloor,
    /// Another bid was higher.
    HigherBid,
    /// A bid for a deal came first, whatever this one offered.
    DealBid,
    /// Its seat may not buy here.
    SeatBlocked,
    /// Its creative was refused, for the reason of this code (200 to 299).
    Filtered(u32),
}

impl LossReason {
    /// Refused: the advertiser is blocked.
    pub const ADVERTISER: Self = Self::Filtered(205);
    /// Refused: the size was not offered.
    pub const SIZE: Self = Self::Filtered(203);
    /// Refused: it loads something over plain HTTP.
    pub const NOT_SECURE: Self = Self::Filtered(207);
    /// Refused: a category is blocked.
    pub const CATEGORY: Self = Self::Filtered(209);
    /// Refused: an attribute is blocked.
    pub const ATTRIBUTE: Self = Self::Filtered(210);
    /// Refused: the kind of markup is blocked.
    pub const KIND: Self = Self::Filtered(211);
    /// Refused: the app that it advertises is blocked.
    pub const APP: Self = Self::Filtered(215);

    /// Its number in `OpenRTB`'s list of loss reasons.
    pub const fn code(self) -> u32 {
        match self {
            Self::InvalidDeal => 4,
            Self::NoAdvertiser => 6,
            Self::NoMarkup => 7,
            Self::NoCreative => 8,
            Self::BelowFloor => 100,
            Self::BelowDealFloor => 101,
            Self::HigherBid => 102,
            Self::DealBid => 103,
            Self::SeatBlocked => 104,
            Self::Filtered(code) => code,
        }
    }
}
