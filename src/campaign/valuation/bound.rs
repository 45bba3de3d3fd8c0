//! The greatest product that a campaign's multipliers can come to.
//!
//! A request has one country, one device, one hour. So of the multipliers that name countries, only those that name the
//! same one apply together, and the greatest of such products counts; multipliers are put into groups by the first
//! dimension of that kind that they name. Those that name none (segments, sites) may all apply at once. A bound that is too
//! high costs time and never a bid; that it is low where it can be is what lets a search end early.

use super::multiplier::{Conditions, Factor, FormatKind, Multiplier};
use crate::campaign::DeviceType;
use crate::campaign::HourOfWeek;

/// The greatest product, rounded up; those that lower it may all be absent.
pub(in crate::campaign) fn greatest(multipliers: &[Multiplier]) -> Factor {
    if multipliers.is_empty() {
        return Factor::ONE;
    }
    let raising: Vec<&Multiplier> = multipliers
        .iter()
        .filter(|multiplier| multiplier.by_per_mille > 1_000)
        .collect();
    Group::ALL
        .into_iter()
        .map(|group| {
            let of_group: Vec<&Multiplier> = raising
                .iter()
                .copied()
                .filter(|multiplier| Group::of(&multiplier.when) == group)
                .collect();
            group.greatest(&of_group)
        })
        .fold(Factor::ONE, Factor::and)
}

/// The dimension by which multipliers keep others out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Countries,
    Hours,
    Exchanges,
    Devices,
    Systems,
    Languages,
    Formats,
    /// They keep nobody out.
    Together,
}

impl Group {
    const ALL: [Self; 8] = [
        Self::Countries,
        Self::Hours,
        Self::Exchanges,
        Self::Devices,
        Self::Systems,
        Self::Languages,
        Self::Formats,
        Self::Together,
    ];

    fn of(when: &Conditions) -> Self {
        if !when.countries.is_empty() {
            Self::Countries
        } else if when.hours.is_some() {
            Self::Hours
        } else if !when.exchanges.is_empty() {
            Self::Exchanges
        } else if !when.devices.is_empty() {
            Self::Devices
        } else if !when.systems.is_empty() {
            Self::Systems
        } else if !when.languages.is_empty() {
            Self::Languages
        } else if !when.formats.is_empty() {
            Self::Formats
        } else {
            Self::Together
        }
    }

    /// The greatest product of those of the group that can apply at once.
    fn greatest(self, all: &[&Multiplier]) -> Factor {
        match self {
            Self::Countries => by_value(all, |when| &when.countries),
            Self::Exchanges => by_value(all, |when| &when.exchanges),
            Self::Systems => by_value(all, |when| &when.systems),
            Self::Languages => by_value(all, |when| &when.languages),
            Self::Formats => of_each(all, FormatKind::ALL, |when, format| {
                when.formats.contains(&format)
            }),
            Self::Devices => of_each(all, DeviceType::ALL, |when, seen| {
                when.devices.iter().any(|device| device.covers(seen))
            }),
            Self::Hours => of_each(all, HourOfWeek::all(), |when, hour| {
                when.hours.is_some_and(|hours| hours.contains(hour))
            }),
            Self::Together => Factor::product_up(all.iter().map(|it| it.by_per_mille)),
        }
    }
}

fn by_value<T: Copy + PartialEq>(all: &[&Multiplier], values: fn(&Conditions) -> &[T]) -> Factor {
    let named = all.iter().flat_map(|it| values(&it.when).iter().copied());
    of_each(all, named, |when, value| values(when).contains(&value))
}

/// The greatest over these values of the product of those that hold for the value.
fn of_each<T: Copy>(
    all: &[&Multiplier],
    values: impl IntoIterator<Item = T>,
    holds: impl Fn(&Conditions, T) -> bool,
) -> Factor {
    let products = values.into_iter().map(|value| {
        let together = all.iter().filter(|it| holds(&it.when, value));
        Factor::product_up(together.map(|it| it.by_per_mille))
    });
    products.max().unwrap_or(Factor::ONE)
}
