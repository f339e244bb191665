// What a spec gets: pages that are watched for every error and warning, accessibility checks, the portal.

import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import assert from 'node:assert/strict';
import path from 'node:path';

const require = createRequire(import.meta.url);
const axeSource = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');

/** The shapes in which every page has to work. */
export const VARIANTS = [
  { name: '1440-light', width: 1440, height: 900, scheme: 'light' },
  { name: '1440-dark', width: 1440, height: 900, scheme: 'dark' },
  { name: '390-light', width: 390, height: 844, scheme: 'light' },
  { name: '390-dark', width: 390, height: 844, scheme: 'dark' },
];

const SEVERE = new Set(['moderate', 'serious', 'critical']);

export class Stage {
  #contexts = [];
  #pages = [];
  #problems = [];
  // The network of the demo nodes comes up on this machine while the browser runs; what matters is asked for again.
  #tolerated = [/ERR_NETWORK_CHANGED/];
  #remembered;
  // The parts of the program that each page is loading.
  #loading = new WeakMap();

  constructor({ name, browser, portal, nodes, output, remembered }) {
    Object.assign(this, { name, browser, portal, nodes, output, assert });
    this.base = portal.base;
    this.variants = VARIANTS;
    this.#remembered = remembered;
  }

  /**
   * A page in a browser profile of its own.
   * `as`: the name under which an earlier spec (or this one) remembered a signed-in profile.
   */
  async open({ as, width = 1440, height = 900, scheme = 'light', javaScript = true } = {}) {
    const storageState = as === undefined ? undefined : this.#remembered.get(as);
    if (as !== undefined && !storageState) throw new Error(`nobody remembered a profile called ${as}`);
    const context = await this.browser.newContext({
      baseURL: this.base, viewport: { width, height }, colorScheme: scheme,
      javaScriptEnabled: javaScript, reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'UTC', storageState,
    });
    context.setDefaultTimeout(15_000);
    this.#contexts.push(context);
    context.on('page', (page) => this.#watch(page, javaScript));
    return context.newPage();
  }

  /** Keeps the page's cookies for `open({ as: name })`. */
  async remember(name, page) {
    this.#remembered.set(name, await page.context().storageState());
  }

  /** A process that lives as long as the portal under test. */
  companion(child) {
    this.portal.companions.push(child);
  }

  /** Goes there and waits until the wasm has taken the page over. What is left has loaded its parts first: people wait for
   * a page before they leave it, and a part whose loading is broken off says so on the console. */
  async visit(page, url) {
    const loading = this.#loading.get(page);
    await this.until('the page that is left has loaded', () => !loading?.size);
    const answer = await page.goto(url);
    await this.hydrated(page);
    return answer;
  }

  async hydrated(page) {
    await page.waitForSelector('[data-hydrated]', { state: 'attached' });
  }

  /** The spec causes this on purpose, so it is no finding (a 422 shows up as a console error, say). */
  tolerate(pattern) {
    this.#tolerated.push(pattern);
  }

  /** axe, with everything from moderate upwards as a failure. */
  async axe(page, where = page.url()) {
    // Evaluated through the debugger, which the page's content security policy does not hinder.
    if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axeSource);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    for (const found of violations.filter((violation) => SEVERE.has(violation.impact))) {
      const targets = found.nodes.slice(0, 3).map((node) => `    ${node.target.join(' ')}: ${node.failureSummary}`);
      this.#problems.push(`axe: ${found.id} (${found.impact}) on ${where}: ${found.help}\n${targets.join('\n')}`);
    }
    // axe cannot see that a drawing is not drawn.
    const blank = await page.evaluate(() =>
      [...document.querySelectorAll('.icon')]
        .filter((icon) => icon.parentElement.checkVisibility() && icon.getBoundingClientRect().width < 1)
        .map((icon) => icon.parentElement.outerHTML.slice(0, 200)),
    );
    if (blank.length > 0) this.#problems.push(`icons that are not drawn on ${where}: ${blank.slice(0, 3).join('\n')}`);
  }

  /** A picture of the page in tests/e2e/output. */
  async picture(page, name) {
    await page.screenshot({ path: path.join(this.output, `${this.name}-${name}.png`), fullPage: true });
  }

  /** Asks again and again until it is true; for what arrives over the wire, not for the page (use locators). */
  async until(what, ask, milliseconds = 30_000) {
    const end = Date.now() + milliseconds;
    while (Date.now() < end) {
      if (await ask()) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`waited ${milliseconds} ms in vain: ${what}`);
  }

  #watch(page, javaScript) {
    // Without script nothing can be evaluated in a page, so axe cannot look at it.
    if (javaScript) this.#pages.push(page);
    const loading = new Set();
    this.#loading.set(page, loading);
    page.on('request', (request) => request.url().includes('/pkg/') && loading.add(request));
    for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => loading.delete(request));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) {
        this.#found(`console ${message.type()} on ${page.url()}: ${message.text()} (${message.location().url})`);
      }
    });
    page.on('pageerror', (error) => this.#found(`error on ${page.url()}: ${error.stack ?? error}`));
    page.on('crash', () => this.#found(`the page crashed: ${page.url()}`));
  }

  #found(text) {
    if (!this.#tolerated.some((pattern) => pattern.test(text))) this.#problems.push(text);
  }

  problems() {
    // Tolerated afterwards counts too: a spec may say so only when it knows.
    return this.#problems.filter((text) => !this.#tolerated.some((pattern) => pattern.test(text))).join('\n');
  }

  /** Every page that a spec leaves open is checked as it stands. */
  async lastLook() {
    for (const page of this.#pages.filter((open) => !open.isClosed() && open.url().startsWith(this.base))) {
      if ((await page.evaluate(() => 1).catch(() => 0)) === 1) await this.axe(page);
    }
  }

  /** What a failed spec looked like. */
  async photograph() {
    let number = 0;
    for (const page of this.#pages.filter((open) => !open.isClosed())) {
      number += 1;
      await this.picture(page, `failed-${number}`).catch(() => {});
    }
  }

  async close() {
    for (const context of this.#contexts) await context.close().catch(() => {});
  }
}
