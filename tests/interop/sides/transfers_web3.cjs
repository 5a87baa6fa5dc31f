// @solana/web3.js 1 against a node: `node transfers_web3.cjs FOLDER RPC NOTICES`. An airdrop, transfers in both formats
// of transactions, confirmed and heard of, an account that is emptied, and a refusal. Prints JSON; amounts are lamports.
const { createRequire } = require("node:module");
const path = require("node:path");

const [folder, url, notices] = process.argv.slice(2);
const web3 = createRequire(path.join(path.resolve(folder), "package.json"))("@solana/web3.js");
const { Keypair, SystemProgram, Transaction, TransactionMessage, VersionedTransaction } = web3;
const connection = new web3.Connection(url, { commitment: "confirmed", wsEndpoint: notices });

/** What is heard until `count` notices have come; `listen` takes the listener. */
function heard(count, listen) {
  return new Promise((resolve) => {
    const all = [];
    listen((each) => all.push(each) === count && resolve(all));
  });
}

/** A listener is in place once another subscription of the same socket has been answered. */
async function settled() {
  await new Promise((resolve) => {
    const id = connection.onSlotChange(() => connection.removeSlotChangeListener(id).then(resolve));
  });
}

async function main() {
  const found = {};
  const [payer, friend] = [Keypair.generate(), Keypair.generate()];
  const given = await connection.requestAirdrop(payer.publicKey, 2_000_000_000);
  await connection.confirmTransaction({ signature: given, ...(await connection.getLatestBlockhash()) });
  found.airdropped = await connection.getBalance(payer.publicKey);

  const changes = heard(3, (listener) =>
    connection.onAccountChange(friend.publicKey, (account) => listener(account.lamports), { commitment: "confirmed" }),
  );
  const logs = heard(3, (listener) => connection.onLogs(friend.publicKey, (each) => listener(each.signature), "confirmed"));
  await settled();

  const to = (lamports) =>
    SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: friend.publicKey, lamports });
  const signatures = [];
  const legacy = new Transaction().add(to(250_000_000));
  signatures.push(await web3.sendAndConfirmTransaction(connection, legacy, [payer]));
  const blockhash = await connection.getLatestBlockhash();
  const message = new TransactionMessage({
    payerKey: payer.publicKey,
    recentBlockhash: blockhash.blockhash,
    instructions: [to(500_000_000)],
  });
  const v0 = new VersionedTransaction(message.compileToV0Message());
  v0.sign([payer]);
  signatures.push(await connection.sendTransaction(v0));
  await connection.confirmTransaction({ signature: signatures[1], ...blockhash });
  found.friend = await connection.getBalance(friend.publicKey);

  // Emptied: who listens gets an account without lamports, never nothing.
  const back = new Transaction({ feePayer: payer.publicKey }).add(
    SystemProgram.transfer({ fromPubkey: friend.publicKey, toPubkey: payer.publicKey, lamports: 750_000_000 }),
  );
  signatures.push(await web3.sendAndConfirmTransaction(connection, back, [payer, friend]));
  found.emptied = await connection.getAccountInfo(friend.publicKey);
  found.left = await connection.getBalance(payer.publicKey);
  found.changes = await changes;
  found.logs = (await logs).map((each) => signatures.indexOf(each));
  const listed = await connection.getSignaturesForAddress(friend.publicKey, {}, "confirmed");
  found.listed = listed.map((each) => signatures.indexOf(each.signature));
  const whole = await connection.getTransaction(signatures[1], { maxSupportedTransactionVersion: 0 });
  found.whole = { version: whole.version, fee: whole.meta.fee, moved: whole.meta.postBalances[1] - whole.meta.preBalances[1] };

  const refused = await connection
    .sendTransaction(new Transaction().add(to(5_000_000_000)), [payer])
    .catch((error) => error);
  found.refused = { logs: refused.logs, message: refused.transactionMessage };
  console.log(JSON.stringify(found));
  process.exit(0); // its socket would keep it alive
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
