//! Slashes: operators vote on evidence, the supplier appeals, the guardian may veto, and what stands is burned.

mod appeal_slash;
mod execute_slash;
mod veto_slash;
mod vote_slash;

pub use {appeal_slash::*, execute_slash::*, veto_slash::*, vote_slash::*};

use super::{minimum_of, now};
