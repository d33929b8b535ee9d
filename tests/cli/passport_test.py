"""What heft writes can be checked: by its digest, by its signature, and back to where it came from."""
import base64
import hashlib
import json
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

from support import HEFT, INTERRUPTED, TINY, USAGE, Case, heft, read_safetensors, write_adapter

PRIVATE, PUBLIC = "302e020100300506032b657004220420", "302a300506032b6570032100"
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
STRING, ARRAY = 8, 9


def pem(kind, prefix, raw):
    text = base64.b64encode(bytes.fromhex(prefix) + raw).decode()
    return f"-----BEGIN {kind} KEY-----\n{text}\n-----END {kind} KEY-----\n"


class Gguf:
    """Just enough of a reader to find every byte of a file, and to write it in another way."""

    def __init__(self, raw):
        self.raw, self.at = raw, 8
        n_tensors, n_keys = self.take("<QQ")
        self.keys, self.tensors = {}, {}  # name: (begin, end of the name, end); and of data
        for _ in range(n_keys):
            name, begin = self.text()
            named = self.at
            (kind,) = self.take("<I")
            self.skip(kind)
            self.keys[name] = (begin, named, self.at)
        infos = []
        for _ in range(n_tensors):
            name, begin = self.text()
            (rank,) = self.take("<I")
            shape = self.take(f"<{rank}Q")
            kind, offset = self.take("<IQ")
            infos.append((name, begin, shape, kind, offset))
        data = (self.at + 31) // 32 * 32
        ends = sorted([info[4] for info in infos])[1:] + [len(raw) - data]
        for (name, begin, shape, kind, offset), end in zip(sorted(infos, key=lambda i: i[4]), ends):
            self.tensors[name] = {"info": begin, "shape": shape, "kind": kind, "data": (data + offset, data + end)}

    def take(self, form):
        out = struct.unpack_from(form, self.raw, self.at)
        self.at += struct.calcsize(form)
        return out

    def text(self):
        begin = self.at
        (size,) = self.take("<Q")
        self.at += size
        return self.raw[self.at - size:self.at].decode(), begin

    def skip(self, kind):
        if kind == STRING:
            self.text()
        elif kind == ARRAY:
            item, count = self.take("<IQ")
            if item == STRING:
                for _ in range(count):
                    self.text()
            else:
                self.at += count * SIZES[item]
        else:
            self.at += SIZES[kind]

    def value(self, key):
        _, named, end = self.keys[key]
        return self.raw[named:end]

    def record(self):
        return self.value("heft.lineage")[12:].decode()


def rewritten(files, alignment=64):
    """One file of several, with other padding, as another program might put them together."""
    parts = [Gguf(path.read_bytes()) for path in files]
    keys = {name: parts[0].raw[begin:end] for name, (begin, _, end) in parts[0].keys.items()
            if not name.startswith("split.")}
    name = b"general.alignment"
    keys["general.alignment"] = struct.pack("<Q", len(name)) + name + struct.pack("<II", 4, alignment)
    infos, data = b"", b""
    tensors = [(key, part, tensor) for part in parts for key, tensor in part.tensors.items()]
    random.Random(1).shuffle(tensors)
    for key, part, tensor in tensors:
        infos += struct.pack("<Q", len(key)) + key.encode() + struct.pack("<I", len(tensor["shape"]))
        infos += struct.pack(f"<{len(tensor['shape'])}QIQ", *tensor["shape"], tensor["kind"], len(data))
        data += part.raw[slice(*tensor["data"])]
        data += b"\0" * (-len(data) % alignment)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys.values()) + infos
    return head + b"\0" * (-len(head) % alignment) + data


def last_replaced(text, old, new):
    at = text.rindex(old)
    return text[:at] + new + text[at + len(old):]


def text_digest(text, record):
    """That of a record's own text, as docs/lineage.md has it."""
    if "signature" in record:
        text = last_replaced(text, record["signature"]["value"], "0" * 128)
    text = last_replaced(text, record["contents"]["record"], "0" * 64)
    return hashlib.sha256(text.encode()).hexdigest()


class Passport(Case):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.draw = random.Random(11)

    def path(self, name):
        return self.folder / name

    def quantize(self, source, name, *args):
        return self.document("heft.quantize/1", "quantize", source, self.path(name), "--no-measure", *args)

    def verify(self, name, *args):
        """Whether it is sound, and the document."""
        done = heft("verify", self.path(name), "--json", *args)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        tree = json.loads(done.stdout)
        self.assertEqual(tree["verdict"], "sound" if done.returncode == 0 else "problems")
        return done.returncode == 0, tree

    def problems(self, name, *args):
        sound, tree = self.verify(name, *args)
        found = [f"{f['check']}: {f['file']}: {f['what']}" for f in tree["findings"] if f["severity"] == "problem"]
        self.assertEqual(sound, not found)
        return found

    def changed(self, name, at, model=None, bit=None):
        """The problems when one bit of a byte is another."""
        path = self.path(name)
        kept = path.read_bytes()
        raw = bytearray(kept)
        raw[at] ^= 1 << (self.draw.randrange(8) if bit is None else bit)
        path.write_bytes(raw)
        found = self.problems(model or name)
        path.write_bytes(kept)
        return found

    def key(self, name="key.pem", seed=b"\x07" * 32):
        self.path(name).write_text(pem("PRIVATE", PRIVATE, seed))
        return self.path(name)

    def test_no_byte_of_a_file_changes_unseen(self):
        self.quantize(TINY, "m.gguf", "--type", "Q4_K_M")
        self.assertEqual(self.problems("m.gguf"), [])
        gguf = Gguf(self.path("m.gguf").read_bytes())
        keys = sorted(set(gguf.keys) - {"heft.lineage"})
        names = sorted(gguf.tensors)
        begin, named, end = gguf.keys["heft.lineage"]
        for _ in range(15):
            tensor = self.draw.choice(names)
            at = self.draw.randrange(*gguf.tensors[tensor]["data"])
            self.assertIn(f"contents: {tensor}: ", " ".join(self.changed("m.gguf", at)))
            key = self.draw.choice(keys)
            at = self.draw.randrange(gguf.keys[key][1], gguf.keys[key][2])
            self.assertTrue(self.changed("m.gguf", at), (key, at))
            at = self.draw.randrange(gguf.keys[key][0], gguf.keys[key][1])
            self.assertTrue(self.changed("m.gguf", at), (key, at))
            info = gguf.tensors[tensor]["info"]
            at = info + self.draw.randrange(8 + len(tensor) + 4 + 8 * len(gguf.tensors[tensor]["shape"]) + 4)
            self.assertTrue(self.changed("m.gguf", at), (tensor, at))
            self.assertTrue(self.changed("m.gguf", self.draw.randrange(named, end)))
            self.assertTrue(self.changed("m.gguf", self.draw.randrange(begin, named)))

    def test_what_differs_is_named(self):
        self.quantize(TINY, "m.gguf", "--type", "Q8_0")
        raw = self.path("m.gguf").read_bytes()
        gguf = Gguf(raw)
        at = gguf.keys["tokenizer.chat_template"][2] - 1
        self.assertIn("contents: tokenizer.chat_template: is not a key that heft wrote",
                      " ".join(self.changed("m.gguf", at, bit=0)))
        at = gguf.keys["heft.lineage"][1] + 12 + gguf.record().index("accepted_by_person") + 3
        self.assertEqual(self.changed("m.gguf", at, bit=0),
                         ["lineage: None: the record of lineage has been changed since heft wrote it"])

        # Two tensors of one size, each in the other's place.
        a, b = (gguf.tensors[f"blk.{i}.attn_q.weight"]["data"] for i in (0, 1))
        swapped = bytearray(raw)
        swapped[slice(*a)], swapped[slice(*b)] = raw[slice(*b)], raw[slice(*a)]
        self.path("s.gguf").write_bytes(swapped)
        told = " ".join(self.problems("s.gguf"))
        for i in (0, 1):
            self.assertIn(f"contents: blk.{i}.attn_q.weight: is not a tensor that heft wrote", told)
        self.assertNotIn("blk.2", told)

        self.path("s.gguf").write_bytes(raw[:-1000])
        self.assertIn("cannot be opened", " ".join(self.problems("s.gguf")))
        self.path("s.gguf").write_bytes(raw + b"PK and an archive that nobody asked for")
        self.assertIn("belong to nothing", " ".join(self.problems("s.gguf")))

    def test_the_digest_is_the_one_that_the_documentation_describes(self):
        self.quantize(TINY, "m.gguf", "--type", "Q8_0")
        gguf = Gguf(self.path("m.gguf").read_bytes())
        record = json.loads(gguf.record())
        kinds = {t["name"]: t for t in
                 self.document("heft.inspect/1", "inspect", self.path("m.gguf"), "--tensors")["tensors"]["list"]}
        lines = []
        for name, tensor in gguf.tensors.items():
            data = gguf.raw[slice(*tensor["data"])][:kinds[name]["bytes"]]
            lines.append(["tensor", name, kinds[name]["type"], list(reversed(tensor["shape"])),
                          hashlib.sha256(data).hexdigest()])
        for key in gguf.keys:
            if key not in ("heft.lineage", "general.alignment") and not key.startswith("split."):
                lines.append(["key", key, hashlib.sha256(gguf.value(key)).hexdigest()])
        text = sorted(json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() for line in lines)
        contents = record["contents"]
        self.assertEqual(contents["sha256"], hashlib.sha256(b"".join(line + b"\n" for line in text)).hexdigest())
        self.assertEqual(contents["marks"], "".join(hashlib.sha256(line).hexdigest()[:8] for line in text))
        self.assertEqual((contents["tensors"], contents["keys"]), (len(gguf.tensors), len(lines) - len(gguf.tensors)))
        self.assertEqual(contents["record"], text_digest(gguf.record(), record))

    def test_parts_are_checked_whole_and_in_any_other_layout(self):
        made = self.quantize(TINY, "m.gguf", "--type", "Q8_0", "--shard-size", "1MB")
        files = [pathlib.Path(name) for name in made["files"]]
        self.assertGreater(len(files), 2)
        self.assertEqual(self.problems(files[0].name), [])
        last = Gguf(files[-1].read_bytes())
        name = next(iter(last.tensors))
        found = self.changed(files[-1].name, last.tensors[name]["data"][0] + 5, files[0].name)
        self.assertIn(f"contents: {name}: ", " ".join(found))

        self.path("one.gguf").write_bytes(rewritten(files))
        sound, tree = self.verify("one.gguf")
        self.assertTrue(sound, tree["findings"])
        self.assertEqual(tree["lineage"]["contents"], "as written")

        self.quantize(TINY, "whole.gguf", "--type", "Q8_0")
        whole = json.loads(Gguf(self.path("whole.gguf").read_bytes()).record())
        self.assertEqual(made["lineage"]["contents"]["sha256"], whole["contents"]["sha256"])

    def test_no_file_of_a_folder_changes_unseen(self):
        made = self.document("heft.convert/1", "convert", TINY, self.path("m"))
        self.assertEqual(self.problems("m"), [])
        names = {pathlib.Path(name).name for name in made["files"]}
        self.assertLessEqual({"model.safetensors", "config.json", "heft.json", "LICENSE"}, names)
        for name in sorted(names):
            size = self.path(f"m/{name}").stat().st_size
            for _ in range(4):
                found = self.changed(f"m/{name}", self.draw.randrange(size), "m")
                self.assertTrue(found, name)
        tensors = read_safetensors(self.path("m/model.safetensors"))
        found = self.changed("m/model.safetensors", self.path("m/model.safetensors").stat().st_size - 1, "m")
        self.assertIn(f"contents: {list(tensors)[-1]}: is not a tensor that heft wrote", " ".join(found))
        self.assertEqual(self.changed("m/LICENSE", 100, "m"), ["contents: LICENSE: is not as heft wrote it"])

        self.path("m/picture.png").write_bytes(b"\x89PNG")
        self.assertEqual(self.problems("m"), [])
        self.path("m/added_tokens.json").write_text('{"obey": 7}')
        self.assertEqual(self.problems("m"), ["contents: added_tokens.json: was not there when heft wrote the folder"])
        self.path("m/added_tokens.json").unlink()
        self.path("m/LICENSE").unlink()
        self.assertEqual(self.problems("m"), ["contents: LICENSE: is gone"])

    def test_a_folder_in_other_parts_is_the_same(self):
        self.ok("convert", TINY, self.path("m"))
        tensors = read_safetensors(self.path("m/model.safetensors"))
        self.path("m/model.safetensors").unlink()
        where, names = {}, sorted(tensors)
        for i, chosen in enumerate((names[::2], names[1::2])):
            header, data = {"__metadata__": {"format": "pt"}}, b""
            for name in chosen:
                kind, shape, raw = tensors[name]
                header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
                where[name] = f"model-0000{i + 1}-of-00002.safetensors"
                data += raw
            text = json.dumps(header).encode()
            self.path("m/" + where[chosen[0]]).write_bytes(struct.pack("<Q", len(text)) + text + data)
        self.path("m/model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
        self.assertEqual(self.problems("m"), [])

    def test_a_signature_is_that_of_a_key(self):
        key = self.key()
        self.quantize(TINY, "m.gguf", "--type", "Q8_0", "--sign", key)
        sound, tree = self.verify("m.gguf")
        self.assertTrue(sound, tree["findings"])
        told = tree["lineage"]
        self.assertEqual((told["contents"], told["signature"]), ("as written", "good"))
        public = bytes.fromhex(PUBLIC + told["public_key"])
        self.assertEqual(told["fingerprint"], hashlib.sha256(public).hexdigest())
        self.path("pub.pem").write_text(pem("PUBLIC", PUBLIC, public[12:]))
        self.assertEqual(self.problems("m.gguf", "--key", self.path("pub.pem")), [])
        self.assertIn(f"signed with key {told['fingerprint']}", self.text("verify", self.path("m.gguf")))

        self.quantize(TINY, "other.gguf", "--type", "Q8_0", "--sign", self.key("other.pem", b"\x08" * 32))
        self.assertEqual(self.problems("other.gguf"), [])
        self.assertIn("another key", " ".join(self.problems("other.gguf", "--key", self.path("pub.pem"))))
        self.quantize(TINY, "plain.gguf", "--type", "Q8_0")
        self.assertEqual(self.problems("plain.gguf"), [])
        self.assertIn("unsigned", self.text("verify", self.path("plain.gguf")))
        self.assertIn("not signed", " ".join(self.problems("plain.gguf", "--key", self.path("pub.pem"))))

    def test_who_recomputes_the_digest_cannot_sign(self):
        key = self.key()
        self.document("heft.convert/1", "convert", TINY, self.path("m"), "--sign", key)
        self.ok("convert", TINY, self.path("plain"))
        for name, expected in (("plain", []), ("m", ["signature"])):
            self.assertEqual(self.problems(name), [])
            path = self.path(f"{name}/heft.json")
            text = path.read_text().replace('"accepted_by_person": false', '"accepted_by_person": true ')
            digest = text_digest(text, json.loads(text))
            text = last_replaced(text, json.loads(text)["contents"]["record"], digest)
            path.write_text(text)
            self.assertEqual([found.split(":")[0] for found in self.problems(name)], expected)

    def test_keys_that_cannot_sign_are_refused_before_anything_is_made(self):
        key, out = self.key(), self.path("x.gguf")
        raw = self.path("x25519.pem")
        raw.write_text(pem("PRIVATE", PRIVATE.replace("6570", "656e"), b"\x07" * 32))
        self.fails(USAGE, "quantize", TINY, out, "--sign", raw, saying="X25519")
        self.fails(USAGE, "convert", TINY, self.path("m"), "--sign", TINY / "README.md", saying="openssl genpkey")
        self.fails(3, "convert", TINY, out, "--sign", self.path("none.pem"), saying="none.pem")
        self.fails(USAGE, "quantize", TINY, "/dev/null", "--sign", key, "--no-measure", saying="device")
        self.fails(USAGE, "verify", "tiny", "--key", key, saying="private key")
        self.assertFalse(out.exists() or self.path("m").exists())

    def test_models_of_others_are_looked_at_as_ever(self):
        self.assertIsNone(self.document("heft.verify/1", "verify", TINY)["lineage"])
        self.assertIsNone(self.document("heft.verify/1", "verify", "tiny")["lineage"])
        self.path("pub.pem").write_text(pem("PUBLIC", PUBLIC, b"\x01" * 32))
        done = heft("verify", TINY, "--key", self.path("pub.pem"))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"no record of lineage", done.stdout)

    def test_adapters_are_checked_and_signed(self):
        key = self.key()
        write_adapter(self.path("a"), {"base_model.model.model.layers.0.self_attn.q_proj": self.shape_of_q()})
        self.ok("convert", self.path("a"), self.path("a.gguf"), "--base", TINY, "--accept-terms", "--sign", key)
        self.ok("convert", self.path("a.gguf"), self.path("b"), "--base", TINY, "--accept-terms", "--sign", key)
        for name, weights in (("a.gguf", "a.gguf"), ("b", "b/adapter_model.safetensors")):
            sound, tree = self.verify(name)
            self.assertTrue(sound, tree["findings"])
            self.assertEqual((tree["lineage"]["contents"], tree["lineage"]["signature"]), ("as written", "good"))
            last = self.path(weights).stat().st_size - 1
            found = self.changed(weights, last - last % 4, name, bit=0)
            self.assertTrue([f for f in found if "contents: " in f], found)
        self.assertTrue(self.changed("b/adapter_config.json", 3, "b"))
        self.assertEqual(self.problems("a"), [])

    def shape_of_q(self):
        weights = read_safetensors(next(TINY.glob("*.safetensors")))
        return weights["model.layers.0.self_attn.q_proj.weight"][1]

    def test_four_generations_are_a_chain(self):
        self.quantize(TINY, "a.gguf", "--type", "F16")
        for source, name, kind in (("a", "b", "Q8_0"), ("b", "c", "Q5_0"), ("c", "d", "Q4_0")):
            self.quantize(self.path(source + ".gguf"), name + ".gguf", "--type", kind, "--allow-requantize",
                          "--accept-terms")
        node = self.document("heft.inspect/1", "inspect", self.path("d.gguf"))["family"]
        self.assertEqual((node["unlinked"], node["is_cut"]), ([], False))
        kinds = []
        while node["parents"]:
            kinds.append(node["how"])
            (node,) = node["parents"]
            self.assertEqual(node["relation"], "itself")
            self.assertIn("apache-2.0", node["licences"])
        self.assertEqual(kinds, ["Q4_0", "Q5_0", "Q8_0", "F16"])
        self.assertEqual(node["model"], "tiny")
        lines = self.text("inspect", self.path("d.gguf")).splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("family"))
        self.assertEqual([line.split("─ ")[-1].split("by heft")[0].split()[-1] for line in lines[at:at + 4]],
                         ["Q4_0", "Q5_0", "Q8_0", "F16"])
        self.assertEqual([line.index("└") for line in lines[at + 1:at + 5]], [14, 17, 20, 23])

    def test_a_merge_has_a_branch_for_each_parent(self):
        self.ok("convert", TINY, self.path("first"))
        self.ok("convert", self.path("first"), self.path("second"), "--type", "F32")
        self.path("r.yml").write_text("merge_method: linear\nparameters: {weight: 0.5}\nmodels:\n"
                                      "- model: first\n- model: second\n")
        self.ok("merge", self.path("r.yml"), self.path("merged"), "-q", "--sign", self.key())
        self.assertEqual(self.problems("merged"), [])
        self.assertEqual(self.verify("merged")[1]["lineage"]["signature"], "good")
        family = self.document("heft.inspect/1", "inspect", self.path("merged"))["family"]
        self.assertEqual((family["verb"], family["how"], family["unlinked"]), ("merge", "linear", []))
        first, second = family["parents"]
        self.assertEqual([node["model"] for node in (first, second)], ["first", "second"])
        self.assertEqual(first["parents"][0]["model"], "tiny")
        self.assertEqual(second["how"], "F32")
        self.assertTrue(second["parents"][0]["repeated"])
        text = self.text("inspect", self.path("merged"))
        self.assertIn("├─ first (merged; apache-2.0): convert", text)
        self.assertIn("└─ second (merged; apache-2.0): convert F32", text)
        self.ok("merge", self.path("r.yml"), self.path("m.gguf"), "-q", "--type", "Q8_0", "--sign", self.key())
        self.assertEqual(self.problems("m.gguf"), [])
        self.assertEqual(self.verify("m.gguf")[1]["lineage"]["signature"], "good")

    def other_tiny(self):
        """The same shapes, other numbers."""
        other = self.path("other")
        shutil.copytree(TINY, other)
        weights = next(other.glob("*.safetensors"))
        raw = bytearray(weights.read_bytes())
        for at in range(len(raw) // 2, len(raw) - 2, 500):
            raw[at // 2 * 2] ^= 1
        weights.write_bytes(raw)
        return other

    def test_parts_of_two_models_never_open_together(self):
        other = self.other_tiny()
        args = ("--type", "Q8_0", "--shard-size", "500KB")
        old = self.quantize(TINY, "old.gguf", *args)
        new = self.quantize(other, "new.gguf", *args)
        want = [pathlib.Path(name).read_bytes() for name in new["files"]]
        was = [pathlib.Path(name).read_bytes() for name in old["files"]]
        self.assertEqual(len(want), len(was))
        paths = [pathlib.Path(name.replace("old-", "m-")) for name in old["files"]]
        shutil.copy(new["files"][1], old["files"][1])
        done = heft("inspect", old["files"][0])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"another model", done.stderr)

        command = [HEFT, "quantize", str(other), str(self.path("m.gguf")), "--no-measure", "--force", "-t", "1", *args]
        began = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        whole = time.monotonic() - began
        outcomes = set()
        for _ in range(25):
            for path, raw in zip(paths, was):
                path.write_bytes(raw)
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
                time.sleep(self.draw.uniform(0, whole))
                child.send_signal(signal.SIGKILL if self.draw.random() < 0.7 else signal.SIGINT)
                self.assertIn(child.wait(), (0, -signal.SIGKILL, -signal.SIGINT, INTERRUPTED))
            opened = heft("inspect", paths[0]).returncode == 0 if paths[0].exists() else False
            there = [path.read_bytes() for path in paths if path.exists()]
            outcomes.add("old" if there == was else "new" if there == want else "between")
            self.assertEqual(opened, there in (was, want))
        self.assertIn("old", outcomes)
        subprocess.run(command, check=True, capture_output=True)
        self.assertEqual([path.read_bytes() for path in paths], want)
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith(".")], [])
        self.fails(USAGE, *command[1:2], TINY, self.path("m.gguf"), "--no-measure", *args, saying="--force")


if __name__ == "__main__":
    unittest.main()
