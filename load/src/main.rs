//! `bidtree-load`: the command line of the simulated exchange.

mod cli;

use std::fmt::{Display, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use bidtree_load::baseline::{self, Reply};
use bidtree_load::books::{self, Books};
use bidtree_load::compare::Against;
use bidtree_load::run::{self, Enforcement, Lodging, Options, Progress};
use bidtree_load::scenario::{self, Dialect, Scenario};
use bidtree_load::wire::Target;
use bidtree_load::{catalogue, clock, compare};
use bidtree_load::{tasks, terminal};
use cli::{Cli, Command, DialectName};

/// Something that was expected does not hold.
const FAILED: u8 = 1;
/// Nothing can be said.
const SAYS_NOTHING: u8 = 2;

/// How a command ends: an exit code, or a complaint that makes it [`SAYS_NOTHING`].
type Ended = Result<u8, String>;

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::List(arguments) => list(&arguments),
        Command::Run(arguments) => run_scenario(&arguments),
        Command::Baseline(arguments) => serve_baseline(&arguments),
        Command::Compare(arguments) => compare_servers(&arguments),
        Command::Catalogue(arguments) => write_catalogue(arguments),
        Command::BooksSnapshot(arguments) => snapshot_books(&arguments),
        Command::CheckBooks(arguments) => check_books(&arguments),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(complaint) => {
            terminal::note(&format!("bidtree-load: {complaint}"));
            ExitCode::from(SAYS_NOTHING)
        }
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}

fn list(arguments: &cli::List) -> Ended {
    let mut lines = String::new();
    for (name, source) in scenario::BUNDLED {
        let scenario = Scenario::parse(name, source).map_err(text)?;
        if arguments.long {
            let (rate, seconds) = (scenario.rate, scenario.seconds);
            let about = scenario.about.replace('\n', "\n    ");
            writeln!(
                lines,
                "{name}  ({rate} requests/s for {seconds} s)\n    {about}\n"
            )
        } else {
            writeln!(lines, "{name:<14} {}", scenario.description)
        }
        .map_err(text)?;
    }
    terminal::result(&lines).map_err(text)?;
    Ok(0)
}

fn run_scenario(arguments: &cli::Run) -> Ended {
    let options = Options {
        scenario: changed_scenario(arguments)?,
        ready_wait: Duration::from_secs(arguments.ready_wait),
        expectations: if arguments.no_expectations {
            Enforcement::ReportedOnly
        } else {
            Enforcement::Enforced
        },
        progress: Progress::Shown,
        lodging: Lodging {
            folder: arguments.out.clone(),
            port_shift: arguments.shift_ports,
        },
    };
    let finished = tasks::run(run::run(&options))
        .map_err(text)?
        .map_err(text)?;
    if let Some(folder) = &arguments.out {
        let path = run::write_oracle(folder, &finished.oracle).map_err(text)?;
        terminal::note(&format!("the oracle's ledger is in {}", path.display()));
    }
    if let Some(path) = &arguments.json {
        write_json(path, &finished.report.json())?;
    }
    if let Some(path) = &arguments.html {
        write_file(path, &finished.report.html())?;
        terminal::note(&format!("the report with plots is in {}", path.display()));
    }
    terminal::result(&finished.report.text()).map_err(text)?;
    let enforced = options.expectations == Enforcement::Enforced;
    Ok(
        match (finished.report.is_valid(), finished.report.holds()) {
            (false, _) => SAYS_NOTHING,
            (true, false) if enforced => FAILED,
            (true, _) => 0,
        },
    )
}

/// The scenario, changed as the command line says.
fn changed_scenario(arguments: &cli::Run) -> Result<Scenario, String> {
    let mut scenario = Scenario::load(&arguments.scenario).map_err(text)?;
    scenario.rate = arguments.rate.unwrap_or(scenario.rate);
    scenario.seconds = arguments.seconds.unwrap_or(scenario.seconds);
    scenario.seed = arguments.seed.unwrap_or(scenario.seed);
    if arguments.config.is_some() {
        scenario.oracle.config.clone_from(&arguments.config);
    }
    let server = &mut scenario.server;
    if let Some(binary) = &arguments.server {
        server.binary = Some(binary.clone());
    }
    if let Some(config) = &arguments.server_config {
        server.config.clone_from(config);
    }
    if let Some(url) = &arguments.admin {
        let target = Target::parse(url);
        scenario.admin = Some(target.ok_or_else(|| admin_fault(url))?);
    }
    let shift = arguments.shift_ports;
    let is_moved = scenario.shift_ports(shift);
    is_moved.ok_or_else(|| format!("--shift-ports {shift}: ports end at 65535"))?;
    Ok(scenario)
}

fn serve_baseline(arguments: &cli::Baseline) -> Ended {
    let reply = match &arguments.bytes {
        None => Reply::sample(),
        Some(path) => {
            let bytes = std::fs::read(path);
            let bytes = bytes.map_err(|error| format!("{}: {error}", path.display()))?;
            if bytes.is_empty() {
                Reply::Nothing
            } else {
                Reply::Content(bytes.into())
            }
        }
    };
    let serving = async {
        let (listener, bound) = baseline::listen(arguments.listen).await?;
        terminal::result(&format!("{}{bound}\n", compare::LISTENING))?;
        baseline::serve(listener, reply).await
    };
    let ended = tasks::run(serving).map_err(text)?;
    match ended {
        Err(error) => Err(format!("{}: {error}", arguments.listen)),
    }
}

fn compare_servers(arguments: &cli::Compare) -> Ended {
    let target = Target::parse(&arguments.url)
        .ok_or_else(|| format!("--url {}: like http://127.0.0.1:8103/bid", arguments.url))?;
    let server_pid = process(&target, arguments.server_pid, "--server-pid")?;
    let against = match &arguments.against {
        Some(url) => {
            let target = Target::parse(url)
                .ok_or_else(|| format!("--against {url}: like http://127.0.0.1:8199/bid"))?;
            let pid = process(&target, arguments.against_pid, "--against-pid")?;
            Against::Server(target, pid)
        }
        None if arguments.baseline_bin.as_os_str() == "self" => {
            Against::Baseline(std::env::current_exe().map_err(text)?)
        }
        None => Against::Baseline(arguments.baseline_bin.clone()),
    };
    let options = compare::Options {
        server_pid,
        target,
        dialect: match arguments.dialect {
            DialectName::Openrtb => Dialect::OpenRtb,
            DialectName::Google => Dialect::Google,
            DialectName::Xandr => Dialect::Xandr,
        },
        rounds: arguments.rounds.max(1),
        time: Duration::from_secs(arguments.seconds.max(1)),
        rate: arguments.rate.max(1),
        connections: arguments.connections.max(1),
        depth: arguments.pipeline.max(1),
        seed: arguments.seed,
        against,
    };
    let comparison = tasks::run(compare::compare(&options))
        .map_err(text)?
        .map_err(text)?;
    if let Some(path) = &arguments.json {
        write_json(path, &comparison.json())?;
    }
    terminal::result(&comparison.text()).map_err(text)?;
    let is_over = arguments
        .max_ratio
        .is_some_and(|max| comparison.median_ratio() > max);
    Ok(match comparison.is_valid() {
        false => SAYS_NOTHING,
        true if is_over => FAILED,
        true => 0,
    })
}

/// The process of a server: as named, or the one that listens there.
fn process(target: &Target, named: Option<u32>, option: &str) -> Result<u32, String> {
    let listening = || target.port().and_then(compare::owner_of);
    named.or_else(listening).ok_or_else(|| {
        let place = &target.authority;
        format!("no process of yours listens at {place}; start the server, or name its {option}")
    })
}

fn write_catalogue(arguments: cli::Catalogue) -> Ended {
    let plan = catalogue::Plan {
        campaigns: arguments.campaigns,
        seed: arguments.seed,
        folder: arguments.out,
        settings: arguments.with_settings,
    };
    let written = catalogue::write(&plan).map_err(text)?;
    let summary = format!(
        "{}: {} campaigns, {} advertisers, {} creatives\n",
        plan.folder.display(),
        written.campaigns,
        written.advertisers,
        written.creatives
    );
    terminal::result(&summary).map_err(text)?;
    Ok(0)
}

fn admin(url: &str) -> Result<Target, String> {
    Target::parse(url).ok_or_else(|| admin_fault(url))
}

fn admin_fault(url: &str) -> String {
    format!("--admin {url}: like http://127.0.0.1:8120")
}

fn snapshot_books(arguments: &cli::BooksSnapshot) -> Ended {
    let admin = admin(&arguments.admin)?;
    let books = tasks::run(books::fetch(&admin)).map_err(text)?;
    books
        .and_then(|books| books.write(&arguments.out))
        .map_err(text)?;
    Ok(0)
}

fn check_books(arguments: &cli::CheckBooks) -> Ended {
    let admin = admin(&arguments.admin)?;
    let oracle = books::read_oracle(&arguments.sent).map_err(text)?;
    let before = match &arguments.before {
        Some(path) => Books::read(path).map_err(text)?,
        None => Books::default(),
    };
    let until = clock::now() + Duration::from_secs(arguments.wait);
    let checking = async {
        loop {
            let books = books::fetch(&admin).await?;
            let rows = books::compare(&books, &before, &oracle);
            if books::are_right(&rows) || clock::now() >= until {
                return Ok::<_, books::BooksError>(rows);
            }
            clock::sleep(Duration::from_millis(200)).await;
        }
    };
    let rows = tasks::run(checking).map_err(text)?.map_err(text)?;
    terminal::result(&books::table(&rows)).map_err(text)?;
    Ok(if books::are_right(&rows) { 0 } else { FAILED })
}

fn write_json(path: &Path, json: &serde_json::Value) -> Result<(), String> {
    write_file(path, &format!("{json:#}\n"))
}

fn write_file(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
