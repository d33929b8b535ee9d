// Markdown (CommonMark 0.31 and tables) as elements, never as HTML text: markdown-it reads it with
// HTML off, and each kind of token has a row here. What has none is shown as the text it is.
import MarkdownIt from "markdown-it";
import type { ComponentChildren, VNode } from "preact";
import { h } from "preact";
import { useMemo } from "preact/hooks";

import { Code } from "./code";

const reader = new MarkdownIt("default", { html: false, linkify: false, typographer: false, breaks: true });
type Token = ReturnType<typeof reader.parse>[number];

const kSchemes = new Set(["http:", "https:", "mailto:"]);

// A link's target if it is one to follow; null: its text is all that is shown.
function target(token: Token): string | null {
    try {
        const url = new URL(String(token.attrGet("href")));
        return kSchemes.has(url.protocol) ? url.href : null;
    } catch {
        return null; // relative: to what?
    }
}

function Link({ token, children }: { token: Token; children: ComponentChildren }): VNode {
    const href = target(token);
    if (href === null) return <span>{children}</span>;
    return (
        <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={href}>
            {children}
        </a>
    );
}

// Headings below the page's own h1 and h2, without the gaps that texts leave between levels.
function levelHeadings(tokens: Token[]): void {
    const above: number[] = [];
    for (const token of tokens) {
        if (token.type !== "heading_open") continue;
        const level = Number(token.tag.slice(1));
        while ((above.at(-1) ?? 0) >= level) above.pop();
        above.push(level);
        token.tag = `h${Math.min(6, above.length + 2)}`;
    }
}

function aligned(token: Token): { class: string } | null {
    const found = /text-align:(left|center|right)/.exec(String(token.attrGet("style")));
    return found ? { class: `align-${found[1]}` } : null;
}

type Make = (token: Token, children: ComponentChildren) => ComponentChildren;

const kRows: Record<string, Make> = {
    paragraph: (token, children) => (token.hidden ? children : <p>{children}</p>),
    heading: (token, children) => h(token.tag, null, children),
    blockquote: (_, children) => <blockquote>{children}</blockquote>,
    bullet_list: (_, children) => <ul>{children}</ul>,
    ordered_list: (token, children) => <ol start={Number(token.attrGet("start") ?? 1)}>{children}</ol>,
    list_item: (_, children) => <li>{children}</li>,
    table: (_, children) => (
        <div class="scroll" tabIndex={0} role="region" aria-label="Table">
            <table>{children}</table>
        </div>
    ),
    thead: (_, children) => <thead>{children}</thead>,
    tbody: (_, children) => <tbody>{children}</tbody>,
    tr: (_, children) => <tr>{children}</tr>,
    th: (token, children) => <th scope="col" {...aligned(token)}>{children}</th>,
    td: (token, children) => <td {...aligned(token)}>{children}</td>,
    em: (_, children) => <em>{children}</em>,
    strong: (_, children) => <strong>{children}</strong>,
    s: (_, children) => <s>{children}</s>,
    link: (token, children) => <Link token={token}>{children}</Link>,
    hr: () => <hr />,
    softbreak: () => <br />,
    hardbreak: () => <br />,
    code_inline: (token) => <code>{token.content}</code>,
    code_block: (token) => <Code text={token.content} language="" />,
    fence: (token) => <Code text={token.content} language={token.info.trim().split(/\s+/)[0] ?? ""} />,
    // Nothing is fetched for a text: an image is its description.
    image: (token) => <span class="image-text">image: {token.content || "without a description"}</span>,
    text: (token) => token.content,
    text_special: (token) => token.content,
};

// Tokens come flat, with nesting +1 and -1 around what is inside.
function built(tokens: Token[]): ComponentChildren[] {
    const levels: { token: Token | null; children: ComponentChildren[] }[] = [{ token: null, children: [] }];
    const top = () => levels[levels.length - 1]!;
    for (const token of tokens) {
        if (token.type === "inline") {
            top().children.push(...built(token.children ?? []));
        } else if (token.nesting > 0) {
            levels.push({ token, children: [] });
        } else if (token.nesting < 0) {
            const done = levels.length > 1 ? levels.pop()! : top();
            if (done.token === null) continue;
            const make = kRows[done.token.type.replace(/_open$/, "")];
            top().children.push(make ? make(done.token, done.children) : done.children);
        } else {
            top().children.push(kRows[token.type]?.(token, null) ?? token.content);
        }
    }
    return levels[0]!.children;
}

function elements(text: string): ComponentChildren[] {
    const tokens = reader.parse(text, {});
    levelHeadings(tokens);
    return built(tokens);
}

export function Markdown({ text }: { text: string }): VNode {
    const children = useMemo(() => elements(text), [text]); // other replies stay as they are
    return <div class="prose">{children}</div>;
}
