// The API of the server that the page is from.

/** `data` of an answer; throws its sentence when it refuses. */
export async function ask<T>(path: string): Promise<T> {
  const answer = await fetch(`/api/v1${path}`, { headers: { accept: "application/json" } });
  const body = (await answer.json()) as { data: T; detail?: string };
  if (!answer.ok) throw new Error(body.detail ?? `the server answers ${answer.status}`);
  return body.data;
}
