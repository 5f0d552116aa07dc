// The current request as a command for a terminal. The token is left to a variable of the shell.
import { withoutCredentials } from "./request.js";

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export function curlCommand(endpoint, { query, variables, operationName, headers }) {
  const body = JSON.stringify({ query, variables, operationName: operationName ?? undefined }, null, 2);
  const lines = [
    `curl --fail-with-body ${quoted(endpoint)}`,
    '-H "Authorization: Bearer $JETON"',
    "-H 'Content-Type: application/json'",
    ...Object.entries(withoutCredentials(headers)).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    `--data-raw ${quoted(body)}`,
  ];
  return lines.join(" \\\n  ");
}
