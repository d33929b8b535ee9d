// From a conversation to its next reply, by the server's own OpenAI API.
import { look } from "./catalogue";
import { change, type Conversation, find, keep, type Reply, titleOf, type Turn } from "./conversations";
import { streamed } from "./server";
import { parameters } from "./settings";
import { Store } from "./store";

interface Delta {
    content?: string | null;
    reasoning_content?: string | null;
    tool_calls?: { index: number; function?: { name?: string; arguments?: string } }[];
}

interface Chunk {
    model?: string;
    choices?: { index: number; delta?: Delta; finish_reason?: string | null }[];
    usage?: {
        prompt_tokens: number;
        completion_tokens: number;
        prompt_tokens_details?: { cached_tokens?: number };
    } | null;
    heft?: {
        degraded?: string[];
        timings?: { decode_s: number; first_token_s: number; total_s: number };
    };
}

// What is being answered, by conversation.
export const running = new Store<ReadonlyMap<string, AbortController>>(new Map());
// One sentence for those who hear the page.
export const spoken = new Store("");

function setRunning(id: string, controller: AbortController | null): void {
    const next = new Map(running.get());
    if (controller === null) next.delete(id);
    else next.set(id, controller);
    running.set(next);
}

export function stop(id: string): void {
    running.get().get(id)?.abort();
}

const kEmpty: Reply = {
    model: "", text: "", reasoning: "", calls: [], degraded: [], finish: "", error: "", stats: null,
};

function messagesOf(conversation: Conversation, turns: Turn[]): unknown[] {
    const messages: unknown[] = [];
    if (conversation.system.trim() !== "") messages.push({ role: "system", content: conversation.system });
    for (const turn of turns) {
        if (turn.role === "user") messages.push({ role: "user", content: turn.text });
        else messages.push({ role: "assistant", content: turn.replies[turn.shown]?.text ?? "" });
    }
    return messages;
}

function withChunk(reply: Reply, chunk: Chunk): Reply {
    const next = { ...reply };
    if (chunk.model !== undefined) next.model = chunk.model;
    for (const choice of chunk.choices ?? []) {
        if (choice.index !== 0) continue; // further ones, if somebody asked for them, are not shown
        next.text += choice.delta?.content ?? "";
        next.reasoning += choice.delta?.reasoning_content ?? "";
        for (const part of choice.delta?.tool_calls ?? []) {
            next.calls = [...next.calls];
            const call = next.calls[part.index] ?? { name: "", arguments: "" };
            next.calls[part.index] = {
                name: call.name + (part.function?.name ?? ""),
                arguments: call.arguments + (part.function?.arguments ?? ""),
            };
        }
        if (choice.finish_reason) next.finish = choice.finish_reason;
    }
    if (chunk.heft?.degraded) next.degraded = chunk.heft.degraded;
    const timings = chunk.heft?.timings;
    if (chunk.usage && timings)
        next.stats = {
            prompt: chunk.usage.prompt_tokens,
            cached: chunk.usage.prompt_tokens_details?.cached_tokens ?? 0,
            made: chunk.usage.completion_tokens,
            firstTokenS: timings.first_token_s,
            decodeS: timings.decode_s,
            totalS: timings.total_s,
        };
    return next;
}

// Puts the reply where it belongs: the last turn's shown one.
function put(id: string, reply: Reply): void {
    change(id, (conversation) => {
        const turns = [...conversation.turns];
        const last = turns.pop();
        if (last?.role !== "assistant") return conversation;
        const replies = [...last.replies];
        replies[last.shown] = reply;
        return { ...conversation, turns: [...turns, { ...last, replies }] };
    });
}

async function make(id: string, body: unknown, controller: AbortController, begun: Reply): Promise<Reply> {
    let reply = begun;
    let drawn = 0;
    const show = () => {
        drawn = 0;
        put(id, reply);
    };
    try {
        for await (const chunk of streamed<Chunk>("./v1/chat/completions", body, controller.signal)) {
            reply = withChunk(reply, chunk);
            if (drawn === 0) drawn = requestAnimationFrame(show); // as often as it can be seen
        }
        if (reply.finish === "") reply = { ...reply, finish: "stop" };
    } catch (error) {
        if (controller.signal.aborted) reply = { ...reply, finish: "stopped" };
        else reply = { ...reply, finish: "failed", error: error instanceof Error ? error.message : String(error) };
    }
    cancelAnimationFrame(drawn);
    return reply;
}

function outcome(reply: Reply): string {
    if (reply.finish === "failed") return `The reply failed: ${reply.error}`;
    if (reply.finish === "stopped") return "The reply was stopped.";
    const made = reply.stats ? ` of ${reply.stats.made} tokens` : "";
    return `A reply${made} is complete.`;
}

// `turns` are what the reply answers; `begun`: its beginning, when it goes on where it ended.
async function answer(id: string, turns: Turn[], begun: Reply | null): Promise<void> {
    const conversation = find(id);
    if (conversation === undefined || running.get().has(id)) return;
    const controller = new AbortController();
    const messages = messagesOf(conversation, turns);
    if (begun) messages.push({ role: "assistant", content: begun.text });
    const body = {
        stream_options: { include_usage: true },
        ...(conversation.model === "" ? {} : { model: conversation.model }),
        ...(begun ? { continue_final_message: true } : {}),
        ...parameters(conversation.settings),
        messages,
        stream: true,
    };
    setRunning(id, controller);
    spoken.set("The model is answering.");
    const from = begun ? { ...begun, finish: "", error: "", stats: null } : kEmpty;
    const reply = await make(id, body, controller, from);
    setRunning(id, null);
    put(id, reply);
    keep(id);
    spoken.set(outcome(reply));
    void look(); // the model may have been loaded for it
}

// Says something at the place of turn `at`; what came after it is left out.
export function say(id: string, text: string, at: number): void {
    if (running.get().has(id)) return;
    const user: Turn = { role: "user", text };
    change(id, (conversation) => ({
        ...conversation,
        title: at === 0 ? titleOf(text) : conversation.title,
        changed: Date.now(),
        turns: [...conversation.turns.slice(0, at), user, { role: "assistant", replies: [kEmpty], shown: 0 }],
    }));
    keep(id);
    void answer(id, find(id)?.turns.slice(0, -1) ?? [], null);
}

// Another reply in the place of the last one, which stays beside it.
export function again(id: string): void {
    const last = find(id)?.turns.at(-1);
    if (last?.role !== "assistant" || running.get().has(id)) return;
    const replies = last.replies.filter((reply) => reply.finish !== "failed");
    change(id, (conversation) => ({
        ...conversation,
        changed: Date.now(),
        turns: [
            ...conversation.turns.slice(0, -1),
            { role: "assistant", replies: [...replies, kEmpty], shown: replies.length },
        ],
    }));
    void answer(id, find(id)?.turns.slice(0, -1) ?? [], null);
}

// The last reply goes on from where it was stopped or cut.
export function goOn(id: string): void {
    const last = find(id)?.turns.at(-1);
    if (last?.role !== "assistant" || running.get().has(id)) return;
    const reply = last.replies[last.shown];
    if (reply) void answer(id, find(id)?.turns.slice(0, -1) ?? [], reply);
}

export function showReply(id: string, index: number): void {
    change(id, (conversation) => {
        const turns = [...conversation.turns];
        const last = turns.pop();
        if (last?.role !== "assistant") return conversation;
        return { ...conversation, turns: [...turns, { ...last, shown: index }] };
    });
    keep(id);
}
