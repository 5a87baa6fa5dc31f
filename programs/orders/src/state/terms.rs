use {
    crate::{constants::*, errors::OrdersError as E},
    anchor_lang::{
        bytemuck::{Pod, Zeroable},
        prelude::*,
    },
    ionet_common::{
        calendar::HOUR,
        math::{fee, mul, mul_div_floor},
    },
    staking::{
        constants::{MAX_PROCESSORS, MAX_TIER},
        state::{Currency, Price},
    },
};

/// What a renter asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
#[repr(C)]
pub struct Terms {
    /// Most that a processor may cost for an hour, base units of the currency.
    pub price: u64,
    /// Hours of every lease, before extensions.
    pub hours: u32,
    /// Devices wanted.
    pub devices: u16,
    /// Processors that each device has.
    pub processors: u8,
    /// Lowest connectivity tier, 1 to 4.
    pub min_tier: u8,
    /// 0 IO, 1 USDC.
    pub currency: u8,
    /// 0 ordinary, 1 soon, 2 now: a better place in the operators' queue, for a higher fee.
    pub urgency: u8,
    /// 1 when all devices must be in one country.
    pub colocated: u8,
    /// How many of `classes` count.
    pub class_count: u8,
    /// How many of `countries` count; none means any country.
    pub country_count: u8,
    pub _pad: u8,
    /// A gang of at least so many devices runs, or none; 1 when each is of use alone.
    pub min_devices: u16,
    /// Classes that a device may be of, zeros after the last.
    pub classes: [u16; MAX_CLASSES as usize],
    /// Countries that a device may be in, each two ASCII capital letters, ISO 3166-1: the bytes 67, 72 are `CH`; zeros
    /// after the last.
    pub countries: [[u8; 2]; MAX_COUNTRIES as usize],
}

// SAFETY: repr(C), every field is plain data, and the fields leave no gap.
unsafe impl Zeroable for Terms {}
unsafe impl Pod for Terms {}

impl Terms {
    /// The currency.
    pub fn currency(&self) -> Result<Currency> {
        match self.currency {
            0 => Ok(Currency::Io),
            1 => Ok(Currency::Usdc),
            _ => Err(E::CurrencyInvalid.into()),
        }
    }

    /// Classes that a device may be of.
    pub fn classes(&self) -> &[u16] {
        self.classes.get(..self.class_count as usize).unwrap_or(&[])
    }

    /// Countries that a device may be in; empty for any.
    pub fn countries(&self) -> &[[u8; 2]] {
        self.countries.get(..self.country_count as usize).unwrap_or(&[])
    }

    /// Whether its devices run together or not at all.
    pub fn is_gang(&self) -> bool {
        self.min_devices > 1
    }

    /// Refuses what is out of bounds.
    pub fn check(&self) -> Result<()> {
        self.currency()?;
        require!((1..=MAX_DEVICES).contains(&self.devices), E::DevicesInvalid);
        require!((1..=self.devices).contains(&self.min_devices), E::DevicesInvalid);
        require!((1..=MAX_PROCESSORS).contains(&self.processors), E::ProcessorsInvalid);
        require!((1..=MAX_HOURS).contains(&self.hours), E::HoursInvalid);
        require!((1..=MAX_TIER).contains(&self.min_tier), E::TierInvalid);
        require!(self.urgency <= MAX_URGENCY && self.colocated <= 1, E::WishInvalid);
        require!(self._pad == 0, E::WishInvalid);
        require!(self.price > 0, E::PriceInvalid);
        require!((1..=MAX_CLASSES).contains(&self.class_count), E::ClassesInvalid);
        let (some, none) = self.classes.split_at(self.class_count as usize);
        require!(distinct(some) && none.iter().all(|each| *each == 0), E::ClassesInvalid);
        require!(self.country_count <= MAX_COUNTRIES, E::CountriesInvalid);
        let (some, none) = self.countries.split_at(self.country_count as usize);
        let named = some.iter().flatten().all(u8::is_ascii_uppercase);
        require!(named && distinct(some), E::CountriesInvalid);
        require!(none.iter().all(|each| *each == [0; 2]), E::CountriesInvalid);
        Ok(())
    }

    /// What a device costs for an hour at `price` for each processor, base units.
    pub fn rate(&self, price: u64) -> Result<u64> {
        Ok(mul(price, self.processors as u64).ok_or(E::Overflow)?)
    }
}

/// What a lease costs, for a processor and hour, base units: the network's price, whatever the device asks, as
/// long as it asks no more. A price that operators haven't renewed for a day binds nobody: then it is the ask,
/// within the class's bounds. A renter's most says yes or no and never sets it.
pub fn price_of(market: &Price, ask: u64, most: u64) -> Result<u64> {
    require!(ask > 0, E::NotLet);
    require!(market.amount > 0, E::NotPriced);
    let price = if market.stale {
        require!((market.low..=market.high).contains(&ask), E::AskOutOfBounds);
        ask
    } else {
        require!(ask <= market.amount, E::AskTooHigh);
        market.amount
    };
    require!(price <= most, E::PriceTooHigh);
    Ok(price)
}

/// What `hours` at `rate` for each cost, base units.
pub fn principal(rate: u64, hours: u32) -> Result<u64> {
    Ok(mul(rate, hours as u64).ok_or(E::Overflow)?)
}

/// A principal and the renter's fee of `bps` on it, rounded up, base units.
pub fn with_fee(principal: u64, bps: u16) -> Result<u64> {
    let fee = fee(principal, bps).ok_or(E::Overflow)?;
    Ok(principal.checked_add(fee).ok_or(E::Overflow)?)
}

/// What `seconds` at `rate` for an hour earn, base units, rounded down.
pub fn earned(rate: u64, seconds: u64) -> Result<u64> {
    Ok(mul_div_floor(rate, seconds, HOUR).ok_or(E::Overflow)?)
}

fn distinct<T: PartialEq>(values: &[T]) -> bool {
    values.iter().enumerate().all(|(i, each)| !values[..i].contains(each))
}
