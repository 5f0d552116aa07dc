// Walks through the plain query page, as `browser.mjs` does through the full one. Same usage.
import { opened } from "./chromium.mjs";

const { url, browser, page, seen, shot } = await opened();
const answer = page.locator("#reponse");
const says = (selector, text) => page.waitForFunction(
  ([where, wanted]) => document.querySelector(where).textContent.includes(wanted), [selector, text],
);

await page.goto(`${url}/graphiql`);
await says("#reponse", "ATELIERS DU CLAIR VALLON");
seen.notice = await page.locator(".avis").innerText();
seen.profile = await answer.innerText();
await shot("20-simple");

await page.getByRole("button", { name: "données publiques seulement" }).click();
await says("#session", "données publiques");
await page.getByRole("button", { name: "Exécuter" }).click();
await says("#reponse", "UNAUTHORIZED_FIELD_OR_TYPE");
seen.refusal = await answer.innerText();
await shot("21-simple-refus");

await page.getByLabel("Coller un jeton").fill("deux mots");
await page.getByRole("button", { name: "Ouvrir la session" }).click();
await says("#refus", "jeton");
seen.unusable = await page.locator("#refus").innerText();
await page.getByLabel("Coller un jeton").fill("jeton-invente-pour-l-essai");
await page.getByRole("button", { name: "Ouvrir la session" }).click();
await says("#session", "Jeton");
seen.pasted = await page.locator("#session").innerText();

await page.getByRole("button", { name: "Fermer la session" }).click();
await says("#session", "aucune");
await page.getByRole("button", { name: "Exécuter" }).click();
await says("#reponse", "Aucune session ouverte");
seen.closed = await answer.innerText();

// A refusal of the service is an answer: the browser reports its status on the console whatever the page does.
seen.console = seen.console.filter((text) => !text.includes("the server responded with a status"));
console.log(JSON.stringify(seen));
await browser.close();
