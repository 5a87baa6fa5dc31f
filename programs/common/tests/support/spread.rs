//! Inputs that look random and are the same in every run.

/// Splitmix64: the same spread of inputs in every run.
pub struct Spread(pub u64);

#[allow(dead_code)] // no crate's tests use all of it
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

    /// A number from 0 to below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// One of `some`.
    pub fn one_of<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.next() as usize % some.len()]
    }
}
