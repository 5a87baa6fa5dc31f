//! Votes on faults.

use {
    crate::fixtures::*,
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    orders::{errors::OrdersError as E, state::Fault},
    staking::{constants::MAX_OPERATORS, state::Config as StakingConfig},
};

const NUMBER: u64 = 4;

/// Staking's config under `revision`, with the slots whose key changed, and when.
fn operators(revision: u32, threshold: u8, changed: &[(usize, u32)]) -> StakingConfig {
    let mut config = StakingConfig { revision, ..StakingConfig::zeroed() };
    config.params.threshold = threshold;
    for (slot, since) in changed {
        config.slot_since[*slot] = *since;
    }
    config
}

/// On lease [`NUMBER`] of a device registered at [`NOW`].
fn fault() -> Fault {
    Fault { number: NUMBER, registered_at: NOW, ..Fault::zeroed() }
}

#[track_caller]
fn votes(fault: &mut Fault, operators: &StakingConfig, operator: usize) -> Result<bool> {
    fault.vote(operators, operator, NUMBER, NOW)
}

#[test]
fn votes_count_once() {
    let (mut fault, three) = (fault(), operators(0, 3, &[]));
    assert_eq!(votes(&mut fault, &three, 0), Ok(false));
    refused(votes(&mut fault, &three, 0), E::AlreadyVoted);
    assert_eq!(votes(&mut fault, &three, 2), Ok(false));
    assert_eq!(votes(&mut fault, &three, MAX_OPERATORS as usize - 1), Ok(true));
    assert_eq!(fault.votes, 0b1000_0000_0101);
    refused(votes(&mut fault, &three, 1), E::FaultDecided);
    refused(votes(&mut Fault::zeroed(), &three, 16), E::NotOperator);
}

#[test]
fn a_change_of_parameters_voids_no_vote() {
    let mut fault = fault();
    assert_eq!(votes(&mut fault, &operators(0, 3, &[]), 0), Ok(false));
    assert_eq!(votes(&mut fault, &operators(1, 3, &[]), 1), Ok(false));
    assert_eq!(fault.revision, 1);
    refused(votes(&mut fault, &operators(2, 3, &[]), 1), E::AlreadyVoted);
    assert_eq!(votes(&mut fault, &operators(3, 3, &[]), 2), Ok(true));
    refused(votes(&mut fault, &operators(4, 3, &[(0, 4)]), 3), E::FaultDecided);
}

#[test]
fn another_key_in_a_slot_voids_that_slots_vote_alone() {
    let mut fault = fault();
    for operator in 0..3 {
        assert_eq!(votes(&mut fault, &operators(5, 4, &[(0, 5)]), operator), Ok(false));
    }
    // Slot 1 changed at revision 6: one of the four is missing.
    assert_eq!(votes(&mut fault, &operators(6, 4, &[(0, 5), (1, 6)]), 3), Ok(false));
    assert_eq!(fault.votes, 0b1101);
    refused(votes(&mut fault, &operators(6, 4, &[(0, 5), (1, 6)]), 2), E::AlreadyVoted);
    // The one with the new key votes for itself.
    assert_eq!(votes(&mut fault, &operators(6, 4, &[(0, 5), (1, 6)]), 1), Ok(true));
}

#[test]
fn who_voted_already_decides_where_the_threshold_was_lowered() {
    let mut fault = fault();
    votes(&mut fault, &operators(0, 3, &[]), 0).unwrap();
    votes(&mut fault, &operators(0, 3, &[]), 1).unwrap();
    assert_eq!(votes(&mut fault, &operators(1, 2, &[]), 1), Ok(true));
    // So does one of more than are needed by then.
    let mut fault = self::fault();
    for operator in 0..3 {
        votes(&mut fault, &operators(0, 4, &[]), operator).unwrap();
    }
    assert_eq!(votes(&mut fault, &operators(1, 2, &[]), 0), Ok(true));
}

#[test]
fn votes_on_an_earlier_lease_of_the_address_are_void() {
    let two = operators(0, 2, &[]);
    for (number, registered_at) in [(NUMBER + 1, NOW), (NUMBER, NOW + 1)] {
        let mut fault = fault();
        votes(&mut fault, &two, 0).unwrap();
        assert_eq!(fault.vote(&two, 1, number, registered_at), Ok(false));
        assert_eq!((fault.number, fault.registered_at, fault.votes), (number, registered_at, 0b10));
        // One that was decided can be decided again for the other lease.
        assert_eq!(fault.vote(&two, 0, number, registered_at), Ok(true));
        assert_eq!(votes(&mut fault, &two, 0), Ok(false));
    }
}
