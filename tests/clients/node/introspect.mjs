// Rebuilds the schema from the server's introspection, as code generators do, and prints how many types it has.
import { buildClientSchema, getIntrospectionQuery, validateSchema } from "graphql";
import { headers, url } from "./query.mjs";

const query = getIntrospectionQuery({ inputValueDeprecation: true, specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true });
const response = await fetch(url, {
  method: "POST",
  headers: { ...headers, "Content-Type": "application/json" },
  body: JSON.stringify({ query, operationName: "IntrospectionQuery" }),
});
const { data } = await response.json();
const schema = buildClientSchema(data);
console.log(JSON.stringify({ faults: validateSchema(schema).map(String), types: Object.keys(schema.getTypeMap()).length }));
