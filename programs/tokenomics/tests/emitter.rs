//! What the other programs know of this one without linking it, compared with its code.

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*, Discriminator},
    core::mem::offset_of,
    ionet_common::{emitter, hash::sha256v},
    tokenomics::{constants::ACCOUNT_VERSION, state::Config},
};

const DISCRIMINATOR: usize = 8;

#[test]
fn offsets_are_the_configs() {
    assert_eq!(offset_of!(Config, version), 0);
    assert_eq!(emitter::CONFIG_VERSION, ACCOUNT_VERSION);
    assert_eq!(emitter::LAUNCHED, DISCRIMINATOR + offset_of!(Config, launched));
    assert_eq!(emitter::REWARD_VAULT, DISCRIMINATOR + offset_of!(Config, reward_vault));
    assert_eq!(emitter::EMITTED, DISCRIMINATOR + offset_of!(Config, emitted));
    assert_eq!(emitter::START_MONTH, DISCRIMINATOR + offset_of!(Config, start_month));
}

#[test]
fn discriminators_are_what_the_framework_derives() {
    assert_eq!(emitter::CONFIG_DISCRIMINATOR, Config::DISCRIMINATOR);
    assert_eq!(emitter::CONFIG_DISCRIMINATOR, sha256v(&[b"account:Config"])[..8]);
    assert_eq!(emitter::EMIT_DISCRIMINATOR, sha256v(&[b"global:emit"])[..8]);
}

#[test]
fn reading_is_exact() {
    let mut config = Config { version: ACCOUNT_VERSION, ..Config::zeroed() };
    config.launched = true.into();
    config.emitted = 0x0102_0304_0506_0708;
    config.start_month = 654;
    config.reward_vault = Address::new_from_array([7; 32]);
    let mut data = emitter::CONFIG_DISCRIMINATOR.to_vec();
    data.extend_from_slice(anchor_lang::bytemuck::bytes_of(&config));
    let found = emitter::read(&data).unwrap();
    assert_eq!((found.start_month, found.emitted), (654, 0x0102_0304_0506_0708));
    assert_eq!(emitter::reward_vault(&data), Some([7; 32]));
    for cut in [0, 7, emitter::LAUNCHED, emitter::EMITTED + 7, emitter::START_MONTH + 3] {
        assert_eq!(emitter::read(&data[..cut]), None);
    }
    data[emitter::LAUNCHED] = 0;
    assert_eq!(emitter::read(&data), None);
    assert_eq!(emitter::reward_vault(&data), Some([7; 32]));
    data[emitter::LAUNCHED] = 1;
    for other in [0, DISCRIMINATOR - 1, DISCRIMINATOR] {
        let mut changed = data.clone();
        changed[other] ^= 2;
        assert!(!emitter::is_known(&changed), "byte {other}");
        assert_eq!((emitter::read(&changed), emitter::reward_vault(&changed)), (None, None));
    }
    assert!(emitter::is_known(&data) && !emitter::is_known(&data[..DISCRIMINATOR]));
}
