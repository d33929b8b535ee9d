// Published clients, unchanged but for the base URL.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import { embed, generateText, streamText } from "ai";
import { Ollama } from "ollama";
import OpenAI from "openai";

import { startServer } from "./server.js";

const messages = [{ role: "user", content: "Tell me about a cat." }];
let server, openai, anthropic, ollama, vercel;

before(async () => {
    server = await startServer();
    const { url } = server;
    openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
    anthropic = new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 0 });
    ollama = new Ollama({ host: url });
    vercel = createOpenAICompatible({ name: "heft", baseURL: `${url}/v1`, includeUsage: true });
});

after(() => server.stop());

async function joined(stream, textOf) {
    let text = "";
    for await (const part of stream) text += textOf(part) ?? "";
    return text;
}

test("openai: chat, whole and streamed", async () => {
    const asked = { model: "tiny", messages, max_tokens: 16, seed: 5 };
    const whole = await openai.chat.completions.create(asked);
    assert.equal(whole.usage.completion_tokens, 16);
    assert.equal(whole.choices[0].finish_reason, "length");
    const stream = await openai.chat.completions.create({ ...asked, stream: true });
    const text = await joined(stream, (part) => part.choices[0]?.delta.content);
    assert.equal(text, whole.choices[0].message.content);
});

test("openai: embeddings", async () => {
    const made = await openai.embeddings.create({ model: "tiny", input: ["a cat", "a dog"] });
    assert.equal(made.data.length, 2);
    const length = made.data[0].embedding.reduce((sum, x) => sum + x * x, 0);
    assert.ok(Math.abs(length - 1) < 1e-4);
});

test("openai: responses go on from one another", async () => {
    const first = await openai.responses.create({ model: "tiny", input: "Hello", max_output_tokens: 8 });
    assert.ok(first.output_text.length > 0);
    const stream = await openai.responses.create({
        model: "tiny",
        input: "And then?",
        previous_response_id: first.id,
        max_output_tokens: 8,
        stream: true,
    });
    const text = await joined(stream, (event) =>
        event.type === "response.output_text.delta" ? event.delta : "");
    assert.ok(text.length > 0);
});

test("openai: errors are the client's own classes", async () => {
    await assert.rejects(openai.chat.completions.create({ model: "none", messages }),
        OpenAI.NotFoundError);
    await assert.rejects(openai.chat.completions.create({ model: "tiny", messages, temperature: 9 }),
        (error) => error instanceof OpenAI.BadRequestError && error.param === "temperature");
});

test("openai: abort", async () => {
    const stream = await openai.chat.completions.create({
        model: "tiny", messages, max_tokens: 2000, stream: true,
    });
    for await (const part of stream) {
        assert.ok(part.id);
        stream.controller.abort();
    }
    const next = await openai.chat.completions.create({ model: "tiny", messages, max_tokens: 1 });
    assert.equal(next.usage.completion_tokens, 1);
});

test("anthropic: messages, whole and streamed", async () => {
    const asked = { model: "tiny", max_tokens: 16, messages, temperature: 0 };
    const whole = await anthropic.messages.create(asked);
    assert.equal(whole.stop_reason, "max_tokens");
    const stream = anthropic.messages.stream(asked);
    const last = await stream.finalMessage();
    assert.equal(last.content[0].text, whole.content[0].text);
    assert.equal(last.usage.output_tokens, 16);
    const counted = await anthropic.messages.countTokens({ model: "tiny", messages });
    assert.ok(counted.input_tokens > 0);
    await assert.rejects(anthropic.messages.create({ ...asked, model: "none" }),
        Anthropic.NotFoundError);
});

test("ollama: chat, generate, embed, lists", async () => {
    const options = { num_predict: 12, seed: 5 };
    const whole = await ollama.chat({ model: "tiny", messages, options });
    assert.equal(whole.done_reason, "length");
    const stream = await ollama.chat({ model: "tiny", messages, options, stream: true });
    assert.equal(await joined(stream, (part) => part.message.content), whole.message.content);
    const made = await ollama.generate({ model: "tiny", prompt: "Once", options });
    assert.equal(made.eval_count, 12);
    const embedded = await ollama.embed({ model: "tiny", input: "a cat" });
    assert.equal(embedded.embeddings.length, 1);
    assert.ok((await ollama.list()).models.length > 0);
    assert.ok((await ollama.show({ model: "tiny" })).template.length > 0);
    await assert.rejects(ollama.chat({ model: "none", messages }), /none/);
});

test("ai: text, streamed text, embeddings", async () => {
    const asked = { model: vercel("tiny"), prompt: "Tell me about a cat.", maxOutputTokens: 12, seed: 5 };
    const whole = await generateText(asked);
    assert.ok(whole.text.length > 0);
    const { textStream } = streamText(asked);
    assert.equal(await joined(textStream, (part) => part), whole.text);
    const { embedding } = await embed({ model: vercel.textEmbeddingModel("tiny"), value: "a cat" });
    assert.ok(embedding.length > 0);
});
