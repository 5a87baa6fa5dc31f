import type { Address } from "@solana/kit";

export const TOKENOMICS_PROGRAM_ADDRESS = 'EUo8NUme2md4PjYcKvcX7tNrE3GQGoJt7sYDJqfmiKcx' as Address<'EUo8NUme2md4PjYcKvcX7tNrE3GQGoJt7sYDJqfmiKcx'>;
