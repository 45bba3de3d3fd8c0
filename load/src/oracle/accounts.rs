//! What is billed to each campaign, by the currency of its bids: cost as the exchange counts it, charge as the campaign
//! does.

use std::collections::{BTreeMap, HashMap};

use super::charge::Charge;
use super::file::{Account, ChargeAccount, OracleFile, Total};
use super::names::Names;
use crate::decimal::Micros;

/// Twice the campaigns that a bidder may have, so that a bidder that invents ids is noticed and not remembered.
const CAMPAIGNS_MAX: usize = 200_000;
/// More than ISO 4217 lists.
const CURRENCIES_MAX: usize = 1_000;

/// One campaign in one currency of bids.
#[derive(Debug, Default)]
struct Sums {
    campaign: u32,
    currency: u32,
    sent: Total,
    acknowledged: Total,
    charge_sent: Charge,
    charge_acknowledged: Charge,
}

/// All accounts.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    campaigns: Names,
    currencies: Names,
    numbers: HashMap<(u32, u32), u32>,
    sums: Vec<Sums>,
}

impl Accounts {
    /// The number of a campaign; `None` where there are too many.
    pub(super) fn campaign(&mut self, campaign: &str) -> Option<u32> {
        self.campaigns.number(campaign, CAMPAIGNS_MAX)
    }

    /// The account of a campaign and currency; `None` where there are too many.
    pub(super) fn account(&mut self, campaign: &str, currency: &str) -> Option<u32> {
        let campaign = self.campaign(campaign)?;
        let currency = self.currencies.number(currency, CURRENCIES_MAX)?;
        if let Some(number) = self.numbers.get(&(campaign, currency)) {
            return Some(*number);
        }
        let number = u32::try_from(self.sums.len()).ok()?;
        self.numbers.insert((campaign, currency), number);
        self.sums.push(Sums {
            campaign,
            currency,
            ..Sums::default()
        });
        Some(number)
    }

    pub(super) fn campaign_of(&self, account: u32) -> Option<u32> {
        Some(self.get(account)?.campaign)
    }

    pub(super) fn name_of(&self, account: u32) -> Option<&str> {
        self.campaigns.name(self.get(account)?.campaign)
    }

    /// Campaign and currency.
    pub(super) fn names_of(&self, account: u32) -> Option<(&str, &str)> {
        let sums = self.get(account)?;
        let campaign = self.campaigns.name(sums.campaign)?;
        Some((campaign, self.currencies.name(sums.currency)?))
    }

    pub(super) fn sent(&mut self, account: u32, price: Micros, charge: Option<Charge>) {
        if let Some(sums) = self.get_mut(account) {
            sums.sent.add(price);
            sums.charge_sent.add(charge.unwrap_or_default());
        }
    }

    pub(super) fn acknowledged(&mut self, account: u32, price: Micros, charge: Option<Charge>) {
        if let Some(sums) = self.get_mut(account) {
            sums.acknowledged.add(price);
            sums.charge_acknowledged.add(charge.unwrap_or_default());
        }
    }

    /// What each currency's acknowledged bills cost.
    pub(super) fn spend(&self) -> BTreeMap<&str, Total> {
        let mut spend: BTreeMap<&str, Total> = BTreeMap::new();
        for sums in &self.sums {
            let Some(currency) = self.currencies.name(sums.currency) else {
                continue;
            };
            if sums.acknowledged.count > 0 {
                spend.entry(currency).or_default().merge(&sums.acknowledged);
            }
        }
        spend
    }

    pub(super) fn file(&self) -> OracleFile {
        let mut accounts = Vec::new();
        let mut charges: BTreeMap<&str, ChargeAccount> = BTreeMap::new();
        for sums in self.sums.iter().filter(|sums| sums.sent.count > 0) {
            let campaign = self.campaigns.name(sums.campaign).unwrap_or_default();
            let currency = self.currencies.name(sums.currency).unwrap_or_default();
            accounts.push(Account {
                campaign: campaign.to_owned(),
                currency: currency.to_owned(),
                sent: sums.sent,
                acknowledged: sums.acknowledged,
            });
            if sums.charge_sent != Charge::default() {
                let charge = charges.entry(campaign).or_insert_with(|| ChargeAccount {
                    campaign: campaign.to_owned(),
                    ..ChargeAccount::default()
                });
                charge.sent.add(sums.charge_sent);
                charge.acknowledged.add(sums.charge_acknowledged);
            }
        }
        let name = |account: &Account| (account.campaign.clone(), account.currency.clone());
        accounts.sort_by_key(name);
        OracleFile {
            accounts,
            charges: charges.into_values().collect(),
        }
    }

    fn get(&self, account: u32) -> Option<&Sums> {
        self.sums.get(usize::try_from(account).ok()?)
    }

    fn get_mut(&mut self, account: u32) -> Option<&mut Sums> {
        self.sums.get_mut(usize::try_from(account).ok()?)
    }
}
