//! What an operator states beside its votes.

mod post;

pub use post::*;

use super::unix_time;
