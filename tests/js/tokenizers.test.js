// node tokenizers.test.js HEFT: the tokenizer.json that heft makes of a GGUF file's metadata, read by
// Hugging Face's own library, gives the ids that heft gives.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Tokenizer } from 'tokenizers';

const heft = (...args) => execFileSync(process.env.HEFT, args, { maxBuffer: 1 << 28 }).toString();
const tiny = new URL('../../models/tiny', import.meta.url).pathname;
const published = JSON.parse(readFileSync(join(tiny, 'tokenizer.json')));

// The words of the built-in model's vocabulary: "Ġ" is the space before one.
const words = Object.keys(published.model.vocab).filter((piece) => /^Ġ?[A-Za-z,.!?']+$/.test(piece));
const added = (pieces) =>
  pieces.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
const around = (before, after) => ({
  type: 'TemplateProcessing',
  single: [
    ...Object.keys(before).map((id) => ({ SpecialToken: { id, type_id: 0 } })),
    { Sequence: { id: 'A', type_id: 0 } },
    ...Object.keys(after).map((id) => ({ SpecialToken: { id, type_id: 0 } })),
  ],
  pair: [],
  special_tokens: Object.fromEntries(
    Object.entries({ ...before, ...after }).map(([id, n]) => [id, { id, ids: [n], tokens: [id] }]),
  ),
});

function unigram() {
  const control = ['<pad>', '</s>', '<unk>'];
  const pieces = [...new Set([...control, '▁', ...words.map((word) => word.replace('Ġ', '▁'))])];
  const marks = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' };
  return {
    added_tokens: added(control),
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, marks] },
    post_processor: around({}, { '</s>': 1 }),
    decoder: marks,
    model: {
      type: 'Unigram',
      unk_id: 2,
      vocab: pieces.map((piece, id) => [piece, id < 3 ? 0 : -Math.log(id)]),
    },
  };
}

function wordpiece(lowercase) {
  const control = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
  const spelled = words.map((word) => (word.startsWith('Ġ') ? word.slice(1) : `##${word}`));
  const pieces = [...new Set([...control, ',', '.', '!', '?', "'", ...spelled])];
  return {
    added_tokens: added(control),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: around({ '[CLS]': 2 }, { '[SEP]': 3 }),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
    },
  };
}

const texts = readFileSync(join(tiny, 'eval/eval_instruct.jsonl'), 'utf8')
  .split('\n')
  .slice(0, 40)
  .filter((line) => line)
  .map((line) => JSON.parse(line).reference.replaceAll(/\s+/g, ' '))
  .concat(['', ' a', 'Two  spaces,  here ', 'naïve café – “quoted” 你好 😀', "It's 12.50!"]);

for (const [name, json] of Object.entries({
  'byte-level BPE': published,
  Unigram: unigram(),
  'uncased WordPiece': wordpiece(true),
  'cased WordPiece': wordpiece(false),
}))
  test(name, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heft-tokenizers-'));
    const [source, file, made] = ['source', 'm.gguf', 'made'].map((part) => join(folder, part));
    try {
      mkdirSync(source);
      for (const part of ['config.json', 'model.safetensors'])
        copyFileSync(join(tiny, part), join(source, part));
      writeFileSync(join(source, 'tokenizer.json'), JSON.stringify(json));
      heft('convert', source, file, '--no-measure', '--accept-terms');
      // As another program would have written it: without the folder's own files.
      const data = readFileSync(file).toString('latin1').replaceAll('heft.source.', 'else.source.');
      writeFileSync(file, Buffer.from(data, 'latin1'));
      heft('convert', file, made, '--accept-terms');
      const [theirs, original] = [made, source].map((at) =>
        Tokenizer.fromFile(join(at, 'tokenizer.json')),
      );
      for (const text of texts) {
        const ours = heft('tokenize', file, '--ids', '--', text).trim();
        assert.equal((await theirs.encode(text)).getIds().join(','), ours, text);
        assert.equal((await original.encode(text)).getIds().join(','), ours, text);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
