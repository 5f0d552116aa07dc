// What every peer here needs of its surroundings: where the upstream is, where to listen, whether to cache.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'undici'

export const port = Number(process.env.PORT)
export const origin = process.env.UPSTREAM
export const cached = process.env.CACHED === '1'
export const lifeSeconds = 300
export const greeting = 'Hello World!'
export const extracts = ['rcs', 'fiscale', 'vigilance', 'effectifs', 'qualiopi']
export const typeDefs = readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8')

const dispatcher = new Agent({ keepAliveTimeout: 30_000 })

/** The JSON of one upstream call. */
export async function get(path) {
  const { statusCode, body } = await request(origin + path, { dispatcher })
  if (statusCode !== 200) throw new Error(`upstream answered ${statusCode}`)
  return body.json()
}

/** The path of a batch of users, each once. */
export function usersPath(ids) {
  return '/users?' + ids.map((id) => `id=${id}`).join('&')
}
