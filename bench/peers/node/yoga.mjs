// GraphQL Yoga on node:http, a DataLoader per request, and its response cache, the only cache that it has.
import { createServer } from 'node:http'
import { useResponseCache } from '@graphql-yoga/plugin-response-cache'
import DataLoader from 'dataloader'
import { createSchema, createYoga } from 'graphql-yoga'
import { cached, extracts, get, greeting, lifeSeconds, port, typeDefs, usersPath } from './upstream.mjs'

const resolvers = {
  Query: {
    entreprise: (_, { siren }) => get(`/entreprise/${siren}`),
    posts: () => get('/posts'),
    greet: () => greeting
  },
  Entreprise: {
    ...Object.fromEntries(extracts.map((name) => [name, ({ siege }) => get(`/${name}/${siege}`)])),
    etablissements: ({ siren }) => get(`/etablissements/${siren}`)
  },
  Filiale: { extrait: ({ siren }) => get(`/extrait/${siren}`) },
  Post: { user: ({ userId }, _, { users }) => users.load(userId) }
}

async function usersById(ids) {
  const found = await get(usersPath(ids))
  const byId = new Map(found.map((user) => [user.id, user]))
  return ids.map((id) => byId.get(id))
}

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: () => ({ users: new DataLoader(usersById) }),
  graphiql: false,
  landingPage: false,
  logging: false,
  plugins: cached ? [useResponseCache({ session: () => null, ttl: lifeSeconds * 1000 })] : []
})

createServer(yoga).listen(port, '127.0.0.1')
