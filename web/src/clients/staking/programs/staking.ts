import type { Address } from "@solana/kit";

export const STAKING_PROGRAM_ADDRESS = 'D4pBv5fxVpoMtTBRezVr1h8HTywCY6NwvzCCkfzoPuCC' as Address<'D4pBv5fxVpoMtTBRezVr1h8HTywCY6NwvzCCkfzoPuCC'>;
