import type { Address } from "@solana/kit";

export const ORDERS_PROGRAM_ADDRESS = '7BjxE8cE2vxCNTCuA2KqsnKXMbUYzNivGLQRh7BqXiFg' as Address<'7BjxE8cE2vxCNTCuA2KqsnKXMbUYzNivGLQRh7BqXiFg'>;
