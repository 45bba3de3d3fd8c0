//! One table: what was measured, ours, OTP's, the ratio, and whether the goal is reached.

use crate::samples::Figures;

/// What a row should reach.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// No goal: the row is there to compare.
    None,
    /// At most this share of OTP's p50 and p99.
    OfOtp(f64),
    /// At most this many nanoseconds, or bytes, at p50.
    AtMost(f64),
    /// At most this many times another row's p50.
    Times(f64, f64),
}

/// What a row's figures count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Micros,
    Nanos,
    Bytes,
    Seconds,
}

pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) unit: Unit,
    pub(crate) ours: Figures,
    pub(crate) otp: Option<Figures>,
    pub(crate) goal: Goal,
}

impl Unit {
    fn scale(self, value: f64) -> f64 {
        match self {
            Self::Micros => value / 1e3,
            Self::Nanos | Self::Bytes => value,
            Self::Seconds => value / 1e9,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Micros => "µs",
            Self::Nanos => "ns",
            Self::Bytes => "B",
            Self::Seconds => "s",
        }
    }
}

impl Row {
    /// The row as a line of the table.
    pub(crate) fn line(&self) -> String {
        let ours = self.cell(self.ours);
        let otp = self
            .otp
            .map_or_else(|| "–".to_owned(), |otp| self.cell(otp));
        let ratio = self.ratio().map_or_else(
            || "–".to_owned(),
            |(p50, p99)| {
                if self.ours.count == 1 {
                    format!("{p50:.2}")
                } else {
                    format!("{p50:.2} / {p99:.2}")
                }
            },
        );
        let what = &self.what;
        format!(
            "| {what:<58} | {ours:<24} | {otp:<24} | {ratio:<12} | {} |",
            self.verdict()
        )
    }

    pub(crate) fn head() -> [String; 2] {
        [
            format!(
                "| {:<58} | {:<24} | {:<24} | {:<12} | goal |",
                "what", "ours: p50 / p99 (mean)", "OTP: p50 / p99 (mean)", "ours / OTP"
            ),
            format!(
                "|{}|{}|{}|{}|---|",
                "-".repeat(60),
                "-".repeat(26),
                "-".repeat(26),
                "-".repeat(14)
            ),
        ]
    }

    fn cell(&self, figures: Figures) -> String {
        let [p50, p99, mean] =
            [figures.p50, figures.p99, figures.mean].map(|value| self.number(value));
        let unit = self.unit.label();
        if figures.count == 1 {
            format!("{p50} {unit}")
        } else {
            format!("{p50} / {p99} ({mean}) {unit}")
        }
    }

    fn number(&self, value: f64) -> String {
        let scaled = self.unit.scale(value);
        match self.unit {
            Unit::Bytes => format!("{scaled:.0}"),
            Unit::Micros | Unit::Nanos | Unit::Seconds => format!("{scaled:.2}"),
        }
    }

    fn ratio(&self) -> Option<(f64, f64)> {
        let otp = self.otp?;
        Some((self.ours.p50 / otp.p50, self.ours.p99 / otp.p99))
    }

    fn verdict(&self) -> String {
        let unit = self.unit.label();
        let (reached, goal) = match self.goal {
            Goal::None => return "–".to_owned(),
            Goal::OfOtp(share) => {
                let goal = format!("≤ {share} × OTP");
                let Some((p50, p99)) = self.ratio() else {
                    return format!("{goal}: SKIPPED, no OTP");
                };
                (p50 <= share && p99 <= share, goal)
            }
            Goal::AtMost(most) => (
                self.ours.p50 <= most,
                format!("≤ {} {unit}", self.number(most)),
            ),
            Goal::Times(times, floor) => (
                self.ours.p50 <= times * floor,
                format!("≤ {times} × {} {unit}", self.number(floor)),
            ),
        };
        format!("{goal}: {}", if reached { "reached" } else { "MISSED" })
    }
}
