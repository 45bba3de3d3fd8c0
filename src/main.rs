//! The command line: arguments → configuration → tree → signal → drain.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bidtree::app::{self, Ended, Parts};
use bidtree::clock::Clock;
use bidtree::config::{self, Config, Faults};
use bidtree::supervision::install_panic_hook;
use clap::{Args, Parser, Subcommand};

/// Everything was in order.
const OK: u8 = 0;
/// The tree gave up (`EX_SOFTWARE`).
const GAVE_UP: u8 = 70;
/// The configuration, or what it names, cannot be used (`EX_CONFIG`).
const BAD_CONFIGURATION: u8 = 78;
/// Threads for supervisors, timers, notices and administration: what waits must not be deafened by one that computes.
const CONTROL_THREADS: usize = 2;

/// A real-time-bidding ad server (DSP): answers OpenRTB bid requests, paces budgets, caps frequency, books what it wins.
#[derive(Parser)]
#[command(version, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    folder: Folder,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (what happens without a command)
    Serve(Folder),
    /// Read the configuration, list everything that is wrong with it, start nothing
    Check(Folder),
}

#[derive(Args)]
struct Folder {
    /// The folder with bidtree.toml, advertisers/, campaigns/ and creatives/
    #[arg(long, value_name = "FOLDER", default_value = "config")]
    config: PathBuf,
    /// What is logged on stderr: error, warn, info, debug
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: tracing::Level,
}

const AFTER_HELP: &str = "\
Examples:
  bidtree                                      serve the sample configuration in config/
  bidtree check --config /etc/bidtree          is it all right? every fault, with file and key
  BIDTREE__ADMIN__LISTEN=127.0.0.1:9000 bidtree   keys of bidtree.toml from the environment, all
                                               but those in [[segments]]

While it runs:
  curl -s '127.0.0.1:8120/tree?format=text'    the live supervision tree
  curl -s 127.0.0.1:8120/campaigns             what each campaign has spent
  curl -s 127.0.0.1:8120/metrics               Prometheus metrics
  kill -HUP <pid>                              read advertisers, campaigns and creatives again
  kill -TERM <pid>                             stop in order

Exit codes: 0 ok, 78 bad configuration, 70 the tree gave up";

fn main() -> ExitCode {
    let cli = Cli::parse();
    let (folder, checks) = match cli.command {
        None => (cli.folder, false),
        Some(Command::Serve(folder)) => (folder, false),
        Some(Command::Check(folder)) => (folder, true),
    };
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(folder.log)
        .with_target(false)
        .init();
    let environment = std::env::vars_os().map(|(key, value)| (lossy(key), lossy(value)));
    let code = match config::load(&folder.config, environment) {
        Ok(config) if checks => report(&folder.config, &config),
        Ok(config) => run(config, &folder.config).unwrap_or_else(|error| {
            tracing::error!(%error, "cannot run");
            GAVE_UP
        }),
        Err(faults) => refuse(&faults),
    };
    ExitCode::from(code)
}

/// As text. What is none keeps a mark where it is not, by which a variable of ours is refused with its name.
fn lossy(text: OsString) -> String {
    text.into_string()
        .unwrap_or_else(|text| text.to_string_lossy().into_owned())
}

fn run(config: Config, folder: &Path) -> io::Result<u8> {
    install_panic_hook();
    let control = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .enable_all()
        .build()?;
    let parts = match Parts::new(config, folder, Clock::system(), control.handle().clone()) {
        Ok(parts) => parts,
        Err(error) => {
            writeln!(io::stderr(), "bidtree cannot start: {error}")?;
            return Ok(BAD_CONFIGURATION);
        }
    };
    let ended = control.block_on(app::serve(parts, &mut io::stdout()))?;
    let code = match &ended {
        Ended::Asked => OK,
        Ended::Overdue => {
            writeln!(io::stderr(), "stopped, but something did not end in time")?;
            OK
        }
        Ended::NotStarted(exit) => {
            writeln!(io::stderr(), "bidtree cannot start: {exit}")?;
            GAVE_UP
        }
        Ended::GaveUp(exit) => {
            writeln!(io::stderr(), "the tree gave up: {exit}")?;
            GAVE_UP
        }
    };
    if code == OK {
        writeln!(io::stdout(), "stopped")?;
    }
    Ok(code)
}

fn report(folder: &Path, config: &Config) -> u8 {
    let settings = &config.settings;
    let text = format!(
        "{}: {} exchanges, {} regions, {} campaigns; nothing is wrong",
        folder.display(),
        settings.exchanges.len(),
        settings.regions.len(),
        config.catalogue.len(),
    );
    // Nobody reads it; the exit code says the same.
    writeln!(io::stdout(), "{text}").ok();
    OK
}

fn refuse(faults: &Faults) -> u8 {
    // Nobody reads it; the exit code says the same.
    writeln!(io::stderr(), "{faults}").ok();
    BAD_CONFIGURATION
}
