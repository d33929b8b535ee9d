// Measures llama.cpp, by way of node-llama-cpp, the way heft bench measures heft.
//
// usage: node llama.mjs '{"model": "x.gguf", "threads": 2, "tests":
//                         [{"kind": "pp" or "tg", "tokens": 512, "depth": 0, "batch": 1}]}'
// Prints one JSON object. The clock starts when the library is loaded and the model is not.
import {readFileSync} from "node:fs";
import {getLlama} from "node-llama-cpp";

const {model: modelPath, threads, tests} = JSON.parse(process.argv[2]);

const seconds = () => Number(process.hrtime.bigint()) / 1e9;

let state = 12345;
function randomTokens(count, vocabulary) {
    return Array.from({length: count}, () => {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        return 300 + state % (vocabulary - 300);
    });
}

const llama = await getLlama({gpu: false, build: "never", progressLogs: false, logLevel: "error", maxThreads: threads});
const began = seconds();
const model = await llama.loadModel({modelPath, gpuLayers: 0, useMmap: true});
const loaded = seconds() - began;
const vocabulary = model.fileInfo.metadata.tokenizer.ggml.tokens.length;
const longest = Math.max(1, ...tests.map((test) => test.depth + test.tokens)) + 16;
const context = await model.createContext({
    contextSize: longest, sequences: Math.max(1, ...tests.map((test) => test.batch)), batchSize: 512,
    threads: {ideal: threads, min: threads}, flashAttention: true
});
const sequences = Array.from({length: context.totalSequences}, () => context.getSequence());
const choice = {temperature: 0, yieldEogToken: true};

async function firstToken() {
    for await (const _ of sequences[0].evaluate(randomTokens(1, vocabulary), choice))
        break;
}
await firstToken();
const first = seconds() - began;

// What an earlier test left up to the depth stays.
async function fill(depth, batch) {
    for (const sequence of sequences) {
        const length = sequence.nextTokenIndex;
        const kept = depth > 0 && length >= depth;
        if (kept) await sequence.eraseContextTokenRanges([{start: depth, end: length}]);
        else await sequence.clearHistory();
        if (!kept && depth > 0 && sequences.indexOf(sequence) < batch)
            await sequence.evaluateWithoutGeneratingNewTokens(randomTokens(depth, vocabulary));
    }
}

async function prefill({tokens, depth, batch}) {
    await fill(depth, batch);
    const start = seconds();
    await Promise.all(sequences.slice(0, batch).map((sequence) =>
        sequence.evaluateWithoutGeneratingNewTokens(randomTokens(tokens, vocabulary))));
    return seconds() - start;
}

async function decode({tokens, depth, batch}) {
    await fill(depth, batch);
    const running = sequences.slice(0, batch).map((sequence) =>
        sequence.evaluate(randomTokens(1, vocabulary), choice));
    await Promise.all(running.map((generator) => generator.next()));
    const start = seconds();
    await Promise.all(running.map(async (generator) => {
        for (let i = 0; i < tokens; i++) await generator.next();
    }));
    const took = seconds() - start;
    await Promise.all(running.map((generator) => generator.return()));
    return took;
}

const results = [];
for (const test of tests) {
    const measure = test.kind === "pp" ? prefill : decode;
    if (test.depth === 0) await measure({...test, tokens: Math.min(test.tokens, 16)}); // warms up
    const took = await measure(test);
    results.push({...test, tok_s: test.tokens * test.batch / took});
}
const version = JSON.parse(readFileSync(new URL("node_modules/node-llama-cpp/package.json", import.meta.url))).version;
console.log(JSON.stringify({
    engine: "llama.cpp in node-llama-cpp " + version,
    load_s: loaded,
    first_token_s: first,
    peak_memory_bytes: process.resourceUsage().maxRSS * 1024,
    results
}));
await llama.dispose();
process.exit(0);
