// The GraphiQL page of Graphe Entreprise.
import "./workers.js";
import "graphiql/style.css";
import "./style.css";

import { DOC_EXPLORER_PLUGIN } from "@graphiql/plugin-doc-explorer";
import { GraphiQLProvider } from "@graphiql/react";
import { HISTORY_PLUGIN } from "graphiql";
import { useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { ask, readConfig } from "./request.js";
import { EDITOR_THEME } from "./theme.js";
import { Workbench } from "./Workbench.jsx";

const PLUGINS = [DOC_EXPLORER_PLUGIN, HISTORY_PLUGIN];
const THEME = { light: EDITOR_THEME, dark: EDITOR_THEME };
const BLANK_TAB = { titre: "Requête", requete: "query Requete {\n  __typename\n}\n", variables: {}, entetes: {} };

const pretty = (value) => JSON.stringify(value, null, 2);

function asTab({ titre, requete, variables, entetes }) {
  const query = requete.trimStart().startsWith("#") ? requete : `# ${titre}\n${requete}`;
  return { title: titre, query, variables: pretty(variables), headers: pretty(entetes) };
}

/** The tab left open by this browser tab, if any: GraphiQL itself restores the tabs, but not their variables. */
function leftOpen() {
  const stored = JSON.parse(sessionStorage.getItem("graphiql:tabState") ?? "null");
  return stored?.tabs[stored.activeTabIndex] ?? null;
}

function Page({ config }) {
  const [session, setSession] = useState(config.session);
  const [rights, setRights] = useState(false);
  // Why the dialog of the session is open: "" when it was asked for; `null` when it is closed.
  const [dialog, setDialog] = useState(config.session === null ? "" : null);
  // GraphiQL reads its store once; the fetcher must see the switch as it is now.
  const rightsNow = useRef(rights);
  const [prepared] = useState(() => (config.onglets.length ? config.onglets : [{ ...BLANK_TAB, entetes: config.entetes }]).map(asTab));
  const [restored] = useState(leftOpen);
  const first = restored ?? prepared[0];

  const fetcher = async (request, { headers } = {}) => {
    const introspection = request.operationName === "IntrospectionQuery";
    const extensions = introspection && rightsNow.current ? { introspection: "mesDroits" } : undefined;
    const { signedOut, answer } = await ask({ ...request, extensions }, headers);
    if (signedOut) {
      setSession(null);
      setDialog(answer.errors?.[0]?.message ?? "");
    }
    return answer;
  };
  const [stableFetcher] = useState(() => fetcher);

  return (
    <GraphiQLProvider fetcher={stableFetcher} storage={sessionStorage} plugins={PLUGINS} referencePlugin={DOC_EXPLORER_PLUGIN}
      editorTheme={THEME} defaultTheme="light" defaultHeaders={pretty(config.entetes)} shouldPersistHeaders
      defaultTabs={prepared} initialQuery={first.query ?? ""} initialVariables={first.variables ?? ""}
      initialHeaders={first.headers ?? pretty(config.entetes)}>
      <Workbench config={config} prepared={prepared} firstRun={restored === null && config.session?.demonstration}
        rights={rights} session={session} onSession={setSession} dialog={dialog} onDialog={setDialog}
        onRights={(on) => {
          rightsNow.current = on;
          setRights(on);
        }} />
    </GraphiQLProvider>
  );
}

const root = createRoot(document.getElementById("root"));
readConfig().then(
  (config) => root.render(<Page config={config} />),
  () => root.render(<p className="panne" role="alert">Le service ne répond pas. Rechargez la page dans un instant.</p>),
);
