import { GraphQLClient } from "graphql-request";
import { headers, say, text, url, variables } from "./query.mjs";

const client = new GraphQLClient(url, { headers, errorPolicy: "all" });
const { data, errors } = await client.rawRequest(text, variables);
say(data, errors);
