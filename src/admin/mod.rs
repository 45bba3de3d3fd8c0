//! The operator's side, over HTTP: metrics, health, the live tree, campaigns, and a few levers.
//!
//! | path | what |
//! |---|---|
//! | `GET /metrics` | Prometheus |
//! | `GET /livez`, `/readyz` | the process runs; it can bid and book |
//! | `GET /tree` | the live supervision tree as JSON, drawn with `?format=text` |
//! | `GET /alerts` | what an operator should know |
//! | `GET /campaigns` | what each campaign has spent |
//! | `POST /campaigns/reload` | reads the catalogue's files again |
//! | `GET /approvals`, `POST /approvals/<exchange>/<creative>?state=approved\|rejected\|unknown` | what exchanges think of creatives; says it |
//! | `POST /explain?exchange=<id>` | what a bid request would be answered, and why, campaign by campaign; nothing changes by it |
//! | `POST /exchanges/<id>/recover`, `/tree/<path>/recover` | tries a degraded part now |
//! | `POST /stop-all`, `/resume` | stops all bidding; lets it go on |
//! | `POST /tree/<path>/kill` | kills a child, where the configuration says `chaos = true` |
//! | `GET /fail-points`, `POST /fail-points/<name>?do=panic\|error\|stall\|off` | places that can be made to fail, and arms one, where the configuration says `chaos = true`; also `one_in`, `times`, `ms`, `id_prefix` |
//!
//! It decides nothing: each lever belongs to somebody else.

pub mod admin_listener;
mod answers;
pub mod approvals_page;
mod campaigns_page;
pub mod explain_page;
mod fail_points_page;
mod tree_page;
