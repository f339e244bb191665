// Approvals, by two people in two browsers: asked for, approved, it runs; rejected; void because what would run has
// changed; the glass broken and reviewed; several approved together; by who stands in for somebody; without script; and every
// page in two shapes.

import { person } from '../lib/people.mjs';
import { live, someNode } from '../lib/terminal.mjs';

export const timeout = 480_000;

const ANNA = 'two grey geese fly south';
const OLGA = 'nine brown bears swim east';
const CARL = 'four red foxes run north';

// Only about one person, so that the specs around this one are not asked.
const POLICIES = `default = "allow"

[[policy]]
name = "Olga asks"
acts = ["commands.run", "sessions.start"]
requesters = ["user:olga"]
reason = true
ticket = "OPS-[0-9]+"
levels = [{ of = ["role:approver"] }]
break_glass = ["user:olga"]
bulk = true
`;

export default async function approvals(t) {
  t.tolerate(/status of (409|422|428)/);
  const admin = await t.open({ as: 'administrator' });
  const node = await someNode(admin);
  const anna = await person(t, admin, 'anna', 'approver', ANNA);
  const olga = await person(t, admin, 'olga', 'operator', OLGA);
  await policies(t, admin);
  try {
    const first = await asked(t, olga, node, 'echo approved by two', 'Because of the disk.');
    await ownRequest(t, olga, first);
    await approved(t, anna, olga, first);
    await rejected(t, anna, olga, node);
    await terminal(t, anna, olga, node);
    await glass(t, anna, olga, node);
    await changed(t, admin, anna, olga, node);
    await withoutScript(t, node);
    await keyboard(t, anna);
    await together(t, anna, olga, node);
    await delegated(t, anna, olga, node);
    await shapes(t, first);
  } finally {
    await save(t, admin, 'default = "allow"\n');
  }
}

async function save(t, admin, text) {
  await t.visit(admin, '/approvals/policies');
  await admin.getByLabel('Policies', { exact: true }).fill(text);
  await admin.getByRole('button', { name: 'Save policies' }).click();
  await admin.getByText('The policies are saved.').waitFor();
}

async function policies(t, admin) {
  await t.visit(admin, '/approvals/policies');
  await admin.getByText('There are no policies yet').waitFor();
  // What is wrong is said beside the text, and what was typed stays.
  await admin.getByLabel('Policies', { exact: true }).fill('[[policy]]\nname = 7\n');
  await admin.getByRole('button', { name: 'Save policies' }).click();
  await admin.locator('#policies-text-error').filter({ hasText: /\S/ }).waitFor();
  t.assert.match(await admin.getByLabel('Policies', { exact: true }).inputValue(), /name = 7/);
  await save(t, admin, POLICIES);
  await admin.locator('[data-policy="Olga asks"]').getByText('Approval by 1 of role approver.').waitFor();

  await admin.getByLabel('Who', { exact: true }).fill('olga');
  await admin.getByLabel('Document', { exact: true }).fill('AWS-RunShellScript');
  await admin.getByRole('button', { name: 'Try', exact: true }).click();
  await admin.locator('[data-met]').getByText('Needs approval').first().waitFor();
  await t.axe(admin, 'policies');
  await t.picture(admin, 'policies');
}

// Fills in the run page, is refused, and fills in the panel.
async function refused(t, page, address, script) {
  await t.visit(page, address);
  await page.locator('textarea[name="parameters[commands]"]').fill(script);
  await page.getByRole('button', { name: /^Run on/ }).click();
  await page.locator('[data-ask]').getByText('“Olga asks” asks for approval by 1 of role approver').waitFor();
}

async function number(page) {
  await page.waitForURL(/\/approvals\/CR-\d+$/);
  return page.url().match(/CR-\d+/)[0];
}

async function asked(t, olga, node, script, why, address = `/commands/new?nodes=${node}`) {
  await refused(t, olga, address, script);
  // Both are wanted, and said at their fields; the script is still there.
  await olga.getByRole('button', { name: 'Ask for approval' }).click();
  await olga.locator('#ask-why-error, #ask-ticket-error').filter({ hasText: /\S/ }).first().waitFor();
  t.assert.equal(await olga.locator('textarea[name="parameters[commands]"]').inputValue(), script);
  await olga.locator('#ask-why').fill(why);
  await olga.locator('#ask-ticket').fill('OPS-7');
  await olga.getByRole('button', { name: 'Ask for approval' }).click();
  const id = await number(olga);
  // The address is there before the part of the program that shows the request.
  await olga.locator(`[data-shown=${id}]`).waitFor();
  return id;
}

// One's own cannot be decided, and the page says why.
async function ownRequest(t, olga, id) {
  await olga.locator(`[data-shown=${id}]`).waitFor();
  await olga.getByText('somebody else has to decide').waitFor();
  for (const name of [/^Approve/, 'Reject']) {
    t.assert.ok(await olga.getByRole('button', { name }).isDisabled(), `${name} is switched off`);
  }
  await t.axe(olga, 'my own request');
  await t.picture(olga, 'own');
}

async function decide(page, button, comment, password = ANNA) {
  await page.getByLabel('Comment', { exact: true }).fill(comment);
  await page.getByLabel('Your password').fill(password);
  await page.locator('[data-decide]').getByRole('button', { name: button }).click();
}

async function approved(t, anna, olga, id) {
  await t.visit(anna, '/');
  await anna.locator('[data-panel=approvals]').getByText(id).waitFor();
  await anna.locator('.rail-body [data-waiting="1"]').waitFor();
  await anna.locator('[data-panel=approvals]').getByRole('link', { name: new RegExp(id) }).click();
  await anna.locator(`[data-shown=${id}]`).waitFor();
  await anna.locator('[data-parameter=commands]').getByText('echo approved by two').waitFor();
  await anna.locator('[data-ticket]').getByText('OPS-7').waitFor();
  await t.axe(anna, 'a request that waits');
  await t.picture(anna, 'waiting');
  // A wrong password decides nothing, and the comment stays.
  await decide(anna, /^Approve/, 'Looks right.', 'not the password');
  await anna.locator('#decide-password-error').filter({ hasText: /\S/ }).waitFor();
  t.assert.equal(await anna.getByLabel('Comment', { exact: true }).inputValue(), 'Looks right.');
  await decide(anna, /^Approve/, 'Looks right.');
  await anna.locator('[data-decision=anna]').getByText('“Looks right.”').waitFor();
  await anna.locator('[data-outcome] a').waitFor({ timeout: 60_000 });
  // Whoever asked sees it come, without a reload.
  await olga.locator('[data-outcome] a').click({ timeout: 60_000 });
  await olga.waitForURL(/\/commands\/[0-9a-f-]{36}/);
  await olga.getByText('approved by two').first().waitFor({ timeout: 60_000 });
  // The badge is gone.
  await anna.locator('.rail-body [data-waiting]').waitFor({ state: 'detached' });
}

async function rejected(t, anna, olga, node) {
  const id = await asked(t, olga, node, 'echo never', 'I should like to.');
  await t.visit(anna, `/approvals?selected=${id}`);
  await anna.locator(`[data-request=${id}].chosen`).waitFor();
  await decide(anna, 'Reject', '');
  await anna.locator('#decide-comment-error').filter({ hasText: 'Say why' }).waitFor();
  await decide(anna, 'Reject', 'Not on a Friday.');
  await anna.locator('[data-decision=anna]').getByText('rejected').waitFor();
  await olga.locator('[data-decision=anna]').getByText('Not on a Friday.').waitFor();
  t.assert.equal(await olga.locator('[data-outcome]').count(), 0, 'nothing ran');
}

// A terminal is opened by who asked for it, as it was approved, once.
async function terminal(t, anna, olga, node) {
  await t.visit(olga, `/terminals/new?node=${node}`);
  await olga.getByLabel(/^Reason/).fill('look at the disk');
  await olga.getByRole('button', { name: 'Open terminal' }).click();
  await olga.locator('[data-ask]').waitFor();
  t.assert.equal(await olga.locator('#ask-not-before').count(), 0, 'opened by hand, so it has no time');
  await olga.locator('#ask-why').fill('The disk is full.');
  await olga.locator('#ask-ticket').fill('OPS-11');
  await olga.getByLabel('For how many minutes').fill('30');
  await t.axe(olga, 'asking for a terminal');
  await t.picture(olga, 'terminal');
  await olga.getByRole('button', { name: 'Ask for approval' }).click();
  const id = await number(olga);
  await t.visit(anna, `/approvals/${id}`);
  await anna.getByText('30 minutes').first().waitFor();
  await decide(anna, /^Approve/, '');
  await olga.locator('[data-use]').click({ timeout: 60_000 });
  await olga.locator(`[data-request=${id}]`).getByText('This terminal was approved').waitFor();
  t.assert.equal(await olga.getByLabel(/^Reason/).inputValue(), 'OPS-11: The disk is full.');
  await olga.getByRole('button', { name: 'Open terminal' }).click();
  await olga.waitForURL(/\/terminals\/[0-9a-f-]{36}/);
  await live(olga);
  const session = olga.url().match(/[0-9a-f-]{36}/)[0];
  // It is used up.
  await t.visit(olga, `/approvals/${id}`);
  await olga.locator('[data-outcome]').waitFor();
  t.assert.equal(await olga.locator('[data-use]').count(), 0);
  const ended = await olga.request.post('/api/sessions/end', {
    form: { session_id: session }, headers: { origin: t.base, accept: 'application/json' },
  });
  t.assert.ok(ended.ok());
}

async function glass(t, anna, olga, node) {
  await refused(t, olga, `/commands/new?nodes=${node}`, 'echo it burns');
  await olga.getByText('This cannot wait').first().click();
  await olga.locator('#ask-why').fill('The payment service is down.');
  await olga.locator('#ask-ticket').fill('OPS-8');
  await olga.getByRole('button', { name: 'Run it now, unapproved' }).click();
  await olga.getByText('Tick the box').first().waitFor();
  await t.axe(olga, 'breaking the glass');
  await t.picture(olga, 'glass');
  await olga.getByLabel('I know this, and it cannot wait.').check();
  await olga.getByRole('button', { name: 'Run it now, unapproved' }).click();
  const id = await number(olga);
  await olga.locator('[data-glass]').waitFor();
  await olga.locator('[data-outcome] a').waitFor({ timeout: 60_000 });

  await t.visit(anna, '/approvals');
  await anna.locator(`[data-request=${id}]`).getByText('Glass broken').waitFor();
  await anna.locator(`[data-request=${id}] a`).click();
  await anna.locator(`[data-shown=${id}] [data-review-form]`).waitFor();
  await anna.getByLabel('Yes, it was right').check();
  await anna.getByLabel('What was found').fill('It did burn.');
  await anna.getByRole('button', { name: 'Write down the review' }).click();
  await anna.locator('[data-review]').getByText('It did burn.').waitFor();
  await t.axe(anna, 'a reviewed request');
}

// Approved for later; until then another environment makes it another command, and it waits again.
async function changed(t, admin, anna, olga, node) {
  const tag = (value) => admin.request.post('/api/fleet/set_tag', {
    form: { node_id: node, key: 'Environment', value }, headers: { origin: t.base },
  });
  await refused(t, olga, `/commands/new?nodes=${node}`, 'echo later');
  await olga.locator('#ask-why').fill('Tonight.');
  await olga.locator('#ask-ticket').fill('OPS-9');
  // The next minute but one: fields for times have no seconds.
  const at = new Date(Date.now() + 90_000).toISOString().slice(0, 16);
  await olga.locator('#ask-not-before').fill(at);
  await olga.getByRole('button', { name: 'Ask for approval' }).click();
  const id = await number(olga);
  await t.visit(anna, `/approvals/${id}`);
  await decide(anna, /^Approve/, '');
  await anna.locator(`[data-shown=${id}]`).getByText('Approved').first().waitFor();
  t.assert.ok((await tag('Elsewhere')).ok());
  try {
    await anna.locator('[data-changed]').waitFor({ timeout: 180_000 });
    await anna.locator('[data-decision=anna] .void-because').waitFor();
    await anna.locator('[data-decide=yes]').waitFor();
    t.assert.equal(await anna.locator('[data-outcome]').count(), 0, 'nothing ran');
    await t.axe(anna, 'a request that has changed');
    await t.picture(anna, 'changed');
  } finally {
    await tag('Staging');
  }
  await olga.getByRole('button', { name: 'Withdraw', exact: true }).click();
  await olga.getByRole('dialog').getByRole('button', { name: 'Withdraw request' }).click();
  await olga.locator(`[data-shown=${id}]`).getByText('Withdrawn').first().waitFor();
}

async function withoutScript(t, node) {
  // Without script nobody uses what the page preloads for it.
  t.tolerate(/was preloaded using link preload/);
  const olga = await t.open({ as: 'olga', javaScript: false });
  await olga.goto(`/commands/new?nodes=${node}`);
  await olga.locator('textarea[name="parameters[commands]"]').fill('echo "no script"');
  await olga.getByRole('button', { name: /^Run on/ }).click();
  await olga.locator('[data-ask]').waitFor();
  t.assert.equal(await olga.locator('textarea[name="parameters[commands]"]').inputValue(), 'echo "no script"');
  // Refused once more, and still all there.
  await olga.locator('#ask-why').fill('Without script.');
  await olga.getByRole('button', { name: 'Ask for approval' }).click();
  await olga.locator('#ask-ticket-error').filter({ hasText: /\S/ }).waitFor();
  t.assert.equal(await olga.locator('#ask-why').inputValue(), 'Without script.');
  await olga.locator('#ask-ticket').fill('OPS-10');
  await olga.getByRole('button', { name: 'Ask for approval' }).click();
  const id = await number(olga);
  await t.picture(olga, 'without-script');

  const anna = await t.open({ as: 'anna', javaScript: false });
  await anna.goto(`/approvals/${id}`);
  await decide(anna, 'Reject', 'Enough.', 'wrong again');
  await anna.locator('#decide-password-error').filter({ hasText: /\S/ }).waitFor();
  t.assert.equal(await anna.getByLabel('Comment', { exact: true }).inputValue(), 'Enough.');
  t.assert.equal(await anna.getByLabel('Your password').inputValue(), '', 'passwords are never kept');
  t.assert.ok(!anna.url().includes('wrong'), 'nor in the address');
  await decide(anna, 'Reject', 'Enough.');
  await anna.locator('[data-decision=anna]').getByText('rejected').waitFor();
}

async function keyboard(t, anna) {
  const olga = await t.open({ as: 'olga' });
  const node = await someNode(olga);
  const id = await asked(t, olga, node, 'echo by keyboard', 'Keys.');
  await t.visit(anna, '/');
  await anna.keyboard.press('g');
  await anna.keyboard.press('p');
  await anna.getByRole('heading', { level: 1, name: 'Approvals' }).waitFor();
  await anna.locator(`[data-request=${id}]`).waitFor();
  await anna.keyboard.press('j');
  await anna.locator('[data-request]:focus').waitFor();
  await anna.keyboard.press('Enter');
  await anna.waitForURL(/selected=CR-/);
  // It may be another than the first of the list, which stands beside it until one is chosen.
  await anna.locator(`[data-shown=${new URL(anna.url()).searchParams.get('selected')}]`).waitFor();
  await anna.locator('[data-decide=yes]').waitFor();
  await anna.keyboard.press('r');
  await anna.locator('button[value=reject]:focus').waitFor();
  await anna.keyboard.press('a');
  await anna.locator('#decide-comment:focus').waitFor();
  // Esc leaves the field, with what is typed there; then the request.
  await anna.keyboard.type('half a sentence');
  await anna.keyboard.press('Escape');
  t.assert.equal(await anna.locator('#decide-comment').inputValue(), 'half a sentence');
  await anna.keyboard.press('Escape');
  await anna.waitForURL((url) => !url.search.includes('selected'));
  // The first of the list is on show already: choosing it leaves what is being typed there alone.
  const first = anna.locator('[data-request]').first();
  await anna.locator(`[data-shown=${await first.getAttribute('data-request')}] [data-decide=yes]`).waitFor();
  await anna.locator('#decide-comment').fill('not lost');
  await first.focus();
  await anna.keyboard.press('Enter');
  await anna.waitForURL(/selected=CR-/);
  await anna.keyboard.press('a');
  await anna.locator('#decide-comment:focus').waitFor();
  t.assert.equal(await anna.locator('#decide-comment').inputValue(), 'not lost');
}

// Three requests, two of them for the same: ticked by keyboard, approved with the password once.
async function together(t, anna, olga, node) {
  const ask = (script) => asked(t, olga, node, script, 'Several.');
  const [one, other, two] = [await ask('echo the same'), await ask('echo another'), await ask('echo the same')];
  await t.visit(anna, '/approvals');
  const box = (id) => anna.locator(`[data-request=${id}] [data-act=select]`);
  await box(one).waitFor();
  await anna.locator(`[data-request=${one}]`).focus();
  await anna.keyboard.press('x');
  t.assert.ok(await box(one).isChecked());
  t.assert.ok(await box(other).isDisabled(), 'what asks for something else is approved another time');
  await box(two).check();
  await t.axe(anna, 'several requests ticked');
  await t.picture(anna, 'together');
  await anna.locator('#together-password').fill('not the password');
  await anna.getByRole('button', { name: 'Approve 2 requests' }).click();
  await anna.locator('#together-password-error').filter({ hasText: /\S/ }).waitFor();
  await anna.locator('#together-password').fill(ANNA);
  await anna.getByRole('button', { name: 'Approve 2 requests' }).click();
  for (const id of [one, two]) {
    await anna.locator(`[data-outcome-of=${id}]`).getByText('decided.').waitFor();
    await anna.locator(`[data-request=${id}]`).waitFor({ state: 'detached' });
  }
  await anna.locator(`[data-request=${other}]`).waitFor();
  await t.picture(anna, 'together-done');

  // Without script: ticked, refused with the ticks kept, and told what came of it.
  const third = await ask('echo another');
  const plain = await t.open({ as: 'anna', javaScript: false });
  await plain.goto('/approvals');
  for (const id of [other, third]) await plain.locator(`[data-request=${id}] [data-act=select]`).check();
  await plain.locator('#together-password').fill('wrong again');
  await plain.getByRole('button', { name: /^Approve what is ticked|^Approve 2/ }).click();
  await plain.locator('#together-password-error').filter({ hasText: /\S/ }).waitFor();
  for (const id of [other, third]) {
    t.assert.ok(await plain.locator(`[data-request=${id}] [data-act=select]`).isChecked(), `${id} stays ticked`);
  }
  // Rejected together: with one reason, which is needed.
  await plain.locator('#together-password').fill(ANNA);
  await plain.getByRole('button', { name: /^Reject what is ticked|^Reject 2/ }).click();
  await plain.locator('#together-comment-error').getByText('Say why').waitFor();
  await plain.locator('#together-comment').fill('Not this week.');
  await plain.locator('#together-password').fill(ANNA);
  await plain.getByRole('button', { name: /^Reject what is ticked|^Reject 2/ }).click();
  await plain.locator(`[data-outcome-of=${third}]`).getByText('decided. Rejected').waitFor();
  await plain.locator(`[data-outcome-of=${other}]`).getByText('decided. Rejected').waitFor();
  await t.picture(plain, 'together-rejected');
}

// Anna is away: whoever stands in decides for her, and both names are said.
async function delegated(t, anna, olga, node) {
  const admin = await t.open({ as: 'administrator' });
  const carl = await person(t, admin, 'carl', 'viewer', CARL);
  const until = new Date(Date.now() + 86_400_000).toISOString().slice(0, 16);
  await t.visit(anna, '/approvals/delegations');
  await anna.getByText('Everybody decides for themselves').waitFor();
  await anna.getByLabel('To whom').fill('anna');
  await anna.getByLabel('Until (UTC)').fill(until);
  await anna.getByRole('button', { name: 'Hand over' }).click();
  await anna.locator('#hand-over-to-error').filter({ hasText: 'yourself' }).waitFor();
  await anna.getByLabel('To whom').fill('carl');
  await anna.getByLabel('Why').fill('on leave');
  await anna.getByRole('button', { name: 'Hand over' }).click();
  await anna.locator('[data-delegation=anna]').getByText('on leave').waitFor();
  await t.axe(anna, 'delegations');
  await t.picture(anna, 'delegations');

  const id = await asked(t, olga, node, 'echo on behalf', 'Anna is away.');
  await olga.locator('[data-deciders]').getByText('carl on behalf of anna').waitFor();
  await t.visit(carl, '/approvals');
  await carl.locator(`[data-request=${id}] a`).click();
  await carl.locator('[data-decide] [data-stands-in]').getByText('on behalf of anna').waitFor();
  await t.axe(carl, 'deciding for somebody');
  await t.picture(carl, 'stands-in');
  await decide(carl, /^Approve/, 'For Anna.', CARL);
  await carl.locator('[data-decision=carl]').getByText('on behalf of anna').waitFor();

  // Several at once for her, too.
  const next = await asked(t, olga, node, 'echo on behalf again', 'Anna is away.');
  await t.visit(carl, '/approvals');
  await carl.locator('.together [data-stands-in]').getByText('on behalf of anna').waitFor();
  await carl.locator(`[data-request=${next}] [data-act=select]`).check();
  await carl.locator('#together-password').fill(CARL);
  await carl.getByRole('button', { name: 'Approve 1 request' }).click();
  await carl.locator(`[data-outcome-of=${next}]`).getByText('decided. Approved').waitFor();

  // Taken back, without script.
  const plain = await t.open({ as: 'anna', javaScript: false });
  await plain.goto('/approvals/delegations');
  await plain.getByRole('button', { name: 'Take it back' }).click();
  await plain.locator('[data-delegation=anna]').getByText('Ended').waitFor();
  await plain.getByLabel('To whom').fill('nobody-at-all');
  await plain.getByLabel('Until (UTC)').fill(until);
  await plain.getByRole('button', { name: 'Hand over' }).click();
  await plain.locator('#hand-over-to-error').filter({ hasText: 'no account' }).waitFor();
  t.assert.equal(await plain.getByLabel('To whom').inputValue(), 'nobody-at-all');
}

async function shapes(t, id) {
  const wanted = ['1440-light', '390-dark'];
  for (const shape of t.variants.filter((one) => wanted.includes(one.name))) {
    const page = await t.open({ as: 'anna', ...shape });
    for (const path of [
      '/approvals?tab=all', `/approvals?tab=history&selected=${id}`, `/approvals/${id}`, '/approvals/role',
      '/approvals/policies', '/approvals/delegations', '/approvals?tab=mine', '/approvals?tab=history&q=nothing-like-it', '/approvals?tab=yours',
    ]) {
      await t.visit(page, path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await t.axe(page, `${path} ${shape.name}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.assert.ok(wide <= 0, `${path} at ${shape.name} is ${wide} px too wide`);
      await t.picture(page, `${path.replaceAll(/[/?=&]/g, '_')}-${shape.name}`);
    }
  }
}
