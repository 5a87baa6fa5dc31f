//! SHA-256 over several slices: one syscall on chain, no copy.

/// SHA-256 of the slices joined.
#[inline(always)]
pub fn sha256v<const N: usize>(parts: &[&[u8]; N]) -> [u8; 32] {
    #[cfg(target_os = "solana")]
    {
        let mut out = core::mem::MaybeUninit::<[u8; 32]>::uninit();
        // SAFETY: `&[u8]` has the layout the syscall expects (pointer, length), `N` of them are
        // readable, and the syscall fills all 32 bytes of `out`.
        unsafe {
            anchor_lang::pinocchio::syscalls::sol_sha256(
                parts.as_ptr() as *const u8,
                N as u64,
                out.as_mut_ptr() as *mut u8,
            );
            out.assume_init()
        }
    }
    #[cfg(not(target_os = "solana"))]
    anchor_lang::prelude::sha256(&parts.concat())
}
