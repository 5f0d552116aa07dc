// The plain query page: shown when the full GraphiQL was not built. The token never reaches this script.
"use strict";

const field = (id) => document.getElementById(id);
const pretty = (value) => JSON.stringify(value, null, 2);

async function post(path, body, headers = {}) {
  const response = await fetch(`/graphiql/${path}`, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json", "X-Graphiql": "1" },
    body: JSON.stringify(body),
  });
  return response.json();
}

function showSession(session) {
  field("session").textContent = session ? session.libelle : "aucune, choisissez un jeton";
}

function showTab(tab) {
  field("texte").value = tab.requete;
  field("variables").value = pretty(tab.variables);
  field("entetes").value = pretty(tab.entetes);
}

/** What is refused or missing is read first: below a long answer nobody would see it. */
function refusalsFirst({ errors, ...rest }) {
  return errors ? { errors, ...rest } : rest;
}

async function run() {
  let variables;
  let headers;
  try {
    variables = JSON.parse(field("variables").value || "{}");
    headers = JSON.parse(field("entetes").value || "{}");
  } catch (error) {
    field("reponse").textContent = `Variables ou en-têtes illisibles : ${error.message}`;
    return;
  }
  field("reponse").textContent = "En cours…";
  try {
    const answer = await post("graphql", { query: field("texte").value, variables }, headers);
    field("reponse").textContent = pretty(refusalsFirst(answer));
  } catch (error) {
    field("reponse").textContent = `Pas de réponse du service : ${error.message}`;
  }
}

async function openSession(wish) {
  const answer = await post("session", wish);
  field("refus").textContent = answer.errors ? answer.errors[0].message : "";
  if (!answer.errors) showSession(answer.session);
}

function submitted(form, action) {
  field(form).addEventListener("submit", (event) => {
    event.preventDefault();
    action();
  });
}

async function start() {
  const config = await (await fetch("/graphiql/config.json")).json();
  const tabs = config.onglets.length ? config.onglets
    : [{ titre: "Requête", requete: "{ __typename }", variables: {}, entetes: config.entetes }];
  showSession(config.session);
  field("onglet").append(...tabs.map((tab, index) => new Option(tab.titre, String(index))));
  field("onglet").addEventListener("change", (event) => showTab(tabs[Number(event.target.value)]));
  field("demonstrations").append(...config.demonstrations.map((label) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => openSession({ demonstration: label }));
    return button;
  }));
  submitted("requete", run);
  submitted("jeton", () => {
    const token = field("colle").value;
    field("colle").value = "";
    openSession({ jeton: token });
  });
  field("fin").addEventListener("click", async () => {
    await post("session/fin", {});
    showSession(null);
    field("reponse").textContent = "";
  });
  showTab(tabs[0]);
  if (config.session?.demonstration) await run();
}

start();
