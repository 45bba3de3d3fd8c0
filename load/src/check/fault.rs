//! The names of what can be wrong with an answer.

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
    /// A deal that was not offered.
    Deal,
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
    /// A width and height that were not offered.
    Size,
    /// A kind of markup that was not offered, or none named.
    MarkupType,
    /// No markup, or markup of another kind than named.
    Markup,
    /// A VAST document that no player plays here.
    Vast,
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
            Self::CreativeId => "creative_id",
            Self::CampaignId => "campaign_id",
            Self::AdvertiserDomain => "advertiser_domain",
            Self::DomainBlocked => "domain_blocked",
            Self::CategoryBlocked => "category_blocked",
            Self::Size => "size",
            Self::MarkupType => "markup_type",
            Self::Markup => "markup",
            Self::Vast => "vast",
            Self::Native => "native",
            Self::ImpressionTracker => "impression_tracker",
            Self::Insecure => "insecure",
            Self::MacroUnknown => "macro_unknown",
            Self::MacroPrice => "macro_price",
            Self::NoticeUrl => "notice_url",
        }
    }
}
