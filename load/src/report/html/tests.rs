use std::time::Duration;

use super::*;
use crate::faults;
use crate::marks::{Mark, MarkKind};
use crate::notices::Desk;
use crate::report::Story;
use crate::scenario::Scenario;
use crate::tally::{Ending, Lateness, Place, Tally};

const EVIL: &str = "<script>alert(\"1\")</script> & 'more'";

/// A report in which everything that may hold foreign text holds evil text.
fn report() -> Report {
    let mut scenario = Scenario::load("malformed").unwrap();
    scenario.name = EVIL.to_owned();
    scenario.about = EVIL.to_owned();
    scenario.exchanges[0].name = EVIL.to_owned();
    scenario.traffic.regions[0].name = EVIL.to_owned();
    let mut tally = Tally::new(scenario.exchanges.len(), 4)
        .with_time(&scenario.expectations.phases, scenario.give_up);
    let start = crate::clock::now();
    tally.begins_at(start);
    for second in 0..1_000 {
        let at = start + Duration::from_secs(second);
        tally.started(at, Duration::ZERO);
        let place = Place {
            exchange: 0,
            region: 0,
            at,
        };
        let ending = if second % 10 == 0 {
            Ending::Failed {
                kind: "broken",
                what: EVIL.to_owned(),
            }
        } else {
            Ending::Answered {
                bids: second % 2,
                faults: Vec::new(),
                lateness: Lateness::InTime,
            }
        };
        tally.ended(place, Duration::from_millis(second + 1), ending);
    }
    tally.series.finish();
    let story = Story {
        elapsed: Duration::from_secs(1_000),
        marks: vec![Mark {
            at: Duration::from_secs(500),
            kind: MarkKind::Restart,
            label: EVIL.to_owned(),
        }],
        injected: vec![faults::Seen {
            strikes: 1,
            effective: 1,
            outcomes: [(EVIL.to_owned(), 3)].into(),
            wrong: 1,
            example: Some(EVIL.to_owned()),
        }],
        watch: watched(),
        troubles: vec![EVIL.to_owned()],
        server_log: None,
    };
    let desk = Desk::new(scenario.notices.clone());
    Report::new(&scenario, &tally, &desk, story)
}

fn watched() -> crate::watch::Seen {
    let mut seen = crate::watch::Seen::default();
    for billed in [0_i64, 5_000_000_000] {
        let page = serde_json::json!({"campaigns": [{
            "id": EVIL, "currency": EVIL, "billed_nanos": billed, "budget_daily_nanos": 9, "offered": true,
        }]});
        let at = Duration::from_secs(u64::try_from(billed).unwrap() / 1_000_000_000);
        seen.spend.add(at, page.to_string().as_bytes());
    }
    for second in 0..1_000_u32 {
        let bytes = 1e8 + f64::from(second) * 1e3;
        seen.memory
            .push((Duration::from_secs(u64::from(second)), bytes));
    }
    seen
}

#[test]
fn foreign_text_is_escaped_everywhere() {
    let html = write(&report());
    assert!(!html.contains("<script"), "a script slipped in");
    assert!(
        html.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more&#39;")
    );
    // Name twice, about, exchange, region, mark on each plot, event, fault, trouble, campaign, text.
    assert!(html.matches("&lt;script&gt;").count() > 12);
}

#[test]
fn the_page_needs_no_other_file() {
    let html = write(&report());
    for part in [
        "http://", "https://", "src=", "href=", "url(", "@import", "<link",
    ] {
        let found = html
            .find(part)
            .map(|place| &html[place.saturating_sub(40)..place + 40]);
        // Addresses may stand in the text of the scenario or of the report, but nothing is fetched.
        assert!(found.is_none(), "{part}: {found:?}");
    }
}

#[test]
fn the_servers_memory_is_drawn_where_it_says_what_it_holds() {
    let mut report = report();
    assert!(write(&report).contains("Memory of the server"));
    report.story.watch.memory.clear();
    assert!(!write(&report).contains("Memory of the server"));
}

#[test]
fn a_long_run_has_no_more_points_than_a_screen() {
    let html = write(&report());
    let hovers = html.matches("class=\"hover\"").count();
    assert!(hovers <= 5 * 430 + 10, "{hovers}");
    assert!(hovers > 4 * 300, "{hovers}");
    assert!(html.len() < 400_000, "{}", html.len());
}

#[test]
fn every_tag_that_opens_closes() {
    let html = write(&report());
    for tag in [
        "svg", "figure", "table", "section", "tr", "td", "th", "div", "g", "text", "rect", "main",
        "details",
    ] {
        let opened =
            html.matches(&format!("<{tag} ")).count() + html.matches(&format!("<{tag}>")).count();
        let closed = html.matches(&format!("</{tag}>")).count();
        let itself = match tag {
            "rect" | "text" => opened - closed,
            _ => 0,
        };
        assert_eq!(opened, closed + itself, "{tag}");
    }
}
