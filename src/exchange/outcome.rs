//! What became of a request: one outcome and one reason, as metrics count them.

use crate::bidding::PassReason;
use crate::http::StatusCode;
use crate::openrtb::DecodeError;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It got a bid.
    Bid,
    /// We chose not to bid.
    Pass(PassReason),
    /// We were too busy or too late.
    Shed(Shed),
    /// It was no request.
    Reject(Reject),
    /// A child crashed on it.
    Crash(Crash),
}

/// Why a request was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shed {
    /// Its time was up before it was read.
    Late,
    /// The data thread cannot keep up.
    Overloaded,
    /// The engine or the serializer is being restarted.
    Restarting,
    /// The pool is going.
    Closing,
    /// The exchange went over its restart limit.
    Degraded,
}

/// Why it was no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    /// Its body could not be read as one.
    Decode(DecodeError),
    /// It was too large: 413.
    TooLarge,
    /// Its encoding is not ours: 415.
    Encoding,
    /// No such path or method: 404, 405.
    NoSuchPlace,
    /// It did not come in time: 408.
    Timeout,
    /// Its framing or compression was broken: 400.
    Malformed,
}

/// Which child crashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The bid engine.
    BidEngine,
    /// The serializer.
    Serializer,
}

impl Reject {
    /// What a refusal by HTTP means.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::Encoding,
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Self::NoSuchPlace,
            StatusCode::REQUEST_TIMEOUT => Self::Timeout,
            _ => Self::Malformed,
        }
    }
}

const PASSES: usize = PassReason::ALL.len();
const SHEDS: [&str; 5] = ["late", "overloaded", "restarting", "closing", "degraded"];
const REJECTS: [&str; 12] = [
    "not_utf8",
    "too_deep",
    "not_json",
    "not_an_object",
    "no_id",
    "imp_not_a_list",
    "no_imp",
    "too_large",
    "encoding",
    "no_such_place",
    "timeout",
    "malformed",
];
const CRASHES: [&str; 2] = ["bid_engine", "serializer"];

impl Outcome {
    /// How many different outcomes with their reasons there are.
    pub const COUNT: usize = 1 + PASSES + SHEDS.len() + REJECTS.len() + CRASHES.len();

    /// The labels of every outcome and reason, by [`Outcome::index`].
    pub fn labels() -> Vec<(&'static str, &'static str)> {
        let mut labels = vec![("bid", "bid")];
        labels.extend(
            PassReason::ALL
                .iter()
                .map(|reason| ("pass", reason.label())),
        );
        labels.extend(SHEDS.map(|reason| ("shed", reason)));
        labels.extend(REJECTS.map(|reason| ("reject", reason)));
        labels.extend(CRASHES.map(|reason| ("crash", reason)));
        labels
    }

    /// Its place among the labels.
    pub const fn index(self) -> usize {
        match self {
            Self::Bid => 0,
            Self::Pass(reason) => 1 + reason.index(),
            Self::Shed(shed) => 1 + PASSES + shed as usize,
            Self::Reject(reject) => 1 + PASSES + SHEDS.len() + reject.index(),
            Self::Crash(crash) => 1 + PASSES + SHEDS.len() + REJECTS.len() + crash as usize,
        }
    }
}

impl Reject {
    const fn index(self) -> usize {
        match self {
            Self::Decode(DecodeError::NotUtf8 { .. }) => 0,
            Self::Decode(DecodeError::TooDeep) => 1,
            Self::Decode(DecodeError::NotJson { .. }) => 2,
            Self::Decode(DecodeError::NotAnObject) => 3,
            Self::Decode(DecodeError::NoId) => 4,
            Self::Decode(DecodeError::ImpNotAList) => 5,
            Self::Decode(DecodeError::NoImp) => 6,
            Self::TooLarge => 7,
            Self::Encoding => 8,
            Self::NoSuchPlace => 9,
            Self::Timeout => 10,
            Self::Malformed => 11,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_counted_under_its_own_label() {
        let labels = Outcome::labels();
        assert_eq!(labels.len(), Outcome::COUNT);
        let label = |outcome: Outcome| labels[outcome.index()];
        assert_eq!(label(Outcome::Bid), ("bid", "bid"));
        assert_eq!(
            label(Outcome::Pass(PassReason::NoTime)),
            ("pass", "no_time")
        );
        assert_eq!(label(Outcome::Shed(Shed::Degraded)), ("shed", "degraded"));
        assert_eq!(
            label(Outcome::Reject(Reject::Decode(DecodeError::NoImp))),
            ("reject", "no_imp")
        );
        assert_eq!(
            label(Outcome::Reject(Reject::Malformed)),
            ("reject", "malformed")
        );
        assert_eq!(
            label(Outcome::Crash(Crash::Serializer)),
            ("crash", "serializer")
        );
    }
}
