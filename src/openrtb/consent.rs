//! Whether a request lets us use personal data, and which id of the user it then gives.
//!
//! Plain and strict: any sign of a restriction restricts. Consent strings are not read, so where GDPR applies
//! nothing personal is used even if the user agreed.

use super::lenient::{Flag, Given};
use super::request::{BidRequest, opts_out};

/// The section of the Global Privacy Platform that stands for none.
const NO_SECTION: i32 = -1;

/// Whether personal data may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// Nothing in the request forbids it.
    Allowed,
    /// Something does.
    Restricted(Restriction),
}

/// What forbids the use of personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restriction {
    /// The audience is children.
    Coppa,
    /// GDPR applies.
    Gdpr,
    /// The user opted out of sale, or the US Privacy string cannot be read.
    UsPrivacy,
    /// The browser objects to sale and sharing (Global Privacy Control).
    GlobalPrivacyControl,
    /// A section of the Global Privacy Platform applies, or it is not clear that none does.
    Gpp,
    /// Something else than regulations stands in one of their places.
    Unreadable,
    /// The device limits ad tracking.
    LimitAdTracking,
    /// The browser asks not to be tracked.
    DoNotTrack,
}

/// What is said of privacy, wherever it is said: each sign by itself, in the order in which they count.
struct Signs {
    coppa: Sign,
    gdpr: Sign,
    us_privacy: Sign,
    gpc: Sign,
    gpp: Sign,
    unreadable: Sign,
    lmt: Sign,
    dnt: Sign,
}

/// Whether one sign restricts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Restricts,
    Open,
}

impl Sign {
    fn of(restricts: bool) -> Self {
        if restricts {
            Self::Restricts
        } else {
            Self::Open
        }
    }
}

impl Signs {
    /// The first that restricts.
    fn judge(&self) -> Privacy {
        let all = [
            (self.coppa, Restriction::Coppa),
            (self.gdpr, Restriction::Gdpr),
            (self.us_privacy, Restriction::UsPrivacy),
            (self.gpc, Restriction::GlobalPrivacyControl),
            (self.gpp, Restriction::Gpp),
            (self.unreadable, Restriction::Unreadable),
            (self.lmt, Restriction::LimitAdTracking),
            (self.dnt, Restriction::DoNotTrack),
        ];
        let found = all.into_iter().find(|(sign, _)| *sign == Sign::Restricts);
        found.map_or(Privacy::Allowed, |(_, by)| Privacy::Restricted(by))
    }
}

impl Privacy {
    /// What a request allows.
    pub fn of(request: &BidRequest<'_>) -> Self {
        let (regs, device) = (&request.regs, &request.device);
        let flag = |flag: Flag| Sign::of(flag.may_be_yes());
        let signs = Signs {
            coppa: flag(regs.coppa),
            gdpr: flag(regs.gdpr),
            us_privacy: Sign::of(regs.opts_out_of_sale()),
            gpc: flag(regs.gpc),
            gpp: gpp(
                !regs.gpp.is_absent(),
                match &regs.gpp_sid {
                    Given::Absent => Given::Absent,
                    Given::Value(sections) => Given::Value(sections.iter().copied()),
                    Given::Unreadable => Given::Unreadable,
                },
            ),
            unreadable: Sign::of(regs.is_unreadable),
            lmt: flag(device.lmt),
            dnt: flag(device.dnt),
        };
        signs.judge()
    }

    /// What the parameters of a URL allow that a browser was sent to, each with its value: `None` where that cannot be read.
    /// They have the names that user syncs give them, in any case. Nothing said, or an empty value, forbids nothing.
    pub fn of_parameters<'q>(
        all: &(impl Iterator<Item = (&'q str, Option<&'q str>)> + Clone),
    ) -> Self {
        let values = |name: &'static str| {
            let named = all
                .clone()
                .filter(move |(key, _)| key.eq_ignore_ascii_case(name));
            named
                .map(|(_, value)| value)
                .filter(|value| *value != Some(""))
        };
        let says = |name| values(name).next().is_some();
        let may_be_yes = |name| values(name).any(|value| value != Some("0"));
        let flag = |name| Sign::of(may_be_yes(name));
        // Consent is sent where the law applies.
        let may_need_consent = says("gdpr_consent") && !says("gdpr");
        let sections = values("gpp_sid");
        // No other section is told apart: any of them restricts.
        let readable = sections.map(|value| value.filter(|it| *it == "-1").map(|_| NO_SECTION));
        let signs = Signs {
            coppa: flag("coppa"),
            gdpr: Sign::of(may_be_yes("gdpr") || may_need_consent),
            us_privacy: Sign::of(values("us_privacy").any(|value| value.is_none_or(opts_out))),
            gpc: flag("gpc"),
            gpp: gpp(
                says("gpp"),
                match readable.collect::<Option<Vec<i32>>>() {
                    None => Given::Unreadable,
                    Some(sections) if sections.is_empty() => Given::Absent,
                    Some(sections) => Given::Value(sections.into_iter()),
                },
            ),
            unreadable: Sign::Open,
            lmt: flag("lmt"),
            dnt: flag("dnt"),
        };
        signs.judge()
    }

    /// Whether personal data may be used.
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed)
    }
}

impl Restriction {
    /// A label for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coppa => "coppa",
            Self::Gdpr => "gdpr",
            Self::UsPrivacy => "us_privacy",
            Self::GlobalPrivacyControl => "gpc",
            Self::Gpp => "gpp",
            Self::Unreadable => "unreadable",
            Self::LimitAdTracking => "lmt",
            Self::DoNotTrack => "dnt",
        }
    }
}

/// The id by which to know the user again, where [`Privacy`] allows it: ours as synchronised with the exchange, the
/// device's, the exchange's, a third party's.
pub fn user_id<'r>(request: &'r BidRequest<'_>) -> Option<&'r str> {
    if !Privacy::of(request).is_allowed() {
        return None;
    }
    let user = &request.user;
    let ifa = request.device.ifa.as_deref().filter(|ifa| !is_zeros(ifa));
    let third_party = || user.eids.items().iter().find_map(|eid| eid.uid.as_deref());
    user.buyeruid
        .as_deref()
        .or(ifa)
        .or(user.id.as_deref())
        .or_else(third_party)
}

/// Section −1 alone says that no section applies.
fn gpp(is_said: bool, sections: Given<impl Iterator<Item = i32>>) -> Sign {
    Sign::of(match sections {
        Given::Absent => is_said,
        Given::Value(mut sections) => sections.any(|section| section != NO_SECTION),
        Given::Unreadable => true,
    })
}

/// What devices send in place of an id that the user withheld.
fn is_zeros(ifa: &str) -> bool {
    ifa.bytes().all(|byte| matches!(byte, b'0' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openrtb::decode;

    fn privacy(fields: &str) -> Privacy {
        let body = format!(r#"{{"id":"r","imp":[{{"id":"1"}}],{fields}}}"#);
        Privacy::of(&decode(body.as_bytes()).unwrap())
    }

    #[test]
    fn any_sign_of_a_restriction_restricts_and_nothing_else_does() {
        use Restriction::*;
        for (fields, restriction) in [
            (r#""regs":{"coppa":1}"#, Coppa),
            (r#""regs":{"coppa":true}"#, Coppa),
            (r#""regs":{"gdpr":"1"}"#, Gdpr),
            (r#""regs":{"ext":{"gdpr":1}}"#, Gdpr),
            (r#""regs":{"gdpr":0,"ext":{"gdpr":1}}"#, Gdpr),
            (r#""regs":{"ext":{"gdpr":1},"gdpr":0}"#, Gdpr),
            (r#""regs":{"gdpr":[1]}"#, Gdpr),
            (r#""regs":{"us_privacy":"1YYN"}"#, UsPrivacy),
            (r#""regs":{"us_privacy":"1"}"#, UsPrivacy),
            (
                r#""regs":{"us_privacy":"1YNN","ext":{"us_privacy":"1YyN"}}"#,
                UsPrivacy,
            ),
            (
                r#""regs":{"ext":{"us_privacy":"1YYN"},"us_privacy":"1YNN"}"#,
                UsPrivacy,
            ),
            (r#""regs":{"ext":{"gpc":"1"}}"#, GlobalPrivacyControl),
            (r#""device":{"ext":{"lmt":1}}"#, LimitAdTracking),
            (r#""regs":{"gpp":"DBAA"}"#, Gpp),
            (r#""regs":{"gpp_sid":[7]}"#, Gpp),
            (r#""regs":{"gpp_sid":[700]}"#, Gpp),
            (r#""regs":{"gpp_sid":{"7":1}}"#, Gpp),
            (r#""regs":{"gpp_sid":[-1],"ext":{"gpp_sid":["6"]}}"#, Gpp),
            (r#""regs":{"gpp":["DBAA"]}"#, Gpp),
            (r#""regs":{"us_privacy":true}"#, UsPrivacy),
            (r#""regs":"none""#, Unreadable),
            (r#""regs":{"coppa":0,"ext":"{}"}"#, Unreadable),
            (r#""device":{"lmt":"true"}"#, LimitAdTracking),
            (r#""device":{"dnt":1}"#, DoNotTrack),
            (r#""device":{"dnt":2}"#, DoNotTrack),
        ] {
            assert_eq!(
                privacy(fields),
                Privacy::Restricted(restriction),
                "{fields}"
            );
        }
        for fields in [
            r#""at":1"#,
            r#""regs":{"coppa":0,"gdpr":0,"us_privacy":"1YNN","ext":{"gdpr":null}}"#,
            r#""regs":{"us_privacy":"1---"},"device":{"dnt":0,"lmt":false}"#,
            r#""regs":{"gpp":"DBAA","gpp_sid":[-1]}"#,
            r#""regs":{"gpp":"","gpp_sid":[]}"#,
            r#""regs":[],"device":null"#,
            r#""regs":{"ext":[]}"#,
        ] {
            assert_eq!(privacy(fields), Privacy::Allowed, "{fields}");
        }
    }

    #[test]
    fn a_parameter_restricts_unless_it_clearly_does_not() {
        use Restriction::*;
        let of = |pairs: &[(&'static str, Option<&'static str>)]| {
            Privacy::of_parameters(&pairs.iter().copied())
        };
        for (pairs, restriction) in [
            (&[("coppa", Some("1"))][..], Coppa),
            (&[("gdpr", Some("1"))], Gdpr),
            (&[("GDPR", Some("yes"))], Gdpr),
            (&[("gdpr", None)], Gdpr),
            (&[("gdpr", Some("0")), ("gdpr", Some("1"))], Gdpr),
            (&[("gdpr_consent", Some("CPx"))], Gdpr),
            (&[("gdpr", Some("")), ("gdpr_consent", Some("CPx"))], Gdpr),
            (&[("gdpr", Some("${GDPR}"))], Gdpr),
            (&[("us_privacy", Some("1YYN"))], UsPrivacy),
            (&[("us_privacy", Some("?"))], UsPrivacy),
            (&[("us_privacy", None)], UsPrivacy),
            (&[("gpc", Some("1"))], GlobalPrivacyControl),
            (&[("gpp", Some("DBAA"))], Gpp),
            (&[("gpp_sid", Some("7"))], Gpp),
            (&[("gpp", Some("DBAA")), ("gpp_sid", Some("-1,7"))], Gpp),
            (&[("lmt", Some("1"))], LimitAdTracking),
            (&[("dnt", Some("1"))], DoNotTrack),
        ] {
            assert_eq!(of(pairs), Privacy::Restricted(restriction), "{pairs:?}");
        }
        for pairs in [
            &[][..],
            &[("gdpr", Some("0")), ("gdpr_consent", Some("CPx"))],
            &[
                ("gdpr", Some("")),
                ("gdpr_consent", Some("")),
                ("gpp", Some("")),
            ],
            &[("us_privacy", Some("1YNN"))],
            &[("gpp", Some("DBAA")), ("gpp_sid", Some("-1"))],
            &[("anything", None)],
        ] {
            assert_eq!(of(pairs), Privacy::Allowed, "{pairs:?}");
        }
    }

    #[test]
    fn the_user_is_known_by_our_id_first_and_not_at_all_without_permission() {
        const ZEROS: &str = "00000000-0000-0000-0000-000000000000";
        let eids = r#"{"source":"s","uids":[{},{"id":"third"}]}"#;
        for (fields, id) in [
            (
                r#""user":{"id":"u","buyeruid":"ours"},"device":{"ifa":"i"}"#.to_owned(),
                Some("ours"),
            ),
            (
                r#""user":{"id":"u"},"device":{"ifa":"i"}"#.to_owned(),
                Some("i"),
            ),
            (
                format!(r#""user":{{"id":17}},"device":{{"ifa":"{ZEROS}"}}"#),
                Some("17"),
            ),
            (format!(r#""user":{{"eids":[{{}},{eids}]}}"#), Some("third")),
            (
                format!(r#""user":{{"ext":{{"eids":[{eids}]}}}}"#),
                Some("third"),
            ),
            (r#""user":{"id":"u"},"regs":{"coppa":1}"#.to_owned(), None),
            (r#""user":{"id":""}"#.to_owned(), None),
        ] {
            let body = format!(r#"{{"id":"r","imp":[{{"id":"1"}}],{fields}}}"#);
            assert_eq!(user_id(&decode(body.as_bytes()).unwrap()), id, "{fields}");
        }
    }
}
