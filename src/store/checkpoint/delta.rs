//! What changed in the books since the last checkpoint, as rows that are ready to be written.

use std::collections::BTreeSet;

use crate::store::books::{Books, Exposure, Settled, SettledRow};
use crate::store::codec::{Decoder, Encoder, Malformed};
use crate::store::movement::{ImpressionKey, Movement};
use crate::units::{AdvertiserKey, CampaignKey, RegionKey, UnixMillis, UserKey};

/// The rows' format; a checkpoint of another one counts as damaged, and is folded anew.
const VERSION: u32 = 2;

/// The format before advertisers had accounts: it is read as one in which none has.
const VERSION_WITHOUT_SHARED: u32 = 1;

/// Above so many settled impressions a delta is no cheaper than the whole, so they are no longer noted one by one.
const NOTED_MAX: usize = 1_000_000;

/// The books' changes between two sequence numbers, or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// Where the checkpoint must be; `None` if the delta is the whole.
    pub(super) from: Option<u64>,
    pub(super) summary: Summary,
    pub(super) accounts: Vec<(CampaignKey, Vec<u8>)>,
    pub(super) shared: Vec<(AdvertiserKey, Vec<u8>)>,
    pub(super) settled: Vec<SettledRow>,
    pub(super) exposures: Vec<(u64, Vec<u8>)>,
}

/// What the books hold beside rows, and how many rows there must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Summary {
    pub(super) sequence: u64,
    pub(super) settled_forgotten: Option<i32>,
    pub(super) exposures_first: u64,
    pub(super) exposures_forgotten: Option<UnixMillis>,
    accounts: u64,
    shared: u64,
    settled: u64,
    exposures: u64,
}

/// What was touched since a sequence number.
#[derive(Debug)]
pub(in crate::store) struct Changes {
    since: u64,
    exposures_from: u64,
    campaigns: BTreeSet<CampaignKey>,
    settled: Vec<ImpressionKey>,
    is_whole: bool,
}

impl Delta {
    /// The sequence number the checkpoint has once it took this.
    pub fn to(&self) -> u64 {
        self.summary.sequence
    }

    /// Whether it replaces all rows.
    pub fn is_whole(&self) -> bool {
        self.from.is_none()
    }
}

impl Changes {
    /// No changes yet, after books that are in a checkpoint.
    pub(in crate::store) fn after(books: &Books) -> Self {
        Self {
            since: books.sequence(),
            exposures_from: books.exposures().end(),
            campaigns: BTreeSet::new(),
            settled: Vec::new(),
            is_whole: false,
        }
    }

    pub(in crate::store) fn since(&self) -> u64 {
        self.since
    }

    pub(in crate::store) fn note(&mut self, movement: &Movement) {
        self.campaigns.insert(movement.campaign());
        if self.settled.len() >= NOTED_MAX {
            self.is_whole = true;
            self.settled = Vec::new();
        }
        if !self.is_whole {
            self.settled.extend(movement.settles());
        }
    }

    /// The delta that brings a checkpoint at `checkpoint` to these books.
    pub(in crate::store) fn delta(
        &self,
        books: &Books,
        checkpoint: u64,
    ) -> Result<Delta, Malformed> {
        let is_whole = self.is_whole || self.since != checkpoint;
        let mut accounts = Vec::new();
        for (campaign, account) in books.accounts() {
            if is_whole || self.campaigns.contains(&campaign) {
                let mut row = Vec::new();
                account.encode(&mut row)?;
                accounts.push((campaign, row));
            }
        }
        let mut shared = Vec::new();
        for (advertiser, account) in books.shared_accounts().iter() {
            if is_whole || account.touched() > self.since {
                let mut row = Vec::new();
                account.encode(&mut row)?;
                shared.push((advertiser, row));
            }
        }
        let table = books.settled_table();
        let settled = if is_whole {
            table.rows().collect()
        } else {
            self.settled
                .iter()
                .filter_map(|key| table.row(*key))
                .collect()
        };
        let exposures_from = if is_whole { 0 } else { self.exposures_from };
        let exposures = books
            .exposures()
            .from(exposures_from)
            .map(|(position, exposure)| (position, encode_exposure(exposure)))
            .collect();
        Ok(Delta {
            from: (!is_whole).then_some(checkpoint),
            summary: Summary::of(books),
            accounts,
            shared,
            settled,
            exposures,
        })
    }
}

impl Summary {
    fn of(books: &Books) -> Self {
        Self {
            sequence: books.sequence(),
            settled_forgotten: books.settled_table().forgotten(),
            exposures_first: books.exposures().first(),
            exposures_forgotten: books.exposures().complete_since(),
            accounts: count(books.accounts().count()),
            shared: count(books.shared_accounts().iter().len()),
            settled: count(books.settled_table().len()),
            exposures: count(books.exposures().len()),
        }
    }

    /// Whether as many rows were read as were written.
    pub(super) fn counts(
        &self,
        (accounts, shared): (usize, usize),
        settled: usize,
        exposures: usize,
    ) -> Result<(), Malformed> {
        let accounts = (count(accounts), count(shared));
        let found = (accounts, count(settled), count(exposures));
        if found == ((self.accounts, self.shared), self.settled, self.exposures) {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut row = Vec::new();
        let mut out = Encoder::new(&mut row);
        out.u32(VERSION);
        out.u64(self.sequence);
        out.u8(u8::from(self.settled_forgotten.is_some()));
        out.i32(self.settled_forgotten.unwrap_or(0));
        out.u64(self.exposures_first);
        out.u8(u8::from(self.exposures_forgotten.is_some()));
        out.time(self.exposures_forgotten.unwrap_or_default());
        out.u64(self.accounts);
        out.u64(self.shared);
        out.u64(self.settled);
        out.u64(self.exposures);
        row
    }

    pub(super) fn decode(row: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Decoder::new(row);
        let version = fields.u32()?;
        if !(VERSION_WITHOUT_SHARED..=VERSION).contains(&version) {
            return Err(Malformed);
        }
        let summary = Self {
            sequence: fields.u64()?,
            settled_forgotten: match (fields.u8()?, fields.i32()?) {
                (0, _) => None,
                (_, minute) => Some(minute),
            },
            exposures_first: fields.u64()?,
            exposures_forgotten: match (fields.u8()?, fields.time()?) {
                (0, _) => None,
                (_, at) => Some(at),
            },
            accounts: fields.u64()?,
            shared: match version {
                VERSION_WITHOUT_SHARED => 0,
                _ => fields.u64()?,
            },
            settled: fields.u64()?,
            exposures: fields.u64()?,
        };
        fields.finish()?;
        Ok(summary)
    }
}

pub(super) fn settled_byte(settled: Settled) -> u8 {
    match settled {
        Settled::Won => 1,
        Settled::Billed => 2,
        Settled::WonAndBilled => 3,
    }
}

pub(super) fn settled_of(byte: u8) -> Result<Settled, Malformed> {
    match byte {
        1 => Ok(Settled::Won),
        2 => Ok(Settled::Billed),
        3 => Ok(Settled::WonAndBilled),
        _ => Err(Malformed),
    }
}

fn encode_exposure(exposure: &Exposure) -> Vec<u8> {
    let mut row = Vec::with_capacity(40);
    let mut out = Encoder::new(&mut row);
    out.u64(exposure.user.raw());
    out.u64(exposure.campaign.raw());
    out.u64(exposure.advertiser.raw());
    out.u64(exposure.region.raw());
    out.time(exposure.at);
    row
}

pub(super) fn decode_exposure(row: &[u8]) -> Result<Exposure, Malformed> {
    let mut fields = Decoder::new(row);
    let exposure = Exposure {
        user: UserKey::from_raw(fields.u64()?),
        campaign: CampaignKey::from_raw(fields.u64()?),
        advertiser: AdvertiserKey::from_raw(fields.u64()?),
        region: RegionKey::from_raw(fields.u64()?),
        at: fields.time()?,
    };
    fields.finish()?;
    Ok(exposure)
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}
