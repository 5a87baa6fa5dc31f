//! Orders' transitions as pure functions: where each leads, each of its refusals, the seconds on both sides of every
//! deadline; and random histories of whole orders, in which no money is lost or made.

mod config;
mod faults;
mod fixtures;
mod gangs;
mod histories;
mod leases;
mod orders;
mod terms;
mod turns;
mod wrong_books;
