// One page of a browser that can reach the service alone, and what it must never do. Written down in `seen`.
import { createRequire } from "node:module";
import { join } from "node:path";

export async function opened() {
  const [url, executablePath, modules, screenshots] = process.argv.slice(2);
  const { chromium } = createRequire(join(modules, "package.json"))("playwright-core");
  const browser = await chromium.launch({
    executablePath,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
  });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "fr-FR", timezoneId: "Europe/Paris" });
  const page = await context.newPage();
  // As long as the slowest machine may need; nothing waits this long on an ordinary one.
  page.setDefaultTimeout(60_000);

  const seen = { console: [], violations: [], elsewhere: [], failed: [] };
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) seen.console.push(message.text());
  });
  page.on("pageerror", (error) => seen.console.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${url}/`) && !/^(data|blob):/.test(request.url())) seen.elsewhere.push(request.url());
  });
  page.on("response", (response) => {
    if (response.status() >= 400) seen.failed.push(`${response.status()} ${response.url()}`);
  });
  await page.exposeFunction("tellViolation", (text) => seen.violations.push(text));
  await page.addInitScript(() => document.addEventListener("securitypolicyviolation", (event) => {
    globalThis.tellViolation(`${event.violatedDirective} ${event.blockedURI}`);
  }));
  const shot = async (name) => screenshots && page.screenshot({ path: join(screenshots, `${name}.png`) });
  return { url, browser, context, page, seen, shot };
}
