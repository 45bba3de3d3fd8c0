//! The specs of a scenario's tree.

use bidtree::supervision::{BackOff, Limit, Probation, Shutdown, Spec, Supervisor};

use super::{Bench, ms};
use crate::model::plan::{Group, Kind, Member, Rate, START_WITHIN_MS, Stop, join};

impl Bench {
    pub(super) fn supervisor(&mut self, group: &Group, path: &str) -> Supervisor {
        let limit = limit(group.limit);
        if let Some(most) = group.dynamic {
            return Supervisor::dynamic(limit, most).auto_shutdown(group.auto_shutdown);
        }
        let plan = Supervisor::new(group.strategy, limit).auto_shutdown(group.auto_shutdown);
        group
            .members
            .iter()
            .fold(plan, |plan, member| plan.child(self.child(member, path)))
    }

    fn child(&mut self, member: &Member, path: &str) -> Spec {
        let spec = match &member.group {
            None => self.worker(member, path),
            Some(group) => {
                let path = join(path, &member.id);
                let plan = self.supervisor(group, &path);
                if group.dynamic.is_some() {
                    self.unordered.push(path);
                }
                plan.named(&member.id)
            }
        };
        let spec = spec_of(spec, member);
        let Some(fallback) = &member.fallback else {
            return spec;
        };
        let rules = Probation {
            delay: ms(fallback.delay_ms),
            delay_max: ms(fallback.delay_max_ms),
            quiet: ms(fallback.quiet_ms),
        };
        let path = format!("{}~fallback", join(path, &member.id));
        let stand_in = self.supervisor(&fallback.group, &path);
        // The model knows one way to stop for both.
        let stand_in = spec_of(stand_in.named(&member.id), member);
        spec.fallback(stand_in, rules)
    }

    /// A worker under the supervisor at this path.
    pub(super) fn worker(&self, member: &Member, path: &str) -> Spec {
        let (id, path) = (&member.id, join(path, &member.id));
        match member.kind {
            Kind::Task => self.world.puppet(id),
            Kind::Server => self.world.puppeteer().server(id),
            Kind::Stage => self.world.puppeteer().stage(id, &path),
            Kind::Stone => self.world.stone(id, &path),
        }
    }
}

fn limit(rate: Rate) -> Limit {
    Limit::new(u32::try_from(rate.intensity).unwrap(), ms(rate.period_ms))
}

pub(super) fn spec_of(spec: Spec, member: &Member) -> Spec {
    let spec = match member.own_limit {
        Some(own) => spec.set_aside_over(limit(own)),
        None => spec,
    };
    let spec = if member.is_significant {
        spec.significant()
    } else {
        spec
    };
    let spec = match member.back_off {
        Some((first_ms, max_ms)) => spec.back_off(BackOff {
            first: ms(first_ms),
            max: ms(max_ms),
        }),
        None => spec,
    };
    spec.restart(member.restart)
        .on_stuck(member.on_stuck)
        .start_within(ms(START_WITHIN_MS))
        .shutdown(match member.stop {
            Stop::Brutal => Shutdown::Brutal,
            Stop::Within(limit_ms) => Shutdown::Within(ms(limit_ms)),
            Stop::Infinity => Shutdown::Infinity,
        })
}
