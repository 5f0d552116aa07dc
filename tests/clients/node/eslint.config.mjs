// The rules of the two presets. What is waived stands in waivers.json, with its reason; two options below:
// lists of values need no edges, and pages are read forwards only, as the provider gives them.
import graphql from "@graphql-eslint/eslint-plugin";

export default [
  {
    files: ["**/*.graphql"],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: process.env.SDL } } },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,
      "@graphql-eslint/require-description": [
        "error",
        { types: true, DirectiveDefinition: true, FieldDefinition: true, EnumValueDefinition: true, InputValueDefinition: true },
      ],
      "@graphql-eslint/relay-edge-types": ["error", { listTypeCanWrapOnlyEdgeType: false }],
      "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
    },
  },
];
