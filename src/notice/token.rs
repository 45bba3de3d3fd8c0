//! The sealed token in every notice URL: what a notice needs to know about its bid, so that no table of open bids exists.
//!
//! Layout before base64url: `version 1 | key id 1 | bid 16 | imp 2 | sealed fields | tag 16`. The front is authenticated;
//! the fields are encrypted and authenticated with XChaCha20-Poly1305.
//!
//! The nonce is the bid's id and its imp, padded with zeros. A bid id is never used twice (64 random bits of the
//! process's incarnation, its thread, its count), and a bid has one token, so no nonce is used twice under one key, also
//! over restarts and machines that share keys: two incarnations would have to draw the same 64 bits.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};

use crate::campaign::DEAL_ID_BYTES_MAX;
use crate::units::{
    AdvertiserKey, BidId, BudgetDay, CampaignKey, Cpm, CreativeKey, Currency, Epoch, ExchangeKey,
    LedgerTime, Nanos, Rate, RegionKey, UnixMillis, UserKey,
};

/// The version that is written.
const VERSION: u8 = 1;
const FRONT: usize = 20;
const TAG: usize = 16;
/// The longest deal id that travels in a token: no campaign has a longer one.
pub const DEAL_BYTES_MAX: usize = DEAL_ID_BYTES_MAX;
/// The longest text that can be a token: anything longer is refused before it is decoded.
pub const TEXT_BYTES_MAX: usize = 384;

/// What a bid's notices need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The bid.
    pub bid: BidId,
    /// The impression's index in its request.
    pub imp: u16,
    /// Whose campaign.
    pub campaign: CampaignKey,
    /// What is shown.
    pub creative: CreativeKey,
    /// Who pays.
    pub advertiser: AdvertiserKey,
    /// Which region promised the money.
    pub region: RegionKey,
    /// Who sells.
    pub exchange: ExchangeKey,
    /// The currency of the bid.
    pub currency: Currency,
    /// Units of the campaign's currency per unit of the bid's.
    pub rate: Rate,
    /// What is added to the cost, in thousandths.
    pub margin_per_mille: u16,
    /// The budget day of the bid.
    pub day: BudgetDay,
    /// The lease that promised.
    pub epoch: Epoch,
    /// How much it promised, in the campaign's currency.
    pub reserved: Nanos,
    /// The most the exchange may ask: our bid, in its currency.
    pub price_max: Cpm,
    /// Which of the region's holds.
    pub hold: u8,
    /// When the promise lapses.
    pub expires_at: LedgerTime,
    /// When the bid was made.
    pub bid_at: UnixMillis,
    /// Which notice is billed.
    pub billing: BillingEvent,
    /// Whether the request was a test, so that nothing is ever billed.
    pub test: bool,
    /// Who would see it, where consent allows us to know.
    pub user: Option<UserKey>,
    /// The deal, if the bid was for one.
    pub deal: Option<String>,
}

/// Which notice makes an impression billable, as agreed with the exchange when the bid was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BillingEvent {
    /// The billing notice, `burl`: what OpenRTB recommends.
    BillingNotice,
    /// The impression pixel or VAST impression in our markup.
    Impression,
    /// The win notice, `nurl`.
    WinNotice,
}

/// Why a text is no token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not base64url, too short or too long.
    #[error("malformed token")]
    Malformed,
    /// Written by a newer server.
    #[error("unknown token version {0}")]
    Version(u8),
    /// Sealed with a key that is not, or no longer, in the ring.
    #[error("unknown token key {0}")]
    UnknownKey(u8),
    /// Changed, or never sealed by us.
    #[error("forged token")]
    Forged,
}

/// One key of the ring.
#[derive(Clone)]
pub struct TokenKey {
    /// Its id, which travels in the token.
    pub id: u8,
    /// Its bytes.
    pub bytes: [u8; 32],
}

/// Seals with the first key of its ring, opens with any.
pub struct Sealer {
    current: (u8, XChaCha20Poly1305),
    former: Vec<(u8, XChaCha20Poly1305)>,
}

impl Sealer {
    /// A ring of the key that seals now, and those that sealed before.
    pub fn new(current: &TokenKey, former: &[TokenKey]) -> Self {
        let cipher = |key: &TokenKey| (key.id, XChaCha20Poly1305::new(&key.bytes.into()));
        Self {
            current: cipher(current),
            former: former.iter().map(cipher).collect(),
        }
    }

    /// Appends a sealed token to `out`: about 190 characters that need no escaping in a URL.
    ///
    /// # Panics
    /// With a deal id over [`DEAL_BYTES_MAX`]: such a bid is not made.
    pub fn seal_into(&self, token: &Token, out: &mut Vec<u8>) {
        let mut raw = [0_u8; FRONT + FIELDS_MAX + TAG];
        let (key_id, cipher) = &self.current;
        let length = {
            let mut write = Writer {
                raw: &mut raw,
                at: 0,
            };
            write.bytes(&[VERSION, *key_id]);
            write.bytes(&token.bid.raw().to_be_bytes());
            write.bytes(&token.imp.to_be_bytes());
            token.write_fields(&mut write);
            write.at
        };
        let (front, rest) = raw.split_at_mut(FRONT);
        let (fields, after) = rest.split_at_mut(length - FRONT);
        // Only a plaintext of 256 GiB is refused.
        let tag = cipher
            .encrypt_in_place_detached(&nonce(front), front, fields)
            .unwrap_or_default();
        if let Some(place) = after.get_mut(..TAG) {
            place.copy_from_slice(&tag);
        }
        let sealed = raw.get(..length + TAG).unwrap_or_default();
        let start = out.len();
        out.resize(start + sealed.len().div_ceil(3) * 4, 0);
        let space = out.get_mut(start..).unwrap_or_default();
        let written = URL_SAFE_NO_PAD.encode_slice(sealed, space).unwrap_or(0);
        out.truncate(start + written);
    }

    /// Opens a token.
    ///
    /// # Errors
    /// [`TokenError`]; none of them says more to a forger than that it did not work.
    pub fn open(&self, text: &str) -> Result<Token, TokenError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        let mut raw = [0_u8; TEXT_BYTES_MAX];
        let length = URL_SAFE_NO_PAD
            .decode_slice(text, &mut raw)
            .map_err(|_| TokenError::Malformed)?;
        let sealed = raw.get_mut(..length).ok_or(TokenError::Malformed)?;
        if sealed.len() < FRONT + TAG {
            return Err(TokenError::Malformed);
        }
        let (front, rest) = sealed.split_at_mut(FRONT);
        let (fields, tag) = rest.split_at_mut(rest.len() - TAG);
        let [version, key_id, ..] = *front else {
            return Err(TokenError::Malformed);
        };
        if version != VERSION {
            return Err(TokenError::Version(version));
        }
        let cipher = self.cipher(key_id).ok_or(TokenError::UnknownKey(key_id))?;
        cipher
            .decrypt_in_place_detached(&nonce(front), front, fields, Tag::from_slice(tag))
            .map_err(|_| TokenError::Forged)?;
        // What we sealed reads back; anything else under our own key is a bug of ours, told as a forgery.
        Token::read(front, fields).ok_or(TokenError::Forged)
    }

    fn cipher(&self, id: u8) -> Option<&XChaCha20Poly1305> {
        let all = std::iter::once(&self.current).chain(&self.former);
        all.into_iter()
            .find(|(known, _)| *known == id)
            .map(|(_, cipher)| cipher)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer")
            .field("current", &self.current.0)
            .finish_non_exhaustive()
    }
}

const FIXED: usize = 8 * 5 + 3 + 8 + 2 + 4 + 8 + 8 + 8 + 1 + 8 + 8 + 1 + 8;
const FIELDS_MAX: usize = FIXED + 1 + DEAL_BYTES_MAX;
const _: () = assert!((FRONT + FIELDS_MAX + TAG).div_ceil(3) * 4 <= TEXT_BYTES_MAX);

const TEST: u8 = 1;
const HAS_USER: u8 = 2;
const BILLED_BY_IMPRESSION: u8 = 4;
const BILLED_BY_WIN: u8 = 8;

fn nonce(front: &[u8]) -> XNonce {
    let mut nonce = XNonce::default();
    for (to, from) in nonce.iter_mut().zip(front.iter().skip(2)) {
        *to = *from;
    }
    nonce
}

impl Token {
    fn write_fields(&self, out: &mut Writer<'_>) {
        for key in [
            self.campaign.raw(),
            self.creative.raw(),
            self.advertiser.raw(),
            self.region.raw(),
            self.exchange.raw(),
        ] {
            out.bytes(&key.to_be_bytes());
        }
        out.bytes(&self.currency.to_bytes());
        out.bytes(&self.rate.billionths().to_be_bytes());
        out.bytes(&self.margin_per_mille.to_be_bytes());
        out.bytes(&self.day.get().to_be_bytes());
        out.bytes(&self.epoch.get().to_be_bytes());
        out.bytes(&self.reserved.get().to_be_bytes());
        out.bytes(&self.price_max.micros().to_be_bytes());
        out.bytes(&[self.hold]);
        out.bytes(&self.expires_at.millis().to_be_bytes());
        out.bytes(&self.bid_at.get().to_be_bytes());
        out.bytes(&[self.flags()]);
        out.bytes(&self.user.map_or(0, UserKey::raw).to_be_bytes());
        let deal = self.deal.as_deref().unwrap_or_default().as_bytes();
        assert!(
            deal.len() <= DEAL_BYTES_MAX,
            "a deal id of {} bytes",
            deal.len()
        );
        out.bytes(&[u8::try_from(deal.len()).unwrap_or(0)]);
        out.bytes(deal);
    }

    fn flags(&self) -> u8 {
        let event = match self.billing {
            BillingEvent::BillingNotice => 0,
            BillingEvent::Impression => BILLED_BY_IMPRESSION,
            BillingEvent::WinNotice => BILLED_BY_WIN,
        };
        event | if self.test { TEST } else { 0 } | if self.user.is_some() { HAS_USER } else { 0 }
    }

    fn read(front: &[u8], fields: &[u8]) -> Option<Self> {
        let mut head = Reader(front.get(2..)?);
        let (bid, imp) = (
            u128::from_be_bytes(head.array()?),
            u16::from_be_bytes(head.array()?),
        );
        let mut read = Reader(fields);
        let campaign = CampaignKey::from_raw(read.u64()?);
        let creative = CreativeKey::from_raw(read.u64()?);
        let advertiser = AdvertiserKey::from_raw(read.u64()?);
        let region = RegionKey::from_raw(read.u64()?);
        let exchange = ExchangeKey::from_raw(read.u64()?);
        let currency = Currency::parse(std::str::from_utf8(&read.array::<3>()?).ok()?)?;
        let rate = Rate::from_billionths(read.i64()?)?;
        let margin_per_mille = u16::from_be_bytes(read.array()?);
        let day = BudgetDay::new(i32::from_be_bytes(read.array()?));
        let epoch = Epoch::new(read.u64()?);
        let reserved = Nanos::new(read.i64()?);
        let price_max = Cpm::from_micros(read.i64()?);
        let [hold] = read.array()?;
        let expires_at = LedgerTime::from_millis(read.i64()?);
        let bid_at = UnixMillis::new(read.i64()?);
        let [flags] = read.array()?;
        let user = UserKey::from_raw(read.u64()?);
        let [deal_length] = read.array()?;
        let deal = std::str::from_utf8(read.0).ok()?;
        if deal.len() != usize::from(deal_length) {
            return None;
        }
        let billing = match flags & (BILLED_BY_IMPRESSION | BILLED_BY_WIN) {
            0 => BillingEvent::BillingNotice,
            BILLED_BY_IMPRESSION => BillingEvent::Impression,
            BILLED_BY_WIN => BillingEvent::WinNotice,
            _ => return None,
        };
        Some(Self {
            bid: BidId::from_raw(bid),
            imp,
            campaign,
            creative,
            advertiser,
            region,
            exchange,
            currency,
            rate,
            margin_per_mille,
            day,
            epoch,
            reserved,
            price_max,
            hold,
            expires_at,
            bid_at,
            billing,
            test: flags & TEST != 0,
            user: (flags & HAS_USER != 0).then_some(user),
            deal: (!deal.is_empty()).then(|| deal.to_owned()),
        })
    }
}

struct Writer<'a> {
    raw: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        let end = self.at + bytes.len();
        if let Some(place) = self.raw.get_mut(self.at..end) {
            place.copy_from_slice(bytes);
            self.at = end;
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests;
