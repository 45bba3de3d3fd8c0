//! The store: one append-only journal of movements is the truth, and everything else is a fold of it.
//!
//! | file | what |
//! |---|---|
//! | `movement` | what the journal is made of |
//! | `books` | the fold: balances, open leases, settled impressions, cap history. Pure |
//! | `journal` | segments of checksummed records, torn tails, rotation |
//! | `checkpoint` | the books in `redb`, so that a restart replays only the tail; may lag, is never required |
//! | `writer` | the one owner of all of it: decides commands in sequence, commits groups, acknowledges what is durable |
//! | `whole_file` | small files that appear whole or not at all |
//! | `journal_server`, `checkpoint_server` | the threads that run the writer, and write checkpoints |
//!
//! Money can be stranded for a while, never minted.

pub mod books;
pub mod checkpoint;
pub mod checkpoint_server;
mod codec;
#[cfg(test)]
mod fixture;
pub mod journal;
pub mod journal_server;
pub mod movement;
pub mod whole_file;
pub mod writer;

pub use codec::Malformed;
