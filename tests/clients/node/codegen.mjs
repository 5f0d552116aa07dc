// graphql-codegen's client preset: `node codegen.mjs SCHEMA DOCUMENT OUT` writes typed documents and their manifest.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { codegen } from "@graphql-codegen/core";
import { preset } from "@graphql-codegen/client-preset";
import { buildSchema, parse } from "graphql";

const [schemaFile, documentFile, out] = process.argv.slice(2);
const sdl = readFileSync(schemaFile, "utf8");
const text = readFileSync(documentFile, "utf8");
const outputs = await preset.buildGeneratesSection({
  baseOutputDir: `${out}/`,
  presetConfig: { persistedDocuments: { mode: "embedHashInDocument", hashAlgorithm: "sha256" } },
  config: { useTypeImports: true, enumsAsTypes: true, scalars: { Siren: "string", Siret: "string", Decimal: "string", Date: "string", DateTime: "string", JSON: "unknown" }, strictScalars: true },
  schema: parse(sdl),
  schemaAst: buildSchema(sdl),
  documents: [{ location: documentFile, document: parse(text), rawSDL: text }],
  plugins: [],
  pluginMap: {},
  documentTransforms: [],
});
for (const output of outputs) {
  mkdirSync(dirname(output.filename), { recursive: true });
  writeFileSync(output.filename, await codegen(output));
  console.log(output.filename);
}
