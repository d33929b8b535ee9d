// The chat, as a person uses it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
    ask, counts, ended, expectedText, kAsked, kLong, literal, open, replies, say, set, setMore, textOf, until,
} from "./person.js";

describe("chat", () => {
    test("answers what the API answers, with its numbers", async () => {
        const page = await open();
        await set(page, "Temperature", "0");
        await set(page, "Longest reply", "48");
        const reply = await ask(page);
        const expected = await expectedText({ temperature: 0, max_tokens: 48 });
        assert.equal((await textOf(reply)).replace(/\s+/g, " "), expected.trim().replace(/\s+/g, " "));
        assert.match(await reply.locator(".numbers").innerText(),
            /^48 tokens · [\d.,]+ tokens\/s · first after [\d.]+ m?s · prompt \d+ tokens.* · cut at the longest length$/);
        assert.match(await page.getByRole("status").innerText(), /A reply of 48 tokens is complete/);
    });

    test("sends the system prompt and every setting", async () => {
        const page = await open();
        await set(page, "System prompt", "You tell stories of dragons.");
        await set(page, "Seed", "7");
        await set(page, "Top k", "12");
        await set(page, "Stop before", "\n\n\nEND");
        const sent = page.waitForRequest("**/v1/chat/completions");
        await ask(page);
        const body = (await sent).postDataJSON();
        assert.deepEqual(body.messages, [
            { role: "system", content: "You tell stories of dragons." },
            { role: "user", content: kAsked },
        ]);
        assert.deepEqual([body.seed, body.top_k, body.stop], [7, 12, ["END"]]);
        assert.ok(!("temperature" in body));
    });

    test("says what is wrong with a setting, and does not send it", async () => {
        const page = await open();
        await page.getByRole("button", { name: "Settings" }).click();
        await page.getByLabel("Temperature").fill("warm");
        await page.getByLabel("Message", { exact: true }).fill(kAsked);
        await page.getByText("A setting keeps this from being sent. Temperature: This has to be a number.").waitFor();
        assert.ok(await page.getByRole("button", { name: "Send" }).isDisabled());
        await page.getByLabel("Temperature").fill("0.5");
        assert.ok(await page.getByRole("button", { name: "Send" }).isEnabled());
    });

    test("shows the reply as it grows; stopping it keeps what there is and frees the server", async () => {
        const page = await open();
        await setMore(page, kLong);
        const before = await counts();
        await say(page, kAsked);
        await replies(page).locator(".prose", { hasText: /\w/ }).waitFor();
        await page.getByRole("button", { name: "Stop" }).click();
        await ended(page);
        const reply = replies(page).last();
        assert.match(await reply.locator(".numbers").innerText(), /stopped/);
        const kept = await textOf(reply);
        await until(async () => (await counts()).cancelled > before.cancelled);
        await page.waitForTimeout(100);
        assert.equal(await textOf(reply), kept);
    });

    test("goes on where a reply was cut", async () => {
        const page = await open();
        await set(page, "Temperature", "0");
        await set(page, "Longest reply", "12");
        const begun = await textOf(await ask(page));
        await page.getByRole("button", { name: "Continue" }).click();
        await ended(page);
        const whole = await textOf(replies(page).last());
        assert.ok(whole.startsWith(begun) && whole.length > begun.length, whole);
        assert.equal(await replies(page).count(), 1);
    });

    test("regenerates beside the earlier reply", async () => {
        const page = await open();
        await set(page, "Longest reply", "24");
        await set(page, "Seed", "1");
        const first = await textOf(await ask(page));
        await set(page, "Seed", "2");
        await page.getByRole("button", { name: "Regenerate" }).click();
        await page.getByText("2 of 2").waitFor();
        await ended(page);
        assert.notEqual(await textOf(replies(page).last()), first);
        await page.getByRole("button", { name: "Earlier reply" }).click();
        assert.equal(await textOf(replies(page).last()), first);
    });

    test("edits a message and leaves out what came after it", async () => {
        const page = await open();
        await set(page, "Longest reply", "8");
        await ask(page);
        await ask(page, "And then?");
        assert.equal(await replies(page).count(), 2);
        await page.getByRole("button", { name: "Edit" }).first().click();
        await page.getByLabel("Edit the message").fill("Tell me about a dog.");
        const sent = page.waitForRequest("**/v1/chat/completions");
        await page.keyboard.press("Enter");
        assert.deepEqual((await sent).postDataJSON().messages, [{ role: "user", content: "Tell me about a dog." }]);
        await ended(page);
        assert.equal(await replies(page).count(), 1);
        assert.equal(await page.locator(".bubble").innerText(), "Tell me about a dog.");
    });

    test("asks the model that was chosen", async () => {
        const page = await open();
        await set(page, "Longest reply", "8");
        await page.getByLabel("Model", { exact: true }).selectOption("tools");
        await ask(page);
        await page.getByRole("article", { name: "Reply of tools" }).waitFor();
        await page.getByLabel("Model", { exact: true }).selectOption("tiny");
        await ask(page, "And then?");
        await page.getByRole("article", { name: "Reply of tiny" }).waitFor();
    });

    test("tells what could not be done as asked", async () => {
        const page = await open();
        await setMore(page, { verbosity: "low", max_tokens: 4 });
        const reply = await ask(page);
        const note = await reply.getByRole("note").innerText();
        assert.match(note, /Not quite as asked/);
        assert.match(note, /verbosity/);
    });

    test("shows a call of a tool with its arguments", async () => {
        const page = await open();
        const parameters = { type: "object", properties: { on: { type: "boolean" } }, required: ["on"] };
        await page.getByLabel("Model", { exact: true }).selectOption("tools");
        await setMore(page, {
            tools: [{ type: "function", function: { name: "light", parameters: { ...parameters, additionalProperties: false } } }],
            tool_choice: "required",
            parallel_tool_calls: false,
            max_tokens: 200,
        });
        const reply = await ask(page);
        const call = reply.locator("figure", { hasText: "calls light" });
        assert.equal(typeof JSON.parse(await call.locator("pre").innerText()).on, "boolean");
    });

    test("folds what the model thought before it answered", async () => {
        const page = await open();
        await setMore(page, literal("<think>It is about a cat.</think>Once upon a time."));
        const reply = await ask(page);
        const thought = reply.getByText("It is about a cat.");
        assert.ok(!(await thought.isVisible()));
        await reply.getByText("Reasoning").click();
        assert.ok(await thought.isVisible());
        assert.equal(await reply.locator(".prose").last().innerText(), "Once upon a time.");
    });

    test("tells an error of the server in its words, and tries again", async () => {
        const page = await open({ expected: /status of 400/ });
        await setMore(page, { top_logprobs: 3 });
        await say(page, kAsked);
        const alert = replies(page).getByRole("alert");
        await alert.getByText("top_logprobs needs logprobs to be true").waitFor();
        await setMore(page, { max_tokens: 4 });
        await alert.getByRole("button", { name: "Try again" }).click();
        await ended(page);
        assert.match(await replies(page).last().locator(".numbers").innerText(), /^\d tokens/);
    });

    test("keeps conversations in this browser until they are deleted", async () => {
        const page = await open();
        await set(page, "Longest reply", "8");
        const text = await textOf(await ask(page));
        await page.getByRole("button", { name: "New conversation" }).click();
        await ask(page, "Another one.");
        await page.reload();
        await page.getByRole("button", { name: kAsked, exact: true }).click();
        assert.equal(await textOf(replies(page).last()), text);
        await page.getByRole("button", { name: "Delete “Another one.”" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
        await page.getByRole("button", { name: "Delete all" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Delete all" }).click();
        await page.getByText("What is on your mind?").waitFor();
        assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
    });

    test("shows what another tab deleted as gone, and what is broken not at all", async () => {
        const page = await open();
        await page.evaluate(() => {
            localStorage.setItem("heft.chat.broken", "{");
            localStorage.setItem("heft.chat.strange", JSON.stringify({ schema: 1, id: 3, turns: "none" }));
            localStorage.setItem("heft.chat.sound", JSON.stringify({
                schema: 1, id: "sound", title: "A sound one", changed: 1, model: "", system: "", settings: {},
                turns: [{ role: "user", text: "Hello" },
                    { role: "assistant", shown: 7, replies: [{ text: "Good day", reasoning: "They greet me." }, 5] }],
            }));
        });
        await page.reload();
        await page.getByRole("button", { name: "A sound one", exact: true }).click();
        const reply = replies(page).last();
        await reply.getByText("Good day").waitFor();
        await reply.getByText("Reasoning").click();
        await reply.getByText("They greet me.").waitFor();
        assert.equal(await page.getByRole("button", { name: /^Delete “/ }).count(), 1);
    });
});
