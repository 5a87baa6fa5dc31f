// An order and a lease by Anchor's client: `node lease.cjs FOLDER IDLS KEYS RPC NOTICES`. KEYS is a folder with renter.json,
// supplier.json and worker.json, who has no SOL. A renter's order; after the minutes that are the operators' the supplier
// matches its device to it, and the worker accepts, in one transaction that three sign: the renter pays for it.
// Prints the lease and the order as the client reads them.
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");

const [folder, idls, keys, url, notices] = process.argv.slice(2);
const anchor = createRequire(path.join(path.resolve(folder), "package.json"))("@coral-xyz/anchor");
const { AnchorProvider, BN, Program, Wallet, utils } = anchor;
const { Connection, Keypair, PublicKey, Transaction, sendAndConfirmTransaction } = anchor.web3;
const read = (...names) => JSON.parse(readFileSync(path.join(...names), "utf8"));
const [renter, supplier, worker] = ["renter", "supplier", "worker"].map((each) =>
  Keypair.fromSecretKey(Uint8Array.from(read(keys, `${each}.json`))),
);
const connection = new Connection(url, { commitment: "confirmed", wsEndpoint: notices });
const provider = new AnchorProvider(connection, new Wallet(renter), { commitment: "confirmed" });
const [staking, orders] = ["staking", "orders"].map((each) => new Program(read(idls, `${each}.json`), provider));
const at = (program, ...seeds) =>
  PublicKey.findProgramAddressSync(seeds.map((each) => Buffer.from(each)), program.programId)[0];

/** What only a localnet does. */
async function advance(seconds) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ionet_advance", params: [seconds] });
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
  const { error } = await answer.json();
  if (error) throw new Error(error.message);
}

async function main() {
  const { mint } = await staking.account.config.fetch(at(staking, "config"));
  const id = new BN(1);
  const order = at(orders, "order", renter.publicKey.toBytes(), id.toArrayLike(Buffer, "le", 8));
  const device = at(staking, "device", worker.publicKey.toBytes());
  const lease = at(orders, "lease", order.toBytes(), device.toBytes());
  const kind = at(staking, "class", Buffer.from([1, 0]));
  const tokens = (owner) => utils.token.associatedAddress({ mint, owner });
  const terms = {
    ...{ price: new BN(3_00000000), hours: 10, devices: 1, minDevices: 1, processors: 4, minTier: 1 },
    ...{ currency: 0, urgency: 0, colocated: 0, classCount: 1, classes: [1, 0, 0, 0, 0, 0, 0, 0] },
    ...{ countryCount: 0, countries: Array(8).fill([0, 0]) },
  };
  await orders.methods
    .createOrder(id, terms, new BN(200_00000000))
    .accountsPartial({ class: kind, mint, renterTokens: tokens(renter.publicKey) })
    .rpc();
  const { exclusiveUntil, createdAt } = await orders.account.order.fetch(order);
  await advance(exclusiveUntil.sub(createdAt).toNumber());
  const matching = await orders.methods
    .matchDevice(new BN(0))
    .accountsPartial({
      ...{ matcher: supplier.publicKey, order, class: kind, device, worker: worker.publicKey },
      stakingEvents: at(staking, "__event_authority"),
    })
    .instruction();
  const accepting = await orders.methods
    .acceptLease()
    .accountsPartial({
      ...{ worker: worker.publicKey, order, lease, payoutTokens: tokens(supplier.publicKey) },
      config: at(orders, "config"),
    })
    .instruction();
  const both = new Transaction().add(matching, accepting);
  await sendAndConfirmTransaction(connection, both, [renter, supplier, worker]);
  const found = await orders.account.lease.fetch(lease);
  const rented = await orders.account.order.fetch(order);
  console.log(
    JSON.stringify({
      ...{ supplier: found.supplier, rate: String(found.rate), hours: found.hours, status: found.status },
      ...{ taken: rented.taken, free: String(rented.free), held: String(rented.held) },
    }),
  );
  process.exit(0); // its socket would keep it alive
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
