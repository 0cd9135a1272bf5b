// What the page asks of the server. Every change carries a header that a foreign page cannot send.

export class Refused extends Error {}

export async function ask(verb, path, body) {
  const options = { method: verb, headers: { "X-Rehearsal": "page" } };
  if (body instanceof Blob) options.body = body;
  else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  const answer = await fetch(`/rehearsal/${path}`, options);
  const given = await answer.json();
  if (!answer.ok) throw new Refused(given.error);
  return given;
}

export async function upload(blob) {
  return (await ask("POST", "uploads", blob)).upload;
}

export function mediaUrl(fileId, name) {
  return `/rehearsal/media/${fileId}${name === undefined ? "" : `?name=${encodeURIComponent(name)}`}`;
}
