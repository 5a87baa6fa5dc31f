//! Inputs that look random and are the same in every run.

/// Splitmix64: the same spread of inputs in every run.
pub struct Spread(pub u64);

impl Spread {
    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Any number of bits equally likely: small figures are as interesting as large ones.
    pub fn any(&mut self) -> u64 {
        let shift = self.next() % 64;
        self.next() >> shift
    }
}
