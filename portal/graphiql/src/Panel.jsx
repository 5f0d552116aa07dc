// The side panel: the explanation of the current request, or the same request as a command.
import { useEffect, useState } from "react";
import { curlCommand } from "./curl.js";
import { explanationRequest } from "./explain.js";
import { Explanation } from "./Explanation.jsx";
import { ask } from "./request.js";

const SETTLE_MS = 600;

function parsed(text) {
  const value = text?.trim() ? JSON.parse(text) : {};
  if (value === null || typeof value !== "object") throw new SyntaxError("un objet est attendu");
  return value;
}

/** What the editors hold, read; or the reason it cannot be. */
function readRequest({ query, variables, headers, operationName }) {
  try {
    return { request: { query: query ?? "", operationName, variables: parsed(variables), headers: parsed(headers) } };
  } catch (error) {
    return { failure: `Variables ou en-têtes illisibles : ${error.message}.` };
  }
}

async function explanation(request) {
  const { answer } = await ask(explanationRequest(request), request.headers);
  const value = answer.data?.expliquer;
  return value === undefined || value === null
    ? { failure: answer.errors?.map((error) => error.message).join("\n") ?? "Le service n’a rien répondu." }
    : { value };
}

function Explain({ request, session }) {
  const [state, setState] = useState(null);
  const key = JSON.stringify(request);
  useEffect(() => {
    let current = true;
    const show = (next) => current && setState(next);
    // The panel follows the editor: the wait keeps one request per pause, not one per key.
    const timer = setTimeout(() => {
      explanation(request).then(show, (error) => show({ failure: error.message }));
    }, state === null ? 0 : SETTLE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [key, session]);
  if (state === null) return <p>En cours…</p>;
  if (state.failure) {
    return <><p>Le service n’a pas pu expliquer cette requête :</p><p className="refus" role="alert">{state.failure}</p></>;
  }
  return <Explanation value={state.value} />;
}

function Curl({ request, endpoint }) {
  const [copied, setCopied] = useState(false);
  const command = curlCommand(endpoint, request);
  const copy = () => navigator.clipboard.writeText(command).then(() => setCopied(true), () => setCopied(false));
  return (
    <>
      <p>Le jeton n’est pas dans la commande : placez-le dans la variable <code>JETON</code> de votre terminal.</p>
      <pre tabIndex={0}>{command}</pre>
      <button type="button" onClick={copy}>{copied ? "Copié" : "Copier"}</button>
    </>
  );
}

export function Panel({ kind, tab, session, endpoint, onClose }) {
  const { request, failure } = readRequest(tab);
  return (
    <aside className="panneau" aria-label={kind === "curl" ? "Commande curl" : "Explication de la requête"}>
      <header>
        <h2>{kind === "curl" ? "Commande curl" : "Explication de la requête"}</h2>
        <button type="button" onClick={onClose}>Fermer</button>
      </header>
      {failure && <p className="refus" role="alert">{failure}</p>}
      {request && (kind === "curl"
        ? <Curl request={request} endpoint={endpoint} />
        : <Explain request={request} session={session} />)}
    </aside>
  );
}
