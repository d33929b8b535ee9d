"""What opening a model costs: the weights stay in the file."""
import json
import pathlib
import resource
import struct
import subprocess
import tempfile
import unittest

from support import HEFT, SECONDS, Case, heft

# The shape of Llama 3.2 1B.
CONFIG = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 2048,
    "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32,
    "num_key_value_heads": 8, "head_dim": 64, "vocab_size": 128256, "rms_norm_eps": 1e-5,
    "rope_theta": 500000.0, "max_position_embeddings": 131072, "hidden_act": "silu",
    "tie_word_embeddings": True, "torch_dtype": "bfloat16",
}
MEMORY = 200 * 1000 * 1000
BESIDE_FILE_AND_CACHE = 150 * 1000 * 1000


def shapes():
    wide, deep, kv = CONFIG["hidden_size"], CONFIG["intermediate_size"], 512
    yield "model.embed_tokens.weight", [CONFIG["vocab_size"], wide]
    yield "model.norm.weight", [wide]
    for layer in range(CONFIG["num_hidden_layers"]):
        for name, shape in {
            "self_attn.q_proj": [wide, wide], "self_attn.k_proj": [kv, wide],
            "self_attn.v_proj": [kv, wide], "self_attn.o_proj": [wide, wide],
            "mlp.gate_proj": [deep, wide], "mlp.up_proj": [deep, wide],
            "mlp.down_proj": [wide, deep], "input_layernorm": [wide],
            "post_attention_layernorm": [wide],
        }.items():
            yield f"model.layers.{layer}.{name}.weight", shape


def write_sparse_model(folder):
    """All weights zero, and no block of the disk taken by them."""
    header, at = {}, 0
    for name, shape in shapes():
        size = 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + at)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return at


class Memory(Case):
    def test_a_billion_weights_open_in_little_memory(self):
        """RLIMIT_DATA counts what the process may write to, mapped files aside."""
        def bound():
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            self.assertGreater(write_sparse_model(folder), 2.4e9)
            done = subprocess.run(
                [HEFT, "run", folder, "--ids", "1,2,3", "-n", "1", "-c", "1024", "-t", "2", "--ignore-eos",
                 "--json"], capture_output=True, timeout=SECONDS, preexec_fn=bound)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(len(json.loads(done.stdout)["ids"]), 1)

    def test_peak_is_file_and_cache_and_little_more(self):
        """What heft bench calls the peak, of a prompt and some tokens after it."""
        if json.loads(self.text("version", "--json"))["sanitizers"]:
            self.skipTest("sanitizers take memory of their own")
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            write_sparse_model(folder)
            done = heft("bench", folder, "-p", "64", "-n", "2", "-r", "1", "-t", "2", "--json",
                        env={"XDG_CACHE_HOME": name})
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        memory = json.loads(done.stdout)["memory"]
        self.assertGreater(memory["cache_bytes"], 0)
        self.assertLess(memory["other_bytes"], BESIDE_FILE_AND_CACHE)


if __name__ == "__main__":
    unittest.main()
