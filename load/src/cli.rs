//! What can be asked of this program.

use std::net::SocketAddr;
use std::path::PathBuf;

use bidtree_load::scenario::{RATE_MAX, SECONDS_MAX};
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};

const EXAMPLES: &str = "\
Examples:
  bidtree-load run steady                           thirty seconds of traffic against a bidder on its usual ports
  bidtree-load run steady --rate 2000 --seconds 60  the same, harder
  bidtree-load run my.toml --json report.json       a scenario of your own; start from load/scenarios/steady.toml
  bidtree-load list --long                          what each bundled scenario shows
  bidtree-load run meltdown --html report.html      breaks an exchange on purpose; starts a server of its own
  bidtree-load compare                              CPU per request beside a bare server
  bidtree-load catalogue --campaigns 10000 --out big --with-settings config/bidtree.toml

Are the books right, even if the server is killed meanwhile?
  bidtree-load books-snapshot --out before.json
  bidtree-load run steady --out run --no-expectations
  bidtree-load check-books --sent run/oracle.json --before before.json";

/// A simulated ad exchange that judges a bidder over HTTP.
///
/// Start the server first, then `bidtree-load run steady`; where none listens, and `bidtree` lies beside this program, the
/// run starts one and stops it in the end. Exit codes: 0 all expectations hold, 1 one does not,
/// 2 the run says nothing (server not reachable, or the generator itself was too slow).
#[derive(Debug, Parser)]
#[command(name = "bidtree-load", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the scenarios inside this program.
    List(List),
    /// Send traffic, check every answer, decide auctions, send notices, and report.
    Run(Run),
    /// Serve the same bytes to every request, on one thread: what a bidder is compared with.
    Baseline(Baseline),
    /// Measure the CPU time that a running bidder takes per request, beside a bare server that answers the same bytes.
    Compare(Compare),
    /// Write a realistic campaign tree, for a bidder with many campaigns.
    Catalogue(Catalogue),
    /// Write down what a bidder has booked so far, for `check-books --before`.
    BooksSnapshot(BooksSnapshot),
    /// Check a bidder's books against what a run sent: acknowledged <= booked <= sent, for every campaign.
    CheckBooks(CheckBooks),
}

/// A list.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Tell what each shows.
    #[arg(long)]
    pub(crate) long: bool,
}

/// Runs a scenario.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// A bundled scenario's name (see `list`), or a TOML file like those in load/scenarios.
    pub(crate) scenario: String,
    /// Send for so many seconds instead of what the scenario says.
    #[arg(long, value_parser = value_parser!(u32).range(1..=i64::from(SECONDS_MAX)))]
    pub(crate) seconds: Option<u32>,
    /// Requests per second over all exchanges; a ramp has its own.
    #[arg(long, value_parser = value_parser!(u32).range(1..=i64::from(RATE_MAX)))]
    pub(crate) rate: Option<u32>,
    /// The same seed sends the same requests and decides auctions alike.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Write the report as JSON to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the report with plots over time to this file: one HTML page that needs no other file.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// The server's program, for scenarios that start it themselves; without it, `bidtree` beside this program.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) server: Option<PathBuf>,
    /// The server's configuration folder, for the same; without it, what the scenario says (usually config).
    #[arg(long, value_name = "DIR")]
    pub(crate) server_config: Option<PathBuf>,
    /// The bidder's admin server, instead of the scenario's.
    #[arg(long, value_name = "URL")]
    pub(crate) admin: Option<String>,
    /// Add this to every port: of the scenario's URLs, and of a server that the run starts.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) shift_ports: u16,
    /// Wait so long for the exchanges' GET /ready to answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) ready_wait: u64,
    /// Write the oracle's ledger to DIR/oracle.json, for `check-books`, and keep a started server's files in DIR/server.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The folder of the bidder's configuration, for its campaigns' caps and budgets.
    #[arg(long, value_name = "DIR")]
    pub(crate) config: Option<PathBuf>,
    /// Report expectations without failing on them, as for runs in which the server is killed.
    #[arg(long)]
    pub(crate) no_expectations: bool,
}

/// A bare server.
#[derive(Debug, Args)]
pub(crate) struct Baseline {
    /// Where to listen; port 0 lets the system choose. The address is the first line of output.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8199")]
    pub(crate) listen: SocketAddr,
    /// Answer 200 with what this file holds; an empty file answers 204. Without it, a bid of 1.2 KB.
    #[arg(long, value_name = "FILE")]
    pub(crate) bytes: Option<PathBuf>,
}

/// A comparison.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The process id of the running bidder; without it, the process that listens on the URL's port.
    #[arg(long, value_name = "PID")]
    pub(crate) server_pid: Option<u32>,
    /// Where it takes bid requests.
    #[arg(long, default_value = "http://127.0.0.1:8103/bid")]
    pub(crate) url: String,
    /// Compare with this running server instead of the bare one.
    #[arg(long, value_name = "URL")]
    pub(crate) against: Option<String>,
    /// Its process id; without it, the process that listens on that URL's port.
    #[arg(long, value_name = "PID", requires = "against")]
    pub(crate) against_pid: Option<u32>,
    /// How requests are shaped: openrtb, google or xandr.
    #[arg(long, value_enum, default_value_t = DialectName::Openrtb)]
    pub(crate) dialect: DialectName,
    /// Rounds; each measures the bare server, the bidder, and the bare server again.
    #[arg(long, default_value_t = 7)]
    pub(crate) rounds: u32,
    /// How long each measurement takes.
    #[arg(long, default_value_t = 3)]
    pub(crate) seconds: u64,
    /// Requests per second. Both must keep up with it, or CPU times per request mean little.
    #[arg(long, default_value_t = 2000)]
    pub(crate) rate: u32,
    /// Keep-alive connections to either.
    #[arg(long, default_value_t = 16)]
    pub(crate) connections: usize,
    /// Requests in flight on one connection; exchanges send one after the other.
    #[arg(long, value_name = "DEPTH", default_value_t = 1)]
    pub(crate) pipeline: usize,
    /// The same seed sends the same requests.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The program whose `baseline` is the bare server; `self` is this one.
    #[arg(long, value_name = "PROGRAM", default_value = "self")]
    pub(crate) baseline_bin: PathBuf,
    /// Exit with 1 if the median ratio is larger.
    #[arg(long)]
    pub(crate) max_ratio: Option<f64>,
    /// Write the measurements as JSON to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// A dialect by its name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DialectName {
    /// As the text of `OpenRTB` 2.6 says.
    Openrtb,
    /// Google's.
    Google,
    /// Xandr's.
    Xandr,
}

/// A campaign tree.
#[derive(Debug, Args)]
pub(crate) struct Catalogue {
    /// How many campaigns, to 100000.
    #[arg(long, value_name = "N")]
    pub(crate) campaigns: u32,
    /// The same seed writes the same files.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where advertisers/, campaigns/ and creatives/ go; they must not hold anything yet.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Copy this bidtree.toml beside them.
    #[arg(long, value_name = "FILE")]
    pub(crate) with_settings: Option<PathBuf>,
}

/// A snapshot.
#[derive(Debug, Args)]
pub(crate) struct BooksSnapshot {
    /// The bidder's admin server.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8120")]
    pub(crate) admin: String,
    /// Where to write it.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// A check of the books.
#[derive(Debug, Args)]
pub(crate) struct CheckBooks {
    /// The bidder's admin server.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8120")]
    pub(crate) admin: String,
    /// The oracle.json that `run --out` wrote.
    #[arg(long, value_name = "FILE")]
    pub(crate) sent: PathBuf,
    /// What had been booked before the run, from `books-snapshot`.
    #[arg(long, value_name = "FILE")]
    pub(crate) before: Option<PathBuf>,
    /// How long the books may take to become right.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub(crate) wait: u64,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound_and_its_examples_parse() {
        Cli::command().debug_assert();
        let mut examples = 0;
        for line in EXAMPLES.lines() {
            let Some(line) = line.trim().strip_prefix("bidtree-load ") else {
                continue;
            };
            // What follows two spaces explains.
            let command = line.split("  ").next().unwrap();
            let words = ["bidtree-load"].into_iter().chain(command.split(' '));
            Cli::try_parse_from(words).unwrap();
            examples += 1;
        }
        assert_eq!(examples, 10);
    }

    #[test]
    fn a_rate_or_a_length_that_no_scenario_may_have_is_refused() {
        for (option, value) in [
            ("--rate", "0"),
            ("--rate", "100001"),
            ("--seconds", "0"),
            ("--seconds", "86401"),
        ] {
            let words = ["bidtree-load", "run", "steady", option, value];
            let error = Cli::try_parse_from(words).unwrap_err().to_string();
            assert!(error.contains(option) && error.contains(value), "{error}");
        }
        let words = [
            "bidtree-load",
            "run",
            "steady",
            "--rate",
            "1",
            "--seconds",
            "86400",
        ];
        Cli::try_parse_from(words).unwrap();
    }
}
