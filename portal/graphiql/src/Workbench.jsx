// GraphiQL between our bar and our panel.
import { DocExplorerStore } from "@graphiql/plugin-doc-explorer";
import { HistoryStore } from "@graphiql/plugin-history";
import { pick, useGraphiQL, useGraphiQLActions, useMonaco } from "@graphiql/react";
import { GraphiQL, GraphiQLInterface } from "graphiql";
import { useEffect, useRef, useState } from "react";
import { Panel } from "./Panel.jsx";
import { SessionDialog } from "./SessionDialog.jsx";
import { EDITOR_OPTIONS, defineEditorTheme } from "./theme.js";

/** Names the editor's colours. Placed before the editors, so that they find them when they are made. */
function EditorTheme() {
  const monaco = useMonaco((state) => state.monaco);
  useEffect(() => {
    if (monaco) defineEditorTheme(monaco);
  }, [monaco]);
  return null;
}

function useEditorOptions() {
  const editors = useGraphiQL(pick("queryEditor", "variableEditor", "headerEditor", "responseEditor"));
  useEffect(() => {
    Object.values(editors).forEach((editor) => editor?.updateOptions(EDITOR_OPTIONS));
  }, Object.values(editors));
}

/** Runs the first tab once everything it needs is there. */
function useFirstRun(wanted) {
  const { schema, queryEditor, variableEditor, headerEditor, responseEditor } = useGraphiQL(
    pick("schema", "queryEditor", "variableEditor", "headerEditor", "responseEditor"),
  );
  const { run } = useGraphiQLActions();
  const done = useRef(!wanted);
  const ready = schema && queryEditor && variableEditor && headerEditor && responseEditor;
  useEffect(() => {
    if (!ready || done.current) return;
    done.current = true;
    run();
  }, [ready]);
}

function useOpenTab() {
  const { tabs, queryEditor, variableEditor, headerEditor } = useGraphiQL(
    pick("tabs", "queryEditor", "variableEditor", "headerEditor"),
  );
  const { addTab, changeTab } = useGraphiQLActions();
  return (prepared) => {
    const index = tabs.findIndex((tab) => tab.query === prepared.query);
    if (index >= 0) return changeTab(index);
    addTab();
    queryEditor?.setValue(prepared.query);
    variableEditor?.setValue(prepared.variables);
    headerEditor?.setValue(prepared.headers);
  };
}

export function Workbench({ config, prepared, firstRun, rights, onRights, session, onSession, dialog, onDialog }) {
  const [panel, setPanel] = useState(null);
  const { tabs, activeTabIndex } = useGraphiQL(pick("tabs", "activeTabIndex"));
  const { introspect } = useGraphiQLActions();
  const openTab = useOpenTab();
  useEditorOptions();
  useFirstRun(firstRun);

  const toggle = (kind) => setPanel(panel === kind ? null : kind);
  const changeRights = (event) => {
    onRights(event.target.checked);
    introspect();
  };
  const changeSession = (next) => {
    onSession(next);
    onDialog(null);
    introspect();
  };

  return (
    <>
      <header className="bandeau">
        <div className="produit"><h1>Graphe Entreprise</h1><span>Explorateur GraphQL</span></div>
        <label className="cas">
          <span>Cas d’usage</span>
          <select value="" onChange={(event) => openTab(prepared[Number(event.target.value)])}>
            <option value="" disabled>Choisir…</option>
            {prepared.map((tab, index) => <option key={tab.title} value={index}>{tab.title}</option>)}
          </select>
        </label>
        <div className="commandes">
          <label className="interrupteur" title="Le schéma réduit à ce que mon jeton peut lire">
            <input type="checkbox" role="switch" checked={rights} onChange={changeRights} />
            Mes droits
          </label>
          <button type="button" aria-pressed={panel === "explain"} onClick={() => toggle("explain")}>Expliquer</button>
          <button type="button" aria-pressed={panel === "curl"} onClick={() => toggle("curl")}>Exporter en curl</button>
          <p className="identite" data-testid="session">{session ? session.libelle : "Aucune session"}</p>
          <button type="button" onClick={() => onDialog("")}>Changer de jeton</button>
        </div>
      </header>
      <div className="atelier">
        <HistoryStore>
          <DocExplorerStore>
            <EditorTheme />
            <GraphiQLInterface forcedTheme="light" showPersistHeadersSettings={false} defaultEditorToolsVisibility="headers">
              <GraphiQL.Logo><span /></GraphiQL.Logo>
            </GraphiQLInterface>
          </DocExplorerStore>
        </HistoryStore>
        {panel && (
          <Panel key={`${panel} ${session?.libelle}`} kind={panel} tab={tabs[activeTabIndex]} session={session} onClose={() => setPanel(null)}
            endpoint={new URL(config.pointAcces, location.origin).href} />
        )}
      </div>
      {dialog !== null && (
        <SessionDialog session={session} demonstrations={config.demonstrations} reason={dialog} onSession={changeSession}
          onClose={() => onDialog(null)} />
      )}
    </>
  );
}
