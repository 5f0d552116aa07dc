// Builds the page into ../static/graphiql: one index.html, and files whose names carry their hash.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { build } from "esbuild";
import { french } from "./french.mjs";

const FOLDER = "../static/graphiql";
const PUBLIC = "/graphiql/static";

const WORKERS = {
  editor: "monaco-editor/esm/vs/editor/editor.worker.js",
  json: "monaco-editor/esm/vs/language/json/json.worker.js",
  graphql: "monaco-graphql/esm/graphql.worker.js",
};

const COMMON = {
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  outdir: `${FOLDER}/assets`,
  publicPath: `${PUBLIC}/assets`,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  legalComments: "linked",
  metafile: true,
  logLevel: "warning",
};

const address = (path) => `${PUBLIC}/assets/${basename(path)}`;
const written = ({ metafile }) => Object.entries(metafile.outputs).filter(([, output]) => output.entryPoint);

await rm(FOLDER, { recursive: true, force: true });
await mkdir(FOLDER, { recursive: true });

const workers = await build({ ...COMMON, entryPoints: WORKERS });
const addresses = Object.fromEntries(written(workers).map(([path]) => [basename(path).split("-")[0], address(path)]));

const page = await build({
  ...COMMON,
  entryPoints: ["src/main.jsx"],
  plugins: [french()],
  splitting: true,
  jsx: "automatic",
  loader: { ".ttf": "file" },
  define: { WORKER_ADDRESSES: JSON.stringify(addresses) },
});
const [[script, { cssBundle }]] = written(page).filter(([, output]) => output.entryPoint === "src/main.jsx");

const template = await readFile("index.html", "utf8");
await writeFile(
  `${FOLDER}/index.html`,
  template.replace("/main.css", address(cssBundle)).replace("/main.js", address(script)),
);
