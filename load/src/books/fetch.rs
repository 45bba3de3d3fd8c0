//! Asks a bidder's admin server what it booked.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::HOST;
use serde::Deserialize;

use super::{ALL_CURRENCIES, Books, BooksError, Charges};
use crate::clock;
use crate::wire::{Pool, Target};

/// How long the admin server may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The page, which has more fields than these.
#[derive(Deserialize)]
#[serde(untagged)]
enum Page {
    List(Vec<Campaign>),
    Object { campaigns: Vec<Campaign> },
}

#[derive(Deserialize)]
struct Campaign {
    id: String,
    /// Cost by currency.
    cost_nanos: Option<BTreeMap<String, i64>>,
    /// Cost in all, where currencies are not told apart.
    billed_cost_nanos: Option<i64>,
    /// What it was charged in its own currency: in all, and today.
    billed_nanos: Option<i64>,
    billed_today_nanos: Option<i64>,
    impressions: Option<u64>,
}

/// Fetches `GET /campaigns`. Must be called inside `tasks::run`.
///
/// # Errors
/// [`BooksError::Fetch`] where it does not tell.
pub async fn fetch(admin: &Target) -> Result<Books, BooksError> {
    let page = admin.with_path("/campaigns");
    let place = format!("http://{}{}", page.authority, page.path);
    let error = |why: String| BooksError::Fetch(place.clone(), why);
    let request = Request::get(page.path.as_str())
        .header(HOST, page.authority.as_str())
        .body(Full::new(Bytes::new()))
        .map_err(|found| error(found.to_string()))?;
    let pool = Pool::new(&page.authority, 1);
    let sending = pool.send(request);
    let answer = clock::before(clock::now() + ANSWER_WITHIN, sending)
        .await
        .ok_or_else(|| error("no answer".to_owned()))?
        .map_err(|found| error(found.to_string()))?;
    if !answer.status.is_success() {
        return Err(error(format!("status {}", answer.status)));
    }
    read(&answer.body).map_err(|found| error(found.to_string()))
}

pub(super) fn read(body: &[u8]) -> serde_json::Result<Books> {
    let campaigns = match serde_json::from_slice(body)? {
        Page::List(campaigns) | Page::Object { campaigns } => campaigns,
    };
    let mut books = Books::default();
    for campaign in campaigns {
        let costs = campaign.cost_nanos.unwrap_or_else(|| {
            let sum = campaign.billed_cost_nanos.unwrap_or(0);
            BTreeMap::from([(ALL_CURRENCIES.to_owned(), sum)])
        });
        if let Some(total_nanos) = campaign.billed_nanos {
            let today_nanos = campaign.billed_today_nanos.unwrap_or(0);
            let charges = Charges {
                total_nanos,
                today_nanos,
            };
            books.charges.insert(campaign.id.clone(), charges);
        }
        if let Some(impressions) = campaign.impressions {
            books.impressions.insert(campaign.id.clone(), impressions);
        }
        books.campaigns.insert(campaign.id, costs);
    }
    Ok(books)
}
