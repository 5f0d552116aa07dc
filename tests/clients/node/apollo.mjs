import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { headers, say, text, url, variables } from "./query.mjs";

const client = new ApolloClient({ link: new HttpLink({ uri: url, headers }), cache: new InMemoryCache() });
const { data, error } = await client.query({ query: gql(text), variables, errorPolicy: "all" });
say(data, CombinedGraphQLErrors.is(error) ? error.errors : error ? [error] : []);
