// Conversations, as this browser keeps them: each under a key of its own, so that two tabs do not
// write over each other's.
import { keysWith, read, remove, write } from "./storage";
import { Store } from "./store";

export interface ToolCall {
    name: string;
    arguments: string;
}

export interface Stats {
    prompt: number;
    cached: number;
    made: number;
    firstTokenS: number;
    decodeS: number;
    totalS: number;
}

export interface Reply {
    model: string;
    text: string;
    reasoning: string;
    calls: ToolCall[];
    degraded: string[];
    finish: string; // "", while it is made; "stopped": by the person; "failed"
    error: string;
    stats: Stats | null;
}

// Regenerated replies stay beside the earlier ones.
export type Turn = { role: "user"; text: string } | { role: "assistant"; replies: Reply[]; shown: number };

export interface Conversation {
    id: string;
    title: string;
    changed: number; // ms since 1970
    model: string; // "": the server's first
    system: string;
    settings: Record<string, string>; // by parameter, as typed; settings.ts
    turns: Turn[];
}

const kPrefix = "heft.chat.";
const kSchema = 1;

// Newest first.
export const conversations = new Store<Conversation[]>(readAll());
export const currentId = new Store<string>("");
// The last change could not be kept: storage is full or forbidden.
export const notKept = new Store(false);

function isText(value: unknown): value is string {
    return typeof value === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function replyOf(value: unknown): Reply | null {
    if (!isRecord(value) || !isText(value["text"])) return null;
    const word = (name: string) => (isText(value[name]) ? (value[name] as string) : "");
    const list = (name: string) => (Array.isArray(value[name]) ? (value[name] as unknown[]) : []);
    const stats = isRecord(value["stats"]) ? value["stats"] : null;
    const number = (name: string) => (typeof stats?.[name] === "number" ? (stats[name] as number) : 0);
    return {
        model: word("model"),
        text: word("text"),
        reasoning: word("reasoning"),
        calls: list("calls").flatMap((call) =>
            isRecord(call) && isText(call["name"]) && isText(call["arguments"])
                ? [{ name: call["name"], arguments: call["arguments"] }]
                : []),
        degraded: list("degraded").filter(isText),
        finish: word("finish") || "stopped", // the page was left meanwhile
        error: word("error"),
        stats: stats && {
            prompt: number("prompt"),
            cached: number("cached"),
            made: number("made"),
            firstTokenS: number("firstTokenS"),
            decodeS: number("decodeS"),
            totalS: number("totalS"),
        },
    };
}

function turnOf(value: unknown): Turn | null {
    if (!isRecord(value)) return null;
    if (value["role"] === "user" && isText(value["text"])) return { role: "user", text: value["text"] };
    if (value["role"] !== "assistant" || !Array.isArray(value["replies"])) return null;
    const replies = value["replies"].map(replyOf).filter((reply) => reply !== null);
    if (replies.length === 0) return null;
    const shown = typeof value["shown"] === "number" ? Math.trunc(value["shown"]) : 0;
    return { role: "assistant", replies, shown: Math.min(Math.max(shown, 0), replies.length - 1) };
}

function conversationOf(value: unknown): Conversation | null {
    if (!isRecord(value) || value["schema"] !== kSchema || !isText(value["id"])) return null;
    if (!Array.isArray(value["turns"])) return null;
    const settings = isRecord(value["settings"]) ? value["settings"] : {};
    return {
        id: value["id"],
        title: isText(value["title"]) ? value["title"] : "",
        changed: typeof value["changed"] === "number" ? value["changed"] : 0,
        model: isText(value["model"]) ? value["model"] : "",
        system: isText(value["system"]) ? value["system"] : "",
        settings: Object.fromEntries(
            Object.entries(settings).filter((entry): entry is [string, string] => isText(entry[1]))),
        turns: value["turns"].map(turnOf).filter((turn) => turn !== null),
    };
}

function readAll(): Conversation[] {
    return keysWith(localStorage, kPrefix)
        .map((key) => conversationOf(read(localStorage, key)))
        .filter((conversation) => conversation !== null)
        .sort((a, b) => b.changed - a.changed);
}

function madeId(): string {
    const words = crypto.getRandomValues(new Uint32Array(3)); // randomUUID() needs a secure context
    return [...words].map((word) => word.toString(36)).join("");
}

// A new one has the model and the settings of the one before. It is kept once something is said.
export function begin(): Conversation {
    const before = find(currentId.get()) ?? conversations.get()[0];
    const fresh: Conversation = {
        id: madeId(),
        title: "",
        changed: Date.now(),
        model: before?.model ?? "",
        system: before?.system ?? "",
        settings: { ...before?.settings },
        turns: [],
    };
    conversations.update((all) => [fresh, ...all.filter((one) => one.turns.length > 0)]);
    currentId.set(fresh.id);
    return fresh;
}

export function find(id: string): Conversation | undefined {
    return conversations.get().find((one) => one.id === id);
}

export function change(id: string, edit: (conversation: Conversation) => Conversation): void {
    conversations.update((all) => all.map((one) => (one.id === id ? edit(one) : one)));
}

// Writes it down; drops the oldest ones where there is no room.
export function keep(id: string): void {
    const conversation = find(id);
    if (conversation === undefined || conversation.turns.length === 0) return;
    const others = conversations.get().filter((one) => one.id !== id);
    let kept = write(localStorage, kPrefix + id, { schema: kSchema, ...conversation });
    while (!kept && others.length > 0) {
        const oldest = others.pop();
        if (oldest === undefined) break;
        remove(localStorage, kPrefix + oldest.id);
        kept = write(localStorage, kPrefix + id, { schema: kSchema, ...conversation });
    }
    notKept.set(!kept);
}

export function forget(id: string): void {
    remove(localStorage, kPrefix + id);
    conversations.update((all) => all.filter((one) => one.id !== id));
    if (currentId.get() === id) currentId.set(conversations.get()[0]?.id ?? begin().id);
}

export function forgetAll(): void {
    for (const key of keysWith(localStorage, kPrefix)) remove(localStorage, key);
    conversations.set([]);
    begin();
}

// Another tab changed one. What is open here stays as it is.
addEventListener("storage", (event) => {
    if (event.storageArea !== localStorage || !(event.key ?? kPrefix).startsWith(kPrefix)) return;
    const open = find(currentId.get());
    const all = readAll().filter((one) => one.id !== open?.id);
    conversations.set(open ? [open, ...all].sort((a, b) => b.changed - a.changed) : all);
});

export function titleOf(text: string): string {
    const line = text.trim().replace(/\s+/g, " ");
    return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
