//! Numbers of the wire and what they mean: closed lists of OpenRTB 2.6 and AdCOM 1.0.
//!
//! A number that is not listed is none of them: lists grow without a new version, and exchanges add their own from 500.

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every listed meaning, by rising number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// What a number means, if it is listed.
            pub const fn from_wire(code: u32) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The number that is sent.
            pub const fn to_wire(self) -> u32 {
                match self {
                    $(Self::$variant => $code,)*
                }
            }
        }
    };
}

codes!(
    /// Why there is no bid: `BidResponse.nbr` (AdCOM, No-Bid Reason Codes).
    NoBidReason {
        /// Not said.
        UnknownError = 0,
        /// Something broke here.
        TechnicalError = 1,
        /// The request cannot be understood or used.
        InvalidRequest = 2,
        /// A known web crawler.
        KnownWebSpider = 3,
        /// Probably no human.
        SuspectedNonHuman = 4,
        /// An address of a data centre or proxy.
        ProxyIp = 5,
        /// A device nobody wants.
        UnsupportedDevice = 6,
        /// A publisher or site nobody wants.
        BlockedPublisher = 7,
        /// A user nobody knows.
        UnmatchedUser = 8,
        /// The user has seen enough today.
        DailyUserCap = 9,
        /// The domain has had enough today.
        DailyDomainCap = 10,
        /// The site's ads.txt cannot be had.
        AdsTxtUnavailable = 11,
        /// The site's ads.txt does not name the seller.
        AdsTxtViolation = 12,
        /// The site's ads.cert cannot be had.
        AdsCertUnavailable = 13,
        /// The site's ads.cert is broken.
        AdsCertViolation = 14,
        /// Too little time to decide.
        InsufficientTime = 15,
        /// The supply chain is incomplete.
        IncompleteSupplyChain = 16,
        /// A node of the supply chain is blocked.
        BlockedSupplyChainNode = 17,
    }
);

codes!(
    /// Why a bid lost: `${AUCTION_LOSS}` (AdCOM, Loss Reason Codes).
    LossReason {
        /// It won.
        Won = 0,
        /// The exchange broke.
        InternalError = 1,
        /// The impression could no longer be shown.
        Expired = 2,
        /// The response was invalid.
        InvalidResponse = 3,
        /// The deal id was invalid.
        InvalidDeal = 4,
        /// The auction id was invalid.
        InvalidAuction = 5,
        /// The advertiser's domain was invalid.
        InvalidDomain = 6,
        /// The markup was missing.
        MissingMarkup = 7,
        /// The creative's id was missing.
        MissingCreative = 8,
        /// The price was missing.
        MissingPrice = 9,
        /// Data needed for approval was missing.
        MissingApproval = 10,
        /// The price was below the floor.
        BelowFloor = 100,
        /// The price was below the deal's floor.
        BelowDealFloor = 101,
        /// Another bid was higher.
        Outbid = 102,
        /// A bid on a deal was preferred.
        LostToDeal = 103,
        /// The seat was blocked.
        SeatBlocked = 104,
        /// The creative was filtered; why is not said.
        CreativeFiltered = 200,
        /// The creative waits for approval.
        CreativePending = 201,
        /// The creative was refused.
        CreativeRefused = 202,
        /// The creative's size did not fit.
        CreativeSize = 203,
        /// The creative's format was wrong.
        CreativeFormat = 204,
        /// The advertiser was excluded.
        AdvertiserExcluded = 205,
        /// The app's store id was excluded.
        StoreIdExcluded = 206,
        /// The creative was not secure.
        NotSecure = 207,
        /// The creative's language was excluded.
        LanguageExcluded = 208,
        /// The creative's category was excluded.
        CategoryExcluded = 209,
        /// An attribute of the creative was excluded.
        AttributeExcluded = 210,
        /// The type of ad was excluded.
        TypeExcluded = 211,
        /// The animation was too long.
        AnimationTooLong = 212,
        /// The deal does not allow it.
        NotAllowedInDeal = 213,
        /// The `SKAdNetwork` request was invalid.
        SkAdNetwork = 214,
        /// The app's bundle was excluded.
        BundleExcluded = 215,
    }
);

codes!(
    /// What kind of ad a bid carries: `Bid.mtype`.
    MarkupType {
        /// A banner.
        Banner = 1,
        /// A video.
        Video = 2,
        /// Audio.
        Audio = 3,
        /// A native ad.
        Native = 4,
    }
);

codes!(
    /// What a device is: `Device.devicetype`.
    DeviceType {
        /// A phone or a tablet; from version 2.2 on the two have numbers of their own.
        MobileOrTablet = 1,
        /// A personal computer.
        PersonalComputer = 2,
        /// A connected TV.
        ConnectedTv = 3,
        /// A phone.
        Phone = 4,
        /// A tablet.
        Tablet = 5,
        /// Some other connected device.
        ConnectedDevice = 6,
        /// A set-top box.
        SetTopBox = 7,
        /// A screen outside the home.
        OutOfHome = 8,
    }
);

codes!(
    /// How a device is connected: `Device.connectiontype`. Many send 0 for unknown, which is not listed.
    ConnectionType {
        /// By cable.
        Ethernet = 1,
        /// By Wi-Fi.
        Wifi = 2,
        /// By a mobile network of unknown generation.
        Cellular = 3,
        /// By 2G.
        Cellular2G = 4,
        /// By 3G.
        Cellular3G = 5,
        /// By 4G.
        Cellular4G = 6,
        /// By 5G.
        Cellular5G = 7,
    }
);

codes!(
    /// How the price is found: `at`.
    AuctionType {
        /// The bid is the price.
        FirstPrice = 1,
        /// The price is just above the second bid.
        SecondPricePlus = 2,
        /// Of a deal: the floor is the agreed price.
        FixedPrice = 3,
    }
);

/// A version of VAST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VastVersion {
    /// 2.0.
    V2,
    /// 3.0.
    V3,
    /// 4.0.
    V4_0,
    /// 4.1.
    V4_1,
    /// 4.2.
    V4_2,
    /// 4.3.
    V4_3,
}

/// Whether a VAST document holds the ad or points to another document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VastForm {
    /// It holds the ad.
    InLine,
    /// It points to another document.
    Wrapper,
}

impl VastVersion {
    /// Newest first.
    pub const NEWEST_FIRST: [Self; 6] = [
        Self::V4_3,
        Self::V4_2,
        Self::V4_1,
        Self::V4_0,
        Self::V3,
        Self::V2,
    ];

    /// The number of this version in `protocols` (AdCOM, Creative Subtypes).
    pub const fn protocol(self, form: VastForm) -> u32 {
        let (in_line, wrapper) = match self {
            Self::V2 => (2, 5),
            Self::V3 => (3, 6),
            Self::V4_0 => (7, 8),
            Self::V4_1 => (11, 12),
            Self::V4_2 => (13, 14),
            Self::V4_3 => (15, 16),
        };
        match form {
            VastForm::InLine => in_line,
            VastForm::Wrapper => wrapper,
        }
    }

    /// The version as it stands in a document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "2.0",
            Self::V3 => "3.0",
            Self::V4_0 => "4.0",
            Self::V4_1 => "4.1",
            Self::V4_2 => "4.2",
            Self::V4_3 => "4.3",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_code_reads_back_and_others_mean_nothing() {
        for reason in NoBidReason::ALL {
            assert_eq!(NoBidReason::from_wire(reason.to_wire()), Some(*reason));
        }
        for reason in LossReason::ALL {
            assert_eq!(LossReason::from_wire(reason.to_wire()), Some(*reason));
        }
        assert_eq!(NoBidReason::ALL.len(), 18);
        assert_eq!(LossReason::from_wire(102), Some(LossReason::Outbid));
        assert_eq!(LossReason::from_wire(1103), None);
        assert_eq!(DeviceType::from_wire(3), Some(DeviceType::ConnectedTv));
        assert_eq!(ConnectionType::from_wire(0), None);
        assert_eq!(MarkupType::Native.to_wire(), 4);
    }

    #[test]
    fn a_wrapper_is_a_protocol_of_its_own() {
        assert_eq!(VastVersion::V3.protocol(VastForm::InLine), 3);
        assert_eq!(VastVersion::V3.protocol(VastForm::Wrapper), 6);
        assert_eq!(VastVersion::V4_3.protocol(VastForm::Wrapper), 16);
    }
}
