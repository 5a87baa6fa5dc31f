/**
 * Which accounts of a call have to be given to a client, beside the signers and the arguments.
 *
 * `resolve` takes the given ones by name, and gives the addresses that the client then has by name: null for
 * one that it doesn't know, nothing for one that it will only look for once it knows others. Answers
 * {given: those that it takes, wrong: those of them that it finds otherwise, but another address}.
 */
async function scene(question, resolve) {
  const right = Object.fromEntries(question.slots.map((slot, i) => [slot, question.addresses[i]]));
  const pick = (names) => Object.fromEntries(names.map((each) => [each, right[each]]));
  const off = async (names) => {
    const found = await resolve(pick([...question.signers, ...names]));
    return Object.entries(found).filter(([slot, each]) => each !== right[slot]);
  };
  let given = [];
  const wrong = [];
  for (;;) {
    const [first] = await off(given);
    if (!first) break;
    if (given.includes(first[0])) throw new Error(`${first[0]} was given, and isn't taken`);
    if (first[1] !== null) wrong.push(first[0]);
    given.push(first[0]);
  }
  // One that was asked for before the one that it follows from.
  for (const each of [...given]) {
    const others = given.filter((name) => name !== each);
    if (others.length < given.length && (await off(others)).length === 0) given = others;
  }
  return { given, wrong: wrong.filter((each) => given.includes(each)) };
}

module.exports = { scene };
