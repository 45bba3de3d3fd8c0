//! How fast the supervision kernel restarts: from the moment a crash is triggered to an answer from the new
//! incarnation, beside the same on Erlang/OTP.
//!
//! `cargo bench --bench restart` runs everything, `-- --quick` a short run, `-- --no-otp` without Erlang, `-- --storm`
//! and `-- --rows` only one half, `-- --only=TEXT` the rows whose name contains it, `-- --one-runtime` with children,
//! supervisors and timers on the caller's runtime. What each row means, and where it runs, is in `docs/benchmarks.md`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark says what it measured"
)]

mod children;
mod clock;
mod dynamic;
mod memory;
mod otp;
mod quiet;
mod rig;
mod samples;
mod servers;
mod stages;
mod storm;
mod table;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use children::How;
use otp::Otp;
use rig::Layout;
use samples::Figures;
use servers::{Pace, Shape};
use stages::Watched;
use storm::{Victim, Weather};
use table::{Goal, Row, Unit};

/// What the idle rows wait before each crash.
const IDLE: Duration = Duration::from_millis(2);

/// How much is measured.
struct Size {
    hot: usize,
    idle: usize,
    dynamic: usize,
    call_batches: usize,
    storm: Duration,
}

const FULL: Size = Size {
    hot: 10_000,
    idle: 1_000,
    dynamic: 100_000,
    call_batches: 10_000,
    storm: Duration::from_secs(10),
};

const QUICK: Size = Size {
    hot: 1_000,
    idle: 100,
    dynamic: 10_000,
    call_batches: 1_000,
    storm: Duration::from_secs(2),
};

struct Plan {
    size: Size,
    layout: Layout,
    otp: Otp,
    /// Only rows whose name contains this.
    only: Option<String>,
}

fn main() -> ExitCode {
    quiet::install();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("restart: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let said = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let size = if said("--quick") { QUICK } else { FULL };
    let layout = if said("--one-runtime") {
        Layout::One
    } else {
        Layout::Apart
    };
    let mut plan = Plan {
        size,
        layout,
        otp: Otp::default(),
        only: arguments
            .iter()
            .find_map(|argument| argument.strip_prefix("--only=").map(str::to_owned)),
    };
    if !said("--storm") {
        if said("--no-otp") {
            println!("OTP: SKIPPED, as asked");
        } else {
            plan.otp = compare(&plan.size)?;
        }
        rows(&plan)?;
    }
    if !said("--rows") {
        storms(plan.size.storm)?;
    }
    Ok(())
}

fn compare(size: &Size) -> io::Result<Otp> {
    match otp::release() {
        Ok(release) => {
            println!("OTP {release}: measuring restart.erl first");
            otp::measure(otp::Counts {
                hot: size.hot,
                idle: size.idle,
                dynamic: size.dynamic,
            })
        }
        Err(reason) => {
            println!("**************************************************************************");
            println!("*** OTP SKIPPED: {reason}. Install erlang-base to compare.");
            println!("*** No row below says anything about OTP.");
            println!("**************************************************************************");
            Ok(Otp::default())
        }
    }
}

fn rows(plan: &Plan) -> io::Result<()> {
    for line in Row::head() {
        println!("{line}");
    }
    for (shape, key, what, share) in [
        (Shape::OneForOne, "one_for_one", "server, one_for_one", 0.8),
        (
            Shape::RestForOne,
            "rest_for_one",
            "3 servers, rest_for_one, first dies",
            0.5,
        ),
        (
            Shape::OneForAll,
            "one_for_all",
            "3 servers, one_for_all, middle dies",
            0.5,
        ),
        (
            Shape::Escalation,
            "escalation",
            "escalation by one level, 3 servers answer",
            0.6,
        ),
    ] {
        for (how, ours, theirs) in [
            (How::Panic, "panic", "error"),
            (How::Error, "error", "kill"),
        ] {
            for pause in [None, Some(IDLE)] {
                let state = pace_label(pause);
                let what = format!("{what}: {ours}, {state} (OTP: {theirs})");
                if !plan.wants(&what) {
                    continue;
                }
                say(&Row {
                    what,
                    unit: Unit::Micros,
                    ours: servers::measure(plan.layout, shape, how, plan.pace(pause))?,
                    otp: plan.otp.row(&format!("{key}.{theirs}.{state}")),
                    goal: if pause.is_none() {
                        Goal::OfOtp(share)
                    } else {
                        Goal::None
                    },
                });
            }
        }
    }
    stage_rows(plan)?;
    crowd_rows(plan)
}

fn stage_rows(plan: &Plan) -> io::Result<()> {
    for pause in [None, Some(IDLE)] {
        let state = pace_label(pause);
        let pace = plan.pace(pause);
        for ((shape, end), what, most) in [
            (
                (stages::Shape::One, stages::End::Panic),
                "stage: panic → next call answered",
                Some(3_000.0),
            ),
            (
                (stages::Shape::One, stages::End::Error),
                "stage: error → next call answered",
                None,
            ),
            (
                (stages::Shape::Two, stages::End::Panic),
                "2 stages, rest_for_one, first panics",
                Some(5_000.0),
            ),
            (
                (stages::Shape::Escalation, stages::End::Panic),
                "escalation by one level, 3 stages answer",
                None,
            ),
        ] {
            let what = format!("{what}, {state}");
            if !plan.wants(&what) {
                continue;
            }
            let (bare, figures) = stages::measure(plan.layout, (shape, end), pace)?;
            let goal = match (pause, (shape, end), most) {
                (Some(_), (stages::Shape::One, stages::End::Panic), _) => {
                    Goal::Times(1.6, bare.p50)
                }
                (None, _, Some(most)) => Goal::AtMost(most),
                _ => Goal::None,
            };
            if (shape, end) == (stages::Shape::One, stages::End::Panic) {
                let what = format!("a bare contained panic before each of the next, {state}");
                say(&micros(what, bare, Goal::None));
            }
            say(&micros(what, figures, goal));
        }
    }
    call_rows(plan)?;
    Ok(())
}

fn call_rows(plan: &Plan) -> io::Result<()> {
    for (watched, what, most) in [
        (
            Watched::No,
            "a stage call that does nothing (OTP: gen_server:call)",
            15.0,
        ),
        (
            Watched::Yes,
            "a stage call that does nothing, with the watchdog's mark",
            20.0,
        ),
    ] {
        if plan.wants(what) {
            say(&Row {
                what: what.to_owned(),
                unit: Unit::Nanos,
                ours: stages::call(watched, plan.size.call_batches)?,
                otp: plan.otp.row("call"),
                goal: Goal::AtMost(most),
            });
        }
    }
    Ok(())
}

fn crowd_rows(plan: &Plan) -> io::Result<()> {
    let count = plan.size.dynamic;
    if !plan.wants("dynamic children") {
        return Ok(());
    }
    let crowd = dynamic::measure(plan.layout, count)?;
    if crowd.failed > 0 {
        println!("{} of {count} children did not start", crowd.failed);
    }
    let single = |value| Figures::single(value);
    say(&Row {
        what: format!("{count} dynamic children, start each"),
        unit: Unit::Micros,
        ours: single(crowd.start_ns_each),
        otp: plan.otp.row("dynamic.start"),
        goal: Goal::AtMost(5_000.0),
    });
    match crowd.bytes_each {
        Some(bytes) => say(&Row {
            what: format!("{count} dynamic children, hold each"),
            unit: Unit::Bytes,
            ours: single(bytes),
            otp: plan.otp.row("dynamic.bytes"),
            goal: Goal::AtMost(2_560.0),
        }),
        None => println!("memory: SKIPPED, no /proc/self/statm"),
    }
    say(&Row {
        what: format!("{count} dynamic children, stop all"),
        unit: Unit::Seconds,
        ours: single(crowd.stop_ns_all),
        otp: plan.otp.row("dynamic.stop"),
        goal: Goal::AtMost(0.5e9),
    });
    Ok(())
}

fn storms(length: Duration) -> io::Result<()> {
    for (victim, what) in [
        (Victim::Stage, "a stage that panics"),
        (Victim::Server(How::Panic), "a server that panics"),
    ] {
        println!(
            "\ncrash storm, {what}: 50,000 a second for {} s",
            length.as_secs()
        );
        for (name, storms) in [("quiet", false), ("quiet again", false), ("storm", true)] {
            let report = storm::measure(Weather {
                victim,
                storms,
                per_second: 50_000,
                length,
            })?;
            println!("  {name:<12} {}", storm_line(&report));
        }
    }
    Ok(())
}

fn storm_line(report: &storm::Report) -> String {
    let latency = |figures: Figures| {
        let [p50, p99] = [figures.p50, figures.p99].map(|nanos| nanos / 1e3);
        format!("{p50:.1} / {p99:.1} µs")
    };
    let resident: Vec<String> = report
        .resident
        .iter()
        .map(|bytes| format!("{:.1}", samples::float(*bytes) / 1_048_576.0))
        .collect();
    format!(
        "{:>6.0} crashes/s · server on data 1 {} · server on control {} · resident MiB each second {} · {} events read, {} lost, {} panics printed",
        report.per_second,
        latency(report.same_plane),
        latency(report.control),
        resident.join(" "),
        report.observed,
        report.observations_lost,
        report.printed,
    )
}

impl Plan {
    fn wants(&self, what: &str) -> bool {
        self.only.as_ref().is_none_or(|only| what.contains(only))
    }

    fn pace(&self, pause: Option<Duration>) -> Pace {
        let count = if pause.is_some() {
            self.size.idle
        } else {
            self.size.hot
        };
        Pace {
            pause,
            warm_up: count / 10,
            count,
        }
    }
}

fn pace_label(pause: Option<Duration>) -> &'static str {
    if pause.is_some() { "idle" } else { "hot" }
}

fn micros(what: String, ours: Figures, goal: Goal) -> Row {
    Row {
        what,
        unit: Unit::Micros,
        ours,
        otp: None,
        goal,
    }
}

fn say(row: &Row) {
    println!("{}", row.line());
}
