//! What stands for the macros in URLs and markup.

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

/// The values of one bid's macros.
pub(super) struct Macros<'a> {
    price: Micros,
    values: Vec<(&'static str, std::borrow::Cow<'a, str>)>,
}

impl<'a> Macros<'a> {
    /// For a bid of a sale that ended so.
    pub(super) fn new(
        sale: &Sale<'a>,
        decided: &'a Decided,
        outcome: Outcome,
        rng: &mut Rng,
    ) -> Self {
        let bid = &decided.bid;
        let imp_id = sale.asked.imps.get(bid.imp);
        let imp_id = imp_id.map_or("", |imp| imp.id.as_str());
        let (written, price) = match sale.keys {
            Some(keys) => keys.seal(outcome.price, vector(sale.ended_ms, rng)),
            None => (outcome.price.to_string(), outcome.price),
        };
        Self {
            price,
            values: vec![
                ("ID", sale.asked.id.as_str().into()),
                ("BID_ID", bid.bidid.as_str().into()),
                ("IMP_ID", imp_id.into()),
                ("SEAT_ID", bid.seat.as_str().into()),
                ("AD_ID", bid.ad_id.as_str().into()),
                ("PRICE", written.into()),
                ("CURRENCY", bid.currency.as_str().into()),
                ("MBR", ratio(outcome.price, bid.price).into()),
                ("LOSS", outcome.loss.to_string().into()),
                ("MIN_TO_WIN", decided.min_to_win.to_string().into()),
                ("MULTIPLIER", "1".into()),
                ("IMP_TS", sale.ended_ms.to_string().into()),
                // No discount was agreed on.
                ("DISCOUNT_PCT", "".into()),
                ("DISCOUNT_CPM", "".into()),
            ],
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
        while let Some((before, after)) = rest.split_once("${AUCTION_") {
            out.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                out.push_str("${AUCTION_");
                rest = after;
                continue;
            };
            out.push_str(self.value(name.split(':').next().unwrap_or(name)));
            rest = behind;
        }
        out.push_str(rest);
        self.replace_google(out)
    }

    /// Google's own spelling. Encrypted or plain, a price has nothing to escape.
    fn replace_google(&self, text: String) -> String {
        if !text.contains("%%WINNING_PRICE") {
            return text;
        }
        text.replace("%%WINNING_PRICE%%", self.value("PRICE"))
            .replace("%%WINNING_PRICE_ESC%%", self.value("PRICE"))
    }

    fn value(&self, name: &str) -> &str {
        let mut values = self.values.iter();
        let found = values.find(|(key, _)| *key == name);
        found.map_or("", |(_, value)| value)
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
