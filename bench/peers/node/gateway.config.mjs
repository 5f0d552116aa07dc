// Hive Gateway; its cache is the one of whole answers.
import { defineConfig } from '@graphql-hive/gateway'
import { cached, greeting, lifeSeconds } from './upstream.mjs'

export const gatewayConfig = defineConfig({
  supergraph: process.env.SUPERGRAPH,
  additionalResolvers: { Query: { greet: () => greeting } },
  graphiql: false,
  landingPage: false,
  logging: 'error',
  ...(cached && { cache: { type: 'localforage' }, responseCaching: { session: () => null, ttl: lifeSeconds * 1000 } })
})
