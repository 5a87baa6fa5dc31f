import type { Address } from "@solana/kit";

export const BUYBACK_PROGRAM_ADDRESS = 'FD6ii14SfE5AHRqyvXi5pMsEabCcavJDqVa1FBbVySkn' as Address<'FD6ii14SfE5AHRqyvXi5pMsEabCcavJDqVa1FBbVySkn'>;
