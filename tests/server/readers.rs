//! Answers as the types of the `openrtb` crate read them: what we wrote must come back out of them, whole.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Set by `.ci/run`: a folder with the answers to the corpus, in folders of their own.
const ANSWERS: &str = "BIDTREE_ANSWERS";
/// What OpenRTB 2.6 added to a bid: the types are of 2.5 and do not have it.
const SINCE_2_6: [&str; 6] = ["apis", "cattax", "dur", "langb", "mtype", "slotinpod"];

/// Reads an answer into the types of OpenRTB 2.5, writes it from them, and compares.
pub(crate) fn read_without_loss(body: &str) -> Result<(), String> {
    let mut written: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    for bid in bids_mut(&mut written) {
        let fields = bid.as_object_mut().ok_or("a bid is no object")?;
        // Their categories are those of the first taxonomy, each a value of its own.
        if fields.contains_key("cattax") {
            fields.remove("cat");
        }
        fields.retain(|name, _| !SINCE_2_6.contains(&name.as_str()));
    }
    // From a text, since the types borrow from it.
    let text = written.to_string();
    let read: openrtb::v2_5::BidResponse =
        serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let back = serde_json::to_value(&read).map_err(|error| error.to_string())?;
    if is_same(&written, &back) {
        Ok(())
    } else {
        Err(format!(
            "lost on the way\n  wrote {written}\n  read  {back}"
        ))
    }
}

fn bids_mut(answer: &mut Value) -> impl Iterator<Item = &mut Value> {
    let seats = answer["seatbid"].as_array_mut().into_iter().flatten();
    seats.flat_map(|seat| seat["bid"].as_array_mut().into_iter().flatten())
}

/// The same, where 8 and 8.0 are, and where what holds nothing is not there.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, value)| other.get(name).is_some_and(|found| is_same(value, found)))
        }
        _ => one == other,
    }
}

#[test]
fn a_field_of_another_type_or_name_does_not_come_back() {
    let good = r#"{"id":"r","seatbid":[{"bid":[{"id":"b","impid":"1","price":8,"adomain":["a.example"],"mtype":1,"ext":{"dsa":{"paid":"p"}}}],"seat":"s"}],"cur":"USD"}"#;
    assert_eq!(read_without_loss(good), Ok(()));
    for (ours, broken) in [
        (r#""price":8"#, r#""price":"8""#),
        (r#""adomain""#, r#""domains""#),
        (r#""impid":"1""#, r#""impid":1"#),
        (r#""seat":"s""#, r#""seats":"s""#),
        (r#""ext":{"#, r#""ext":"#),
    ] {
        let text = good.replacen(ours, broken, 1);
        assert_ne!(text, good);
        assert!(read_without_loss(&text).is_err(), "{text}");
    }
}

#[test]
#[ignore = "reads the answers to the corpus, which .ci/run fetches"]
fn answers_to_the_corpus_come_back_whole() {
    let root = std::env::var_os(ANSWERS).expect(ANSWERS);
    let mut read = 0;
    for folder in entries(Path::new(&root)) {
        for path in entries(&folder) {
            if path.to_string_lossy().ends_with(".response.json") {
                let body = fs::read_to_string(&path).expect("an answer");
                read_without_loss(&body)
                    .unwrap_or_else(|loss| panic!("{}: {loss}", path.display()));
                read += 1;
            }
        }
    }
    assert!(read > 0, "no answers in {}", root.display());
}

fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries.map(|entry| entry.path()).collect()
}
