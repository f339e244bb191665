// Starts Chromium: Debian's, or the one that MUSTER_TEST_CHROMIUM names.

import { chromium } from 'playwright-core';

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.MUSTER_TEST_CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    // It runs as root in CI, has no graphics card there, and must ask nobody outside for anything.
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
      '--disable-background-networking', '--disable-component-update', '--disable-dev-shm-usage',
    ],
  });
}
