// GraphiQL speaks English only: its words are put into French as the page is built. A text that a new version of
// GraphiQL no longer has stops the build, so that nothing goes back to English unseen.
import { readFile } from "node:fs/promises";

const DOCS = "Documentation du schéma";
const HISTORY = "Historique";

/** For the end of a file's path, its texts as they stand in the code, and ours. */
const TEXTS = {
  "graphiql/dist/GraphiQL.js": {
    '"New tab"': '"Nouvel onglet"',
    '${editorToolsHiddenElement === "second" ? "Show" : "Hide"} editor tools':
      '${editorToolsHiddenElement === "second" ? "Montrer" : "Cacher"} les variables et les en-têtes',
    '"Editor Commands"': '"Commandes de l’éditeur"',
    '"Operation Editor"': '"Éditeur de la requête"',
    'children: "Headers"': 'children: "En-têtes"',
    '"Variables" : "Headers"': '"Variables" : "En-têtes"',
    '"Select active operation"': '"Choisir la requête"',
  },
  "graphiql/dist/ui/sidebar.js": {
    "Re-fetch GraphQL schema (": "Relire le schéma (",
    '"Open short keys dialog"': '"Raccourcis du clavier"',
    '"Open settings dialog"': '"Réglages"',
    '${isVisible_0 ? "Hide" : "Show"} ${plugin_0.title}': '${isVisible_0 ? "Fermer" : "Ouvrir"} : ${plugin_0.title}',
    'children: "Short Keys"': 'children: "Raccourcis du clavier"',
    "This modal provides a list of available keyboard shortcuts and their functions.":
      "Les raccourcis du clavier et ce qu’ils font.",
    'children: "Settings"': 'children: "Réglages"',
    "This modal lets you adjust header persistence, interface theme, and clear local storage.":
      "Effacer ce que cet onglet du navigateur a retenu.",
    'children: "Clear storage"': 'children: "Effacer les données"',
    "Remove all locally stored data and start fresh.":
      "Oublier les requêtes, les en-têtes et l’historique retenus par cet onglet du navigateur.",
    '"Cleared data"': '"Données effacées"',
    'error: "Failed"': 'error: "Échec"',
    '"Clear data"': '"Effacer"',
  },
  "graphiql/dist/ui/short-keys.js": {
    '"Execute query"': '"Exécuter la requête"',
    '"Open the Command Palette (you must have focus in the editor)"': '"Ouvrir les commandes de l’éditeur (depuis l’éditeur)"',
    '"Prettify editors"': '"Mettre en forme"',
    '"Copy query"': '"Copier la requête"',
    '"Re-fetch schema using introspection"': '"Relire le schéma"',
    '"Search in documentation"': '"Chercher dans la documentation"',
    '"Search in editor"': '"Chercher dans l’éditeur"',
    '"Merge fragments definitions into operation definition"': '"Déplier les fragments dans la requête"',
    '"Short Key"': '"Raccourci"',
    '"Function"': '"Effet"',
    '"This Graph"': '"Cet éditeur Graph"',
    '"QL editor uses"': '"QL a les"',
    '"Monaco editor shortcuts"': '"raccourcis de l’éditeur Monaco"',
    '", with keybindings similar to VS Code. See the full list of shortcuts for"': '", semblables à ceux de VS Code : liste complète pour"',
    '"or"': '"ou"',
  },
  "graphiql/dist/ui/toolbar.js": {
    "Prettify query (": "Mettre en forme (",
    "Merge fragments into query (": "Déplier les fragments dans la requête (",
    "Copy query (": "Copier la requête (",
  },
  "@graphiql/react/dist/components/execute-button/index.js": {
    '${isRunning ? "Stop" : "Execute"} query (': '${isRunning ? "Arrêter" : "Exécuter"} la requête (',
  },
  "@graphiql/react/dist/components/dialog/index.js": { "Close dialog": "Fermer" },
  "@graphiql/react/dist/components/tabs/index.js": { '"Close Tab"': '"Fermer l’onglet"' },
  "@graphiql/react/dist/components/response-editor.js": { '"Result Window"': '"Réponse"' },
  "@graphiql/react/dist/utility/tabs.js": { '"<untitled>"': '"Sans titre"' },
  "@graphiql/react/dist/stores/execution.js": {
    "Automatically added leaf fields": "Champs ajoutés pour que la requête soit complète",
    "Request not sent. ": "Requête non envoyée. ",
    '"Variables" : "Request headers"': '"Variables :" : "En-têtes :"',
  },
  "@graphiql/react/dist/constants.js": {
    '"Prettify Editors"': '"Mettre en forme"',
    '"Merge Fragments into Query"': '"Déplier les fragments dans la requête"',
    '"Run Operation"': '"Exécuter la requête"',
    '"Copy Query"': '"Copier la requête"',
  },
  "@graphiql/plugin-history/dist/index.js": { 'title: "History"': `title: "${HISTORY}"` },
  "@graphiql/plugin-history/dist/components.js": {
    '"History"': `"${HISTORY}"`,
    '"Cleared"': '"Effacé"',
    '"Failed to Clear"': '"Échec"',
    '"Clear"': '"Effacer"',
    '"Type a label"': '"Nom de la requête"',
    '"Save"': '"Enregistrer"',
    '"Set active"': '"Reprendre cette requête"',
    '"Edit label"': '"Renommer"',
    '"Remove favorite"': '"Retirer des favorites"',
    '"Add favorite"': '"Garder parmi les favorites"',
    '"Delete from history"': '"Oublier"',
  },
  "@graphiql/plugin-doc-explorer/dist/context.js": {
    'title: "Documentation Explorer"': `title: "${DOCS}"`,
    'name: "Docs"': 'name: "Schéma"',
    "Show Documentation Explorer": `Ouvrir : ${DOCS}`,
  },
  "@graphiql/plugin-doc-explorer/dist/components/doc-explorer.js": {
    '"Documentation Explorer"': `"${DOCS}"`,
    '"Error fetching schema"': '"Le schéma n’a pas pu être lu."',
    '"Schema is invalid: "': '"Le schéma est incohérent : "',
    '"No GraphQL schema available"': '"Aucun schéma : ouvrez une session."',
    "Go back to ": "Revenir à ",
  },
  "@graphiql/plugin-doc-explorer/dist/components/argument.js": { '"Deprecated"': '"Obsolète"' },
  "@graphiql/plugin-doc-explorer/dist/components/deprecation-reason.js": { '"Deprecated"': '"Obsolète"' },
  "@graphiql/plugin-doc-explorer/dist/components/field-documentation.js": {
    '"Deprecated Arguments"': '"Arguments obsolètes"',
    '"Show Deprecated Arguments"': '"Montrer les arguments obsolètes"',
  },
  "@graphiql/plugin-doc-explorer/dist/components/schema-documentation.js": {
    "A GraphQL schema provides a root type for each kind of operation.": "Un type racine par sorte d’opération.",
    '"Root Types"': '"Types racines"',
    '"All Schema Types"': '"Tous les types"',
  },
  "@graphiql/plugin-doc-explorer/dist/components/search.js": {
    "Search ${navItem.name}...": "Chercher dans ${navItem.name}",
    '"No results found"': '"Rien de ce nom"',
    '"Other results"': '"Ailleurs"',
  },
  "@graphiql/plugin-doc-explorer/dist/components/section.js": {
    '"Deprecated Arguments":': '"Arguments obsolètes":',
    '"Deprecated Enum Values":': '"Valeurs obsolètes":',
    '"Deprecated Fields":': '"Champs obsolètes":',
    '"Enum Values":': '"Valeurs":',
    "Fields: FieldIcon": "Champs: FieldIcon",
    "Implements:": '"Interfaces":',
    "Implementations:": '"Types qui l’ont":',
    '"Possible Types":': '"Types possibles":',
    '"Root Types":': '"Types racines":',
    '"All Schema Types":': '"Tous les types":',
  },
  "@graphiql/plugin-doc-explorer/dist/components/type-documentation.js": {
    'title: "Implements"': 'title: "Interfaces"',
    'title: "Fields"': 'title: "Champs"',
    '"Deprecated Fields"': '"Champs obsolètes"',
    '"Show Deprecated Fields"': '"Montrer les champs obsolètes"',
    'title: "Enum Values"': 'title: "Valeurs"',
    '"Deprecated Enum Values"': '"Valeurs obsolètes"',
    '"Show Deprecated Values"': '"Montrer les valeurs obsolètes"',
    '"Implementations" : "Possible Types"': '"Types qui l’ont" : "Types possibles"',
  },
};

async function translated(path, texts) {
  let code = await readFile(path, "utf8");
  for (const [english, french] of Object.entries(texts)) {
    if (!code.includes(english)) throw new Error(`${path} no longer says ${english}`);
    code = code.replaceAll(english, french);
  }
  return { contents: code, loader: "js" };
}

/** A plugin of esbuild. The build fails unless every file above was met. */
export function french() {
  const waited = new Set(Object.keys(TEXTS));
  return {
    name: "french",
    setup(build) {
      build.onLoad({ filter: /[\\/]graphiql[\\/].*\.js$|[\\/]@graphiql[\\/].*\.js$/ }, ({ path }) => {
        const ending = Object.keys(TEXTS).find((end) => path.replaceAll("\\", "/").endsWith(`node_modules/${end}`));
        if (!ending) return undefined;
        waited.delete(ending);
        return translated(path, TEXTS[ending]);
      });
      build.onEnd(({ errors }) => {
        if (errors.length === 0 && waited.size) throw new Error(`never met: ${[...waited].join(", ")}`);
      });
    },
  };
}
