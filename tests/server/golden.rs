//! Golden answers: for each `tests/golden/cases/<case>.request.json` the exact text of the answer stands in
//! `<case>.response.json`, from the catalogue in `tests/golden/config`. What a rule does is asked of the exchange `rules`
//! (cases `rule-…`), what a format looks like of `openrtb`, which takes one bid for an impression.
//!
//! What no two runs share is pinned: sealed tokens become `TOKEN`, and the ids of bids `BID-1`, `BID-2`, … in their order.
//! To write the answers anew after a change that is meant, and then review what changed:
//!
//! ```text
//! BIDTREE_GOLDEN=rewrite cargo test --test server golden && git diff tests/golden
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use roxmltree::Document;
use serde_json::Value;
use vastlint_core::Severity;

use crate::readers::read_without_loss;
use crate::scratch::Scratch;
use crate::support::Running;

const CASES: &str = "tests/golden/cases";
const REWRITE: &str = "BIDTREE_GOLDEN";

/// A request of a case, and where its answer stands.
struct Case {
    name: String,
    request: Value,
    answer: PathBuf,
}

impl Case {
    fn exchange(&self) -> &'static str {
        if self.name.starts_with("rule-") {
            "rules"
        } else {
            "openrtb"
        }
    }
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = fs::read_dir(CASES)
        .expect("a folder")
        .flatten()
        .filter_map(|entry| {
            let path = entry.path();
            let name = path
                .file_name()?
                .to_str()?
                .strip_suffix(".request.json")?
                .to_owned();
            let text = fs::read_to_string(&path).expect("a request");
            Some(Case {
                request: serde_json::from_str(&text).expect("JSON"),
                answer: path.with_file_name(format!("{name}.response.json")),
                name,
            })
        })
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

/// What stands beside the cases and is of none: the answer of a case that went, or a file with another ending.
fn orphans(cases: &[Case]) -> Vec<PathBuf> {
    let files = fs::read_dir(CASES).expect("a folder").flatten();
    let is_of_a_case = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default();
        let stem = name.strip_suffix(".request.json");
        let stem = stem.or_else(|| name.strip_suffix(".response.json"));
        cases.iter().any(|case| Some(case.name.as_str()) == stem)
    };
    files
        .map(|entry| entry.path())
        .filter(|path| !is_of_a_case(path))
        .collect()
}

/// An answer without what no two runs share.
fn pinned(answer: &str) -> String {
    let mut text = without_tokens(answer);
    let value: Value = serde_json::from_str(answer).expect("JSON");
    for (place, bid) in (1..).zip(bids(&value)) {
        let id = bid["id"].as_str().expect("an id");
        text = text.replace(id, &format!("BID-{place}"));
    }
    text
}

fn without_tokens(text: &str) -> String {
    let mut pinned = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("?t=") {
        pinned.push_str(before);
        pinned.push_str("?t=TOKEN");
        let end = after
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
            .unwrap_or(after.len());
        rest = &after[end..];
    }
    pinned + rest
}

fn bids(answer: &Value) -> Vec<&Value> {
    let seats = answer["seatbid"].as_array().into_iter().flatten();
    seats
        .flat_map(|seat| seat["bid"].as_array().into_iter().flatten())
        .collect()
}

#[test]
fn golden_requests_get_their_golden_answers_and_readers_that_are_not_ours_understand_them() {
    let rewrite = std::env::var_os(REWRITE).is_some_and(|value| value == "rewrite");
    let data = Scratch::new();
    let server = Running::at(Path::new("tests/golden/config"), &data);
    let mut differing = Vec::new();
    let all = cases();
    assert!(all.len() > 40, "only {} cases", all.len());
    assert_eq!(orphans(&all), Vec::<PathBuf>::new(), "answers to nothing");
    for case in all {
        let reply = server.bid(case.exchange(), &case.request);
        let body = String::from_utf8(reply.body).expect("text");
        let answer = match reply.status {
            200 => {
                judge(&case, &body);
                pinned(&body)
            }
            status => format!("{status}{body}"),
        } + "\n";
        if rewrite {
            fs::write(&case.answer, answer).expect("a file");
        } else {
            let golden = fs::read_to_string(&case.answer).unwrap_or_default();
            if golden != answer {
                differing.push(format!("{}\n  is   {answer}  was  {golden}", case.name));
            }
        }
    }
    server.stop();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn an_answer_whose_case_went_is_noticed() {
    let mut left = cases();
    assert_eq!(orphans(&left), Vec::<PathBuf>::new());
    let gone = left.pop().expect("a case");
    assert!(orphans(&left).contains(&gone.answer));
}

#[test]
fn what_is_pinned_is_only_what_no_two_runs_share() {
    let answer = r#"{"id":"r","seatbid":[{"bid":[{"id":"ab-1","burl":"u?t=aZ_-9&p=1"},{"id":"ab-2","adm":"ab-2 u?t=x\""}]}]}"#;
    assert_eq!(
        pinned(answer),
        r#"{"id":"r","seatbid":[{"bid":[{"id":"BID-1","burl":"u?t=TOKEN&p=1"},{"id":"BID-2","adm":"BID-2 u?t=TOKEN\""}]}]}"#
    );
}

/// Reads an answer as an exchange would, and its markup as a page or a player would.
fn judge(case: &Case, body: &str) {
    let name = &case.name;
    read_without_loss(body).unwrap_or_else(|loss| panic!("{name}: {loss}"));
    let answer: Value = serde_json::from_str(body).expect(name);
    assert_eq!(answer["id"], case.request["id"], "{name}");
    for bid in bids(&answer) {
        let imps = case.request["imp"].as_array().expect("imps");
        let imp = imps.iter().find(|imp| imp["id"] == bid["impid"]);
        let imp = imp.unwrap_or_else(|| panic!("{name}: no imp {}", bid["impid"]));
        let markup = bid["adm"].as_str().expect("markup");
        let (asked, kind) = match bid["mtype"].as_u64() {
            Some(1) => ("banner", "<a href="),
            Some(2) => ("video", "<VAST "),
            Some(3) => ("audio", ""),
            Some(4) => ("native", "{"),
            other => panic!("{name}: mtype {other:?}"),
        };
        assert!(
            imp.get(asked).is_some(),
            "{name}: {asked} was not asked for"
        );
        assert!(markup.starts_with(kind), "{name}: {markup}");
        match asked {
            "banner" => {}
            "native" => judge_native(name, imp, markup),
            _ => judge_document(name, bid, markup),
        }
    }
}

fn judge_document(name: &str, bid: &Value, markup: &str) {
    assert_no_fault(name, markup);
    let document = Document::parse(markup).expect(name);
    let text = |tag: &str| {
        let node = document.descendants().find(|node| node.has_tag_name(tag))?;
        Some(node.text().unwrap_or_default().to_owned())
    };
    let impression = text("Impression").expect("an impression");
    assert!(impression.contains("/imp?t="), "{name}: {impression}");
    assert!(
        impression.ends_with("${AUCTION_PRICE}"),
        "{name}: {impression}"
    );
    if let Some(duration) = text("Duration") {
        let seconds = bid["dur"].as_u64().expect("a duration");
        assert_eq!(duration, format!("00:00:{seconds:02}"), "{name}");
    }
    if let Some(own) = document
        .descendants()
        .find(|node| node.has_tag_name("Ad"))
        .and_then(|ad| ad.attribute("id"))
    {
        assert_eq!(bid["crid"], own, "{name}");
    }
}

fn judge_native(name: &str, imp: &Value, markup: &str) {
    let answer: Value = serde_json::from_str(markup).expect(name);
    let asked = &imp["native"]["request"];
    let asked: Value = match asked.as_str() {
        Some(text) => serde_json::from_str(text).expect(name),
        None => asked.clone(),
    };
    assert_eq!(
        answer.get("native").is_some(),
        asked.get("native").is_some(),
        "{name}"
    );
    let inner = |value: &Value| value.get("native").unwrap_or(value).clone();
    let (answer, asked) = (inner(&answer), inner(&asked));
    let answered = answer["assets"].as_array().expect("assets");
    for asset in asked["assets"].as_array().expect("assets") {
        let found = answered.iter().find(|it| it["id"] == asset["id"]);
        let Some(found) = found else {
            assert_ne!(asset["required"], 1, "{name}: {asset}");
            continue;
        };
        for kind in ["title", "img", "video", "data"] {
            assert_eq!(
                found.get(kind).is_some(),
                asset.get(kind).is_some(),
                "{name}: {asset}"
            );
        }
        if let Some(document) = found["video"]["vasttag"].as_str() {
            assert_no_fault(name, document);
        }
    }
}

fn assert_no_fault(name: &str, document: &str) {
    let judged = vastlint_core::validate(document);
    let faults: Vec<_> = judged
        .issues
        .iter()
        .filter(|issue| issue.severity == Severity::Error)
        .map(|issue| format!("{}: {}", issue.id, issue.message))
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:?} in {document}");
}

/// What tells one bid from another, as the answer says it: impression, campaign, creative, deal, price.
type Told = [Value; 5];

fn answered(answer: &Value) -> Vec<Told> {
    let told =
        |bid: &Value| ["impid", "cid", "crid", "dealid", "price"].map(|key| bid[key].clone());
    bids(answer).into_iter().map(told).collect()
}

/// The same of an explanation, from the price paths of what is chosen.
fn explained(explanation: &Value, request: &Value) -> Vec<Told> {
    let imps = request["imp"].as_array().into_iter().flatten();
    let told = explanation["imps"].as_array().into_iter().flatten();
    let mut all = Vec::new();
    for (imp, told) in imps.zip(told) {
        for chosen in told["chosen"].as_array().into_iter().flatten() {
            let mut campaigns = told["campaigns"].as_array().into_iter().flatten();
            let one = campaigns
                .find(|one| one["campaign"] == *chosen)
                .expect("what is chosen is told of");
            let price = one["price"]["bid"].as_str().expect("a price path");
            let number = price.split(' ').next().expect("a number");
            let price: Value = number.parse().expect("a number");
            let [impid, crid, dealid] =
                [&imp["id"], &one["creative"], &one["deal"]].map(Value::clone);
            all.push([impid, chosen.clone(), crid, dealid, price]);
        }
    }
    all
}

fn sorted(mut bids: Vec<Told>) -> Vec<String> {
    bids.sort_by_key(|bid| bid[1].to_string());
    bids.iter().map(|bid| format!("{bid:?}")).collect()
}

#[test]
fn what_is_explained_of_every_golden_request_is_what_is_bid() {
    let data = Scratch::new();
    let server = Running::at(Path::new("tests/golden/config"), &data);
    let mut compared = 0;
    for case in cases() {
        let query = format!("exchange={}", case.exchange());
        let explanation = server.explain(&query, &case.request).json();
        let reply = server.bid(case.exchange(), &case.request);
        let answer = if reply.status == 200 {
            serde_json::from_slice(&reply.body).expect("JSON")
        } else {
            Value::Null
        };
        let bid = answered(&answer);
        compared += bid.len();
        let said = explained(&explanation, &case.request);
        assert_eq!(sorted(said), sorted(bid), "{}", case.name);
    }
    assert!(compared > 40, "only {compared} bids");
    server.stop();
}
