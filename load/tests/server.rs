//! Runs that own their server: this program's own `baseline` is the server under test, killed, paused and gone.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use bidtree_load::run::{Enforcement, Finished, Lodging, Options, Progress, RunError, run};
use bidtree_load::scenario::Scenario;
use bidtree_load::tasks;

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A scenario with one exchange, whose server is `command`.
fn scenario(port: u16, command: &[&str], more: &str) -> Scenario {
    let command = format!("{command:?}");
    let text = format!(
        "extends = \"steady\"\ndescription = \"x\"\nrate = 100\nseconds = 2\ndrain_seconds = 1\nchecks = \"none\"\n\
         [[exchanges]]\nname = \"one\"\nurl = \"http://127.0.0.1:{port}/bid\"\ndialect = \"openrtb\"\nweight = 1\n\
         [server]\nstart = true\ncommand = {command}\n{more}"
    );
    let mut scenario = Scenario::parse("test.toml", &text).unwrap();
    scenario.admin = None;
    scenario
}

fn baseline(port: u16, more: &str) -> Scenario {
    let address = format!("127.0.0.1:{port}");
    let program = env!("CARGO_BIN_EXE_bidtree-load");
    scenario(port, &[program, "baseline", "--listen", &address], more)
}

fn folder(name: &str) -> PathBuf {
    let name = format!("bidtree-load-test-{name}-{}", std::process::id());
    std::env::temp_dir().join(name)
}

fn run_it(scenario: Scenario, name: &str) -> Result<Finished, RunError> {
    let folder = folder(name);
    let options = Options {
        scenario,
        ready_wait: Duration::from_secs(10),
        expectations: Enforcement::Enforced,
        progress: Progress::Silent,
        lodging: Lodging {
            folder: Some(folder.clone()),
            port_shift: 0,
        },
    };
    let finished = tasks::run(run(&options)).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    finished
}

#[test]
fn a_killed_server_is_started_again_and_phases_tell_before_from_after() {
    let port = free_port();
    let faults = "[[faults]]\nat_s = 0.5\nkind = \"kill_server\"\ndown_ms = 600\n\
        [expectations]\n\
        [[expectations.phase]]\nname = \"before\"\nto_s = 0.4\ntransport_failure_share_max = 0.0\n\
        [[expectations.phase]]\nname = \"gone\"\nfrom_s = 0.7\nto_s = 1.0\ntransport_failure_share_min = 0.5\n\
        [[expectations.phase]]\nname = \"never gone\"\nfrom_s = 0.7\nto_s = 1.0\ntransport_failure_share_max = 0.0\n\
        [[expectations.phase]]\nname = \"back\"\nfrom_s = 2.2\nbid_share_min = 0.9\n";
    let mut killed = baseline(port, faults);
    killed.seconds = 3;
    let finished = run_it(killed, "killed").unwrap();
    let report = finished.report;
    let text = report.text();
    let outcome = |name: &str| {
        let mut lines = text.lines().filter(|line| line.contains(name));
        lines.next().unwrap_or_default()[..4].to_owned()
    };
    assert_eq!(outcome("before: "), "PASS", "{text}");
    assert_eq!(outcome(" gone: "), "PASS", "{text}");
    assert_eq!(outcome("never gone: "), "FAIL", "{text}");
    assert_eq!(outcome("back: "), "PASS", "{text}");
    assert!(!report.holds());
    assert!(
        text.contains("the server's process was started again"),
        "{text}"
    );
    // It does not outlive the run.
    assert!(TcpListener::bind(("127.0.0.1", port)).is_ok());
}

#[test]
fn a_paused_server_makes_everybody_wait() {
    let pause = "[[faults]]\nat_s = 0.5\nkind = \"pause_server\"\nms = 600\n[expectations]\n";
    let finished = run_it(baseline(free_port(), pause), "paused").unwrap();
    let all = finished.report.tally.all();
    assert_eq!(all.failures, 0, "{}", finished.report.text());
    assert!(
        all.latencies.max_ms() >= 500.0,
        "{}",
        finished.report.text()
    );
}

#[test]
fn a_server_that_dies_ends_the_run_with_its_last_words() {
    let port = free_port();
    let program = env!("CARGO_BIN_EXE_bidtree-load");
    let marker = folder("dies-marker");
    // It comes up once. Started again, it has no luck.
    let script = format!(
        "if [ -e {0} ]; then echo out of luck; exit 70; fi; touch {0}; exec {program} baseline --listen 127.0.0.1:{port}",
        marker.display()
    );
    let kill = "[[faults]]\nat_s = 0.2\nkind = \"kill_server\"\ndown_ms = 0\n[expectations]\n";
    let dies = scenario(port, &["/bin/sh", "-c", &script], kill);
    let finished = run_it(dies, "dies").unwrap();
    std::fs::remove_file(&marker).unwrap();
    let text = finished.report.text();
    assert!(!finished.report.holds(), "{text}");
    for part in ["ended by itself", "70", "out of luck", "server.log"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_server_that_never_starts_is_named_with_what_it_said() {
    let script = "echo bad configuration >&2; exit 78";
    let never = scenario(free_port(), &["/bin/sh", "-c", script], "");
    let error = run_it(never, "never").unwrap_err().to_string();
    for part in ["78", "bad configuration"] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn a_fault_that_took_no_effect_fails_the_run() {
    // The bare server answers the admin's orders, too, but nobody listens here.
    let nobody = free_port();
    let fault = "[[faults]]\nat_s = 0.2\nkind = \"kill_child\"\npath = \"store\"\n[expectations]\n";
    let text = format!("admin = \"http://127.0.0.1:{nobody}\"\n");
    let mut scenario = baseline(free_port(), "[expectations]\n");
    let with_fault = format!("extends = \"steady\"\ndescription = \"x\"\n{text}{fault}");
    let with_fault = Scenario::parse("fault.toml", &with_fault).unwrap();
    scenario.injections = with_fault.injections;
    scenario.admin = with_fault.admin;
    let finished = run_it(scenario, "vain").unwrap();
    let text = finished.report.text();
    assert!(!finished.report.holds());
    assert!(text.contains("kill_child store took no effect"), "{text}");
}
