// Colours for code: comments, strings, numbers and words that languages keep for themselves. No
// grammar of any language; what it does not know is left as it is. Linear in the text's length: an
// escape outside of strings is passed over, so that a quote which is never closed is looked for once.
import type { ComponentChildren } from "preact";

const kComments: [languages: string, pattern: string][] = [
    ["py python sh bash shell zsh yaml yml toml ruby rb perl r make dockerfile cmake", "#.*"],
    [
        "c h cc cpp cxx c++ cs csharp java js jsx javascript ts tsx typescript go rust rs swift kotlin kt scala php css scss json jsonc",
        "\\/\\/.*|\\/\\*(?:[^*]|\\*(?!\\/))*(?:\\*\\/)?",
    ],
    ["sql lua haskell hs ada", "--.*"],
];

const kWords = new Set(
    ("abstract and as async await begin bool break case catch char class const constexpr continue def default " +
        "del delete do done double elif else end enum esac except export extends extern false fi final finally float fn " +
        "for from func function if impl implements import in include inline int interface is let local long match mod " +
        "module mut namespace new nil none not null nullptr or package pass private protected pub public raise return " +
        "select self short signed sizeof static struct super switch template then this throw trait true try type " +
        "typedef typename union unsigned use using var virtual void where while with yield " +
        "create drop group insert into join order table update values").split(" "));

const kString = `"(?:\\\\.|[^"\\\\\\n])*"|'(?:\\\\.|[^'\\\\\\n])*'|\`(?:\\\\.|[^\`\\\\])*\``;

function patternFor(language: string): RegExp | null {
    const found = kComments.find(([languages]) => languages.split(" ").includes(language.toLowerCase()));
    return found ? new RegExp(`(${found[1]})|(${kString})|(\\b\\d[\\w.]*)|([A-Za-z_]\\w*)|\\\\.`, "g") : null;
}

const kKinds = ["comment", "string", "number", "word"];

export function highlighted(text: string, language: string): ComponentChildren {
    const pattern = patternFor(language);
    if (pattern === null) return text;
    const parts: ComponentChildren[] = [];
    let from = 0;
    for (const match of text.matchAll(pattern)) {
        const kind = kKinds[match.slice(1).findIndex((group) => group !== undefined)];
        if (kind === undefined || (kind === "word" && !kWords.has(match[0].toLowerCase()))) continue;
        parts.push(text.slice(from, match.index), <span class={`code-${kind}`}>{match[0]}</span>);
        from = match.index + match[0].length;
    }
    parts.push(text.slice(from));
    return parts;
}
