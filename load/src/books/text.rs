//! The comparison for people.

use super::{BooksRule, Finding, Row};

/// Rows that are right and shown all the same.
const RIGHT_ROWS_MAX: usize = 40;

pub(super) fn write(rows: &[Row], rule: BooksRule) -> String {
    let mut lines = vec![format!(
        "{:<28} {:>6} {:>18} {:>18} {:>18}",
        "campaign", "", "acknowledged", "booked", "sent"
    )];
    let is_right = |row: &&Row| row.finding_by(rule) == Finding::Right;
    lines.extend(
        rows.iter()
            .filter(|row| !is_right(row))
            .map(|row| line(row, rule)),
    );
    lines.extend(
        rows.iter()
            .filter(is_right)
            .take(RIGHT_ROWS_MAX)
            .map(|row| line(row, rule)),
    );
    let right = rows.iter().filter(is_right).count();
    if right > RIGHT_ROWS_MAX {
        lines.push(format!(
            "... and {} more that are right",
            right - RIGHT_ROWS_MAX
        ));
    }
    if rows.is_empty() {
        lines.push("nothing was sent and nothing booked: there is nothing to check".to_owned());
    }
    let count = |wanted| {
        rows.iter()
            .filter(|row| row.finding_by(rule) == wanted)
            .count()
    };
    lines.push(format!(
        "nanos of cost; {right} right, {} under-booked, {} over-booked\n",
        count(Finding::Under),
        count(Finding::Over)
    ));
    lines.join("\n")
}

fn line(row: &Row, rule: BooksRule) -> String {
    let finding = match row.finding_by(rule) {
        Finding::Right => "",
        Finding::Under => "  UNDER-BOOKED: an acknowledged bill is missing",
        Finding::Over => "  OVER-BOOKED: more than was ever sent",
        Finding::Unsure => "  UNSURE: a bill was sent and never acknowledged",
    };
    format!(
        "{:<28} {:>6} {:>18} {:>18} {:>18}{finding}",
        row.campaign, row.currency, row.acknowledged, row.booked, row.sent
    )
}
