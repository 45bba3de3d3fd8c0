//! The campaigns: their processes, their catalogue, and what is learnt about creatives.

use std::path::Path;
use std::sync::Arc;

use super::{Ground, longest};
use crate::campaign::CatalogueStage;
use crate::campaign::approval_server::{self, ApprovalParts};
use crate::campaign::click_rate_server::{CLICK_RATES_FILE, ClickRateParts, PUBLISH_EVERY};
use crate::campaign::roster_server::{LOOK_EVERY, RosterParts};
use crate::campaign::stock_server::{Load, StockParts};
use crate::config::{self, Review, Settings};
use crate::supervision::{Address, Dynamic, Post, Stage};
use crate::units::ExchangeKey;

/// What campaigns are given.
pub struct CampaignParts {
    /// Where bids find the catalogue.
    pub catalogue: CatalogueStage,
    /// What exchanges think of creatives.
    pub approvals: ApprovalParts,
    /// What keeps a process for each campaign.
    pub roster: RosterParts,
    /// What learns how often creatives are clicked.
    pub click_rates: ClickRateParts,
    /// What stands in for what learns.
    pub idle: Stage<()>,
}

pub(super) fn build(ground: &Ground, folder: &Path) -> CampaignParts {
    let stock = StockParts {
        post: Post::new(),
        load: load(ground, folder),
        shelf: Arc::clone(&ground.shelf),
        reaper: ground.tree.reaper().clone(),
    };
    let roster = RosterParts {
        address: Address::new(),
        pool: Dynamic::new(),
        directory: ground.directory.clone(),
        shelf: Arc::clone(&ground.shelf),
        journal: ground.journal.clone(),
        hold_longest: longest(&ground.holds),
        own_limit: ground.settings.campaigns.campaign_restart_limit,
        look_every: LOOK_EVERY,
        stock,
    };
    let click_rates = ClickRateParts {
        post: ground.clicks.clone(),
        shelf: Arc::clone(&ground.shelf),
        priors: ground.settings.click_rates,
        file: ground.settings.server.data_dir.join(CLICK_RATES_FILE),
        publish_every: PUBLISH_EVERY,
        reaper: ground.tree.reaper().clone(),
        meter: Arc::clone(&ground.click_meter),
    };
    CampaignParts {
        catalogue: CatalogueStage::new(),
        approvals: approval_parts(ground),
        roster,
        click_rates,
        idle: Stage::new(),
    }
}

/// Reads the campaigns of this folder again.
fn load(ground: &Ground, folder: &Path) -> Load {
    let (folder, settings) = (folder.to_owned(), Arc::clone(&ground.settings));
    let users = ground.secrets.users;
    Arc::new(move || {
        let campaigns = config::load_catalogue(&folder, &settings).map_err(|it| it.to_string())?;
        let segments = config::load_segments(&settings, &users).map_err(|it| it.to_string())?;
        Ok((campaigns, segments))
    })
}

fn approval_parts(ground: &Ground) -> ApprovalParts {
    let folder = &ground.settings.server.data_dir;
    ApprovalParts {
        desk: ground.approvals.clone(),
        file: folder.join(approval_server::FILE_NAME),
        approval_first: approval_first(&ground.settings).into(),
        shelf: Arc::clone(&ground.shelf),
        reaper: ground.tree.reaper().clone(),
    }
}

/// Exchanges that run only what they have approved.
pub(super) fn approval_first(settings: &Settings) -> Vec<ExchangeKey> {
    let first = settings.exchanges.iter();
    let first = first.filter(|exchange| exchange.review == Review::First);
    first.map(|exchange| exchange.key).collect()
}
