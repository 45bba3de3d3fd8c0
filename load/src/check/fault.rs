//! The names of what can be wrong with an answer.

use crate::auction::LossReason;

/// A fault and an example of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its name.
    pub kind: FaultKind,
    /// What was found.
    pub what: String,
}

impl Fault {
    /// A fault of this kind.
    pub fn new(kind: FaultKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
        }
    }
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// Neither 200 nor a bare 204.
    Status,
    /// 200 without `application/json`.
    ContentType,
    /// Not JSON, or a field of the wrong type, or null.
    Json,
    /// The response's id is not the request's.
    ResponseId,
    /// Parts that contradict each other or are empty.
    ResponseShape,
    /// A currency that the request does not take.
    Currency,
    /// No id, or one twice.
    BidId,
    /// An imp that was not asked.
    ImpUnknown,
    /// Not above zero, absurd, or no number.
    Price,
    /// Below the floor.
    BelowFloor,
    /// A deal that was not offered, or is for others; none where only deals may buy.
    Deal,
    /// Below the floor of its deal.
    BelowDealFloor,
    /// No creative id.
    CreativeId,
    /// No campaign id, so that spend cannot be attributed.
    CampaignId,
    /// No advertiser domain, or none that is one.
    AdvertiserDomain,
    /// An advertiser that the request blocks.
    DomainBlocked,
    /// A category that the request blocks.
    CategoryBlocked,
    /// A seat that may not bid here.
    Seat,
    /// A creative attribute that the imp blocks.
    AttributeBlocked,
    /// A kind of banner markup that the imp blocks.
    TypeBlocked,
    /// An app that the request blocks.
    AppBlocked,
    /// A width and height that were not offered.
    Size,
    /// A kind of markup that was not offered, or none named.
    MarkupType,
    /// No markup, or markup of another kind than named.
    Markup,
    /// A VAST document that no player plays here.
    Vast,
    /// A length that the slot does not take, or another one than the bid says.
    Duration,
    /// A native ad that does not answer what was asked.
    Native,
    /// Nothing that counts the impression.
    ImpressionTracker,
    /// Plain HTTP in markup for a secure page.
    Insecure,
    /// A macro that exchanges do not know, or misspelt.
    MacroUnknown,
    /// Nothing that learns the clearing price.
    MacroPrice,
    /// A notice URL that cannot be fetched.
    NoticeUrl,
}

impl FaultKind {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::ContentType => "content_type",
            Self::Json => "json",
            Self::ResponseId => "response_id",
            Self::ResponseShape => "response_shape",
            Self::Currency => "currency",
            Self::BidId => "bid_id",
            Self::ImpUnknown => "imp_unknown",
            Self::Price => "price",
            Self::BelowFloor => "below_floor",
            Self::Deal => "deal",
            Self::BelowDealFloor => "below_deal_floor",
            Self::CreativeId => "creative_id",
            Self::CampaignId => "campaign_id",
            Self::AdvertiserDomain => "advertiser_domain",
            Self::DomainBlocked => "domain_blocked",
            Self::CategoryBlocked => "category_blocked",
            Self::Seat => "seat",
            Self::AttributeBlocked => "attribute_blocked",
            Self::TypeBlocked => "type_blocked",
            Self::AppBlocked => "app_blocked",
            Self::Size => "size",
            Self::MarkupType => "markup_type",
            Self::Markup => "markup",
            Self::Vast => "vast",
            Self::Duration => "duration",
            Self::Native => "native",
            Self::ImpressionTracker => "impression_tracker",
            Self::Insecure => "insecure",
            Self::MacroUnknown => "macro_unknown",
            Self::MacroPrice => "macro_price",
            Self::NoticeUrl => "notice_url",
        }
    }

    /// Why a bid with this fault is not taken; `None` where an exchange takes it all the same and complains later.
    pub(super) const fn objection(self) -> Option<LossReason> {
        Some(match self {
            Self::BelowFloor => LossReason::BelowFloor,
            Self::BelowDealFloor => LossReason::BelowDealFloor,
            Self::Deal => LossReason::InvalidDeal,
            Self::CreativeId => LossReason::NoCreative,
            Self::AdvertiserDomain => LossReason::NoAdvertiser,
            Self::DomainBlocked => LossReason::ADVERTISER,
            Self::CategoryBlocked => LossReason::CATEGORY,
            Self::Seat => LossReason::SeatBlocked,
            Self::AttributeBlocked => LossReason::ATTRIBUTE,
            Self::TypeBlocked => LossReason::KIND,
            Self::AppBlocked => LossReason::APP,
            Self::Size => LossReason::SIZE,
            Self::Insecure => LossReason::NOT_SECURE,
            Self::Markup => LossReason::NoMarkup,
            Self::Status
            | Self::ContentType
            | Self::Json
            | Self::ResponseId
            | Self::ResponseShape
            | Self::Currency
            | Self::BidId
            | Self::ImpUnknown
            | Self::Price
            | Self::CampaignId
            | Self::MarkupType
            | Self::Vast
            | Self::Duration
            | Self::Native
            | Self::ImpressionTracker
            | Self::MacroUnknown
            | Self::MacroPrice
            | Self::NoticeUrl => return None,
        })
    }
}
