// @solana/kit against a node: `node transfers_kit.cjs FOLDER RPC NOTICES`. An airdrop, transfers in both formats of
// transactions, each confirmed by a notice, and refusals. Prints what it found as JSON; amounts are lamports.
const { createRequire } = require("node:module");
const path = require("node:path");

const [folder, url, notices] = process.argv.slice(2);
const kit = createRequire(path.join(path.resolve(folder), "package.json"))("@solana/kit");
const rpc = kit.createSolanaRpc(url);
const rpcSubscriptions = kit.createSolanaRpcSubscriptions(notices);
const confirm = kit.sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions });
const airdrop = kit.airdropFactory({ rpc, rpcSubscriptions });
const SYSTEM = kit.address("11111111111111111111111111111111");

/** The system program's transfer. */
function transfer(from, to, lamports) {
  const data = kit.getStructEncoder([["kind", kit.getU32Encoder()], ["lamports", kit.getU64Encoder()]]);
  return {
    programAddress: SYSTEM,
    accounts: [
      { address: from.address, role: kit.AccountRole.WRITABLE_SIGNER, signer: from },
      { address: to, role: kit.AccountRole.WRITABLE },
    ],
    data: data.encode({ kind: 2, lamports }),
  };
}

async function signed(version, payer, blockhash, ...instructions) {
  const message = kit.pipe(
    kit.createTransactionMessage({ version }),
    (each) => kit.setTransactionMessageFeePayerSigner(payer, each),
    (each) => kit.setTransactionMessageLifetimeUsingBlockhash(blockhash, each),
    (each) => kit.appendTransactionMessageInstructions(instructions, each),
  );
  return kit.signTransactionMessageWithSigners(message);
}

const balance = async (address) => String((await rpc.getBalance(address, { commitment: "confirmed" }).send()).value);
const newest = async () => (await rpc.getLatestBlockhash().send()).value;
const words = (error) => [String(error.message), error.cause && String(error.cause.message)].filter(Boolean);

async function main() {
  const found = {};
  const payer = await kit.generateKeyPairSigner();
  const friend = (await kit.generateKeyPairSigner()).address;
  await airdrop({
    commitment: "confirmed",
    lamports: kit.lamports(2_000_000_000n),
    recipientAddress: payer.address,
  });
  found.airdropped = await balance(payer.address);
  for (const [name, version, lamports] of [["v0", 0, 500_000_000n], ["legacy", "legacy", 250_000_000n]]) {
    const made = await signed(version, payer, await newest(), transfer(payer, friend, lamports));
    await confirm(made, { commitment: "confirmed" });
    const signature = kit.getSignatureFromTransaction(made);
    const { value } = await rpc.getSignatureStatuses([signature]).send();
    const landed = await rpc
      .getTransaction(signature, { commitment: "confirmed", encoding: "json", maxSupportedTransactionVersion: 0 })
      .send();
    found[name] = { error: value[0].err, fee: String(landed.meta.fee), version: landed.version };
  }
  found.left = await balance(payer.address);
  found.friend = await balance(friend);
  const much = await signed(0, payer, await newest(), transfer(payer, friend, 5_000_000_000n));
  await confirm(much, { commitment: "confirmed" }).catch((error) => (found.too_much = words(error)));
  const old = { blockhash: kit.blockhash("11111111111111111111111111111111"), lastValidBlockHeight: 1n };
  const expired = kit.getBase64EncodedWireTransaction(await signed(0, payer, old, transfer(payer, friend, 1n)));
  await rpc
    .sendTransaction(expired, { encoding: "base64" })
    .send()
    .catch((error) => (found.expired = words(error)));
  found.afterwards = await balance(payer.address);
  console.log(JSON.stringify(found));
}

main();
