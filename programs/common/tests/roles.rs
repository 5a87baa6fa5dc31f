//! Admin, guardian, pause and parameters: where each change leads, its refusals, and the edges between.

use {
    anchor_lang::prelude::Address,
    ionet_common::{
        calendar::DAY,
        notice::MIN_NOTICE,
        roles::{is_nobody, require_running, Pause, Proposal, Refusal, Roles, MAX_PAUSE},
        roles_of,
    },
};

const NOW: u64 = 1_720_000_000;
const NOTICE: u64 = 7 * DAY;
const NOBODY: Address = Address::new_from_array([0; 32]);
const ADMIN: Address = Address::new_from_array([1; 32]);
const GUARDIAN: Address = Address::new_from_array([2; 32]);
const HEIR: Address = Address::new_from_array([3; 32]);
const OTHER: Address = Address::new_from_array([4; 32]);

/// The fields as a program's config has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Office {
    admin: Address,
    pending_admin: Address,
    guardian: Address,
    pending_guardian: Address,
    guardian_at: u64,
}

impl Office {
    fn filled() -> Self {
        Office {
            admin: ADMIN,
            pending_admin: NOBODY,
            guardian: GUARDIAN,
            pending_guardian: NOBODY,
            guardian_at: 0,
        }
    }

    fn roles(&mut self) -> Roles<'_> {
        roles_of!(self)
    }
}

#[test]
fn nobody_is_zero_in_every_bit() {
    assert!(is_nobody(&NOBODY));
    for bit in 0..256 {
        let mut bytes = [0; 32];
        bytes[bit / 8] = 1 << (bit % 8);
        assert!(!is_nobody(&Address::new_from_array(bytes)), "bit {bit}");
    }
}

#[test]
fn both_offices_begin_with_somebody() {
    let empty = Office { admin: NOBODY, guardian: NOBODY, ..Office::filled() };
    for (admin, guardian) in [(NOBODY, GUARDIAN), (ADMIN, NOBODY), (NOBODY, NOBODY)] {
        let mut office = empty;
        assert_eq!(office.roles().appoint(admin, guardian), Err(Refusal::ZeroAddress));
        assert_eq!(office, empty);
    }
    let mut office = empty;
    assert_eq!(office.roles().appoint(ADMIN, GUARDIAN), Ok(()));
    assert_eq!(office, Office::filled());
}

#[test]
fn the_admin_is_handed_over_in_two_steps() {
    let mut office = Office::filled();
    assert_eq!(office.roles().accept_admin(), Err(Refusal::NothingProposed));
    office.roles().propose_admin(OTHER);
    office.roles().propose_admin(HEIR);
    assert_eq!(office, Office { pending_admin: HEIR, ..Office::filled() });
    assert_eq!(office.roles().accept_admin(), Ok(ADMIN));
    assert_eq!(office, Office { admin: HEIR, ..Office::filled() });
    assert_eq!(office.roles().accept_admin(), Err(Refusal::NothingProposed));
}

#[test]
fn a_withdrawn_admin_can_not_accept() {
    let mut office = Office::filled();
    office.roles().propose_admin(HEIR);
    office.roles().propose_admin(NOBODY);
    assert_eq!(office.roles().accept_admin(), Err(Refusal::NothingProposed));
    assert_eq!(office, Office::filled());
}

#[test]
fn another_guardian_waits_for_the_notice_to_the_second() {
    let mut office = Office::filled();
    assert_eq!(office.roles().propose_guardian(HEIR, NOTICE, NOW), Ok(NOW + NOTICE));
    let proposed = Office { pending_guardian: HEIR, guardian_at: NOW + NOTICE, ..Office::filled() };
    assert_eq!(office, proposed);
    assert_eq!(office.roles().accept_guardian(NOW + NOTICE - 1), Err(Refusal::GuardianNoticeNotOver));
    assert_eq!(office, proposed);
    assert_eq!(office.roles().accept_guardian(NOW + NOTICE), Ok(GUARDIAN));
    assert_eq!(office, Office { guardian: HEIR, ..Office::filled() });
    assert_eq!(office.roles().accept_guardian(u64::MAX), Err(Refusal::NothingProposed));
}

#[test]
fn another_proposal_begins_the_notice_anew() {
    let mut office = Office::filled();
    office.roles().propose_guardian(HEIR, NOTICE, NOW).unwrap();
    assert_eq!(office.roles().propose_guardian(HEIR, NOTICE, NOW + 1), Ok(NOW + 1 + NOTICE));
    assert_eq!(office.roles().accept_guardian(NOW + NOTICE), Err(Refusal::GuardianNoticeNotOver));
    assert_eq!(office.roles().accept_guardian(NOW + NOTICE + 1), Ok(GUARDIAN));
}

#[test]
fn a_withdrawn_guardian_can_not_accept() {
    let mut office = Office::filled();
    office.roles().propose_guardian(HEIR, NOTICE, NOW).unwrap();
    assert_eq!(office.roles().propose_guardian(NOBODY, NOTICE, NOW), Ok(0));
    assert_eq!(office, Office::filled());
    assert_eq!(office.roles().accept_guardian(NOW + NOTICE), Err(Refusal::NothingProposed));
}

#[test]
fn a_notice_past_all_time_proposes_nobody() {
    let mut office = Office::filled();
    office.roles().propose_guardian(HEIR, NOTICE, NOW).unwrap();
    let before = office;
    for pending in [OTHER, NOBODY] {
        assert_eq!(office.roles().propose_guardian(pending, 1, u64::MAX), Err(Refusal::Overflow));
        assert_eq!(office, before);
    }
}

#[test]
fn the_two_offices_do_not_touch_each_other() {
    let mut office = Office::filled();
    office.roles().propose_admin(HEIR);
    office.roles().propose_guardian(OTHER, NOTICE, NOW).unwrap();
    office.roles().accept_admin().unwrap();
    assert_eq!((office.guardian, office.pending_guardian), (GUARDIAN, OTHER));
    office.roles().propose_admin(ADMIN);
    office.roles().accept_guardian(NOW + NOTICE).unwrap();
    assert_eq!((office.admin, office.pending_admin), (HEIR, ADMIN));
}

#[test]
fn a_pause_is_of_known_operations_and_not_too_long() {
    let (mut mask, mut until) = (1, NOW);
    let mut set = |new, known, end| Pause { mask: &mut mask, until: &mut until }.set(new, known, end, NOW);
    for unknown in [4, 8, 5, u32::MAX, 1 << 31] {
        assert_eq!(set(unknown, 3, NOW), Err(Refusal::PauseMaskInvalid));
    }
    assert_eq!(set(3, 3, NOW + MAX_PAUSE + 1), Err(Refusal::PauseTooLong));
    assert_eq!(set(0, 3, u64::MAX), Err(Refusal::PauseTooLong));
    assert_eq!((mask, until), (1, NOW), "refused, yet something changed");
    for (new, end) in [(3, NOW + MAX_PAUSE), (2, NOW), (1, 0), (0, 0)] {
        assert_eq!(Pause { mask: &mut mask, until: &mut until }.set(new, 3, end, NOW), Ok(()));
        assert_eq!((mask, until), (new, end));
    }
}

#[test]
fn a_pause_stops_its_operations_until_it_lapses() {
    for (mask, operations, stopped) in
        [(0, 3, false), (1, 1, true), (1, 2, false), (1, 3, true), (2, 3, true), (3, 4, false), (3, 0, false)]
    {
        let before = require_running(mask, NOW, operations, NOW - 1);
        assert_eq!(before, if stopped { Err(Refusal::Paused) } else { Ok(()) }, "{mask} of {operations}");
        assert_eq!(require_running(mask, NOW, operations, NOW), Ok(()));
    }
}

/// Parameters as a program's config has them; here the notice is the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Terms {
    params: u64,
    pending: u64,
    pending_at: u64,
    revision: u32,
}

impl Terms {
    const NONE: Terms = Terms { params: NOTICE, pending: 0, pending_at: 0, revision: 5 };

    fn proposal(&mut self) -> Proposal<'_, u64> {
        Proposal {
            params: &mut self.params,
            pending: &mut self.pending,
            pending_at: &mut self.pending_at,
            revision: &mut self.revision,
        }
    }

    /// Proposes another notice.
    fn propose(&mut self, next: u64, now: u64) -> Result<u64, Refusal> {
        let notice = self.params;
        self.proposal().propose(next, notice, next, now)
    }
}

#[test]
fn parameters_take_the_notice_in_force_to_the_second() {
    let mut terms = Terms::NONE;
    assert_eq!(terms.propose(MIN_NOTICE, NOW), Ok(NOW + NOTICE));
    let proposed = Terms { pending: MIN_NOTICE, pending_at: NOW + NOTICE, ..Terms::NONE };
    assert_eq!(terms, proposed);
    assert_eq!(terms.proposal().apply(NOW + NOTICE - 1), Err(Refusal::NoticeNotOver));
    assert_eq!(terms, proposed);
    assert_eq!(terms.proposal().apply(NOW + NOTICE), Ok(6));
    assert_eq!(terms, Terms { params: MIN_NOTICE, pending: MIN_NOTICE, pending_at: 0, revision: 6 });
    assert_eq!(terms.proposal().apply(u64::MAX), Err(Refusal::NothingProposed));
    // What was applied is the notice of the next.
    assert_eq!(terms.propose(NOTICE, NOW), Ok(NOW + MIN_NOTICE));
}

#[test]
fn a_dropped_proposal_is_gone_and_counts_for_nothing() {
    let mut terms = Terms::NONE;
    assert_eq!(terms.proposal().cancel(), Err(Refusal::NothingProposed));
    terms.propose(MIN_NOTICE, NOW).unwrap();
    assert_eq!(terms.proposal().cancel(), Ok(()));
    assert_eq!((terms.params, terms.pending_at, terms.revision), (NOTICE, 0, 5));
    assert_eq!(terms.proposal().cancel(), Err(Refusal::NothingProposed));
    assert_eq!(terms.proposal().apply(NOW + NOTICE), Err(Refusal::NothingProposed));
}

#[test]
fn another_proposal_takes_the_place_of_the_first_and_its_notice_begins_anew() {
    let mut terms = Terms::NONE;
    terms.propose(MIN_NOTICE, NOW).unwrap();
    assert_eq!(terms.propose(NOTICE + 1, NOW + DAY), Ok(NOW + DAY + NOTICE));
    assert_eq!(terms.proposal().apply(NOW + NOTICE), Err(Refusal::NoticeNotOver));
    assert_eq!(terms.proposal().apply(NOW + DAY + NOTICE), Ok(6));
    assert_eq!(terms.params, NOTICE + 1);
}

#[test]
fn refused_parameters_leave_the_proposal_that_waits() {
    let mut terms = Terms::NONE;
    terms.propose(NOTICE + 1, NOW).unwrap();
    let before = terms;
    assert_eq!(terms.propose(MIN_NOTICE - 1, NOW), Err(Refusal::ParamsInvalid));
    assert_eq!(terms.propose(MIN_NOTICE, u64::MAX), Err(Refusal::Overflow));
    assert_eq!(terms, before);
}

#[test]
fn the_last_revision_has_no_successor() {
    let mut terms = Terms { revision: u32::MAX, ..Terms::NONE };
    terms.propose(MIN_NOTICE, NOW).unwrap();
    let before = terms;
    assert_eq!(terms.proposal().apply(NOW + NOTICE), Err(Refusal::Overflow));
    assert_eq!(terms, before);
}
