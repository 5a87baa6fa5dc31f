// A wallet by the Wallet Standard for tests: `ionetWallet({ seed, address, mode })` puts it into the page.
// Modes: signs; refuses; changes (the last byte of what it signs); adds (a memo at the end); pays (another payer's
// key in front); slow (signs once `window.release` is called); unsigned (gives it back as it was).
globalThis.ionetWallet = ({ seed, address, publicKey, mode }) => {
  const pkcs8 = Uint8Array.from([
    ...[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20],
    ...seed,
  ]);
  const account = {
    address,
    publicKey: Uint8Array.from(publicKey),
    chains: ["solana:localnet"],
    features: ["solana:signTransaction"],
  };
  const sign = async (message) => {
    const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("Ed25519", key, message));
  };
  // Memo's program: MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr.
  const MEMO = globalThis.ionetMemo ?? [];
  /** A message of version 0 with one more instruction, and its program behind the other accounts. */
  const withMemo = (message) => {
    const [, signers, readonlySigned, readonly] = message;
    const keys = message[4];
    const after = 5 + 32 * keys + 32;
    const calls = message[after];
    return Uint8Array.from([
      ...[0x80, signers, readonlySigned, readonly + 1, keys + 1],
      ...message.subarray(5, 5 + 32 * keys),
      ...MEMO,
      ...message.subarray(5 + 32 * keys, after),
      calls + 1,
      // All calls, without the count of tables at the end.
      ...message.subarray(after + 1, message.length - 1),
      ...[keys, 0, 2, 104, 105],
      0,
    ]);
  };
  const listeners = new Set();
  const wallet = {
    version: "1.0.0",
    name: "Test wallet",
    icon: "data:image/svg+xml;base64,PHN2Zy8+",
    chains: ["solana:localnet"],
    accounts: [],
    features: {
      "standard:connect": {
        version: "1.0.0",
        connect: async ({ silent } = {}) => {
          if (!silent || sessionStorage.getItem("wallet.allowed")) {
            sessionStorage.setItem("wallet.allowed", "1");
            wallet.accounts = [account];
          }
          return { accounts: wallet.accounts };
        },
      },
      "standard:disconnect": {
        version: "1.0.0",
        disconnect: async () => {
          sessionStorage.removeItem("wallet.allowed");
          wallet.accounts = [];
        },
      },
      "standard:events": {
        version: "1.0.0",
        on: (_, listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
      "solana:signTransaction": {
        version: "1.0.0",
        supportedTransactionVersions: ["legacy", 0],
        signTransaction: async ({ transaction }) => {
          globalThis.ionetAsked = (globalThis.ionetAsked ?? 0) + 1;
          if (mode === "refuses") throw new Error("the user said no");
          if (mode === "slow") await new Promise((resolve) => (globalThis.release = resolve));
          let message = transaction.slice(1 + 64 * transaction[0]);
          if (mode === "unsigned") return [{ signedTransaction: transaction }];
          if (mode === "changes") message[message.length - 2] ^= 1;
          if (mode === "adds") message = withMemo(message);
          return [{ signedTransaction: Uint8Array.from([1, ...(await sign(message)), ...message]) }];
        },
      },
    },
  };
  const register = ({ register: take }) => take(wallet);
  addEventListener("wallet-standard:app-ready", ({ detail }) => register(detail));
  dispatchEvent(new CustomEvent("wallet-standard:register-wallet", { detail: register }));
};
