//! Seeded random numbers: the same seed gives the same traffic, auctions and notices on every machine.
//!
//! xoshiro256++ by Blackman and Vigna, seeded through `SplitMix64`. Not for secrets.

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Rng([u64; 4]);

/// One step of `SplitMix64`, which turns any number into well-mixed bits.
const fn split_mix(state: u64) -> (u64, u64) {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (state, mixed ^ (mixed >> 31))
}

impl Rng {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        let (state, a) = split_mix(seed);
        let (state, b) = split_mix(state);
        let (state, c) = split_mix(state);
        let (_, d) = split_mix(state);
        Self([a, b, c, d])
    }

    /// A stream of its own for one thing of many: the auction of request 17 does not depend on what happened to 16.
    pub fn of(seed: u64, purpose: Purpose, index: u64) -> Self {
        let (_, mixed) = split_mix(seed ^ split_mix(purpose as u64).1);
        Self::new(mixed ^ split_mix(index).1)
    }

    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        let (b, a) = (b ^ c, a ^ d);
        let [_, shift, ..] = self.0;
        self.0 = [a, b, c ^ (shift << 17), d.rotate_left(45)];
        result
    }

    /// At least 0, below 1.
    #[expect(
        clippy::cast_precision_loss,
        reason = "53 bits are exactly what an f64 holds"
    )]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// At least 0, below `end`; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// From `low` to `high`, both possible.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True in this share of cases.
    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// One of them, each as likely.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(items.len()).unwrap_or(0);
        items.get(usize::try_from(self.below(count)).unwrap_or(0))
    }

    /// The place of one of them, each as likely as its weight says; the first where no weight is above 0.
    pub fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let total: f64 = weights.clone().sum();
        let mut rest = self.unit() * total;
        for (place, weight) in weights.enumerate() {
            if rest < weight {
                return place;
            }
            rest -= weight;
        }
        0
    }

    /// Normally distributed around 0 with deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// A rank below `count` where low ranks are frequent: Zipf's law with exponent 1, in its continuous form.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank need not be exact, and is clamped"
    )]
    pub fn zipf(&mut self, count: u64) -> u64 {
        let rank = (self.unit() * ((count + 1) as f64).ln()).exp() - 1.0;
        (rank as u64).min(count.saturating_sub(1))
    }

    /// An amount around a median, log-normally: `spread` is the deviation of its logarithm.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a random price need not be exact; it is exact from here on"
    )]
    pub fn log_normal(&mut self, median: i64, spread: f64) -> i64 {
        (median as f64 * (spread * self.normal()).exp()) as i64
    }
}

/// What a stream is for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// A request.
    Request = 1,
    /// The auction of a request.
    Auction = 2,
    /// A person.
    Person = 3,
    /// A campaign, advertiser or creative of a catalogue.
    Catalogue = 4,
    /// When requests leave.
    Arrivals = 5,
    /// Traits of a request that most scenarios do not use: drawn apart, so that the others stay as they are.
    Trait = 6,
    /// The deals of an imp.
    Deal = 7,
    /// The id of a request that was rendered ahead.
    Id = 8,
    /// A hostile body.
    Hostile = 64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (mut a, mut b, mut c) = (Rng::new(7), Rng::new(7), Rng::new(8));
        let first: Vec<u64> = (0..8).map(|_| a.bits()).collect();
        assert_eq!(first, (0..8).map(|_| b.bits()).collect::<Vec<_>>());
        assert_ne!(first, (0..8).map(|_| c.bits()).collect::<Vec<_>>());
    }

    #[test]
    fn the_generator_is_xoshiro256_plus_plus() {
        // From the state 1, 2, 3, 4: the first outputs of the authors' C code.
        let mut rng = Rng([1, 2, 3, 4]);
        assert_eq!(
            [rng.bits(), rng.bits(), rng.bits()],
            [41_943_041, 58_720_359, 3_588_806_011_781_223]
        );
    }

    #[test]
    fn draws_stay_within_their_bounds_and_follow_their_weights() {
        let mut rng = Rng::new(1);
        let mut counts = [0u32; 3];
        for _ in 0..3_000 {
            assert!(rng.below(5) < 5);
            assert!((2..=4).contains(&rng.between(2, 4)));
            assert!(rng.zipf(10) < 10);
            counts[rng.weighted([1.0, 0.0, 2.0].into_iter())] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((850..1_150).contains(&counts[0]), "{counts:?}");
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.pick::<u8>(&[]), None);
    }

    #[test]
    fn half_of_the_log_normal_amounts_lie_below_the_median() {
        let mut rng = Rng::new(3);
        let below = (0..4_000)
            .filter(|_| rng.log_normal(1_000_000, 0.6) < 1_000_000)
            .count();
        assert!((1_850..2_150).contains(&below), "{below}");
    }
}
