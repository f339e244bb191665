// A server with two connections: every page says where it is, the menu and the palette lead to the other one, and what is done in
// one tab stays in its account and region whatever the other tab shows. With script and without, in every shape.

import { createServer } from 'node:net';
import { once } from 'node:events';

export const timeout = 240_000;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const menu = (page) => page.locator('details.connection');
const put = (page, base, value) => page.request.post(`${base}/api/parameters/put`, {
  headers: { origin: base, accept: 'application/json' },
  form: { name: '/where/am-i', kind: 'String', value },
});

export default async function connections(t) {
  const port = await freePort();
  const lab = `http://127.0.0.1:${port}`;
  t.portal.settings = {
    MUSTER_CONNECTIONS_LAB_ADDR: `127.0.0.1:${port}`,
    MUSTER_CONNECTIONS_LAB_REGION: 'us-east-1',
    MUSTER_CONNECTIONS_LAB_SSM_MODE: 'embedded',
    MUSTER_CONNECTIONS_LAB_PRODUCTION: 'true',
  };
  await t.portal.restart();
  try {
    const page = await t.open({ as: 'administrator' });
    await t.visit(page, '/parameters');
    await menu(page).locator('summary').click();
    await menu(page).getByRole('heading', { name: 'Go to' }).waitFor();
    await t.axe(page, 'the menu of connections');
    await t.picture(page, 'menu');

    // The same part of the portal at the other connection, without signing in again.
    await menu(page).getByRole('link', { name: /lab/ }).click();
    await page.waitForURL(`${lab}/parameters`);
    await t.hydrated(page);
    await menu(page).getByText('Production').waitFor();
    await menu(page).getByText('us-east-1').first().waitFor();

    // Two tabs, two connections: each shows and keeps its own.
    const other = await page.context().newPage();
    await t.visit(other, '/parameters');
    t.assert.ok((await put(page, lab, 'in the lab')).ok());
    t.assert.ok((await put(page, t.base, 'at home')).ok());
    await t.visit(page, `${lab}/parameters/view?name=/where/am-i`);
    await page.getByText('in the lab').first().waitFor();
    await t.visit(other, '/parameters/view?name=/where/am-i');
    await other.getByText('at home').first().waitFor();
    t.assert.equal(await other.getByText('in the lab').count(), 0);
    await other.close();

    // By keyboard: the palette knows connections by their name.
    await t.visit(page, `${lab}/`);
    await page.keyboard.press('Control+k');
    await page.locator('#palette-input').fill('default');
    await page.getByRole('option', { name: /default.*eu-west-1/ }).first().waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.origin === t.base);
    await t.hydrated(page);

    for (const shape of t.variants) {
      const look = await t.open({ as: 'administrator', ...shape });
      await t.visit(look, `${lab}/`);
      await menu(look).locator('summary').click();
      await menu(look).getByRole('link', { name: /default/ }).waitFor();
      await t.axe(look);
      await t.picture(look, shape.name);
      await look.close();
    }

    const plain = await t.open({ as: 'administrator', javaScript: false });
    await plain.goto(`${lab}/fleet`);
    await menu(plain).locator('summary').click();
    await menu(plain).getByRole('link', { name: /default/ }).click();
    await plain.waitForURL(`${t.base}/fleet`);
    await plain.getByRole('heading', { name: 'Fleet', exact: true }).waitFor();
    await plain.close();
    await page.close();
  } finally {
    t.portal.settings = {};
    await t.portal.restart();
  }
}
