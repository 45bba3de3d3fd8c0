//! Where placements are: sites and apps under names that lead nowhere.

use serde_json::{Value, json};

use super::country::Country;
use super::population::AppStore;
use super::shape::Shape;
use crate::rng::Rng;

/// What a site or an app is about.
struct Topic {
    word: &'static str,
    category: &'static str,
}

const TOPIC: Topic = Topic {
    word: "news",
    category: "IAB12",
};
const TOPICS: &[Topic] = &[
    TOPIC,
    Topic {
        word: "sport",
        category: "IAB17",
    },
    Topic {
        word: "games",
        category: "IAB9-30",
    },
    Topic {
        word: "travel",
        category: "IAB20",
    },
    Topic {
        word: "recipes",
        category: "IAB8-5",
    },
    Topic {
        word: "cars",
        category: "IAB2",
    },
    Topic {
        word: "phones",
        category: "IAB19-6",
    },
    Topic {
        word: "money",
        category: "IAB13",
    },
];

/// A site.
pub(super) fn site(rng: &mut Rng, shape: &Shape, country: &Country) -> Value {
    let topic = rng.pick(TOPICS).unwrap_or(&TOPIC);
    let domain = format!("{}-{}.example", topic.word, rng.below(60));
    json!({
        "id": format!("site-{domain}"),
        "domain": domain,
        "cat": [topic.category],
        "page": format!("https://{domain}/{}/{}", topic.word, rng.below(10_000)),
        "ref": "https://search.example/",
        "mobile": shape.flag(true),
        "publisher": {"id": (1000 + rng.below(200)).to_string(), "domain": domain},
        "content": {"language": country.language, "keywords": topic.word},
    })
}

/// An app from a store.
pub(super) fn app(rng: &mut Rng, store: AppStore) -> Value {
    let topic = rng.pick(TOPICS).unwrap_or(&TOPIC);
    let number = rng.below(60);
    let bundle = match store {
        AppStore::Android => format!("example.{}.app{number}", topic.word),
        AppStore::Apple => (900_000_000 + number).to_string(),
    };
    json!({
        "id": format!("app-{number}"),
        "name": format!("{} {number}", topic.word),
        "bundle": bundle,
        "domain": format!("{}-{number}.example", topic.word),
        "storeurl": format!("https://store.example/{bundle}"),
        "cat": [topic.category],
        "ver": "3.2.1",
        "publisher": {"id": (1000 + rng.below(200)).to_string()},
    })
}

/// The domain of a site that requests come from.
pub(crate) fn some_domain(rng: &mut Rng) -> String {
    let topic = rng.pick(TOPICS).unwrap_or(&TOPIC);
    format!("{}-{}.example", topic.word, rng.below(60))
}

/// The category of a site that requests come from.
pub(crate) fn some_category(rng: &mut Rng) -> &'static str {
    rng.pick(TOPICS).unwrap_or(&TOPIC).category
}
