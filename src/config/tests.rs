use std::path::Path;

use super::*;

fn sample() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config"))
}

#[test]
fn the_sample_has_no_fault_and_campaigns_for_every_region() {
    let config = load(sample(), []).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(config.catalogue.len() >= 24);
}
