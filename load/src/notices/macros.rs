//! What stands for the macros in URLs and markup.

use crate::auction::Decided;
use crate::decimal::Micros;
use crate::traffic::Asked;

/// The values of one bid's macros.
pub(super) struct Macros<'a> {
    values: Vec<(&'static str, std::borrow::Cow<'a, str>)>,
}

impl<'a> Macros<'a> {
    /// For a bid that was decided at `price`, with this loss code (0: it won).
    pub(super) fn new(
        asked: &'a Asked,
        imp_id: &'a str,
        decided: &'a Decided,
        price: Micros,
        loss_code: u32,
    ) -> Self {
        let bid = &decided.bid;
        let price = price.to_string();
        Self {
            values: vec![
                ("AUCTION_ID", asked.id.as_str().into()),
                ("AUCTION_BID_ID", bid.bidid.as_str().into()),
                ("AUCTION_IMP_ID", imp_id.into()),
                ("AUCTION_SEAT_ID", bid.seat.as_str().into()),
                ("AUCTION_AD_ID", bid.ad_id.as_str().into()),
                ("AUCTION_PRICE", price.into()),
                ("AUCTION_CURRENCY", bid.currency.as_str().into()),
                ("AUCTION_LOSS", loss_code.to_string().into()),
                ("AUCTION_MIN_TO_WIN", decided.min_to_win.to_string().into()),
                ("AUCTION_MULTIPLIER", "1".into()),
            ],
        }
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
            let bare = name.split(':').next().unwrap_or(name);
            let value = self
                .values
                .iter()
                .find(|(key, _)| key.strip_prefix("AUCTION_") == Some(bare));
            out.push_str(value.map_or("", |(_, value)| value));
            rest = behind;
        }
        out.push_str(rest);
        self.replace_google(&out)
    }

    /// Google's own spelling. Its price is plain here, not encrypted.
    fn replace_google(&self, text: &str) -> String {
        if !text.contains("%%WINNING_PRICE") {
            return text.to_owned();
        }
        let price = self.values.iter().find(|(key, _)| *key == "AUCTION_PRICE");
        let price = price.map_or("", |(_, value)| value);
        text.replace("%%WINNING_PRICE%%", price)
            .replace("%%WINNING_PRICE_ESC%%", price)
    }
}
