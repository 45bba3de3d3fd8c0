//! An exchange: where its requests come in, who decides, who writes.
//!
//! Three children under `rest_for_one`, in the order of need: `connection_pool`, `bid_engine`, `serializer`.
//!
//! | file | what |
//! |---|---|
//! | `doorstep` | where accepted sockets wait for the pool; outlives it |
//! | `connection_pool` | connections, admission, and the page that calls the other two; its degraded stand-in |
//! | `bid_engine` | bytes to decision: decode, deadline, region, context, choices |
//! | `explain` | what would be answered and why, changing nothing |
//! | `region_desk` | a region as the bid path meets it: draws, caps, promises |
//! | `serializer` | decision to bytes: tokens, URLs, markup, JSON |
//! | `seats` | whose a bid is: its seat, and who stands behind it |
//! | `about` | what a bid says of its categories |
//! | `markup` | what is written into an operator's markup |
//! | `outcome` | what became of a request, for metrics |
//! | `stop_all` | the button that stops all bidding |

mod about;
pub mod bid_engine;
pub mod connection_pool;
pub mod doorstep;
pub mod explain;
mod markup;
pub mod outcome;
pub mod region_desk;
mod seats;
pub mod serializer;
pub mod stop_all;
