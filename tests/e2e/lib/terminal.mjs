// Terminals in specs: opening one, reading what is drawn (on a canvas or not), typing, pasting.

const PLACE = '[data-place=main] .shell';

/** Opens a terminal on the node from its own page, and waits until it is live. */
export async function openTerminal(t, page, node, reason = 'a test') {
  await t.visit(page, `/fleet/${node}`);
  await page.getByRole('link', { name: 'Open terminal' }).click();
  await page.getByLabel(/^Reason/).fill(reason);
  await page.getByRole('button', { name: 'Open terminal' }).click();
  await page.waitForURL(/\/terminals\/[0-9a-f-]{36}/);
  await live(page);
  return page.url().match(/[0-9a-f-]{36}/)[0];
}

export async function live(page, phase = 'live') {
  await page.locator(`[data-place=main] [data-phase=${phase}]`).waitFor({ timeout: 60_000 });
}

/** All lines of the terminal on show. */
export async function screen(page, place = PLACE) {
  return page.evaluate((where) => globalThis.musterTerminal?.textOf(document.querySelector(where)) ?? '', place);
}

/** Waits until the terminal shows it, and gives back all that it shows. */
export async function shows(t, page, wanted, milliseconds = 30_000) {
  let text = '';
  const there = async () => {
    text = await screen(page);
    return wanted instanceof RegExp ? wanted.test(text) : text.includes(wanted);
  };
  await t.until(`the terminal shows ${wanted}`, there, milliseconds).catch((error) => {
    throw new Error(`${error.message}\nit shows:\n${text}`);
  });
  return text;
}

export async function focus(page) {
  await page.locator(`${PLACE} textarea`).focus();
}

/** Types a line and the return key. */
export async function type(page, line) {
  await focus(page);
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
}

/** Hands a text over as the browser does when somebody pastes. */
export async function paste(page, text) {
  await page.evaluate(([where, pasted]) => {
    const data = new DataTransfer();
    data.setData('text/plain', pasted);
    document.querySelector(`${where} textarea`)
      .dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, [PLACE, text]);
}

/** A node that reports and is not in production, by id. */
export async function someNode(page) {
  const answer = await page.request.get('/export/fleet.json?filter=status%3DOnline');
  const line = (await answer.text()).trim().split('\n').find((one) => !one.includes('Production'));
  return JSON.parse(line).node_id;
}
