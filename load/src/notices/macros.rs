//! What stands for the macros in URLs and markup.

use std::borrow::Cow;

use super::Sale;
use super::price_cipher::InitVector;
use crate::auction::Decided;
use crate::decimal::Micros;
use crate::rng::Rng;

/// How an auction ended, as far as macros tell it.
#[derive(Clone, Copy)]
pub(super) struct Outcome {
    /// What won.
    pub(super) price: Micros,
    /// The code of the loss; 0: it won.
    pub(super) loss: u32,
}

/// The values of one bid's macros, written where a text asks for them.
pub(super) struct Macros<'a> {
    sale: &'a Sale<'a>,
    decided: &'a Decided<'a>,
    outcome: Outcome,
    /// The clearing price, as it is written.
    written: String,
    price: Micros,
}

impl<'a> Macros<'a> {
    /// For a bid of a sale that ended so.
    pub(super) fn new(
        sale: &'a Sale<'a>,
        decided: &'a Decided<'a>,
        outcome: Outcome,
        rng: &mut Rng,
    ) -> Self {
        let (written, price) = match sale.keys {
            Some(keys) => keys.seal(outcome.price, vector(sale.ended_ms, rng)),
            None => (outcome.price.to_string(), outcome.price),
        };
        Self {
            sale,
            decided,
            outcome,
            written,
            price,
        }
    }

    /// The clearing price that these macros tell.
    pub(super) const fn price(&self) -> Micros {
        self.price
    }

    /// `text` with its macros replaced, literally and unescaped, as the text of `OpenRTB` says. Those without a value
    /// become empty; what is no macro of auctions stays.
    pub(super) fn replace(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = memchr::memchr(b'$', rest.as_bytes()) {
            let (before, behind) = rest.split_at_checked(at).unwrap_or((rest, ""));
            out.push_str(before);
            let found = behind.strip_prefix("${AUCTION_");
            if let Some((name, behind)) = found.and_then(|after| after.split_once('}')) {
                out.push_str(&self.value(name.split(':').next().unwrap_or(name)));
                rest = behind;
            } else {
                out.push('$');
                rest = behind.get(1..).unwrap_or_default();
            }
        }
        out.push_str(rest);
        self.replace_google(out)
    }

    /// Google's own spelling. Encrypted or plain, a price has nothing to escape.
    fn replace_google(&self, text: String) -> String {
        if memchr::memmem::find(text.as_bytes(), b"%%WINNING_PRICE").is_none() {
            return text;
        }
        text.replace("%%WINNING_PRICE%%", &self.written)
            .replace("%%WINNING_PRICE_ESC%%", &self.written)
    }

    fn value(&self, name: &str) -> Cow<'_, str> {
        let (asked, bid) = (self.sale.asked, self.decided.bid);
        match name {
            "ID" => asked.id.as_str().into(),
            "BID_ID" => Cow::Borrowed(&bid.bidid),
            "IMP_ID" => asked.imps.get(bid.imp).map_or("", |imp| &imp.id).into(),
            "SEAT_ID" => Cow::Borrowed(&bid.seat),
            "AD_ID" => Cow::Borrowed(&bid.ad_id),
            "PRICE" => self.written.as_str().into(),
            "CURRENCY" => Cow::Borrowed(&bid.currency),
            "MBR" => ratio(self.outcome.price, bid.price).into(),
            "LOSS" => self.outcome.loss.to_string().into(),
            "MIN_TO_WIN" => self.decided.min_to_win.to_string().into(),
            "MULTIPLIER" => "1".into(),
            "IMP_TS" => self.sale.ended_ms.to_string().into(),
            // Among them DISCOUNT_PCT and DISCOUNT_CPM: no discount was agreed on.
            _ => "".into(),
        }
    }
}

/// What the winner pays, as a part of what it bid.
fn ratio(price: Micros, bid: Micros) -> String {
    let millionths = i128::from(price.get()) * 1_000_000;
    let ratio = millionths.checked_div(i128::from(bid.get())).unwrap_or(0);
    Micros::new(i64::try_from(ratio).unwrap_or(i64::MAX)).to_string()
}

/// Seconds, microseconds and the server's own number, as Google composes it.
fn vector(now_ms: u64, rng: &mut Rng) -> InitVector {
    let seconds = u32::try_from(now_ms / 1_000).unwrap_or(u32::MAX);
    let micros = u32::try_from(now_ms % 1_000 * 1_000 + rng.below(1_000)).unwrap_or(0);
    let mut vector = [0; 16];
    let parts = seconds
        .to_be_bytes()
        .into_iter()
        .chain(micros.to_be_bytes())
        .chain(rng.bits().to_be_bytes());
    for (byte, part) in vector.iter_mut().zip(parts) {
        *byte = part;
    }
    vector
}
