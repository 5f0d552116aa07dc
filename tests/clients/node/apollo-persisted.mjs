import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { headers, say, text, url, variables } from "./query.mjs";

const sha256 = (document) => createHash("sha256").update(document).digest("hex");
const link = ApolloLink.from([new PersistedQueryLink({ sha256 }), new HttpLink({ uri: url, headers })]);
const client = new ApolloClient({ link, cache: new InMemoryCache() });
const { data } = await client.query({ query: gql(text), variables });
say(data, []);
