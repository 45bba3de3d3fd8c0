//! From the goal to the price, step by step.

use super::*;

#[test]
#[expect(clippy::too_many_lines, reason = "a table with a row for each path")]
fn the_path_of_a_price_is_base_times_multipliers_up_to_the_highest() {
    let thai = || by(1_200, in_countries(&["THA"]));
    let video = || {
        let formats = vec![FormatKind::Video];
        by(
            1_500,
            Conditions {
                formats,
                ..Conditions::default()
            },
        )
    };
    let elsewhere = || by(9_000, in_countries(&["SGP"]));
    let rate = |billionths| Some(ClickRate::from_billionths(billionths));
    let per_mille = Goal::Cpm(Cpm::from_micros(2_500_000));
    let click = Goal::Cpc(Nanos::new(400_000_000));
    // goal, margin, highest, multipliers, click rate → base, factor, whether capped, value
    let rows = [
        (
            per_mille,
            0,
            None,
            vec![],
            None,
            2_500_000,
            "1",
            false,
            2_500_000,
        ),
        (
            per_mille,
            0,
            None,
            vec![thai()],
            None,
            2_500_000,
            "1.2",
            false,
            3_000_000,
        ),
        (
            per_mille,
            0,
            None,
            vec![thai(), elsewhere(), video()],
            None,
            2_500_000,
            "1.8",
            false,
            4_500_000,
        ),
        (
            per_mille,
            0,
            Some(4_000_000),
            vec![thai(), video()],
            None,
            2_500_000,
            "1.8",
            true,
            4_000_000,
        ),
        (
            per_mille,
            500,
            None,
            vec![thai()],
            None,
            2_500_000,
            "1.2",
            false,
            3_000_000,
        ),
        (
            click,
            0,
            Some(9_000_000),
            vec![],
            rate(1_000_000),
            400_000,
            "1",
            false,
            400_000,
        ),
        (
            click,
            250,
            Some(9_000_000),
            vec![],
            rate(1_000_000),
            320_000,
            "1",
            false,
            320_000,
        ),
        (
            click,
            0,
            Some(9_000_000),
            vec![thai()],
            rate(1_000_000),
            400_000,
            "1.2",
            false,
            480_000,
        ),
        (
            click,
            0,
            Some(300_000),
            vec![],
            rate(1_000_000),
            400_000,
            "1",
            true,
            300_000,
        ),
        (
            click,
            0,
            Some(9_000_000),
            vec![],
            None,
            400,
            "1",
            false,
            400,
        ),
    ];
    let categories = about(&[]);
    for (row, (goal, margin, most, multipliers, click_rate, base, factor, capped, value)) in
        rows.into_iter().enumerate()
    {
        let mut one = buying(goal, most, multipliers);
        one.margin_per_mille = margin;
        let worth = one.worth(click_rate, || moment(&categories, &[]));
        assert_eq!(worth.base.micros(), base, "row {row}");
        assert_eq!(worth.factor.to_string(), factor, "row {row}");
        assert_eq!(worth.capped_at.is_some(), capped, "row {row}");
        assert_eq!(worth.value.micros(), value, "row {row}");
    }
    let both = buying(per_mille, None, vec![thai(), elsewhere(), video()]);
    let worth = both.worth(None, || moment(&categories, &[]));
    let named: Vec<u32> = worth
        .applied
        .of(&both.multipliers)
        .map(|it| it.by_per_mille)
        .collect();
    assert_eq!(named, [1_200, 1_500], "which of them applied");
}

#[test]
fn a_product_does_not_depend_on_its_order_and_stays_within_a_hundredfold() {
    let product = |factors: &[u32]| Factor::product(factors.iter().copied());
    let tiny_first = [[100; 8], [10_000; 8]].concat();
    assert_eq!(product(&tiny_first), Factor::ONE);
    assert_eq!(product(&[10_000, 10_000, 10_000]), Factor::MAX);
    assert_eq!(product(&[100, 100, 100]), Factor::MIN);
    assert_eq!(product(&[]), Factor::ONE);
}
