//! Faults: voted for, closed.

mod close_fault;
mod vote_fault;

pub use {close_fault::*, vote_fault::*};
