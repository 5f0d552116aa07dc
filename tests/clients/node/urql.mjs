import { Client, cacheExchange, fetchExchange } from "@urql/core";
import { headers, say, text, url, variables } from "./query.mjs";

const client = new Client({ url, exchanges: [cacheExchange, fetchExchange], fetchOptions: { headers }, preferGetMethod: false });
const { data, error } = await client.query(text, variables).toPromise();
say(data, error?.graphQLErrors.length ? error.graphQLErrors : error ? [error] : []);
