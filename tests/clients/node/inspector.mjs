// `node inspector.mjs OLD NEW`: the changes of a schema that break a client, one JSON line each.
import { readFileSync } from "node:fs";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const [before, after] = process.argv.slice(2, 4).map((file) => buildSchema(readFileSync(file, "utf8")));
for (const change of await diff(before, after)) {
  if (change.criticality.level === CriticalityLevel.Breaking) console.log(JSON.stringify({ type: change.type, message: change.message }));
}
