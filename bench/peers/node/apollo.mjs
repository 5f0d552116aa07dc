// Apollo Server on Express 5 with a RESTDataSource per request; cached by the data source's own HTTP cache.
import { RESTDataSource } from '@apollo/datasource-rest'
import { ApolloServer } from '@apollo/server'
import { expressMiddleware } from '@as-integrations/express5'
import DataLoader from 'dataloader'
import express from 'express'
import { cached, extracts, greeting, lifeSeconds, origin, port, typeDefs, usersPath } from './upstream.mjs'

const options = cached ? { cacheOptions: { ttl: lifeSeconds } } : {}

class Upstream extends RESTDataSource {
  baseURL = origin
  users = new DataLoader(async (ids) => {
    const found = await this.get(usersPath(ids), options)
    const byId = new Map(found.map((user) => [user.id, user]))
    return ids.map((id) => byId.get(id))
  })

  read(path) {
    return this.get(path, options)
  }
}

const resolvers = {
  Query: {
    entreprise: (_, { siren }, { dataSources }) => dataSources.upstream.read(`/entreprise/${siren}`),
    posts: (_, __, { dataSources }) => dataSources.upstream.read('/posts'),
    greet: () => greeting
  },
  Entreprise: {
    ...Object.fromEntries(
      extracts.map((name) => [name, ({ siege }, _, { dataSources }) => dataSources.upstream.read(`/${name}/${siege}`)])
    ),
    etablissements: ({ siren }, _, { dataSources }) => dataSources.upstream.read(`/etablissements/${siren}`)
  },
  Filiale: { extrait: ({ siren }, _, { dataSources }) => dataSources.upstream.read(`/extrait/${siren}`) },
  Post: { user: ({ userId }, _, { dataSources }) => dataSources.upstream.users.load(userId) }
}

const server = new ApolloServer({ typeDefs, resolvers })
await server.start()

const app = express()
app.use(
  '/graphql',
  express.json(),
  expressMiddleware(server, {
    context: async () => ({ dataSources: { upstream: new Upstream({ cache: server.cache }) } })
  })
)
app.listen(port, '127.0.0.1')
