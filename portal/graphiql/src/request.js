// Every request of the page. The token is in a cookie this code cannot read.

import { parse } from "graphql";

const BASE = "/graphiql";
const GUARD = { "Content-Type": "application/json", "X-Graphiql": "1" };
const CREDENTIALS = new Set(["authorization", "x-api-key", "cookie"]);

export async function readConfig() {
  const response = await fetch(`${BASE}/config.json`);
  return response.json();
}

async function post(path, body, headers = {}) {
  const response = await fetch(`${BASE}/${path}`, {
    method: "POST",
    headers: { ...headers, ...GUARD, Accept: "application/graphql-response+json, application/json;q=0.9" },
    body: JSON.stringify(body),
  });
  const type = response.headers.get("content-type") ?? "";
  if (!type.includes("json")) throw new Error(`Réponse inattendue du service (HTTP ${response.status}).`);
  return { status: response.status, answer: await response.json() };
}

/** Opens a session, from a pasted token or a demonstration label. Gives the session, or throws its refusal. */
export async function openSession(wish) {
  const { answer } = await post("session", wish);
  if (answer.errors) throw new Error(answer.errors[0].message);
  return answer.session;
}

export async function closeSession() {
  await post("session/fin", {});
}

/** The headers of the editor, without credentials: the session's token is the only one. */
export function withoutCredentials(headers) {
  return Object.fromEntries(
    Object.entries(headers ?? {}).filter(([name]) => !CREDENTIALS.has(name.toLowerCase())),
  );
}

/** GraphiQL learns the operation's name a moment after an edit: a name the document no longer has is dropped. */
function settledName({ query, operationName }) {
  try {
    const names = parse(query, { noLocation: true }).definitions.map((definition) => definition.name?.value);
    return names.includes(operationName) ? operationName : undefined;
  } catch {
    return undefined;
  }
}

/** What is refused or missing is read first: below a long answer nobody would see it. */
function refusalsFirst({ errors, ...rest }) {
  return errors ? { errors, ...rest } : rest;
}

export async function ask(body, headers) {
  const request = { ...body, operationName: settledName(body) };
  const { status, answer } = await post("graphql", request, withoutCredentials(headers));
  return { signedOut: status === 401, answer: refusalsFirst(answer) };
}
