//! A writer in a folder of its own.

mod durability;
mod lives;
mod money;
mod opening;
mod shared;

use std::collections::BTreeMap;
use std::fs;

use super::*;
use crate::scratch::Scratch;
use crate::store::fixture::{TODAY, at, bill, lease, win, wish};
use crate::store::movement::{Bill, Win};
use crate::units::{BudgetDay, CampaignKey, Epoch, Nanos};

const LIMITS: Limits = Limits {
    settled: 1_000,
    exposures: 1_000,
};
const SMALL_SEGMENT: u64 = 2_000;

fn open(scratch: &Scratch) -> (Writer, Checkpoint, Recovery) {
    Writer::open_with(scratch.path(), LIMITS, SMALL_SEGMENT).unwrap()
}

fn outcome(writer: &mut Writer, command: Command) -> Outcome {
    writer.stage(command).unwrap();
    let mut outcomes = writer.commit().unwrap();
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

fn amount(outcome: Outcome) -> Nanos {
    match outcome {
        Outcome::Granted { amount, .. } => amount,
        other => panic!("{other:?}"),
    }
}

fn close(epoch: u64) -> Command {
    Command::Close(Close {
        lease: lease(epoch),
        at: at(0),
    })
}

/// Low enough that a life of some dozen commands meets them.
const DAY_CEILING: i64 = 250;
const TOTAL_CEILING: i64 = 500;
