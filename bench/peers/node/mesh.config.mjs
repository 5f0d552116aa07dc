// Hive Gateway's supergraph, composed from the upstream's REST calls: each answer's JSON schema is read from the
// peers' own schema; what needs another call is a link of the source or, for items of a list, a `@resolveTo`.
import { defineConfig } from '@graphql-mesh/compose-cli'
import { loadJSONSchemaSubgraph } from '@omnigraph/json-schema'
import { buildSchema, getNullableType, isListType, isObjectType } from 'graphql'
import { extracts, typeDefs } from './upstream.mjs'

const schema = buildSchema(typeDefs)
const elsewhere = { Entreprise: [...extracts, 'etablissements'], Filiale: ['extrait'], Post: ['user'] }
const jsonTypes = { ID: 'string', String: 'string', Int: 'integer', Boolean: 'boolean' }

function jsonSchema(type) {
  const present = getNullableType(type)
  if (isListType(present)) return { type: 'array', items: jsonSchema(present.ofType) }
  if (!isObjectType(present)) return { type: jsonTypes[present.name] }
  const own = Object.values(present.getFields()).filter(({ name }) => !elsewhere[present.name]?.includes(name))
  return {
    type: 'object',
    title: present.name,
    properties: Object.fromEntries(own.map((field) => [field.name, jsonSchema(field.type)]))
  }
}

function operation(field, path, type, links) {
  return {
    type: 'Query',
    field,
    path,
    method: 'GET',
    responseSchema: jsonSchema(type),
    ...(links && { responseByStatusCode: { 200: { responseSchema: jsonSchema(type), links } } })
  }
}

const extrait = schema.getType('Extrait')
const sites = schema.getType('Entreprise').getFields().etablissements.type
const posts = schema.getQueryType().getFields().posts.type
const users = { type: 'array', items: jsonSchema(schema.getType('User')) }

const links = {
  ...Object.fromEntries(extracts.map((name) => [name, { fieldName: name, args: { cle: '{root.siege}' } }])),
  etablissements: { fieldName: 'etablissements', args: { siren: '{root.siren}' } }
}

const rest = loadJSONSchemaSubgraph('Amont', {
  endpoint: '{env.UPSTREAM}',
  operations: [
    operation('entreprise', '/entreprise/{args.siren}', schema.getType('Entreprise'), links),
    ...[...extracts, 'extrait'].map((name) => operation(name, `/${name}/{args.cle}`, extrait)),
    operation('etablissements', '/etablissements/{args.siren}', sites),
    operation('posts', '/posts', posts),
    {
      type: 'Query',
      field: 'users',
      path: '/users',
      method: 'GET',
      responseSchema: users,
      argTypeMap: { id: { type: 'array', items: { type: 'integer' } } },
      queryParamArgMap: { id: 'id' },
      queryStringOptionsByParam: { id: { arrayFormat: 'repeat' } }
    }
  ]
})

export const composeConfig = defineConfig({
  subgraphs: [{ sourceHandler: rest }],
  additionalTypeDefs: /* GraphQL */ `
    extend type Query {
      greet: String!
    }
    extend type Filiale {
      extrait: Extrait
        @resolveTo(
          sourceName: "Amont"
          sourceTypeName: "Query"
          sourceFieldName: "extrait"
          requiredSelectionSet: "{ siren }"
          sourceArgs: { cle: "{root.siren}" }
        )
    }
    extend type Post {
      user: User
        @resolveTo(
          sourceName: "Amont"
          sourceTypeName: "Query"
          sourceFieldName: "users"
          keyField: "userId"
          keysArg: "id"
        )
    }
  `
})
