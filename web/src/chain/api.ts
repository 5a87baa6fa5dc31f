// The API of the server that the page is from.

interface Answer<T> {
  data: T;
  as_of: { slot: number };
}

async function answerOf<T>(path: string): Promise<Answer<T>> {
  const answer = await fetch(`/api/v1${path}`, { headers: { accept: "application/json" } });
  const body = (await answer.json()) as Answer<T> & { detail?: string };
  if (!answer.ok) throw new Error(body.detail ?? `the server answers ${answer.status}`);
  return body;
}

/** `data` of an answer; throws its sentence when it refuses. */
export async function ask<T>(path: string): Promise<T> {
  return (await answerOf<T>(path)).data;
}

/** The newest slot that pages show. */
export async function shownSlot(): Promise<bigint> {
  return BigInt((await answerOf("/supply")).as_of.slot);
}
