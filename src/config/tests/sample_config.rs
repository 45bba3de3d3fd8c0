//! The sample that comes with the server.

use super::*;
use crate::campaign::{Format, Reach};

pub(super) fn sample() -> Config {
    let dir = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config"));
    load(dir, []).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
pub(super) fn the_sample_has_campaigns_for_every_region_and_every_exchange() {
    let Config {
        settings,
        catalogue,
    } = sample();
    assert!(catalogue.len() >= 24, "{}", catalogue.len());
    let is_open = |campaign: &&Arc<Campaign>| {
        campaign.active && campaign.cap.is_none() && campaign.targeting.countries.is_open()
    };
    for region in &settings.regions {
        let here = |campaign: &&Arc<Campaign>| campaign.regions.includes(&region.key);
        assert!(
            catalogue.iter().filter(here).count() >= 20,
            "{}",
            region.name
        );
        let open = catalogue.iter().filter(here).filter(is_open);
        assert!(open.count() >= 6, "{}", region.name);
    }
    for exchange in &settings.exchanges {
        let here = |campaign: &&Arc<Campaign>| campaign.exchanges.includes(&exchange.key);
        assert!(catalogue.iter().filter(here).count() >= 20);
    }
    let names: Vec<&str> = settings.exchanges.iter().map(|e| &*e.name).collect();
    assert_eq!(names, ["adx", "openrtb", "xandr"]);
}

#[test]
pub(super) fn the_sample_shows_what_a_newcomer_asks_for_securely() {
    let catalogue = sample().catalogue;
    let broad = || {
        catalogue
            .iter()
            .filter(|campaign| campaign.cap.is_none() && campaign.regions == Reach::All)
            .filter(|campaign| campaign.targeting == crate::campaign::Targeting::default())
            .flat_map(|campaign| &campaign.creatives)
    };
    assert!(broad().all(|creative| creative.secure));
    for (w, h) in [
        (300, 250),
        (320, 50),
        (728, 90),
        (160, 600),
        (300, 600),
        (970, 250),
    ] {
        let found = broad().any(|creative| {
            matches!(&creative.format, Format::Banner(banner) if (banner.size.w, banner.size.h) == (w, h))
        });
        assert!(found, "{w}x{h}");
    }
    assert!(broad().any(|creative| matches!(creative.format, Format::Video(_))));
    assert!(broad().any(|creative| matches!(creative.format, Format::Native(_))));
}
