//! The decisions: pure, from the books and a command to at most one movement.

#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use super::command::{Close, Command, Grant, LeaseChoice, Outcome, Refusal};
use crate::store::books::{Account, Books, Day, SharedAccount};
use crate::store::movement::{Bill, LeaseKey, Movement, Win};
use crate::units::{Epoch, Nanos};

/// How many leases of a campaign may be open: dozens of regions, each with the leases of a few restarts in doubt. Above it
/// a region that crashes in a loop gets no more money to strand.
pub const OPEN_LEASES_MAX: usize = 256;

/// How many campaigns the books hold, live or ended: ten times the largest catalogue, about 1 GB at its worst.
pub const ACCOUNTS_MAX: usize = 100_000;

/// How many advertisers have accounts: as many as campaigns, of which each has one; some 300 MB at its worst.
pub const ADVERTISERS_MAX: usize = ACCOUNTS_MAX;

/// How many campaigns count in the accounts of advertisers, each once at every one that it was ever of: all of them may move
/// once. They are remembered for their late bills, so a campaign that is moved to and fro counts twice and no more.
pub const SHARERS_MAX: usize = 200_000;

type Decision = Result<(Movement, Outcome), Outcome>;

/// The movement a command makes here, if any, and what it is answered.
pub(super) fn decide(books: &Books, command: Command) -> (Option<Movement>, Outcome) {
    let decision = match command {
        Command::Grant(grant) => decide_grant(books, &grant),
        Command::Close(close) => decide_close(books, close),
        Command::Win(win) => decide_win(books, win),
        Command::Bill(bill) => decide_bill(books, bill),
    };
    match decision {
        Ok((movement, outcome)) => (Some(movement), outcome),
        Err(outcome) => (None, outcome),
    }
}

fn decide_grant(books: &Books, grant: &Grant) -> Decision {
    let refuse = |refusal| Err(Outcome::Refused(refusal));
    if !grant.want.is_positive() {
        return refuse(Refusal::BadAmount);
    }
    let epoch = match grant.lease {
        LeaseChoice::New => match next_epoch(books, grant) {
            Ok(epoch) => epoch,
            Err(refusal) => return refuse(refusal),
        },
        LeaseChoice::TopUp(epoch) => epoch,
    };
    let lease = LeaseKey {
        campaign: grant.campaign,
        region: grant.region,
        epoch,
    };
    let share = grant.shared.map(|(share, _)| share);
    if grant.lease != LeaseChoice::New {
        match books.lease(lease) {
            None => return refuse(Refusal::NoLease),
            Some(open) if open.day != grant.day || books.share_of(lease) != share => {
                return refuse(Refusal::WrongDay);
            }
            Some(_) => {}
        }
    }
    match headroom(books, grant) {
        Err(refusal) => refuse(refusal),
        Ok(amount) => Ok((
            Movement::Granted {
                lease,
                day: grant.day,
                amount,
                at: grant.at,
                share,
            },
            Outcome::Granted { lease, amount },
        )),
    }
}

fn next_epoch(books: &Books, grant: &Grant) -> Result<Epoch, Refusal> {
    let Some(account) = books.account(grant.campaign) else {
        return if books.accounts().len() >= ACCOUNTS_MAX {
            Err(Refusal::TooManyAccounts)
        } else {
            Ok(Epoch::new(1))
        };
    };
    if account.open_leases() >= OPEN_LEASES_MAX {
        return Err(Refusal::TooManyLeases);
    }
    account
        .highest_epoch()
        .get()
        .checked_add(1)
        .map(Epoch::new)
        .ok_or(Refusal::Overflow)
}

/// What is wanted, or what the ceilings leave of it. Debt counts as committed: late bills come out of what is next.
fn headroom(books: &Books, grant: &Grant) -> Result<Nanos, Refusal> {
    let account = books.account(grant.campaign);
    if account.is_some_and(|account| account.has_forgotten(grant.day)) {
        return Err(Refusal::DayForgotten);
    }
    let day = account
        .and_then(|account| account.day(grant.day))
        .map_or(Nanos::ZERO, Day::committed);
    let total = account.map_or(Nanos::ZERO, Account::committed);
    let day_left = grant.ceilings.day.saturating_sub(day);
    let total_left = grant.ceilings.total.saturating_sub(total);
    if !day_left.is_positive() {
        Err(Refusal::DayExhausted)
    } else if !total_left.is_positive() {
        Err(Refusal::TotalExhausted)
    } else {
        let shared = shared_headroom(books, grant)?;
        Ok(grant.want.min(day_left).min(total_left).min(shared))
    }
}

/// What the advertiser's budget leaves, after all that its campaigns have committed.
fn shared_headroom(books: &Books, grant: &Grant) -> Result<Nanos, Refusal> {
    let Some((share, ceilings)) = grant.shared else {
        return Ok(grant.want);
    };
    let account = books.shared(share.advertiser);
    if account.is_none() && books.shared_accounts().iter().len() >= ADVERTISERS_MAX {
        return Err(Refusal::TooManyAdvertisers);
    }
    let is_known = account.is_some_and(|account| account.is_shared_by(grant.campaign));
    if !is_known && books.shared_accounts().sharers() >= SHARERS_MAX {
        return Err(Refusal::TooManySharers);
    }
    if account.is_some_and(|account| account.has_forgotten(share.day)) {
        return Err(Refusal::DayForgotten);
    }
    let day = account.map_or(Nanos::ZERO, |account| account.committed_on(share.day));
    let total = account.map_or(Nanos::ZERO, SharedAccount::committed);
    let day_left = ceilings.day.saturating_sub(day);
    let total_left = ceilings.total.saturating_sub(total);
    if !day_left.is_positive() {
        Err(Refusal::SharedDayExhausted)
    } else if !total_left.is_positive() {
        Err(Refusal::SharedTotalExhausted)
    } else {
        Ok(day_left.min(total_left))
    }
}

fn decide_close(books: &Books, close: Close) -> Decision {
    let Some(open) = books.lease(close.lease) else {
        return Err(Outcome::AlreadyClosed);
    };
    let amount = open.rest();
    let movement = Movement::Returned {
        lease: close.lease,
        day: open.day,
        amount,
        at: close.at,
    };
    Ok((movement, Outcome::Closed { returned: amount }))
}

fn decide_win(books: &Books, win: Win) -> Decision {
    match books.settled(win.key) {
        Some(settled) if settled.is_won() => Err(Outcome::AlreadyWon),
        None if books.is_forgotten(win.bid_at) => Err(Outcome::Refused(Refusal::TooOld)),
        Some(_) | None if win.price.micros() < 0 => Err(Outcome::Refused(Refusal::BadAmount)),
        Some(_) | None => Ok((Movement::Won(win), Outcome::Won)),
    }
}

fn decide_bill(books: &Books, bill: Bill) -> Decision {
    match books.settled(bill.key) {
        Some(settled) if settled.is_billed() => return Err(Outcome::AlreadyBilled),
        None if books.is_forgotten(bill.bid_at) => return Err(Outcome::Refused(Refusal::TooOld)),
        Some(_) | None => {}
    }
    if bill.charge < Nanos::ZERO || bill.cost < Nanos::ZERO {
        return Err(Outcome::Refused(Refusal::BadAmount));
    }
    let debt = books
        .account(bill.lease.campaign)
        .map_or(bill.charge, |account| {
            account.debt_of(bill.lease, bill.day, bill.charge)
        });
    Ok((Movement::Billed { bill, debt }, Outcome::Billed { debt }))
}
