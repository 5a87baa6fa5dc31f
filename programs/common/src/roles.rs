//! Admin, guardian, pause and parameters: one state machine for all programs.
//!
//! Each program keeps the fields in its own config, spelled out; these views borrow them, so that what has
//! the same name behaves the same everywhere. A program turns a [`Refusal`] into its own error of that name.

use {
    crate::{calendar::DAY, notice},
    anchor_lang::prelude::Address,
};

/// A pause lapses after at most this long unless the guardian renews it, seconds.
pub const MAX_PAUSE: u64 = 7 * DAY;

/// Why a change was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An address of zero is nobody.
    ZeroAddress,
    /// No change waits.
    NothingProposed,
    /// The parameters' notice has not ended.
    NoticeNotOver,
    /// The parameters are out of bounds: the notice would fall below a day, or below the one of now.
    ParamsInvalid,
    /// The notice of another guardian has not ended.
    GuardianNoticeNotOver,
    /// One of the operations is stopped.
    Paused,
    /// The mask has bits that mean nothing.
    PauseMaskInvalid,
    /// A pause of more than [`MAX_PAUSE`].
    PauseTooLong,
    /// Past 64 bits.
    Overflow,
}

/// Whether an address is zero. One copy for all: comparing it in place takes 200 bytes each time.
#[inline(never)]
pub fn is_nobody(address: &Address) -> bool {
    let (words, _) = address.as_array().as_chunks::<8>();
    words.iter().fold(0, |any, word| any | u64::from_le_bytes(*word)) == 0
}

/// Makes a [`Refusal`] a program's error of the same name.
#[macro_export]
macro_rules! named_refusals {
    ($error:ident) => {
        impl From<$crate::roles::Refusal> for $error {
            fn from(refusal: $crate::roles::Refusal) -> Self {
                use $crate::roles::Refusal;
                match refusal {
                    Refusal::ZeroAddress => Self::ZeroAddress,
                    Refusal::NothingProposed => Self::NothingProposed,
                    Refusal::NoticeNotOver => Self::NoticeNotOver,
                    Refusal::ParamsInvalid => Self::ParamsInvalid,
                    Refusal::GuardianNoticeNotOver => Self::GuardianNoticeNotOver,
                    Refusal::Paused => Self::Paused,
                    Refusal::PauseMaskInvalid => Self::PauseMaskInvalid,
                    Refusal::PauseTooLong => Self::PauseTooLong,
                    Refusal::Overflow => Self::Overflow,
                }
            }
        }
    };
}

/// Who holds the roles, and who is proposed for them; zero for nobody.
pub struct Roles<'a> {
    pub admin: &'a mut Address,
    pub pending_admin: &'a mut Address,
    pub guardian: &'a mut Address,
    pub pending_guardian: &'a mut Address,
    /// When the proposed guardian may accept, unix seconds; 0 when there is none.
    pub guardian_at: &'a mut u64,
}

impl Roles<'_> {
    /// Fills both offices for the first time.
    pub fn appoint(&mut self, admin: Address, guardian: Address) -> Result<(), Refusal> {
        if is_nobody(&admin) || is_nobody(&guardian) {
            return Err(Refusal::ZeroAddress);
        }
        *self.admin = admin;
        *self.guardian = guardian;
        Ok(())
    }

    /// Names the next admin, in place of an earlier one; zero withdraws.
    pub fn propose_admin(&mut self, pending: Address) {
        *self.pending_admin = pending;
    }

    /// Puts the proposed admin in office. Returns the one before.
    pub fn accept_admin(&mut self) -> Result<Address, Refusal> {
        succeed(self.admin, self.pending_admin)
    }

    /// Names another guardian, in place of an earlier proposal; zero withdraws it. Returns when the proposed
    /// one may accept, unix seconds, 0 when there is none.
    ///
    /// Not at once: an admin's key in the wrong hands would replace whoever can veto what it proposes.
    pub fn propose_guardian(&mut self, pending: Address, notice: u64, now: u64) -> Result<u64, Refusal> {
        let at = now.checked_add(notice).ok_or(Refusal::Overflow)?;
        *self.guardian_at = if is_nobody(&pending) { 0 } else { at };
        *self.pending_guardian = pending;
        Ok(*self.guardian_at)
    }

    /// Puts the proposed guardian in office, once the notice is over. Returns the one before.
    pub fn accept_guardian(&mut self, now: u64) -> Result<Address, Refusal> {
        if now < *self.guardian_at {
            return Err(Refusal::GuardianNoticeNotOver);
        }
        let from = succeed(self.guardian, self.pending_guardian)?;
        *self.guardian_at = 0;
        Ok(from)
    }
}

fn succeed(role: &mut Address, pending: &mut Address) -> Result<Address, Refusal> {
    if is_nobody(pending) {
        return Err(Refusal::NothingProposed);
    }
    let to = core::mem::take(pending);
    Ok(core::mem::replace(role, to))
}

/// The operations that the guardian stopped, by bit, and when that lapses by itself, unix seconds.
pub struct Pause<'a> {
    pub mask: &'a mut u32,
    pub until: &'a mut u64,
}

impl Pause<'_> {
    /// Stops the operations of `mask` until `until`, all of them among `known`; a mask of 0 lifts the pause.
    pub fn set(&mut self, mask: u32, known: u32, until: u64, now: u64) -> Result<(), Refusal> {
        if mask & !known != 0 {
            return Err(Refusal::PauseMaskInvalid);
        }
        if until.saturating_sub(now) > MAX_PAUSE {
            return Err(Refusal::PauseTooLong);
        }
        *self.mask = mask;
        *self.until = until;
        Ok(())
    }
}

/// Refuses while one of `operations` is among the stopped ones of `mask` and `now` is before `until`.
pub const fn require_running(mask: u32, until: u64, operations: u32, now: u64) -> Result<(), Refusal> {
    if mask & operations != 0 && now < until {
        Err(Refusal::Paused)
    } else {
        Ok(())
    }
}

/// Parameters in force, those proposed, and when these may be applied, unix seconds; 0 when there are none.
pub struct Proposal<'a, P> {
    pub params: &'a mut P,
    pub pending: &'a mut P,
    pub pending_at: &'a mut u64,
    /// Raised whenever the parameters change.
    pub revision: &'a mut u32,
}

impl<P: Copy> Proposal<'_, P> {
    /// Proposes parameters, in place of an earlier proposal, in force `notice` seconds later; `next_notice` is
    /// the notice that they bring. The caller has checked their other bounds.
    pub fn propose(&mut self, next: P, notice: u64, next_notice: u64, now: u64) -> Result<u64, Refusal> {
        if !notice::may_become(notice, next_notice) {
            return Err(Refusal::ParamsInvalid);
        }
        *self.pending_at = now.checked_add(notice).ok_or(Refusal::Overflow)?;
        *self.pending = next;
        Ok(*self.pending_at)
    }

    /// Drops the proposal: the guardian's veto.
    pub fn cancel(&mut self) -> Result<(), Refusal> {
        if *self.pending_at == 0 {
            return Err(Refusal::NothingProposed);
        }
        *self.pending_at = 0;
        Ok(())
    }

    /// Puts the proposal in force, once its notice is over. Returns the revision.
    pub fn apply(&mut self, now: u64) -> Result<u32, Refusal> {
        if *self.pending_at == 0 {
            return Err(Refusal::NothingProposed);
        }
        if now < *self.pending_at {
            return Err(Refusal::NoticeNotOver);
        }
        *self.revision = self.revision.checked_add(1).ok_or(Refusal::Overflow)?;
        *self.params = *self.pending;
        *self.pending_at = 0;
        Ok(*self.revision)
    }
}

/// The [`Roles`] of a config, which has fields of these names.
#[macro_export]
macro_rules! roles_of {
    ($config:expr) => {
        $crate::roles::Roles {
            admin: &mut $config.admin,
            pending_admin: &mut $config.pending_admin,
            guardian: &mut $config.guardian,
            pending_guardian: &mut $config.pending_guardian,
            guardian_at: &mut $config.guardian_at,
        }
    };
}

/// The [`Pause`] of a config, which has fields of these names.
#[macro_export]
macro_rules! pause_of {
    ($config:expr) => {
        $crate::roles::Pause { mask: &mut $config.pause_mask, until: &mut $config.pause_until }
    };
}

/// The [`Proposal`] of a config, which has fields of these names.
#[macro_export]
macro_rules! proposal_of {
    ($config:expr) => {
        $crate::roles::Proposal {
            params: &mut $config.params,
            pending: &mut $config.pending,
            pending_at: &mut $config.pending_at,
            revision: &mut $config.revision,
        }
    };
}
