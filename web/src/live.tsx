import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";

import { count, rate, seconds } from "./format";
import { Page } from "./page";
import { type Line, Plot } from "./plot";
import { getJson, ServerError } from "./server";

interface Slot {
    id: number;
    owner?: string;
    n_prompt: number;
    n_read: number;
    n_cached: number;
    n_made: number;
    age_s: number;
}

interface LiveModel {
    name: string;
    running: number;
    waiting: number;
    prompt_tokens: number;
    cached_tokens: number;
    made_tokens: number;
    done: number;
    cache: { tokens: number; tokens_used: number; tokens_kept: number };
    slots: Slot[];
}

// GET /heft/live (docs/serve.md).
interface Now {
    at_s: number;
    models: LiveModel[];
}

interface Sample {
    at: number; // s, of the server
    made: number; // tokens/s since the sample before
    read: number;
    running: number;
}

const kEveryMs = 1000;
const kSpanS = 180;

function sum(now: Now, of: (model: LiveModel) => number): number {
    return now.models.reduce((total, model) => total + of(model), 0);
}

// A model that was unloaded takes its counts along: never a negative rate.
function perSecond(before: Now, now: Now, of: (model: LiveModel) => number): number {
    const time = now.at_s - before.at_s;
    if (time <= 0) return 0;
    const grown = now.models.reduce((total, model) => {
        const earlier = before.models.find((one) => one.name === model.name);
        return total + Math.max(0, of(model) - (earlier ? of(earlier) : 0));
    }, 0);
    return grown / time;
}

const computed = (model: LiveModel) => model.prompt_tokens - model.cached_tokens;

function useLive(): { now: Now | null; samples: Sample[]; error: string } {
    const [state, setState] = useState<{ now: Now | null; samples: Sample[] }>({ now: null, samples: [] });
    const [error, setError] = useState("");
    useEffect(() => {
        const left = new AbortController();
        let timer = 0;
        const take = async () => {
            let pause = kEveryMs;
            try {
                if (!document.hidden) {
                    const now = await getJson<Now>("./heft/live", left.signal);
                    setError("");
                    setState((before) => {
                        if (before.now === null) return { now, samples: [] };
                        const sample = {
                            at: now.at_s,
                            made: perSecond(before.now, now, (model) => model.made_tokens),
                            read: perSecond(before.now, now, computed),
                            running: sum(now, (model) => model.running),
                        };
                        const kept = before.samples.filter((one) => now.at_s - one.at <= kSpanS);
                        return { now, samples: [...kept, sample] };
                    });
                }
            } catch (failure) {
                if (left.signal.aborted) return;
                setError(failure instanceof ServerError ? failure.message : String(failure));
                if (failure instanceof ServerError && failure.retryAfter !== null) pause = failure.retryAfter * 1000;
                else pause = 5 * kEveryMs;
            }
            timer = window.setTimeout(() => void take(), pause);
        };
        void take();
        return () => {
            left.abort();
            clearTimeout(timer);
        };
    }, []);
    return { ...state, error };
}

function Tile({ name, value, unit }: { name: string; value: string; unit?: string }): VNode {
    return (
        <div class="tile">
            <dt>{name}</dt>
            <dd>{value}{unit && <span class="unit"> {unit}</span>}</dd>
        </div>
    );
}

function Tiles({ now, last }: { now: Now; last: Sample | undefined }): VNode {
    const tokens = sum(now, (model) => model.cache.tokens);
    const used = sum(now, (model) => model.cache.tokens_used);
    return (
        <dl class="tiles">
            <Tile name="Writing" value={rate(last?.made ?? 0)} unit="tokens/s" />
            <Tile name="Reading" value={rate(last?.read ?? 0)} unit="tokens/s" />
            <Tile name="In the making" value={count(sum(now, (model) => model.running))} />
            <Tile name="Waiting" value={count(sum(now, (model) => model.waiting))} />
            <Tile name="Cache in use" value={tokens > 0 ? `${Math.round((100 * used) / tokens)}` : "0"} unit="%" />
            <Tile name="Answered" value={count(sum(now, (model) => model.done))} />
        </dl>
    );
}

function Throughput({ now, samples }: { now: Now; samples: Sample[] }): VNode {
    const last = samples.at(-1);
    const lines: Line[] = [
        { name: "writing", class: "made", points: samples.map((one) => ({ at: one.at, value: one.made })) },
        { name: "reading prompts", class: "read", points: samples.map((one) => ({ at: one.at, value: one.read })) },
    ];
    const most = Math.max(0, ...samples.map((one) => one.made));
    const label = `Tokens per second over the last three minutes: ${rate(last?.made ?? 0)} written now, ${rate(most)} at most.`;
    return (
        <section class="card">
            <header>
                <h2>Tokens per second</h2>
                <p class="legend">
                    <span class="key made" aria-hidden="true" /> writing
                    <span class="key read" aria-hidden="true" /> reading prompts
                </p>
            </header>
            <Plot lines={lines} spanS={kSpanS} now={now.at_s} label={label} />
        </section>
    );
}

function progress(slot: Slot): string {
    return slot.n_read < slot.n_prompt ? `reading ${slot.n_read} of ${slot.n_prompt}` : "writing";
}

function Slots({ now }: { now: Now }): VNode {
    const slots = now.models.flatMap((model) => model.slots.map((slot) => ({ model: model.name, ...slot })));
    const hidden = sum(now, (model) => model.running) - slots.length;
    return (
        <section class="card">
            <header><h2>Answers in the making</h2></header>
            {slots.length === 0 && <p class="hint">None of yours at the moment.</p>}
            {slots.length > 0 && (
                <div class="scroll" tabIndex={0} role="region" aria-label="Answers in the making">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">Model</th>
                                <th scope="col">State</th>
                                <th scope="col" class="align-right">Prompt</th>
                                <th scope="col" class="align-right">Known</th>
                                <th scope="col" class="align-right">Written</th>
                                <th scope="col" class="align-right">For</th>
                            </tr>
                        </thead>
                        <tbody>
                            {slots.map((slot) => (
                                <tr key={`${slot.model} ${slot.id}`}>
                                    <td>{slot.model}{slot.owner && <span class="hint"> {slot.owner}</span>}</td>
                                    <td>{progress(slot)}</td>
                                    <td class="align-right">{count(slot.n_prompt)}</td>
                                    <td class="align-right">{count(slot.n_cached)}</td>
                                    <td class="align-right">{count(slot.n_made)}</td>
                                    <td class="align-right">{seconds(slot.age_s)}</td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                </div>
            )}
            {hidden > 0 && <p class="hint">and {count(hidden)} of others</p>}
        </section>
    );
}

export function Live(): VNode {
    const { now, samples, error } = useLive();
    return (
        <Page title="Live">
            {error !== "" && <p class="failed" role="alert">{error}</p>}
            {now !== null && (
                <>
                    <Tiles now={now} last={samples.at(-1)} />
                    <Throughput now={now} samples={samples} />
                    <Slots now={now} />
                </>
            )}
            {now !== null && now.models.length === 0 && <p class="hint">No model is loaded.</p>}
        </Page>
    );
}
