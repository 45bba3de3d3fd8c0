//! Multipliers that make no sense.

use super::*;
use crate::campaign::CampaignFault;

#[test]
fn what_makes_no_sense_is_a_fault_that_says_what_to_do() {
    let per_mille = || Goal::Cpm(Cpm::from_micros(2_500_000));
    let click = || Goal::Cpc(Nanos::new(400_000_000));
    let thai = |factor| by(factor, in_countries(&["THA"]));
    let rows = [
        (
            buying(Goal::Cpc(Nanos::ZERO), Some(1), vec![]),
            "what a click costs must be above 0",
        ),
        (
            buying(click(), None, vec![]),
            "highest price is missing; who buys clicks must say",
        ),
        (
            buying(click(), Some(0), vec![]),
            "highest price must be above 0",
        ),
        (
            buying(per_mille(), Some(2_499_999), vec![]),
            "highest price is below the price",
        ),
        (
            buying(per_mille(), None, vec![thai(0)]),
            "multiplier 1: by = \"0\" is no multiplier but an exclusion",
        ),
        (
            buying(per_mille(), None, vec![thai(1_100), thai(99)]),
            "multiplier 2: by must be from 0.1 to 10",
        ),
        (
            buying(per_mille(), None, vec![thai(10_001)]),
            "multiplier 1: by must be from 0.1 to 10",
        ),
        (
            buying(per_mille(), None, vec![by(2_000, Conditions::default())]),
            "multiplier 1: names nothing",
        ),
        (
            buying(per_mille(), None, vec![thai(1_100); MULTIPLIERS_MAX + 1]),
            "needs at most 16 multipliers",
        ),
        (
            buying(
                per_mille(),
                None,
                vec![by(2_000, in_countries(&["THA"; VALUES_MAX + 1]))],
            ),
            "multiplier 1: names more than 256 values",
        ),
    ];
    for (one, said) in rows {
        let faults: Vec<String> = one.faults().iter().map(CampaignFault::to_string).collect();
        assert_eq!(faults.len(), 1, "{said}: {faults:?}");
        assert!(faults[0].starts_with(said), "{said}: {faults:?}");
    }
    let control = buying(click(), Some(CPM), vec![thai(100), thai(10_000)]);
    assert_eq!(control.faults(), []);
}
