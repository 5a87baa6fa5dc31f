//! Parameters, roles, the pause.

use {
    crate::fixtures::*,
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    ionet_common::calendar::DAY,
    orders::{
        constants::*,
        errors::OrdersError as E,
        state::{Config, Currency, Fault, Lease, Order, Params, Parked, Terms},
    },
};

const GUARDIAN: Address = Address::new_from_array([7; 32]);
const HEIR: Address = Address::new_from_array([8; 32]);

fn config() -> Config {
    Config { version: ACCOUNT_VERSION, params: params(), ..Config::zeroed() }
}

#[test]
fn sizes_never_change() {
    assert_eq!(core::mem::size_of::<Params>(), 56);
    assert_eq!(core::mem::size_of::<Terms>(), 56);
    assert_eq!(core::mem::size_of::<Order>(), 16 + 17 * 8 + 2 * 32 + 56 + 24);
    assert_eq!(core::mem::size_of::<Lease>(), 8 + 13 * 8 + 7 * 32 + 16 + 24);
    assert_eq!(core::mem::size_of::<Config>(), 16 + 8 * 32 + 2 * 56 + 16 + 32 + 12 * 8);
    assert_eq!(core::mem::size_of::<Fault>(), 16 + 2 * 8 + 3 * 32);
    assert_eq!(core::mem::size_of::<Parked>(), 16 + 4 * 32);
}

#[test]
fn parameters_at_and_past_their_bounds() {
    let p = params();
    for good in [
        Params { match_window: 1, accept_window: 1, settlement_lag: 0, notice: 1, exclusive: 0, ..p },
        Params { match_window: MAX_MATCH_WINDOW, accept_window: MAX_ACCEPT_WINDOW, ..p },
        Params { settlement_lag: MAX_SETTLEMENT_LAG, notice: MAX_NOTICE, ..p },
        Params { exclusive: p.match_window / 2, ..p },
        Params { renter_fee_bps: 0, supplier_fee_bps: 0, usdc_fee_bps: 0, ..p },
        Params { renter_fee_bps: MAX_RENTER_FEE_BPS, supplier_fee_bps: MAX_SUPPLIER_FEE_BPS, ..p },
        Params { usdc_fee_bps: MAX_USDC_FEE_BPS, ..p },
        Params { soon_fee_bps: MAX_URGENCY_FEE_BPS, now_fee_bps: 0, ..p },
        Params { soon_fee_bps: 0, now_fee_bps: MAX_URGENCY_FEE_BPS, ..p },
    ] {
        good.check().unwrap();
    }
    for bad in [
        Params { match_window: 0, exclusive: 0, ..p },
        Params { match_window: MAX_MATCH_WINDOW + 1, ..p },
        Params { accept_window: 0, ..p },
        Params { accept_window: MAX_ACCEPT_WINDOW + 1, ..p },
        Params { settlement_lag: MAX_SETTLEMENT_LAG + 1, ..p },
        Params { notice: 0, ..p },
        Params { notice: MAX_NOTICE + 1, ..p },
        Params { exclusive: p.match_window / 2 + 1, ..p },
        Params { match_window: 3, exclusive: 2, ..p },
        Params { renter_fee_bps: MAX_RENTER_FEE_BPS + 1, ..p },
        Params { supplier_fee_bps: MAX_SUPPLIER_FEE_BPS + 1, ..p },
        Params { usdc_fee_bps: MAX_USDC_FEE_BPS + 1, ..p },
        Params { soon_fee_bps: MAX_URGENCY_FEE_BPS + 1, ..p },
        Params { now_fee_bps: MAX_URGENCY_FEE_BPS + 1, ..p },
        Params { _pad: [0, 0, 0, 0, 0, 1], ..p },
    ] {
        refused(bad.check(), E::ParamsInvalid);
        refused(config().propose(bad, NOW), E::ParamsInvalid);
    }
}

#[test]
fn a_renters_fee_is_one_rate() {
    let p = params();
    for (currency, urgency, bps) in
        [(0, 0, 25), (0, 1, 125), (0, 2, 325), (1, 0, 225), (1, 1, 325), (1, 2, 525)]
    {
        assert_eq!(p.renter_bps(&Terms { currency, urgency, ..terms() }), Ok(bps));
    }
    refused(p.renter_bps(&Terms { urgency: 3, ..terms() }), E::WishInvalid);
    refused(p.renter_bps(&Terms { currency: 2, ..terms() }), E::CurrencyInvalid);
}

#[test]
fn a_proposal_waits_for_its_notice() {
    let mut config = config();
    let other = Params { supplier_fee_bps: 30, ..params() };
    refused(config.apply(NOW), E::NothingProposed);
    refused(config.cancel(), E::NothingProposed);
    assert_eq!(config.propose(other, NOW), Ok(NOW + 7 * DAY));
    refused(config.apply(NOW + 7 * DAY - 1), E::NoticeNotOver);
    assert_eq!(config.params, params());
    assert_eq!(config.apply(NOW + 7 * DAY), Ok(1));
    assert_eq!((config.params, config.revision, config.pending_at), (other, 1, 0));
    config.propose(params(), NOW).unwrap();
    config.cancel().unwrap();
    refused(config.apply(u64::MAX), E::NothingProposed);
    refused(config.propose(other, u64::MAX), E::Overflow);
}

#[test]
fn the_notice_stays_a_day_at_least() {
    for notice in [1, MIN_NOTICE - 1] {
        refused(config().propose(Params { notice, ..params() }, NOW), E::ParamsInvalid);
    }
    config().propose(Params { notice: MIN_NOTICE, ..params() }, NOW).unwrap();
    let mut quick = config();
    quick.params.notice = 10;
    refused(quick.propose(Params { notice: 9, ..params() }, NOW), E::ParamsInvalid);
    for notice in [10, MIN_NOTICE, MAX_NOTICE] {
        assert_eq!(quick.propose(Params { notice, ..params() }, NOW), Ok(NOW + 10));
    }
}

#[test]
fn another_admin_accepts() {
    let mut config = config();
    config.admin = GUARDIAN;
    refused(config.accept_admin(), E::NothingProposed);
    config.propose_admin(HEIR).unwrap();
    assert_eq!(config.accept_admin(), Ok(GUARDIAN));
    assert_eq!((config.admin, config.pending_admin), (HEIR, Address::default()));
    config.propose_admin(GUARDIAN).unwrap();
    config.propose_admin(Address::default()).unwrap();
    refused(config.accept_admin(), E::NothingProposed);
}

#[test]
fn another_guardian_after_the_notice() {
    let mut config = config();
    config.guardian = GUARDIAN;
    refused(config.accept_guardian(NOW), E::NothingProposed);
    assert_eq!(config.propose_guardian(HEIR, NOW), Ok(NOW + 7 * DAY));
    refused(config.accept_guardian(NOW + 7 * DAY - 1), E::GuardianNoticeNotOver);
    assert_eq!((config.guardian, config.pending_guardian), (GUARDIAN, HEIR));
    // Another proposal takes the place of the one before, and waits as long.
    assert_eq!(config.propose_guardian(GUARDIAN, NOW + 1), Ok(NOW + 1 + 7 * DAY));
    refused(config.accept_guardian(NOW + 7 * DAY), E::GuardianNoticeNotOver);
    config.propose_guardian(HEIR, NOW).unwrap();
    assert_eq!(config.accept_guardian(NOW + 7 * DAY), Ok(GUARDIAN));
    assert_eq!((config.guardian, config.pending_guardian, config.guardian_at), (HEIR, Address::default(), 0));
    // Zero withdraws, and needs no time.
    config.propose_guardian(GUARDIAN, NOW).unwrap();
    assert_eq!(config.propose_guardian(Address::default(), NOW), Ok(0));
    assert_eq!((config.pending_guardian, config.guardian_at), (Address::default(), 0));
    refused(config.propose_guardian(GUARDIAN, u64::MAX), E::Overflow);
}

#[test]
fn a_pause_is_by_operation_and_lapses() {
    let mut config = config();
    config.set_pause(PAUSE_ORDERS, NOW + MAX_PAUSE, NOW).unwrap();
    refused(config.require_running(PAUSE_ORDERS, NOW + MAX_PAUSE - 1), E::Paused);
    config.require_running(PAUSE_MATCHING, NOW).unwrap();
    config.require_running(PAUSE_ORDERS, NOW + MAX_PAUSE).unwrap();
    config.set_pause(0, 0, NOW).unwrap();
    config.require_running(PAUSE_ORDERS | PAUSE_MATCHING, NOW).unwrap();
    refused(config.set_pause(4, NOW, NOW), E::PauseMaskInvalid);
    refused(config.set_pause(1, NOW + MAX_PAUSE + 1, NOW), E::PauseTooLong);
}

#[test]
fn who_could_not_accept_is_told_apart() {
    let mut config = config();
    assert!(!config.matching_stopped_since(0));
    config.set_pause(PAUSE_ORDERS, NOW + 100, NOW).unwrap();
    assert!(!config.matching_stopped_since(0));
    // Nor was it once that pause is over.
    let mut after = config;
    after.set_pause(0, 0, NOW + 50).unwrap();
    assert!(!after.matching_stopped_since(0));
    config.set_pause(PAUSE_MATCHING, NOW + 100, NOW).unwrap();
    assert!(config.matching_stopped_since(NOW + 99) && !config.matching_stopped_since(NOW + 100));
    assert!(!config.matching_stopped_since(NOW + 101));
    // Lifted early, it stopped matching until then.
    config.set_pause(0, 0, NOW + 60).unwrap();
    assert!(config.matching_stopped_since(NOW + 59) && !config.matching_stopped_since(NOW + 60));
    // A later pause of something else, and one that lapsed by itself.
    config.set_pause(PAUSE_ORDERS, NOW + 500, NOW + 70).unwrap();
    assert!(config.matching_stopped_since(NOW + 59) && !config.matching_stopped_since(NOW + 60));
    config.set_pause(PAUSE_MATCHING | PAUSE_ORDERS, NOW + 200, NOW + 100).unwrap();
    config.set_pause(0, 0, NOW + 900).unwrap();
    assert!(config.matching_stopped_since(NOW + 199) && !config.matching_stopped_since(NOW + 200));
    // An earlier end doesn't take back a later one.
    config.set_pause(PAUSE_MATCHING, NOW + 50, NOW + 40).unwrap();
    config.set_pause(0, 0, NOW + 45).unwrap();
    assert!(config.matching_stopped_since(NOW + 199));
}

#[test]
fn it_begins_with_both_offices_filled_and_parameters_in_bounds() {
    let mut config = Config::zeroed();
    config.begin(HEIR, GUARDIAN, params()).unwrap();
    assert_eq!((config.admin, config.guardian, config.params), (HEIR, GUARDIAN, params()));
    let nobody = Address::default();
    refused(Config::zeroed().begin(nobody, GUARDIAN, params()), E::ZeroAddress);
    refused(Config::zeroed().begin(HEIR, nobody, params()), E::ZeroAddress);
    refused(Config::zeroed().begin(HEIR, GUARDIAN, Params { notice: 0, ..params() }), E::ParamsInvalid);
}

#[test]
fn each_currency_has_its_mint_and_its_fee_vault() {
    let [io_mint, usdc_mint, io_fees, usdc_fees] =
        [1, 2, 3, 4].map(|each| Address::new_from_array([each; 32]));
    let config = Config { io_mint, usdc_mint, io_fees, usdc_fees, ..config() };
    assert_eq!((config.mint(Currency::Io), config.fees(Currency::Io)), (&io_mint, &io_fees));
    assert_eq!((config.mint(Currency::Usdc), config.fees(Currency::Usdc)), (&usdc_mint, &usdc_fees));
}
