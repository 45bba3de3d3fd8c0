//! The three folders: one file is one advertiser, creative or campaign, and its name is its id.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;
use std::sync::Arc;

use super::{advertiser, campaign, creative};
use crate::campaign::{Advertiser, Campaign, Creative, Rates};
use crate::config::faults::Findings;
use crate::config::kinds::ID;
use crate::config::near::nearest;
use crate::config::reader::Reader;
use crate::config::settings::{Exchange, SegmentList, Settings};
use crate::config::source::{Source, list};
use crate::units::{AdvertiserKey, CampaignKey, Cpm, CreativeKey};

/// The most campaigns, and the most advertisers and creatives too: what the index of the catalogue was measured with.
pub const CAMPAIGNS_MAX: usize = 100_000;

/// In larger folders nobody is told what they meant: each of many faults would be compared with each of many names.
const HINTED_MAX: usize = 1_000;

/// What campaigns may refer to. `None` where it could not be read, and then nothing is said about it.
#[derive(Default)]
pub(in crate::config) struct Places {
    pub(in crate::config) exchanges: Option<Vec<String>>,
    /// The seats of each exchange that could be read.
    pub(in crate::config) seats: Vec<(Arc<str>, Vec<Arc<str>>)>,
    pub(in crate::config) regions: Option<Vec<String>>,
    pub(in crate::config) rates: Option<Rates>,
    pub(in crate::config) max_cpm: Option<Cpm>,
    /// Our own segments.
    pub(in crate::config) segments: Option<Vec<String>>,
}

impl Places {
    pub(in crate::config) fn of(settings: &Settings) -> Self {
        let name = |name: &Arc<str>| name.to_string();
        Self {
            exchanges: Some(settings.exchanges.iter().map(|e| name(&e.name)).collect()),
            seats: seats_of(&settings.exchanges),
            regions: Some(settings.regions.iter().map(|r| name(&r.name)).collect()),
            rates: Some(settings.rates.in_usd.clone()),
            max_cpm: Some(settings.fuses.max_cpm),
            segments: Some(segment_names(&settings.segments)),
        }
    }
}

/// Which seats we have where.
pub(in crate::config) fn seats_of(exchanges: &[Exchange]) -> Vec<(Arc<str>, Vec<Arc<str>>)> {
    exchanges
        .iter()
        .map(|exchange| (Arc::clone(&exchange.name), exchange.seats.clone()))
        .collect()
}

/// What our own segments are called.
pub(in crate::config) fn segment_names(lists: &[SegmentList]) -> Vec<String> {
    lists.iter().map(|list| list.name.to_string()).collect()
}

/// Says so where an exchange, a region or a segment of ours is not in `bidtree.toml`; nothing where that could not be read.
pub(super) fn check_known(reader: &Reader<'_>, key: &str, name: &str, known: Option<&[String]>) {
    let Some(known) = known else { return };
    if known.iter().any(|known| known == name) {
        return;
    }
    let hint = nearest(name, known.iter().map(String::as_str));
    let hint = hint.map_or_else(
        || format!("known are {}", known.join(", ")),
        |meant| format!("did you mean {meant}?"),
    );
    reader.fault(key, format!("{name} is not in bidtree.toml; {hint}"));
}

/// Everything that campaigns are made of.
pub(super) struct Parts<'p> {
    pub(super) places: &'p Places,
    pub(super) advertisers: Shelf<Arc<Advertiser>>,
    pub(super) creatives: Shelf<Creative>,
}

/// A folder's things by their ids; `None` for those whose own files are faulty.
pub(super) struct Shelf<T> {
    folder: &'static str,
    things: HashMap<String, Option<T>>,
}

impl<T: Clone> Shelf<T> {
    /// The thing with this id; advice where there is none. Neither if it is there and faulty.
    pub(super) fn find(&self, id: &str) -> Result<Option<T>, String> {
        self.things.get(id).cloned().ok_or_else(|| {
            let folder = self.folder;
            let few = self.things.len() <= HINTED_MAX;
            let names = self.things.keys().filter(|_| few);
            let hint = nearest(id, names.map(String::as_str));
            let hint = hint.map_or(String::new(), |meant| format!("; did you mean {meant}?"));
            format!("there is no {folder}/{id}.toml{hint}")
        })
    }
}

/// The campaigns, by id; as many as could be read.
pub(in crate::config) fn read(
    dir: &Path,
    places: &Places,
    findings: &Findings,
) -> Vec<Arc<Campaign>> {
    let parts = Parts {
        places,
        advertisers: shelf(dir, ("advertisers", &[]), findings, |source, id, path| {
            advertiser::read(source, id, path, places).map(Arc::new)
        }),
        creatives: shelf(dir, ("creatives", &["html"]), findings, creative::read),
    };
    one_key_each(&parts.advertisers, AdvertiserKey::of, dir, findings);
    one_key_each(&parts.creatives, CreativeKey::of, dir, findings);
    let campaigns = shelf(dir, ("campaigns", &[]), findings, |source, id, path| {
        campaign::read(source, id, path, &parts).map(Arc::new)
    });
    one_key_each(&campaigns, CampaignKey::of, dir, findings);
    let mut read: Vec<Arc<Campaign>> = campaigns.things.into_values().flatten().collect();
    read.sort_by(|a, b| a.id.cmp(&b.id));
    read
}

fn shelf<T>(
    dir: &Path,
    (folder, also): (&'static str, &[&str]),
    findings: &Findings,
    read: impl Fn(&Source<'_>, &str, &Path) -> Option<T>,
) -> Shelf<T> {
    let files = list(&dir.join(folder), (also, CAMPAIGNS_MAX), findings);
    let things = files
        .into_iter()
        .map(|(id, path)| {
            let source = Source::new(&path, findings);
            if (ID.parse)(&id).is_none() {
                let advice = format!("its name before .toml must be {}", ID.expects);
                source.fault("", None, advice);
            }
            let thing = read(&source, &id, &path);
            (id, thing)
        })
        .collect();
    Shelf { folder, things }
}

/// Two ids with one key would be one campaign in the journal.
fn one_key_each<T, K: Hash + Eq>(
    shelf: &Shelf<T>,
    key_of: fn(&str) -> K,
    dir: &Path,
    findings: &Findings,
) {
    let mut owners: HashMap<K, &str> = HashMap::new();
    for id in shelf.things.keys() {
        if let Some(other) = owners.insert(key_of(id), id) {
            let path = dir.join(shelf.folder).join(format!("{id}.toml"));
            let advice = format!("its name has the key of {other}; choose another name");
            Source::new(&path, findings).fault("", None, advice);
        }
    }
}
