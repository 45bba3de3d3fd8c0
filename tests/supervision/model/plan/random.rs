//! The dice: random trees.

use bidtree::supervision::{AutoShutdown, OnStuck, Restart, Strategy};

use super::{Fallback, Group, Kind, Member, Rate, Stop, TICK_MS};

pub(super) const CLEANUPS_MS: [u64; 3] = [TICK_MS - 1, 3 * TICK_MS - 2, 7 * TICK_MS - 3];
pub(super) const SHORT_STOP: Stop = Stop::Within(2 * TICK_MS - 5);
pub(super) const LONG_STOP: Stop = Stop::Within(5 * TICK_MS - 7);
const DEPTH_MAX: u32 = 3;
const WORKERS_MAX: usize = 9;
const ON_STUCK: [OnStuck; 3] = [OnStuck::Replace, OnStuck::Fence, OnStuck::Escalate];

pub(super) fn group(dice: &mut fastrand::Rng, depth: u32, workers: &mut usize) -> Group {
    let strategies = [
        Strategy::OneForOne,
        Strategy::OneForAll,
        Strategy::RestForOne,
    ];
    let dynamic = (depth > 1 && dice.u8(0..6) == 0).then(|| dice.usize(1..=3));
    let strategy = match dynamic {
        Some(_) => Strategy::OneForOne,
        None => strategies[dice.usize(0..3)],
    };
    let auto_shutdown = match dice.u8(0..6) {
        0 => AutoShutdown::AnySignificant,
        1 => AutoShutdown::AllSignificant,
        _ => AutoShutdown::Never,
    };
    let mut members = Vec::new();
    if dynamic.is_none() {
        for n in 0..dice.usize(1..=4) {
            if *workers >= WORKERS_MAX {
                break;
            }
            let mut member = member(dice, depth, n, workers);
            if strategy == Strategy::OneForOne && dice.u8(0..4) == 0 {
                // Nothing is seen to happen when a wait is over, so that nobody would attend to a stone.
                member.back_off = (!member.holds_stones()).then(|| back_off(dice));
            }
            let may_be = auto_shutdown != AutoShutdown::Never && dice.u8(0..3) > 0;
            if may_be && member.restart == Restart::Permanent {
                member.restart = [Restart::Transient, Restart::Temporary][dice.usize(0..2)];
            }
            member.is_significant = may_be;
            let may_fall_back =
                strategy == Strategy::OneForOne && member.restart != Restart::Temporary;
            if let Some(group) = &mut member.group
                && may_fall_back
                && dice.u8(0..3) > 0
            {
                group.limit.intensity = dice.usize(0..=1);
                member.fallback = Some(Box::new(fallback(dice)));
            }
            members.push(member);
        }
    }
    Group {
        strategy,
        limit: Rate {
            intensity: dice.usize(0..=4),
            period_ms: period_ms(dice),
        },
        dynamic,
        auto_shutdown,
        members,
    }
}

impl Group {
    /// Whether there is anything below that cannot be killed.
    pub(super) fn holds_stones(&self) -> bool {
        self.members.iter().any(Member::holds_stones)
    }
}

impl Member {
    pub(super) fn holds_stones(&self) -> bool {
        let below = self.group.as_ref();
        self.kind == Kind::Stone || below.is_some_and(Group::holds_stones)
    }
}

fn member(dice: &mut fastrand::Rng, depth: u32, n: usize, workers: &mut usize) -> Member {
    let letter = char::from(b"abcd"[n]);
    if depth < DEPTH_MAX && dice.u8(0..3) == 0 {
        let group = group(dice, depth + 1, workers);
        let stop = match dice.u8(0..6) {
            // A supervisor is gone when its children are: one that holds a stone is as hard to end.
            _ if group.holds_stones() => Stop::Infinity,
            0 => Stop::Brutal,
            1 => LONG_STOP,
            _ => Stop::Infinity,
        };
        return Member {
            id: letter.to_uppercase().to_string(),
            kind: Kind::Task,
            on_stuck: ON_STUCK[dice.usize(0..3)],
            restart: restart(dice),
            stop,
            is_significant: false,
            own_limit: None,
            fallback: None,
            back_off: None,
            group: Some(group),
        };
    }
    *workers += 1;
    worker(dice, letter.to_string())
}

fn worker(dice: &mut fastrand::Rng, id: String) -> Member {
    let kind = match dice.u8(0..12) {
        0 => Kind::Stone,
        1..4 => Kind::Server,
        4 | 5 => Kind::Stage,
        _ => Kind::Task,
    };
    Member {
        id,
        kind,
        on_stuck: ON_STUCK[dice.usize(0..3)],
        restart: restart(dice),
        stop: match dice.u8(0..6) {
            0 => Stop::Brutal,
            // Nobody would ever end what is waited for without a limit.
            1 if kind != Kind::Stone => Stop::Infinity,
            2 => LONG_STOP,
            _ => SHORT_STOP,
        },
        is_significant: false,
        own_limit: None,
        fallback: None,
        back_off: None,
        group: None,
    }
}

pub(super) fn period_ms(dice: &mut fastrand::Rng) -> u64 {
    TICK_MS * [3, 10, 30][dice.usize(0..3)]
}

pub(super) fn back_off(dice: &mut fastrand::Rng) -> (u64, u64) {
    let first_ms = dice.u64(1..=2) * TICK_MS - 11;
    (first_ms, [first_ms, 4 * TICK_MS - 12][dice.usize(0..2)])
}

fn fallback(dice: &mut fastrand::Rng) -> Fallback {
    let delay_ms = [2, 4][dice.usize(0..2)] * TICK_MS - 13;
    let limit = Rate {
        intensity: dice.usize(0..=2),
        period_ms: period_ms(dice),
    };
    let mut members = vec![worker(dice, "f".to_owned()), worker(dice, "g".to_owned())];
    members.truncate(dice.usize(1..=2));
    for member in &mut members {
        member.kind = [Kind::Task, Kind::Server, Kind::Stage][dice.usize(0..3)];
    }
    Fallback {
        delay_ms,
        delay_max_ms: [delay_ms, 6 * TICK_MS - 14][dice.usize(0..2)],
        quiet_ms: [4, 9][dice.usize(0..2)] * TICK_MS - 15,
        group: Group {
            strategy: [Strategy::OneForOne, Strategy::RestForOne][dice.usize(0..2)],
            limit,
            dynamic: None,
            auto_shutdown: AutoShutdown::Never,
            members,
        },
    }
}

pub(super) fn restart(dice: &mut fastrand::Rng) -> Restart {
    match dice.u8(0..6) {
        0 => Restart::Temporary,
        1 | 2 => Restart::Transient,
        _ => Restart::Permanent,
    }
}
