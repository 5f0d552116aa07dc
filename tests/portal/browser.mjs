// Walks through the GraphiQL page in a real browser and prints what it saw, as one JSON object.
// Usage: node browser.mjs <url> <chromium> <folder of package.json> [folder for screenshots]
import { opened } from "./chromium.mjs";

const { url, browser, context, page, seen, shot } = await opened();

// Monaco draws spaces as no-break spaces.
const plain = (text) => text.replaceAll("\u00a0", " ");
const textOf = (selector) => page.locator(selector).innerText().then(plain);
const says = (selector, wanted) => page.waitForFunction(
  ([where, text]) => document.querySelector(where)?.innerText.replaceAll("\u00a0", " ").includes(text), [selector, wanted],
);
const RESPONSE = ".result-window";
const PANEL = ".panneau";
const button = (name) => page.getByRole("button", { name, exact: true });

/** The answer of the service to the request that `action` makes; `wanted` tells it from the page's other requests. */
async function answerTo(action, wanted) {
  const [response] = await Promise.all([
    page.waitForResponse((one) => one.url().endsWith("/graphiql/graphql") && wanted(one.request().postDataJSON())),
    action(),
  ]);
  return { status: response.status(), asked: response.request().postDataJSON(), answer: await response.json() };
}
const isSchema = (body) => body.operationName === "IntrospectionQuery";
const isWork = (body) => !isSchema(body) && body.operationName !== "Expliquer";
const run = () => answerTo(() => page.locator(".graphiql-execute-button").click(), isWork);
const fieldsOf = ({ answer }, name) => answer.data.__schema.types.find((type) => type.name === name).fields.map((field) => field.name);
const chooseTab = (label) => page.getByLabel("Cas d’usage").selectOption({ label });

/** What is offered after `text` on a line of its own, among the fields of a company; the line is then taken away. */
async function completionOf(text) {
  await page.locator(".graphiql-query-editor .view-line", { hasText: /^\s*siren\s*$/ }).first().click();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.keyboard.type(text);
  await page.locator(".suggest-widget.visible .monaco-list-row").first().waitFor();
  const rows = await page.locator(".suggest-widget.visible .monaco-list-row").allInnerTexts();
  await shot(`completion-${seen.completion ? "mes-droits" : "tout"}`);
  await page.keyboard.press("Escape");
  for (let count = 0; count < text.length; count += 1) await page.keyboard.press("Backspace");
  return rows;
}

// The first tab, run by itself.
const schemaRead = page.waitForResponse((one) => one.url().endsWith("/graphiql/graphql") && isSchema(one.request().postDataJSON()));
await page.goto(`${url}/graphiql`);
seen.fields_all = fieldsOf({ answer: await (await schemaRead).json() }, "Entreprise");
await says(RESPONSE, "ATELIERS DU CLAIR VALLON");
seen.profile = await textOf(RESPONSE);
seen.headers = await textOf(".graphiql-editor-tool");
seen.session = await page.getByTestId("session").innerText();
seen.script_cookie = await page.evaluate(() => document.cookie);
seen.stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
await shot("01-profil");

// Each use case.
const titles = await page.getByLabel("Cas d’usage").locator("option:enabled").allInnerTexts();
seen.tabs = [];
for (const [index, title] of titles.slice(1).entries()) {
  await chooseTab(title);
  await says(".graphiql-editor-tool", `"X-Contexte": "${title}"`);
  const { status, answer } = await run();
  await says(RESPONSE, '"siren"');
  seen.tabs.push({
    title, status, errors: answer.errors ?? [], siren: answer.data?.entreprise?.siren, shown: await textOf(RESPONSE),
    headers: await textOf(".graphiql-editor-tool"),
  });
  await shot(`02-cas-${index + 1}`);
}

// What the last one asks, explained; then to a token that may not read all of it.
await button("Expliquer").click();
await says(PANEL, "Quotas");
seen.explanation = await textOf(PANEL);
await shot("03-expliquer");
await button("Changer de jeton").click();
await shot("04-jeton");
await button("données publiques seulement").click();
await says("[data-testid=session]", "données publiques seulement");
await says(PANEL, "à votre jeton");
seen.explanation_refused = await textOf(PANEL);
await run();
await says(RESPONSE, "UNAUTHORIZED_FIELD_OR_TYPE");
seen.refusal = await textOf(RESPONSE);
await shot("05-refus");

await button("Exporter en curl").click();
seen.curl = await page.locator(".panneau pre").innerText();
await shot("06-curl");
await button("Fermer").click();

// The schema as this token may read it, in the completion too.
seen.completion = await completionOf("r");
const pruned = await answerTo(() => page.getByRole("switch", { name: "Mes droits" }).click(), isSchema);
seen.rights_asked = [pruned.asked.extensions ?? null];
seen.fields_mine = fieldsOf(pruned, "Entreprise");
// The editor learns the schema a moment later: the fields that left it are then errors, in the last lines of the document.
await page.locator(".graphiql-query-editor .view-line").first().click();
await page.keyboard.press("Control+End");
await page.locator(".graphiql-query-editor .squiggly-error").first().waitFor();
await shot("07-mes-droits");
await page.keyboard.press("Control+Home");
seen.completion_mine = await completionOf("r");

// The documentation of the schema, the history, the words of the page.
await page.locator(".graphiql-sidebar button").first().click();
await page.locator(".graphiql-doc-explorer").getByRole("link", { name: "Query", exact: true }).click();
await says(".graphiql-doc-explorer", "entreprise(");
seen.documentation = await textOf(".graphiql-doc-explorer");
await shot("08-documentation");
await page.locator(".graphiql-doc-explorer").getByRole("link", { name: "Entreprise", exact: true }).first().click();
await says(".graphiql-doc-explorer", "rcs");
await shot("09-documentation-type");
await page.locator(".graphiql-sidebar button").nth(1).click();
seen.history = await textOf(".graphiql-history");
await shot("10-historique");
await page.locator(".graphiql-sidebar button").nth(1).click();
await page.locator(".graphiql-sidebar button[data-value=short-keys]").click();
seen.shortcuts = await page.getByRole("dialog").innerText();
await shot("11-raccourcis");
await page.keyboard.press("Escape");
seen.labels = await page.locator(".graphiql-container [aria-label]").evaluateAll(
  // The words inside of the editors are Monaco's.
  (all) => all.filter((one) => !one.closest(".monaco-editor")).map((one) => one.ariaLabel),
);

// A document that can't run.
await page.locator(".graphiql-query-editor .view-line").first().click();
await page.keyboard.press("Control+a");
await page.keyboard.type("{{ inconnu }");
await button("Expliquer").click();
await says(PANEL, "serait refusée");
seen.explanation_impossible = await textOf(PANEL);
await shot("12-impossible");
await button("Fermer").click();

// A pasted token is nowhere in the page; the work survives a reload.
const token = "jeton-invente-pour-l-essai";
await button("Changer de jeton").click();
await page.getByLabel("Coller un jeton").fill(token);
const failedBefore = seen.failed.length;
const consoleBefore = seen.console.length;
await button("Ouvrir la session").click();
await says("[data-testid=session]", "session");
seen.token_in_page = await page.evaluate(
  (text) => [document.documentElement.outerHTML, JSON.stringify({ ...localStorage, ...sessionStorage }), document.cookie]
    .some((place) => place.includes(text)),
  token,
);
// The service knows no such token, and the page asks for another.
await page.locator("dialog.session[open]").waitFor();
seen.token_refused = await page.locator("dialog.session [role=alert]").innerText();
await shot("13-jeton-refuse");
await button("marchés publics").click();
await says("[data-testid=session]", "marchés publics");
seen.failed.length = failedBefore;
seen.console.length = consoleBefore;

await chooseTab("Subventions");
await page.waitForFunction(() => JSON.parse(sessionStorage["graphiql:tabState"] ?? "{}").activeTabIndex === 3);
await page.reload();
await page.locator(".graphiql-query-editor .view-line").first().waitFor();
seen.session_after_reload = await page.getByTestId("session").innerText();
seen.query_after_reload = await textOf(".graphiql-query-editor .view-lines");

await page.setViewportSize({ width: 800, height: 700 });
await shot("14-etroit");
await page.setViewportSize({ width: 1440, height: 900 });
await button("Changer de jeton").click();
await Promise.all([page.waitForEvent("load"), button("Fermer la session").click()]);
await says(RESPONSE, "ATELIERS DU CLAIR VALLON");
seen.session_after_closing = await page.getByTestId("session").innerText();

// A session that ends while the page is open. The browser itself reports the 401: what was seen so far is set aside.
const [consoleSoFar, failedSoFar] = [[...seen.console], [...seen.failed]];
await context.clearCookies();
await page.locator(".graphiql-execute-button").click();
await page.locator("dialog.session[open]").waitFor();
await says(RESPONSE, "UNAUTHENTICATED");
seen.session_after_expiry = await page.getByTestId("session").innerText();
await shot("15-session-expiree");
Object.assign(seen, { console: consoleSoFar, failed: failedSoFar });

console.log(JSON.stringify(seen));
await browser.close();
