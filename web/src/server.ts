// Asking the server. Paths are relative, so that the page also works below a proxy's prefix.
import { Store } from "./store";

const kKey = "heft.key";

function keptKey(): string {
    try {
        return sessionStorage.getItem(kKey) ?? "";
    } catch {
        return "";
    }
}

// The API key, for as long as this tab is open; "": none.
export const apiKey = new Store(keptKey());
// The server wants a key, or another one.
export const keyWanted = new Store(false);

export function setKey(key: string): void {
    try {
        if (key === "") sessionStorage.removeItem(kKey);
        else sessionStorage.setItem(kKey, key);
    } catch {
        // It is known until the page is left.
    }
    apiKey.set(key);
}

export class ServerError extends Error {
    constructor(
        message: string,
        readonly status: number,
        readonly retryAfter: number | null = null,
    ) {
        super(message);
    }
}

function sentenceOf(body: unknown): string | null {
    if (typeof body !== "object" || body === null || !("error" in body)) return null;
    const error = body.error;
    if (typeof error === "string") return error;
    if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
    return null;
}

async function failureOf(response: Response): Promise<ServerError> {
    const text = await response.text().catch(() => "");
    let said: string | null = null;
    try {
        said = sentenceOf(JSON.parse(text));
    } catch {
        // Not ours: a proxy's page, say.
    }
    const after = Number(response.headers.get("retry-after") ?? NaN);
    return new ServerError(
        said ?? `The server answered ${response.status} ${response.statusText}.`,
        response.status,
        Number.isFinite(after) ? after : null,
    );
}

async function ask(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    const key = apiKey.get();
    if (key !== "") headers.set("Authorization", `Bearer ${key}`);
    let response: Response;
    try {
        response = await fetch(path, { ...init, headers, cache: "no-store" });
    } catch (error) {
        if (error instanceof DOMException && error.name === "AbortError") throw error;
        throw new ServerError("The server cannot be reached; is it still running?", 0);
    }
    if (response.ok) return response;
    if (response.status === 401) keyWanted.set(true);
    throw await failureOf(response);
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
    return (await ask(path, signal ? { signal } : {})).json() as Promise<T>;
}

function post(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    return ask(path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
        ...(signal ? { signal } : {}),
    });
}

export async function postJson<T>(path: string, body: unknown): Promise<T> {
    return (await post(path, body)).json() as Promise<T>;
}

// The data of server-sent events (WHATWG HTML, 9.2), one string each; what else they may carry, the
// chat API does not use.
export async function* events(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
    const reader = stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
    let rest = "";
    let data: string[] = [];
    for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        const lines = (rest + value).split("\n");
        rest = lines.pop() ?? "";
        for (const raw of lines) {
            const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
            if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
            if (line !== "" || data.length === 0) continue;
            yield data.join("\n");
            data = [];
        }
    }
}

// The parsed events of a streamed answer. One that is cut off, or that says an error, throws.
export async function* streamed<T>(path: string, body: unknown, signal: AbortSignal): AsyncGenerator<T> {
    const response = await post(path, body, signal);
    if (response.body === null) throw new ServerError("The answer is empty.", response.status);
    for await (const data of events(response.body)) {
        if (data === "[DONE]") return;
        const event = JSON.parse(data) as T;
        const said = sentenceOf(event);
        if (said !== null) throw new ServerError(said, response.status);
        yield event;
    }
    throw new ServerError("The answer was cut off.", 0);
}
