// Mercurius with `jit`, loaders for what is asked of each item of a list, and mercurius-cache with cheap keys.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import cache from 'mercurius-cache'
import { cached, extracts, get, greeting, lifeSeconds, port, typeDefs, usersPath } from './upstream.mjs'

const app = Fastify()

const resolvers = {
  Query: {
    entreprise: (_, { siren }) => get(`/entreprise/${siren}`),
    posts: () => get('/posts'),
    greet: () => greeting
  },
  Entreprise: {
    ...Object.fromEntries(extracts.map((name) => [name, ({ siege }) => get(`/${name}/${siege}`)])),
    etablissements: ({ siren }) => get(`/etablissements/${siren}`)
  }
}

const loaders = {
  Filiale: {
    extrait: (queries) => Promise.all(queries.map(({ obj }) => get(`/extrait/${obj.siren}`)))
  },
  Post: {
    async user(queries) {
      const users = await get(usersPath([...new Set(queries.map(({ obj }) => obj.userId))]))
      const byId = new Map(users.map((user) => [user.id, user]))
      return queries.map(({ obj }) => byId.get(obj.userId))
    }
  }
}

await app.register(mercurius, { schema: typeDefs, resolvers, loaders, jit: 1 })

if (cached) {
  await app.register(cache, {
    ttl: lifeSeconds,
    policy: {
      Query: { entreprise: { key: ({ arg }) => arg.siren } },
      Entreprise: Object.fromEntries(extracts.map((name) => [name, { key: ({ self }) => self.siege }]))
    }
  })
}

await app.listen({ host: '127.0.0.1', port })
