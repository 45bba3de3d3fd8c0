//! The live tree, as JSON for machines and drawn for people.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::supervision::{Place, Strategy};

/// The tree as JSON: an array of places, each with its children.
pub(super) fn as_json(places: &[Place]) -> Value {
    Value::Array(places.iter().map(place).collect())
}

fn place(place: &Place) -> Value {
    let mut value = json!({
        "path": place.path,
        "kind": place.kind.label(),
        "state": place.state,
        "restarts": place.restarts,
        "restarts_in_window": place.restarts_in_window,
        "restarts_allowed": place.limit.intensity,
        "window_seconds": place.limit.period.as_secs_f64(),
    });
    if let Value::Object(fields) = &mut value {
        let mut add = |name: &str, field: Option<Value>| {
            if let Some(field) = field {
                fields.insert(name.to_owned(), field);
            }
        };
        add(
            "strategy",
            place.strategy.map(|strategy| json!(label(strategy))),
        );
        add("incarnation", place.incarnation.map(|number| json!(number)));
        add(
            "uptime_seconds",
            place.uptime.map(|uptime| json!(uptime.as_secs_f64())),
        );
        add(
            "mailbox",
            place
                .mailbox
                .map(|(depth, room)| json!({ "depth": depth, "room": room })),
        );
        add(
            "last_exit",
            place.last_exit.as_ref().map(|exit| json!(exit.to_string())),
        );
        add(
            "children",
            (!place.children.is_empty()).then(|| as_json(&place.children)),
        );
    }
    value
}

/// The tree, drawn: one line a child.
pub(super) fn drawn(places: &[Place]) -> String {
    let mut out = String::from("root\n");
    draw(places, "", &mut out);
    out
}

fn draw(places: &[Place], indent: &str, out: &mut String) {
    for (number, place) in places.iter().enumerate() {
        let last = number + 1 == places.len();
        let (branch, below) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let id = place.path.rsplit('/').next().unwrap_or_default();
        let what = place.strategy.map_or(place.kind.label(), label);
        let column = 34_usize.saturating_sub(indent.chars().count() + 3);
        let state = place.state;
        // Writing to a String does not fail.
        write!(out, "{indent}{branch}{id:<column$} {what:<13} {state:<12}").ok();
        if place.restarts > 0 {
            write!(out, " {} restarts", place.restarts).ok();
        }
        if let Some(exit) = &place.last_exit {
            write!(out, " (last: {exit})").ok();
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        draw(&place.children, &format!("{indent}{below}"), out);
    }
}

const fn label(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::OneForOne => "one_for_one",
        Strategy::OneForAll => "one_for_all",
        Strategy::RestForOne => "rest_for_one",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervision::Kind;

    fn leaf(path: &str) -> Place {
        Place {
            path: path.to_owned(),
            kind: Kind::Server,
            strategy: None,
            state: "up",
            incarnation: Some(3),
            uptime: None,
            restarts: 1,
            restarts_in_window: 0,
            limit: crate::supervision::Limit::new(5, std::time::Duration::from_secs(10)),
            mailbox: Some((2, 64)),
            last_exit: Some(crate::supervision::Exit::Killed),
            children: Vec::new(),
        }
    }

    #[test]
    fn a_person_sees_branches_and_a_machine_sees_fields() {
        let mut top = leaf("regions");
        top.kind = Kind::Supervisor;
        top.strategy = Some(Strategy::OneForAll);
        top.children = vec![leaf("regions/sg"), leaf("regions/id")];
        let places = [top];
        let text = drawn(&places);
        assert!(
            text.contains("└─ regions") && text.contains("   ├─ sg") && text.contains("   └─ id"),
            "{text}"
        );
        assert!(
            text.contains("one_for_all") && text.contains("1 restarts (last: killed)"),
            "{text}"
        );
        let value = as_json(&places);
        assert_eq!(value[0]["children"][1]["path"], "regions/id");
        assert_eq!(value[0]["children"][0]["mailbox"]["room"], 64);
    }
}
