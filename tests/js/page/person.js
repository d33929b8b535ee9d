// What the tests of the page share: the server, the browser, and what a person does.
import assert from "node:assert/strict";

import { openPage } from "./browser.js";

export const kAsked = "Tell me a story about a cat.";
export const kPhone = { viewport: { width: 320, height: 640 }, hasTouch: true };
// Takes many seconds: the page shows the first of the replies, the others keep the machine busy.
export const kLong = { ignore_eos: true, max_tokens: 900, n: 32 };

// Set by page.test.js: browser, server; opened: the page under test.
export const stage = {};

// The page under test, which has to leave nothing to complain of.
export async function open(options) {
    stage.opened = await openPage(stage.browser, stage.server.url, options);
    return stage.opened.page;
}

export async function close() {
    const { opened } = stage;
    if (opened === undefined) return;
    stage.opened = undefined;
    await opened.close();
    assert.deepEqual(opened.complaints, []);
}

export async function set(page, label, value) {
    const settings = page.getByRole("button", { name: "Settings" });
    const field = page.getByLabel(label, { exact: true });
    const isOpen = await field.isVisible();
    if (!isOpen) await settings.click();
    await field.fill(value);
    const close = page.getByRole("button", { name: "Close" });
    if (await close.isVisible()) await close.click();
    else if (!isOpen) await settings.click();
}

// Whatever else chat completions take.
export function setMore(page, parameters) {
    return set(page, "Further parameters", JSON.stringify(parameters));
}

export async function say(page, text) {
    await page.getByLabel("Message", { exact: true }).fill(text);
    await page.getByRole("button", { name: "Send" }).click();
}

export function replies(page) {
    return page.getByRole("article", { name: /^Reply of/ });
}

export async function ended(page) {
    await page.getByRole("button", { name: "Stop" }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
}

export async function ask(page, text = kAsked) {
    await say(page, text);
    await ended(page);
    return replies(page).last();
}

export function textOf(reply) {
    return reply.locator(".prose").last().innerText(); // the first may be what it thought
}

export function view(page, name) {
    return page.getByRole("navigation", { name: "Views" }).getByRole("link", { name }).click();
}

// What the API says to the same request.
export async function expectedText(parameters, messages = [{ role: "user", content: kAsked }]) {
    const answer = await fetch(`${stage.server.url}/v1/chat/completions`, {
        method: "POST",
        body: JSON.stringify({ messages, ...parameters }),
    });
    return (await answer.json()).choices[0].message.content;
}

export function literal(text) {
    return { grammar: `root ::= ${JSON.stringify(text)}`, max_tokens: 900 };
}

export async function until(holds) {
    for (let i = 0; i < 200; ++i) {
        if (await holds()) return;
        await new Promise((resolve) => setTimeout(resolve, 25));
    }
    assert.fail("it did not come to hold");
}

export async function counts() {
    const now = await (await fetch(`${stage.server.url}/heft/live`)).json();
    const sum = (name) => now.models.reduce((total, model) => total + model[name], 0);
    return { made: sum("made_tokens"), cancelled: sum("cancelled"), running: sum("running") };
}
