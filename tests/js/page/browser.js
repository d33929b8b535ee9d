// Debian's Chromium, and pages in it that complain of nothing.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";

import axe from "axe-core";
import { chromium } from "playwright-core";

const kPlaces = [process.env.HEFT_CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"];

export function findBrowser() {
    return kPlaces.find((place) => place && existsSync(place));
}

export async function startBrowser() {
    const root = process.getuid?.() === 0; // for which Chromium has no sandbox
    return chromium.launch({ executablePath: findBrowser(), args: root ? ["--no-sandbox"] : [] });
}

// A page in a profile of its own. `complaints`: what the console said, and requests to anywhere but
// the server. `expected`: those that the test is about.
export async function openPage(browser, url, { path = "/", expected = /^$/, ...options } = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const complaints = [];
    const complain = (what) => expected.test(what) || complaints.push(what);
    page.on("console", (message) => complain(`console ${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complain(`error: ${error.message}`));
    page.on("dialog", (dialog) => {
        complain(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
    });
    context.on("request", (request) => {
        if (new URL(request.url()).origin !== new URL(url).origin) complain(`request: ${request.url()}`);
    });
    await page.goto(url + path);
    return { page, context, close: () => context.close(), complaints };
}

// What axe-core finds wrong with the page as it stands, in words.
export async function violations(page) {
    await page.evaluate(axe.source);
    const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    return found.violations.map((one) =>
        `${one.id}: ${one.help}; ${one.nodes.map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`);
}

export async function assertNoSideScroll(page) {
    const [whole, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(whole <= seen, `the page is ${whole} wide, the window ${seen}`);
}
