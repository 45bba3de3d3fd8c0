//! The comparison for people.

use super::{Comparison, Measured, Round, median};

pub(super) fn round(number: usize, round: &Round) -> String {
    format!(
        "round {number}: bidder {:.1} µs, bare {:.1} and {:.1} µs CPU per request, ratio {:.2}",
        round.bidder.cpu_us(),
        round.bare_before.cpu_us(),
        round.bare_after.cpu_us(),
        round.ratio()
    )
}

pub(super) fn write(comparison: &Comparison) -> String {
    let rounds = &comparison.rounds;
    let mut lines = vec![format!(
        "{:<6} {:>10} {:>10} {:>8} {:>8} {:>9} {:>9} {:>10} {:>10} {:>8} {:>6}",
        "round",
        "bidder µs",
        "bare µs",
        "ratio",
        "A/A",
        "bidder/s",
        "bare/s",
        "p99 ms",
        "bare p99",
        "bids",
        "failed"
    )];
    for (number, round) in (1..).zip(rounds) {
        let bare = f64::midpoint(round.bare_before.cpu_us(), round.bare_after.cpu_us());
        lines.push(format!(
            "{number:<6} {:>10.1} {:>10.1} {:>8.2} {:>8.2} {:>9.0} {:>9.0} {:>10.2} {:>10.2} {:>8} {:>6}",
            round.bidder.cpu_us(),
            bare,
            round.ratio(),
            round.equal_ratio(),
            round.bidder.per_second(),
            round.bare_after.per_second(),
            round.bidder.volley.latencies.quantile_ms(0.99),
            round.bare_after.volley.latencies.quantile_ms(0.99),
            round.bidder.volley.bids,
            round.bidder.volley.failures + round.bare_after.volley.failures,
        ));
    }
    let of = |part: fn(&Round) -> &Measured| {
        let cpu = median(rounds.iter().map(|round| part(round).cpu_us()));
        let p50 = median(
            rounds
                .iter()
                .map(|round| part(round).volley.latencies.quantile_ms(0.5)),
        );
        (cpu, p50)
    };
    let (bidder, bare) = (of(|round| &round.bidder), of(|round| &round.bare_after));
    let ratios = || rounds.iter().map(Round::ratio);
    let (low, high) = bounds(ratios());
    let (equal_low, equal_high) = bounds(rounds.iter().map(Round::equal_ratio));
    let idle_ms = comparison.idle_cpu.as_secs_f64() * 1e3;
    lines.push(format!(
        "\nmedians: bidder {:.1} µs CPU per request (p50 {:.2} ms), bare server {:.1} µs (p50 {:.2} ms), answering {} bytes",
        bidder.0, bidder.1, bare.0, bare.1, comparison.answer_bytes
    ));
    lines.push(format!(
        "median ratio {:.2} (rounds {low:.2} to {high:.2}); two equal runs differ by {equal_low:.2} to {equal_high:.2}",
        comparison.median_ratio()
    ));
    lines.push(format!(
        "the bidder takes {idle_ms:.1} ms CPU per second when idle, which its figure includes\n"
    ));
    lines.join("\n")
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}
