use {super::Config, crate::constants::MAX_OPERATORS};

/// What each operator slot voted, by its place in the list.
pub type Votes<V> = [V; MAX_OPERATORS as usize];

/// Brings `votes`, last looked at under `revision`, to the config of now: those of slots whose key has
/// changed since are dropped, all others stay, whatever else the parameters became.
pub fn carry<V: Default>(config: &Config, revision: &mut u32, votes: &mut Votes<V>) {
    let changed = config.changed_since(*revision);
    *revision = config.revision;
    if changed == 0 {
        return;
    }
    for (slot, vote) in votes.iter_mut().enumerate() {
        if changed >> slot & 1 == 1 {
            *vote = V::default();
        }
    }
}

/// How the votes stand for one of the things that can be voted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// As many as the threshold asks for voted exactly that.
    pub enough: bool,
    /// Somebody voted something else.
    pub conflict: bool,
}

/// Counts the votes for `vote`; the default value is no vote.
pub fn tally<V: Default + PartialEq>(config: &Config, votes: &Votes<V>, vote: &V) -> Tally {
    let none = V::default();
    let (mut equal, mut conflict) = (0, false);
    for each in votes.iter().take(config.params.operator_count as usize) {
        if *each == none {
            continue;
        }
        if each == vote {
            equal += 1u32;
        } else {
            conflict = true;
        }
    }
    Tally { enough: equal >= config.params.threshold as u32, conflict }
}
