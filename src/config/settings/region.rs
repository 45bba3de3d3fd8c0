//! The `[regions]` of `bidtree.toml`.

use std::collections::BTreeMap;

use super::{Region, rules};
use crate::campaign::Country;
use crate::config::keys;
use crate::config::kinds::{COUNTRY, ID};
use crate::config::reader::Reader;
use crate::units::RegionKey;

/// Over 3 in 10 s the region is closed.
const LIMIT: (u32, u64) = (3, 10);

/// Every region; the names of all that are there.
pub(super) fn read(top: &mut Reader<'_>) -> (Vec<Region>, Vec<String>) {
    let mut regions = Vec::new();
    let mut owners: BTreeMap<Country, String> = BTreeMap::new();
    for (name, mut reader) in top.named("regions", &ID, &[keys::REGION]) {
        let is_silent = !reader.has("countries");
        let region = Region {
            key: RegionKey::of(&name),
            countries: reader.list("countries", &COUNTRY),
            rest: reader.flag("rest", false),
            restart_limit: rules::restart_limit(&mut reader, LIMIT),
            probation: rules::probation(&mut reader),
            name: name.as_str().into(),
        };
        if is_silent && !region.rest {
            reader.fault(
                "countries",
                "missing; name at least one, or say rest = true",
            );
        }
        for country in &region.countries {
            match owners.get(country) {
                Some(owner) => {
                    let code = country.alpha3();
                    let advice = format!("{code} is already in region {owner}; leave it in one");
                    reader.fault("countries", advice);
                }
                None => {
                    owners.insert(*country, name.clone());
                }
            }
        }
        regions.push(region);
    }
    let rest: Vec<&str> = regions
        .iter()
        .filter(|region| region.rest)
        .map(|region| &*region.name)
        .collect();
    match *rest {
        [_] => {}
        [] => top.fault(
            "regions",
            "no region is for the rest of the world; say rest = true in one",
        ),
        _ => {
            let advice = format!("{} all say rest = true; exactly one may", rest.join(", "));
            top.fault("regions", advice);
        }
    }
    let names = regions.iter().map(|region| region.name.to_string());
    let names = names.collect();
    (regions, names)
}
