//! The comparison for people.

use super::{Comparison, Measured, Round, median};

pub(super) fn round(number: usize, round: &Round) -> String {
    format!(
        "round {number}: bidder {:.1} µs, other {:.1} and {:.1} µs CPU per request, ratio {:.2}",
        round.bidder.cpu_us(),
        round.other_before.cpu_us(),
        round.other_after.cpu_us(),
        round.ratio()
    )
}

pub(super) fn write(comparison: &Comparison) -> String {
    let rounds = &comparison.rounds;
    let mut lines = vec![format!(
        "{:<6} {:>10} {:>10} {:>8} {:>8} {:>9} {:>9} {:>10} {:>10} {:>8} {:>6}",
        "round",
        "bidder µs",
        "other µs",
        "ratio",
        "A/A",
        "bidder/s",
        "other/s",
        "p99 ms",
        "other p99",
        "bids",
        "failed"
    )];
    for (number, round) in (1..).zip(rounds) {
        let other = f64::midpoint(round.other_before.cpu_us(), round.other_after.cpu_us());
        lines.push(format!(
            "{number:<6} {:>10.1} {:>10.1} {:>8.2} {:>8.2} {:>9.0} {:>9.0} {:>10.2} {:>10.2} {:>8} {:>6}",
            round.bidder.cpu_us(),
            other,
            round.ratio(),
            round.equal_ratio(),
            round.bidder.per_second(),
            round.other_after.per_second(),
            round.bidder.volley.latencies.quantile_ms(0.99),
            round.other_after.volley.latencies.quantile_ms(0.99),
            round.bidder.volley.bids,
            round.bidder.volley.failures + round.other_after.volley.failures,
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
    let (bidder, other) = (of(|round| &round.bidder), of(|round| &round.other_after));
    let ratios = || rounds.iter().map(Round::ratio);
    let (low, high) = bounds(ratios());
    let (equal_low, equal_high) = bounds(rounds.iter().map(Round::equal_ratio));
    let idle_ms = comparison.idle_cpu.as_secs_f64() * 1e3;
    let answering = comparison
        .answer_bytes
        .map_or(String::new(), |bytes| format!(", answering {bytes} bytes"));
    lines.push(format!(
        "\nmedians: bidder {:.1} µs CPU per request (p50 {:.2} ms), {} {:.1} µs (p50 {:.2} ms){answering}",
        bidder.0, bidder.1, comparison.other, other.0, other.1
    ));
    lines.push(format!(
        "median ratio {:.2} (rounds {low:.2} to {high:.2}); two equal runs differ by {equal_low:.2} to {equal_high:.2}",
        comparison.median_ratio()
    ));
    lines.push(format!(
        "the bidder takes {idle_ms:.1} ms CPU per second when idle, which its figure includes"
    ));
    lines.push(format!(
        "a request costs this program itself {:.1} µs CPU\n",
        comparison.own_cpu_us()
    ));
    if !comparison.is_valid() {
        lines.push(
            "INVALID: this program could not keep the rate, so nothing here says anything; take a lower --rate\n"
                .to_owned(),
        );
    }
    lines.join("\n")
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}
